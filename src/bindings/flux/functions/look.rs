//! Looking around: what an object brought, where one comes from, and what happened.

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use super::target;
use crate::{
    bindings::flux::{request, tree},
    host::wait::Waiting,
    kubernetes::{
        client::Cluster,
        events::{self, Wanted},
        object::text,
    },
    script::{conductor::Outcome, context::Call, values::tree::Tree},
};

#[export_module]
pub mod functions {
    /// Shows what a HelmRelease or a Kustomization brought.
    #[rhai_fn(pure, return_raw)]
    pub fn tree(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Dynamic> {
        tree_of(&context, cluster, kind, name, Map::new())
    }

    /// Shows what a HelmRelease or a Kustomization brought, what that brought in turn, and how each object stands.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): a kind of Flux, as for `flux::get`
    /// - `name` (text): the object's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `30s`): how long to look
    ///
    /// # Returns
    /// An object with `object` (`deployment/web in shop`), `ready`, `because` (why it isn't) and `children`, a list of the same.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `unsupported`: the cluster has no Flux
    /// - `usage`: Flux has no such kind
    /// - `denied`: this user may not read what it brought
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// for child in flux::tree(cluster, "kustomization", "shop", #{ namespace: "flux-system" }).children {
    ///     print(`${child.object} ${child.because}`);
    /// }
    /// ```
    #[rhai_fn(name = "tree", pure, return_raw)]
    pub fn tree_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        tree_of(&context, cluster, kind, name, options)
    }

    /// Shows where an object comes from.
    #[rhai_fn(pure, return_raw)]
    pub fn trace(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Array> {
        trace_of(&context, cluster, kind, name, Map::new())
    }

    /// Shows where an object comes from: its owners, the HelmRelease or Kustomization that brought it, and the sources of that.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): any kind that the cluster has: `deployment`, `pod` …
    /// - `name` (text): the object's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `30s`): how long to look
    ///
    /// # Returns
    /// A list from the object to its source, each with `object`, `ready`, `because` and, for what is Flux's, `revision`. What Flux
    /// did not bring is alone in it, or with its owners.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: this user may not read it, or what it comes from
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// for stage in flux::trace(cluster, "deployment", "web", #{ namespace: "shop" }) {
    ///     print(stage.object);
    /// }
    /// ```
    #[rhai_fn(name = "trace", pure, return_raw)]
    pub fn trace_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Array> {
        trace_of(&context, cluster, kind, name, options)
    }

    /// Lists what happened to an object of Flux and to its sources.
    #[rhai_fn(pure, return_raw)]
    pub fn events(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Array> {
        events_of(&context, cluster, kind, name, Map::new())
    }

    /// Lists what happened to an object of Flux and to its sources, oldest first.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): a kind of Flux, as for `flux::get`
    /// - `name` (text): the object's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `warnings` (boolean, `false`): only the warnings
    /// - `timeout` (duration, `30s`): how long to ask
    ///
    /// # Returns
    /// A list of events as `k8s::events` gives them.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `unsupported`: the cluster has no Flux
    /// - `usage`: Flux has no such kind
    /// - `denied`: this user may not read them
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// for event in flux::events(cluster, "helmrelease", "web", #{ namespace: "shop", warnings: true }) {
    ///     print(`${event.about}: ${event.message}`);
    /// }
    /// ```
    #[rhai_fn(name = "events", pure, return_raw)]
    pub fn events_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Array> {
        events_of(&context, cluster, kind, name, options)
    }
}

fn tree_of(context: &NativeCallContext, cluster: &Cluster, kind: &str, name: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("flux::tree", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let reference = target::one(cluster, kind, name, &options).map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    let asked = Waiting::request(format!("what {reference} brought"), timeout);
    context.wait(asked, |_| async move { Ok(tree::of(&cluster, &reference).await?.to_dynamic()) })
}

fn trace_of(context: &NativeCallContext, cluster: &Cluster, kind: &str, name: &str, options: Map) -> Outcome<Array> {
    let options = context.options("flux::trace", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let namespace = target::namespace(&options, cluster);
    let (cluster, kind, name) = (cluster.here(), kind.to_owned(), name.to_owned());
    let asked = Waiting::request(format!("where {kind}/{name} comes from"), timeout);
    let way = context.wait(asked, |_| async move { tree::above(&cluster, &kind, &namespace, &name).await })?;
    Ok(way.into_iter().map(|stage| Tree::from_json(stage).to_dynamic()).collect())
}

fn events_of(context: &NativeCallContext, cluster: &Cluster, kind: &str, name: &str, options: Map) -> Outcome<Array> {
    let options = context.options("flux::events", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let reference = target::one(cluster, kind, name, &options).map_err(|fault| context.raise(fault))?;
    let (cluster, warnings) = (cluster.here(), options.flag("warnings"));
    let asked = Waiting::request(format!("what happened to {reference}"), timeout);
    let happened = context.wait(asked, |_| async move {
        let mut concerned = request::sources(&cluster, &reference).await?;
        concerned.push(reference);
        let mut all = Vec::new();
        for reference in concerned {
            let wanted = Wanted {
                namespace: Some(reference.namespace),
                about: Some((reference.kind.name.to_owned(), reference.name)),
                warnings,
                ..Wanted::default()
            };
            all.extend(events::happened(&cluster, &wanted).await?);
        }
        all.sort_by(|one, other| text(one, &["time"]).cmp(&text(other, &["time"])));
        Ok(all)
    })?;
    Ok(happened.iter().map(Tree::to_dynamic).collect())
}
