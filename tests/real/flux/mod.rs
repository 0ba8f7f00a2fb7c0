//! Flux's own controllers, and what the binding makes of them.

mod credentials;
mod diff;
mod lab;
mod look;
mod reconcile;
mod remedies;
mod stuck;
mod system;
