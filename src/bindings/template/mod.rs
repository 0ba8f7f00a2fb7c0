//! Texts with names in them, such as `${NAME}`, for which values are put in. It reads no environment: a script says all values.

mod fill;
pub mod substitute;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "template",
    summary: "puts values into texts, as envsubst does",
    functions: |module| {
        combine_with_exported_module!(module, "template", fill::functions);
    },
    types: |_| {},
};
