//! The language host: Rhai, its values and what is added to them.
//!
//! It parses, checks and evaluates runbooks. It never decides what is run (a [`conductor::Conductor`] does), and it
//! reaches the world only through the [`crate::host`].

pub mod absent;
pub mod binding;
pub mod catalogue;
pub mod conductor;
pub mod context;
pub mod duration;
pub mod fault;
pub mod fields;
pub mod json;
pub mod misread;
pub mod numbers;
pub mod object;
pub mod options;
pub mod path;
pub mod tree;
pub mod yaml;
