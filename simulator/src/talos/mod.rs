//! Talos nodes: machines that are empty, get a system and a configuration, and make a cluster together.
//!
//! A node is a task that lives one life after the other (`life`) in virtual time. Its API (`apid`, `api`) answers from what it is at
//! that moment (`node`), and what it shows (`resources`) follows from that, too. What has no model is refused, and named.

mod api;
mod apid;
mod boot;
pub mod config;
mod control_plane;
pub mod estate;
mod etcd;
mod feed;
mod gate;
mod grpc;
mod life;
pub mod machine;
mod node;
pub mod pki;
mod resources;
mod roles;
mod sequences;
mod services;
mod snapshot;
pub mod stages;
mod startup;
mod wrapping;
