//! Kubeconfigs: where they are, what stands in them, which connection a context means, and how they are changed.
//!
//! It knows the format and connects to nothing: bindings connect to what a [`Target`] says, and write what was changed.

mod change;
mod edit;
mod find;
mod in_cluster;
mod merge;
mod overview;
mod plugin;
mod read;
mod target;

pub use change::Changing;
pub use edit::{Document, List};
pub use find::{default_files, found, named};
pub use in_cluster::{SERVICE_ACCOUNT, in_cluster};
pub use merge::{Clash, Wish};
pub use plugin::{Plugin, Protocol};
pub use read::{Entry, Kubeconfig, Source, read};
pub use target::{Login, Material, Target};
