//! Narrated operations runbooks, executable.

pub mod bindings;
pub mod cli;
pub mod diagnostic;
pub mod duration;
pub mod event;
pub mod host;
pub mod kubeconfig;
pub mod kubernetes;
pub mod pages;
pub mod rehearsal;
pub mod run;
pub mod script;
pub mod ssh;
pub mod ui;
pub mod wire;
