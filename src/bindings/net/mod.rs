//! The network: whether something listens, what its certificate says, and the arithmetic of addresses. It sends nothing but
//! what making a connection takes.

mod certificate;
mod cidr;
pub mod network;
mod reach;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "net",
    summary: "tells whether servers can be reached, what their certificates say, and computes with networks",
    functions: |module| {
        combine_with_exported_module!(module, "reach", reach::functions);
        combine_with_exported_module!(module, "certificate", certificate::functions);
        combine_with_exported_module!(module, "cidr", cidr::functions);
    },
    types: |_| {},
};
