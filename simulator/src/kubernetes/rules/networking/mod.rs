//! Ingresses, their classes, and network policies.

mod ingresses;
mod policies;

pub use ingresses::{CLASSES, INGRESSES};
pub use policies::POLICIES;
