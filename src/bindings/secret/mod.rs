//! Secrets: where they come from, and what may be done with them without showing them.

mod sops;
mod sources;
mod value;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "secret",
    summary: "takes secrets from the environment, a file, SOPS or a person, and shows none of them",
    functions: |module| {
        combine_with_exported_module!(module, "sops", sops::functions);
        combine_with_exported_module!(module, "sources", sources::sources);
        combine_with_exported_module!(module, "value", value::value);
    },
    types: value::register,
};
