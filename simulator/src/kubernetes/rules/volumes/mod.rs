//! Volumes, and claims of them.

mod claims;

pub use claims::Claims;
