//! Talos: its nodes, from a blank machine to a healthy member of a cluster and back, over their own API.
//!
//! One call goes to one node, always named, by whichever endpoint gets through to it. What a node says of its own progress
//! is information; what is waited for is what can be seen from outside.

mod archive;
mod channel;
mod condition;
mod etcd;
mod fault;
mod functions;
mod guard;
mod health;
mod installing;
mod machines;
mod opening;
mod probe;
mod reach;
mod resources;
mod watch;

use rhai::plugin::*;

use self::{
    functions as f,
    machines::{Maintenance, Talos},
};
use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "talos",
    summary: "speaks to the nodes of Talos Linux, configured ones and blank ones",
    functions: |module| {
        combine_with_exported_module!(module, "connect", f::connect::functions);
        combine_with_exported_module!(module, "look", f::look::functions);
        combine_with_exported_module!(module, "resources", f::resources::functions);
        combine_with_exported_module!(module, "watch", f::watch::functions);
        combine_with_exported_module!(module, "events", f::events::functions);
        combine_with_exported_module!(module, "files", f::files::functions);
        combine_with_exported_module!(module, "space", f::space::functions);
        combine_with_exported_module!(module, "logs", f::logs::functions);
        combine_with_exported_module!(module, "apply", f::apply::functions);
        combine_with_exported_module!(module, "patch", f::patch::functions);
        combine_with_exported_module!(module, "bootstrap", f::bootstrap::functions);
        combine_with_exported_module!(module, "config", f::config::functions);
        combine_with_exported_module!(module, "reset", f::reset::functions);
        combine_with_exported_module!(module, "power", f::power::functions);
        combine_with_exported_module!(module, "upgrade", f::upgrade::functions);
        combine_with_exported_module!(module, "services", f::services::functions);
        combine_with_exported_module!(module, "etcd", f::etcd::functions);
        combine_with_exported_module!(module, "wait", f::wait::functions);
        combine_with_exported_module!(module, "health", f::health::functions);
    },
    types: |engine| {
        engine
            .register_type_with_name::<Talos>("Talos")
            .register_fn("to_string", |talos: &mut Talos| talos.to_string())
            .register_fn("to_debug", |talos: &mut Talos| format!("talos {talos}"))
            .register_type_with_name::<Maintenance>("Maintenance")
            .register_fn("to_string", |node: &mut Maintenance| node.to_string())
            .register_fn("to_debug", |node: &mut Maintenance| format!("node {node} in maintenance"));
    },
};
