//! What scripts see of Kubernetes: thin functions over the client.

pub mod access;
pub mod apply;
pub mod connect;
pub mod create;
pub mod delete;
pub mod events;
pub mod exec;
pub mod given;
pub mod logs;
pub mod metrics;
pub mod nodes;
pub mod patch;
pub mod port_forward;
pub mod read;
pub mod replace;
pub mod rollout;
pub mod rollout_status;
pub mod scale;
mod settle;
pub mod wait;
pub mod waiting;
mod warnings;
pub mod watch;
