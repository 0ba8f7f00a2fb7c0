//! Flux: how its objects stand, having them looked at, and what keeps them.
//!
//! It is a client of `kubernetes`, and reads what Flux's own controllers write. It never changes what they apply but through them.

mod credentials;
mod explain;
mod functions;
mod instance;
mod inventory;
mod kind;
mod preview;
mod release;
mod remedy;
mod request;
mod source;
mod standing;
mod suspension;
mod system;
mod tree;

use rhai::plugin::*;

use self::functions as f;
use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "flux",
    summary: "reads and reconciles what Flux keeps on a cluster",
    functions: |module| {
        combine_with_exported_module!(module, "credentials", f::credentials::functions);
        combine_with_exported_module!(module, "diff", f::diff::functions);
        combine_with_exported_module!(module, "read", f::read::functions);
        combine_with_exported_module!(module, "reconcile", f::reconcile::functions);
        combine_with_exported_module!(module, "suspend", f::suspend::functions);
        combine_with_exported_module!(module, "explain", f::explain::functions);
        combine_with_exported_module!(module, "instance", f::instance::functions);
        combine_with_exported_module!(module, "look", f::look::functions);
        combine_with_exported_module!(module, "system", f::system::functions);
        combine_with_exported_module!(module, "uninstall", f::uninstall::functions);
        combine_with_exported_module!(module, "wait", f::wait::functions);
    },
    types: |_| {},
};
