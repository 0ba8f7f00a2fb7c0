//! DNS: what a name server says of a name, and waiting until it says what it should.
//!
//! Questions go over TCP, through the host's dial, so that they can be rehearsed and tunnelled. It remembers no answers: an
//! operator wants to know what is said now.

mod functions;
pub mod record;
mod server;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "dns",
    summary: "asks name servers, and waits until they say what they should",
    functions: |module| {
        combine_with_exported_module!(module, "functions", functions::functions);
    },
    types: |_| {},
};
