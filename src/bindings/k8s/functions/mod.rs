//! What scripts see of Kubernetes: thin functions over the client.

pub mod connect;
pub mod given;
pub mod logs;
pub mod nodes;
pub mod read;
pub mod rollout;
pub mod wait;
pub mod write;
