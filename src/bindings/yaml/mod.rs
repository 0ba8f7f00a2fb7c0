//! YAML and JSON: texts and files of the runbook's folder as objects, and back. Secrets are written by reference.

mod documents;
mod json;
mod text;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const YAML: Binding = Binding {
    name: "yaml",
    summary: "reads and writes YAML",
    functions: |module| {
        combine_with_exported_module!(module, "yaml", documents::functions);
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
