//! What a pod is to be, wherever it is written: in the pod itself, and in the templates of everything that makes pods.

mod defaults;

pub use defaults::{fill_in, fill_in_claim, fill_in_template};

/// The lists of containers, in the order in which the server goes through them.
pub const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
