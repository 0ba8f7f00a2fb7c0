//! YAML and JSON: texts and files of the runbook's folder as objects, and back. Secrets are written by reference.

mod documents;
mod edits;
mod json;
mod text;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const YAML: Binding = Binding {
    name: "yaml",
    summary: "reads, writes and edits YAML",
    functions: |module| {
        combine_with_exported_module!(module, "yaml", documents::functions);
        combine_with_exported_module!(module, "edits", edits::functions);
    },
    types: |_| {},
};

pub const JSON: Binding = Binding {
    name: "json",
    summary: "reads and writes JSON",
    functions: |module| {
        combine_with_exported_module!(module, "json", json::functions);
    },
    types: |_| {},
};
