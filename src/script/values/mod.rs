//! The values of scripts: Kubernetes objects as a copy-on-write tree, YAML and JSON, and how a value is told apart and kept.
//!
//! Nothing here knows of steps, calls of bindings, or the host beyond a secret's reference.

pub mod absent;
pub mod at;
mod faults;
pub mod fields;
pub mod interner;
pub mod json;
pub mod misread;
pub mod numbers;
pub mod object;
pub mod path;
pub mod tree;
pub mod tunnel;
pub mod value;
pub mod yaml;
