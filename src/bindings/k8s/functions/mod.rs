//! What scripts see of Kubernetes: thin functions over the client.

pub mod access;
pub mod connect;
pub mod events;
pub mod exec;
pub mod given;
pub mod logs;
pub mod metrics;
pub mod nodes;
pub mod port_forward;
pub mod read;
pub mod rollout;
pub mod wait;
pub mod write;
