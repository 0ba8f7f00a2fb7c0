//! What a script tells people: tables, warnings, and that it gives up. It draws nothing: reporters do.

mod table;
mod word;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "show",
    summary: "shows tables and warnings, and fails with a message",
    functions: |module| {
        combine_with_exported_module!(module, "table", table::functions);
        combine_with_exported_module!(module, "word", word::functions);
    },
    types: |_| {},
};
