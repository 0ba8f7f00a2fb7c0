//! Who this user is, and what they may do.

use rhai::{Map, NativeCallContext, plugin::*};
use serde_json::json;

use super::given;
use crate::{
    host::wait::Waiting,
    kubernetes::{
        access::{self, Permission, Request},
        client::Cluster,
        object::whole,
    },
    script::{conductor::Outcome, context::Call, values::object::Object, values::tree::Tree},
};

#[export_module]
pub mod functions {
    /// Tells whether this user may do something with a kind of object.
    #[rhai_fn(global, pure, return_raw)]
    pub fn can_i(context: NativeCallContext, cluster: &mut Cluster, verb: &str, kind: &str) -> Outcome<bool> {
        Ok(ask(&context, cluster, "k8s::can_i", verb, kind, Map::new())?.allowed)
    }

    /// Tells whether this user may do something with a kind of object, before it is tried.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `verb` (text): `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection` …, or `*` for all
    /// - `kind` (text): plural, singular, short name or kind; or a path of the API server, such as `/healthz`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where
    /// - `all_namespaces` (boolean, `false`): in every namespace
    /// - `name` (text): only this object
    /// - `subresource` (text): such as `scale`, `log` or `exec`
    /// - `timeout` (duration, `30s`): how long to ask
    ///
    /// # Returns
    /// `true` or `false`; `permission` says why.
    ///
    /// # Faults
    /// - `unsupported`: the cluster has no such kind
    /// - `unauthenticated`: the cluster does not know this user
    /// - `usage`: both a namespace and all of them are asked for
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// if !cluster.can_i("create", "pods", #{ namespace: "default", subresource: "eviction" }) {
    ///     warn("this user can't drain nodes");
    /// }
    /// ```
    #[rhai_fn(global, name = "can_i", pure, return_raw)]
    pub fn can_i_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        verb: &str,
        kind: &str,
        options: Map,
    ) -> Outcome<bool> {
        Ok(ask(&context, cluster, "k8s::can_i", verb, kind, options)?.allowed)
    }

    /// Tells whether this user may do something, and why.
    #[rhai_fn(global, pure, return_raw)]
    pub fn permission(context: NativeCallContext, cluster: &mut Cluster, verb: &str, kind: &str) -> Outcome<Object> {
        shown(&context, ask(&context, cluster, "k8s::permission", verb, kind, Map::new())?)
    }

    /// Tells whether this user may do something with a kind of object, and why.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `verb` (text): `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection` …, or `*` for all
    /// - `kind` (text): plural, singular, short name or kind; or a path of the API server, such as `/healthz`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where
    /// - `all_namespaces` (boolean, `false`): in every namespace
    /// - `name` (text): only this object
    /// - `subresource` (text): such as `scale`, `log` or `exec`
    /// - `timeout` (duration, `30s`): how long to ask
    ///
    /// # Returns
    /// An object with `allowed` and `reason`: the binding and the role that allow it, or nothing if the cluster doesn't say.
    ///
    /// # Faults
    /// - `unsupported`: the cluster has no such kind
    /// - `unauthenticated`: the cluster does not know this user
    /// - `usage`: both a namespace and all of them are asked for
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let may = cluster.permission("delete", "namespaces");
    /// print(`${may.allowed}: ${may.reason}`);
    /// ```
    #[rhai_fn(global, name = "permission", pure, return_raw)]
    pub fn permission_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        verb: &str,
        kind: &str,
        options: Map,
    ) -> Outcome<Object> {
        shown(&context, ask(&context, cluster, "k8s::permission", verb, kind, options)?)
    }

    /// Tells who this user is to the cluster.
    #[rhai_fn(global, pure, return_raw)]
    pub fn whoami(context: NativeCallContext, cluster: &mut Cluster) -> Outcome<Object> {
        myself(&context, cluster, Map::new())
    }

    /// Tells who this user is to the cluster, whatever the kubeconfig calls them.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `30s`): how long to ask
    ///
    /// # Returns
    /// An object with `username`, `groups` and, if the cluster knows them, `uid` and `extra`.
    ///
    /// # Faults
    /// - `unauthenticated`: the cluster does not know this user
    /// - `unsupported`: the cluster is older than 1.28
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// print(cluster.whoami().username);
    /// ```
    #[rhai_fn(global, name = "whoami", pure, return_raw)]
    pub fn whoami_with_options(context: NativeCallContext, cluster: &mut Cluster, options: Map) -> Outcome<Object> {
        myself(&context, cluster, options)
    }
}

fn ask(
    context: &NativeCallContext,
    cluster: &Cluster,
    function: &str,
    verb: &str,
    kind: &str,
    options: Map,
) -> Outcome<Permission> {
    let options = context.options(function, options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    given::only_one_scope(&options).map_err(|fault| context.raise(fault))?;
    let namespace = (!options.flag("all_namespaces")).then(|| given::namespace(&options, cluster));
    let (subresource, name) = (options.text("subresource"), options.text("name"));
    let (cluster, verb, kind) = (cluster.here(), verb.to_lowercase(), kind.to_owned());
    let asked = Waiting::request(format!("whether this user may {verb} {kind} in {cluster}"), timeout);
    context.wait(asked, |_| async move {
        let request = match kind.starts_with('/') {
            true => Request::Path { verb, path: kind },
            false => Request::Object { verb, resource: cluster.resolve(&kind).await?, subresource, namespace, name },
        };
        access::review(&cluster, &request).await
    })
}

fn shown(context: &NativeCallContext, permission: Permission) -> Outcome<Object> {
    let shown = json!({ "allowed": permission.allowed, "reason": permission.reason });
    whole(Tree::from_json(shown)).map_err(|fault| context.raise(fault))
}

fn myself(context: &NativeCallContext, cluster: &Cluster, options: Map) -> Outcome<Object> {
    let options = context.options("k8s::whoami", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    let asked = Waiting::request(format!("who this user is to {cluster}"), timeout);
    context.wait(asked, |_| async move { whole(access::myself(&cluster).await?) })
}
