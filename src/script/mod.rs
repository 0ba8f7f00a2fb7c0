//! The language host: Rhai, its values and what is added to them.
//!
//! It parses, checks and evaluates runbooks. It never decides what is run (a [`conductor::Conductor`] does), and it
//! reaches the world only through the [`crate::host`].

pub mod binding;
mod block;
pub mod catalogue;
pub mod check;
pub mod conductor;
pub mod context;
pub mod diagnostic;
pub mod engine;
pub mod fault;
pub mod fork;
pub mod highlight;
pub mod kept;
pub mod narration;
pub mod options;
pub mod outline;
pub mod page;
pub mod params;
pub mod sources;
pub mod syntax;
pub mod tokens;
pub mod try_catch;
pub mod values;
