//! What scripts see of Talos: thin functions over its API.

pub mod apply;
pub mod bootstrap;
pub mod config;
pub mod connect;
pub mod etcd;
pub mod events;
pub mod files;
pub mod health;
pub mod logs;
pub mod look;
pub mod patch;
pub mod power;
pub mod reset;
pub mod resources;
mod save;
mod sequence;
pub mod services;
pub mod space;
pub mod upgrade;
pub mod wait;
pub mod watch;
