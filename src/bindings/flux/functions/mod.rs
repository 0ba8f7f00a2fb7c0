//! What scripts see of Flux: thin functions over the files beside.

pub mod credentials;
pub mod diff;
pub mod explain;
pub mod instance;
pub mod look;
pub mod read;
pub mod reconcile;
pub mod suspend;
pub mod system;
pub mod target;
pub mod uninstall;
pub mod wait;
