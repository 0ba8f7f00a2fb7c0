//! Reading how the objects of Flux stand.

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use super::target;
use crate::{
    bindings::flux::{
        kind::{FluxKind, Reference},
        standing,
    },
    host::wait::Waiting,
    kubernetes::{client::Cluster, object},
    script::{conductor::Outcome, context::Call},
};

#[export_module]
pub mod functions {
    /// Says how an object of Flux stands.
    #[rhai_fn(pure, return_raw)]
    pub fn get(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Dynamic> {
        read_one(&context, cluster, kind, name, Map::new())
    }

    /// Says how an object of Flux stands.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): a kind of Flux: `helmrelease`, `HelmReleases`, `hr`, `kustomization`, `ks`, `gitrepository` …
    /// - `name` (text): the object's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `30s`): how long to ask
    ///
    /// # Returns
    /// An object with `kind`, `namespace`, `name`, `state` (`ready`, `working`, `failing`, `stalled` or `suspended`), `ready`
    /// (as its latest generation has it), `suspended`, `reason` and `message` of its condition Ready, and its `revision`.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `unsupported`: the cluster has no Flux
    /// - `usage`: Flux has no such kind
    /// - `denied`: this user may not read it
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let web = flux::get(cluster, "helmrelease", "web", #{ namespace: "shop" });
    /// print(`${web.name} is ${web.state}: ${web.message}`);
    /// ```
    #[rhai_fn(name = "get", pure, return_raw)]
    pub fn get_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        read_one(&context, cluster, kind, name, options)
    }

    /// Says how the objects of a kind of Flux stand.
    #[rhai_fn(pure, return_raw)]
    pub fn list(context: NativeCallContext, cluster: &mut Cluster, kind: &str) -> Outcome<Array> {
        read_all(&context, cluster, kind, Map::new())
    }

    /// Says how the objects of a kind of Flux stand.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): a kind of Flux, as for `flux::get`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where they are
    /// - `all_namespaces` (boolean, `false`): wherever they are
    /// - `labels` (text): only those with these labels: `cozystack.io/system-app=true`
    /// - `timeout` (duration, `30s`): how long to ask
    ///
    /// # Returns
    /// A list of objects as `flux::get` gives them.
    ///
    /// # Faults
    /// - `unsupported`: the cluster has no Flux
    /// - `usage`: Flux has no such kind, or options contradict each other
    /// - `denied`: this user may not list them
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// for release in flux::list(cluster, "hr", #{ all_namespaces: true }) {
    ///     if !release.ready { print(`${release.namespace}/${release.name}: ${release.message}`); }
    /// }
    /// ```
    #[rhai_fn(name = "list", pure, return_raw)]
    pub fn list_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        options: Map,
    ) -> Outcome<Array> {
        read_all(&context, cluster, kind, options)
    }
}

fn read_one(context: &NativeCallContext, cluster: &Cluster, kind: &str, name: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("flux::get", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let reference = target::one(cluster, kind, name, &options).map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    context.wait(Waiting::request(format!("{reference} of {cluster}"), timeout), |_| async move {
        Ok(standing::shown(&reference, &reference.read(&cluster).await?).to_dynamic())
    })
}

fn read_all(context: &NativeCallContext, cluster: &Cluster, kind: &str, options: Map) -> Outcome<Array> {
    let options = context.options("flux::list", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let kind = FluxKind::named(kind).map_err(|fault| context.raise(fault))?;
    let selection = target::selected(cluster, &options).map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    let asked = Waiting::request(format!("how the {} of {cluster} stand", kind.full_name()), timeout);
    let listed =
        context.wait(asked, |_| async move { cluster.list(&kind.resolve(&cluster).await?, &selection).await })?;
    let shown = listed.objects.iter().map(|found| {
        let namespace = object::namespace(found).unwrap_or_default();
        standing::shown(&Reference::new(kind, namespace, object::name(found)), found).to_dynamic()
    });
    Ok(shown.collect())
}
