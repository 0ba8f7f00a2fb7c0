//! The world of a rehearsal, from outside.
#![allow(clippy::disallowed_methods, reason = "tests watch the world from outside, with the system's own clock")]

#[allow(dead_code, reason = "the other tests use the rest of it")]
mod arms;
mod controllers;
mod conversion;
mod determinism;
mod faults;
mod lived;
mod machines;
mod nodes;
mod operators;
mod ownership;
mod protobuf;
mod redis;
mod streams;
mod time;
mod world;
