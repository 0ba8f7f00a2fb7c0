//! What Talos Linux speaks.
//!
//! It opens no connection and keeps no state: whoever uses it brings the stream, and the time.

pub mod api;
pub mod configuration;
pub mod generate;
pub mod patch;
pub mod pem;
pub mod secrets;
pub mod talosconfig;
pub mod validate;

pub use documents::yaml;

/// Messages inside of messages are read by whoever knows what they are.
pub use prost;
pub use prost_types;
