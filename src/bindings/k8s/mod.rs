//! Kubernetes: connecting, reading, changing and waiting, for any kind.
//!
//! `client` and its neighbours are async and know no scripts, so that other bindings build on them; `functions` are what
//! scripts see. It never watches without a deadline, and never tells two kinds apart by their number.

pub mod client;
pub mod discovery;
pub mod fault;
pub mod kubeconfig;
pub mod object;
pub mod secrets;
pub mod transport;
pub mod apply;
pub mod explain;
pub mod wait;
pub mod watch;
