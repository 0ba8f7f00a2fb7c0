//! What Talos Linux speaks.
//!
//! It opens no connection and keeps no state: whoever uses it brings the stream, and the time.

pub mod api;
pub mod talosconfig;
