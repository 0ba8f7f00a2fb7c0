//! Keys and certificates that a runbook makes for itself, and what a certificate says. It speaks to nobody.

mod certificate;
mod functions;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "tls",
    summary: "makes keys, authorities and certificates, and reads what a certificate says",
    functions: |module| {
        combine_with_exported_module!(module, "functions", functions::functions);
    },
    types: |_| {},
};
