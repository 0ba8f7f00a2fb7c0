//! A world for rehearsals: servers that answer like the real ones, on a network inside of this process, on virtual time.
//!
//! It knows nothing of runbooks. What it has no model of it refuses loudly, and names it.

pub mod certificates;
pub mod dns;
pub mod duration;
pub mod faults;
pub mod http;
pub mod kubernetes;
pub mod loopback;
pub mod network;
mod packed;
pub mod port;
pub mod redis;
pub mod stream;
pub mod talos;
pub mod time;
pub mod tls;
pub mod webhooks;
pub mod world;
