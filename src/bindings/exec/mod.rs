//! Programs of this machine, if a person allowed them. It gives nothing to a shell, and no program more of the environment than
//! the script says.

mod answer;
mod command;
mod run;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "exec",
    summary: "runs programs of this machine, if `--allow-exec` says so",
    functions: |module| {
        combine_with_exported_module!(module, "run", run::functions);
    },
    types: |_| {},
};
