//! Unmodified programs of Kubernetes against the simulator, which they reach as they would reach a real API server.
#![allow(clippy::disallowed_methods, reason = "tests run real programs, by the system's own clock")]

#[allow(dead_code, reason = "the other tests use the rest of it")]
#[path = "../arms/mod.rs"]
mod arms;
mod controller_manager;
mod suite;
