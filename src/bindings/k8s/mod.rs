//! Kubernetes, as scripts see it: thin functions over the client in `kubernetes`.
//!
//! It never waits without a deadline, and never makes a change that it has not announced.

mod functions;

use rhai::plugin::*;

use self::functions as f;
use crate::{kubernetes::client::Cluster, script::binding::Binding};

pub const BINDING: Binding = Binding {
    name: "k8s",
    summary: "reads, changes and waits for whatever a Kubernetes cluster holds",
    functions: |module| {
        combine_with_exported_module!(module, "connect", f::connect::functions);
        combine_with_exported_module!(module, "read", f::read::functions);
        combine_with_exported_module!(module, "apply", f::apply::functions);
        combine_with_exported_module!(module, "create", f::create::functions);
        combine_with_exported_module!(module, "replace", f::replace::functions);
        combine_with_exported_module!(module, "patch", f::patch::functions);
        combine_with_exported_module!(module, "delete", f::delete::functions);
        combine_with_exported_module!(module, "scale", f::scale::functions);
        combine_with_exported_module!(module, "wait", f::wait::functions);
        combine_with_exported_module!(module, "watch", f::watch::functions);
        combine_with_exported_module!(module, "logs", f::logs::functions);
        combine_with_exported_module!(module, "exec", f::exec::functions);
        combine_with_exported_module!(module, "port_forward", f::port_forward::functions);
        combine_with_exported_module!(module, "rollout", f::rollout::functions);
        combine_with_exported_module!(module, "rollout_status", f::rollout_status::functions);
        combine_with_exported_module!(module, "nodes", f::nodes::functions);
        combine_with_exported_module!(module, "events", f::events::functions);
        combine_with_exported_module!(module, "access", f::access::functions);
        combine_with_exported_module!(module, "metrics", f::metrics::functions);
    },
    types: |engine| {
        engine
            .register_type_with_name::<Cluster>("Cluster")
            .register_fn("to_string", |cluster: &mut Cluster| cluster.to_string())
            .register_fn("to_debug", |cluster: &mut Cluster| format!("{cluster:?}"));
    },
};
