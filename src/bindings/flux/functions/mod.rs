//! What scripts see of Flux: thin functions over the files beside.

pub mod credentials;
pub mod explain;
pub mod look;
pub mod read;
pub mod reconcile;
pub mod suspend;
pub mod target;
pub mod wait;
