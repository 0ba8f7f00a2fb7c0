//! A client of Kubernetes: connecting, reading, changing and watching, for any kind.
//!
//! It is async and knows no steps, options or effects: `bindings/k8s` is what scripts see of it, and bindings of what runs
//! on a cluster build on it. It never makes a change that it is not asked for.

pub mod access;
pub mod apply;
pub mod before;
pub mod blast;
pub mod change;
pub mod client;
mod credentials;
pub mod crowd;
pub mod difference;
pub mod discovery;
pub mod drain;
mod established;
pub mod events;
pub mod exec;
pub mod explain;
pub mod fault;
pub mod forward;
mod hindrance;
pub mod inventory;
mod jsonpath;
pub mod kustomization;
pub mod logs;
pub mod manifest;
pub mod metrics;
pub mod named;
pub mod object;
mod order;
mod ownership;
mod plugin;
mod pods;
mod quantity;
mod query;
pub mod readiness;
pub mod removal;
pub mod report;
pub mod rollout;
pub mod secrets;
mod served;
mod transport;
pub mod trouble;
mod undeclared;
pub mod wait;
pub mod waited;
pub mod watch;
mod websocket;
