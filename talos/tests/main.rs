//! What the crate says, held against its definitions.
#![allow(clippy::disallowed_methods, reason = "tests read their settings from the environment")]

mod api;
mod configuration;
mod definitions;
mod descriptors;
mod talosconfig;
