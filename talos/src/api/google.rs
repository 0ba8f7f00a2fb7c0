//! What gRPC itself has in its answers.

#[rustfmt::skip]
pub mod rpc;
