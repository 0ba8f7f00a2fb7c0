//! The language host: Rhai, its values and what is added to them.
//!
//! It parses, checks and evaluates runbooks. It never decides what is run (a [`conductor::Conductor`] does), and it
//! reaches the world only through the [`crate::host`].

pub mod absent;
pub mod binding;
mod block;
pub mod catalogue;
mod caught;
pub mod check;
pub mod conductor;
pub mod context;
pub mod diagnostic;
pub mod engine;
pub mod fault;
mod faults_of_values;
pub mod fields;
pub mod fork;
pub mod interner;
pub mod json;
mod language_fault;
pub mod misread;
pub mod narration;
pub mod numbers;
pub mod object;
pub mod options;
pub mod outline;
pub mod params;
mod passage;
pub mod path;
pub mod sources;
pub mod syntax;
pub mod tokens;
pub mod tree;
pub mod type_words;
pub mod value;
pub mod yaml;
