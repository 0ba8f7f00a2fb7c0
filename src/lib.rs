//! Narrated operations runbooks, executable.

pub mod bindings;
pub mod diagnostic;
pub mod event;
pub mod host;
pub mod script;
