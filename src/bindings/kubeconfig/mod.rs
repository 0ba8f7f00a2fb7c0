//! The kubeconfigs of a person: looked at and changed, as `kubectl config` does.
//!
//! It connects to no cluster, and shows no token, key or certificate. What kubeconfigs are is said in `crate::kubeconfig`.

mod look;
mod save;
mod write;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "kubeconfig",
    summary: "looks at kubeconfigs, and merges, renames, chooses and removes what is in them",
    functions: |module| {
        combine_with_exported_module!(module, "look", look::functions);
        combine_with_exported_module!(module, "write", write::functions);
    },
    types: |_| {},
};
