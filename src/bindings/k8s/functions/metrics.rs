//! Reading what nodes and pods use.

use rhai::{Array, Map, NativeCallContext, plugin::*};

use super::given;
use crate::{
    host::wait::Waiting,
    kubernetes::{
        client::{Cluster, Selection},
        metrics,
    },
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Lists what nodes or pods use of processors and memory.
    #[rhai_fn(global, pure, return_raw)]
    pub fn top(context: NativeCallContext, cluster: &mut Cluster, kind: &str) -> Outcome<Array> {
        read(&context, cluster, kind, Map::new())
    }

    /// Lists what nodes or pods use of processors and memory, if somebody in the cluster measures it: metrics-server, or
    /// what else serves `metrics.k8s.io`.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): `nodes` or `pods`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where the pods are
    /// - `all_namespaces` (boolean, `false`): the pods of all namespaces
    /// - `labels` (text or map): only with these labels: `app=web,tier!=db`, or a map of those that must be equal
    /// - `timeout` (duration, `30s`): how long to ask
    ///
    /// # Returns
    /// A list of objects with `name`, `cpu` (in thousandths of a processor) and `memory` (in bytes); of nodes also
    /// `cpu_percent` and `memory_percent` of what they have for pods, of pods also `namespace` and `containers`.
    ///
    /// # Faults
    /// - `unsupported`: nobody measures in this cluster
    /// - `unavailable`: whoever measures does not answer, or has not measured yet
    /// - `parse`: what was measured is no quantity
    /// - `denied`: this user may not see it
    /// - `usage`: the kind is neither `nodes` nor `pods`; or both a namespace and all of them are asked for
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// try {
    ///     table(cluster.top("nodes"), #{ columns: ["name", "cpu", "cpu_percent", "memory", "memory_percent"] });
    /// } catch (fault) {
    ///     if fault.kind != "unsupported" { throw fault; }
    /// }
    /// ```
    #[rhai_fn(global, name = "top", pure, return_raw)]
    pub fn top_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        options: Map,
    ) -> Outcome<Array> {
        read(&context, cluster, kind, options)
    }
}

fn read(context: &NativeCallContext, cluster: &Cluster, kind: &str, options: Map) -> Outcome<Array> {
    let options = context.options("k8s::top", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    given::only_one_scope(&options).map_err(raise)?;
    let of_nodes = match kind.to_lowercase().as_str() {
        "node" | "nodes" | "no" => true,
        "pod" | "pods" | "po" => false,
        _ => {
            let fault = Fault::new(Kind::Usage, format!("what `{kind}` use is not measured"));
            return Err(raise(fault.hint("`nodes` and `pods` are")));
        }
    };
    let everywhere = of_nodes || options.flag("all_namespaces");
    let selection = Selection {
        namespace: (!everywhere).then(|| given::namespace(&options, cluster)),
        labels: given::selector(&options, "labels").map_err(raise)?,
        ..Selection::default()
    };
    let cluster = cluster.here();
    let asked = Waiting::request(format!("what the {kind} of {cluster} use"), timeout);
    let used = context.wait(asked, |_| async move {
        match of_nodes {
            true => metrics::of_nodes(&cluster, &selection).await,
            false => metrics::of_pods(&cluster, &selection).await,
        }
    })?;
    Ok(used.iter().map(Tree::to_dynamic).collect())
}
