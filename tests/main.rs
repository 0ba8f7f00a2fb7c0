//! Every behaviour test of the product, in one binary: it links once.
#![allow(clippy::disallowed_methods, reason = "tests watch the program from outside, with the system's own clock")]

mod bindings;
mod cli;
mod examples;
mod host;
mod real;
mod rehearsal;
mod run;
mod script;
mod support;
mod talos;
mod tidy;
mod ui;
mod wire;
mod wrong;
