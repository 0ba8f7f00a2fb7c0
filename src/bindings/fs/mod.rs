//! Files below the runbook's folder, and below folders that a person allowed. It never reaches elsewhere, and what it writes
//! is there whole or not at all.

mod change;
mod look;
mod temporary;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "fs",
    summary: "reads and changes files below the runbook's folder",
    functions: |module| {
        combine_with_exported_module!(module, "look", look::functions);
        combine_with_exported_module!(module, "change", change::functions);
        combine_with_exported_module!(module, "temporary", temporary::functions);
    },
    types: temporary::register,
};
