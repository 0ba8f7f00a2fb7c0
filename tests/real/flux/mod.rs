//! Flux's own controllers, and what the binding makes of them.

mod lab;
mod look;
mod reconcile;
mod stuck;
