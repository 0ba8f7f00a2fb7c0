//! Reading objects.

use rhai::{Array, Map, NativeCallContext, plugin::*};

use super::given;
use crate::{
    bindings::k8s::{client::Cluster, object},
    host::wait::Waiting,
    script::{conductor::Outcome, context::Call, values::object::Object},
};

#[export_module]
pub mod functions {
    /// Reads one object.
    #[rhai_fn(global, pure, return_raw)]
    pub fn get(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Object> {
        read_one(&context, cluster, kind, name, Map::new())
    }

    /// Reads one object.
    ///
    /// The bookkeeping of who owns which field is left out. What a Secret holds is never shown afterwards.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): plural, singular, short name or kind; `Kind.group` or `group/version/Kind` where that is not clear
    /// - `name` (text): the object's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `keep_managed_fields` (boolean, `false`): with `metadata.managedFields`
    /// - `timeout` (duration, `30s`): how long to ask
    ///
    /// # Returns
    /// An `Object`.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: it may not be read by this user
    /// - `unauthenticated`: the user's token or certificate is not accepted
    /// - `unreachable`: no connection
    /// - `tls`: the server can't be trusted
    /// - `unavailable`: the server is overloaded or starting
    /// - `timeout`: no answer in time
    ///
    /// # Example
    /// ```rhai cluster
    /// let space = cluster.get("namespace", "kube-system");
    /// print(space.status.phase);
    /// ```
    #[rhai_fn(global, name = "get", pure, return_raw)]
    pub fn get_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Object> {
        read_one(&context, cluster, kind, name, options)
    }

    /// Lists the objects of a kind.
    #[rhai_fn(global, pure, return_raw)]
    pub fn list(context: NativeCallContext, cluster: &mut Cluster, kind: &str) -> Outcome<Array> {
        read_all(&context, cluster, kind, Map::new())
    }

    /// Lists the objects of a kind.
    ///
    /// They are read 500 at a time. The bookkeeping of who owns which field is left out. What Secrets hold is never shown
    /// afterwards.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): plural, singular, short name or kind; `Kind.group` or `group/version/Kind` where that is not clear
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where they are
    /// - `all_namespaces` (boolean, `false`): in all namespaces
    /// - `labels` (text or map): only with these labels: `app=web,tier!=db`, or a map of those that must be equal
    /// - `fields` (text or map): only with these fields, such as `status.phase=Running`
    /// - `keep_managed_fields` (boolean, `false`): with `metadata.managedFields`
    /// - `timeout` (duration, `1m`): how long to ask
    ///
    /// # Returns
    /// A list of `Object`; it is empty if there are none.
    ///
    /// # Faults
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: they may not be listed by this user
    /// - `invalid`: a selector can't be understood
    /// - `unreachable`: no connection
    /// - `timeout`: no answer in time
    ///
    /// # Example
    /// ```rhai cluster
    /// for pod in cluster.list("pods", #{ all_namespaces: true, labels: #{ app: "web" } }) {
    ///     print(`${pod.metadata.name} is ${pod.status.phase}`);
    /// }
    /// ```
    #[rhai_fn(global, name = "list", pure, return_raw)]
    pub fn list_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        options: Map,
    ) -> Outcome<Array> {
        read_all(&context, cluster, kind, options)
    }
}

fn read_one(context: &NativeCallContext, cluster: &Cluster, kind: &str, name: &str, options: Map) -> Outcome<Object> {
    let options = context.options("k8s::get", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let namespace = given::namespace(&options, cluster);
    let keep = options.flag("keep_managed_fields");
    let (cluster, kind, name) = (cluster.here(), kind.to_owned(), name.to_owned());
    context.wait(Waiting::request(format!("{kind}/{name} of {cluster}"), timeout), |_| async move {
        let resource = cluster.resolve(&kind).await?;
        let mut tree = cluster.read(&resource, &namespace, &name).await?;
        if !keep {
            object::strip_managed_fields(&mut tree);
        }
        object::whole(tree)
    })
}

fn read_all(context: &NativeCallContext, cluster: &Cluster, kind: &str, options: Map) -> Outcome<Array> {
    let options = context.options("k8s::list", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let selection = given::selection(&options, cluster).map_err(|fault| context.raise(fault))?;
    let (cluster, kind) = (cluster.here(), kind.to_owned());
    let listed =
        context.wait(Waiting::request(format!("the list of {kind} of {cluster}"), timeout), |_| async move {
            let resource = cluster.resolve(&kind).await?;
            cluster.list(&resource, &selection).await
        })?;
    Ok(listed.objects.iter().map(crate::script::values::tree::Tree::to_dynamic).collect())
}
