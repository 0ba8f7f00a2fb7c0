//! Narrated operations runbooks, executable.

pub mod host;
pub mod script;
