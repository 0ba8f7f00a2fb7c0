//! Narrated operations runbooks, executable.

pub mod event;
pub mod host;
pub mod script;
