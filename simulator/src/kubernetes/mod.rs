//! The Kubernetes API server of the world.
//!
//! It answers as a real one does, down to the words, or refuses with 501 and names what it has no model of.

pub mod access;
mod address;
pub mod admission;
pub mod answer;
pub mod behaviour;
pub mod charts;
pub mod client;
pub mod cluster;
pub mod control_plane;
pub mod controllers;
pub mod custom;
mod decoding;
mod discovery;
mod fresh;
mod health;
pub mod kinds;
mod latest;
mod list;
pub mod manifests;
mod metrics;
mod openapi;
pub mod operators;
pub mod ownership;
mod patch;
pub mod protobuf;
pub mod provisioners;
pub mod quantity;
mod read;
pub mod repositories;
mod representation;
pub mod request;
mod resource;
pub mod rules;
mod schedule;
pub mod schema;
pub mod selector;
pub mod server;
pub mod store;
pub(crate) mod streams;
mod trouble;
pub mod user;
mod watch;
mod write;
