//! The ports a script reaches the world through.

pub mod secrets;
