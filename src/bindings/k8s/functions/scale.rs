//! Scaling workloads.

use rhai::{Map, NativeCallContext, plugin::*};
use serde_json::{Value, json};

use super::given;
use crate::{
    host::effect::{Effect, digest},
    kubernetes::{client::Cluster, object},
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        values::object::Object,
    },
};

#[export_module]
pub mod functions {
    /// Sets how many replicas a workload has.
    #[rhai_fn(global, pure, return_raw)]
    pub fn scale(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        replicas: i64,
    ) -> Outcome<Object> {
        scale_object(&context, cluster, kind, name, replicas, Map::new())
    }

    /// Sets how many replicas a workload has. It does not wait for them; `wait` does.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): anything that can be scaled: `deployment`, `statefulset`, `replicaset` …
    /// - `name` (text): its name
    /// - `replicas` (integer): how many
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// The workload's `Scale`: `spec.replicas` and `status.replicas`.
    ///
    /// # Effect
    /// The number of replicas is changed. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `unsupported`: it can't be scaled
    /// - `denied`: this user may not do it
    /// - `invalid`: the number is below zero
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.scale("deployment", "web", 2, #{ namespace: "default" });
    /// ```
    #[rhai_fn(global, name = "scale", pure, return_raw)]
    pub fn scale_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        replicas: i64,
        options: Map,
    ) -> Outcome<Object> {
        scale_object(&context, cluster, kind, name, replicas, options)
    }
}

fn scale_object(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &str,
    replicas: i64,
    options: Map,
) -> Outcome<Object> {
    let options = context.options("k8s::scale", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    let namespace = given::namespace(&options, &cluster);
    let (kind, name) = (kind.to_owned(), name.to_owned());
    let object = format!("{cluster}: {} to {replicas}", cluster.shown(&kind, &namespace, &name));
    let effect = Effect {
        verb: "scale".to_owned(),
        digest: digest(&[object.as_bytes()]),
        object,
        repeatable: true,
        destroys: None,
    };
    let perform = async move {
        let resource = cluster.resolve(&kind).await?;
        let patch = json!({ "spec": { "replicas": replicas } });
        let mut scale = cluster.merge_patch(&resource, &namespace, &name, Some("scale"), &patch).await?;
        object::strip_managed_fields(&mut scale);
        Ok(Changed { value: object::whole(scale)?, kept: Value::Null, detail: None })
    };
    context.change(Change::repeatable(effect, timeout, perform))
}
