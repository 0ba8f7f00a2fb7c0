//! What pushing a folder would change.

use std::collections::BTreeMap;

use rhai::{Map, NativeCallContext, plugin::*};

use super::target;
use crate::{
    bindings::flux::{
        kind::{KUSTOMIZATION, Reference},
        preview::{self, CONTROLLER, Treated},
    },
    event::What,
    host::{
        frame,
        wait::{Progress, Waiting},
    },
    kubernetes::{
        apply::{self, Manner},
        change::Validation,
        client::Cluster,
        kustomization,
        object::{self, at, text},
        report,
    },
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        values::{object::Object, tree::Tree},
    },
};

/// How many requests are under way at once.
const AT_ONCE: usize = 16;

#[export_module]
pub mod functions {
    /// Says what a Kustomization would change on the cluster if its folder were this one.
    #[rhai_fn(pure, return_raw)]
    pub fn diff(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        folder: &str,
    ) -> Outcome<Object> {
        compared(&context, cluster, kind, name, folder, Map::new())
    }

    /// Says what a Kustomization would change on the cluster if its folder were this one, without changing anything.
    ///
    /// The folder is built as its controller builds it, with what the Kustomization puts on top and fills in. The server applies
    /// the objects in the controller's name and keeps nothing; what they no longer are among would be pruned. What stands in a
    /// Secret is not shown, and what is encrypted in the folder is left out, which is said.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): `kustomization`, or `ks`
    /// - `name` (text): the Kustomization's name
    /// - `folder` (text): what is at its `path` in the repository, relative to the runbook's folder
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where the Kustomization is
    /// - `timeout` (duration, `1m`): how long it may take
    ///
    /// # Returns
    /// An object with `created`, `changed`, `unchanged`, `pruned` and `text`, as `k8s::diff` gives it.
    ///
    /// # Faults
    /// - `parse`: the folder can't be built; the message has the place
    /// - `not_found`: the Kustomization is not there, or what it fills in
    /// - `invalid`: the server refuses an object; the notes say which field and why
    /// - `usage`: it is no Kustomization
    /// - `unsupported`: the cluster has no Flux, or the Kustomization brings its objects to another cluster
    /// - `denied`: this user may not apply it
    /// - `timeout`: it was not done in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let difference = flux::diff(cluster, "kustomization", "shop", "apps/shop", #{ namespace: "flux-system" });
    /// if difference.text != "" { print(difference.text); }
    /// ```
    #[rhai_fn(name = "diff", pure, return_raw)]
    pub fn diff_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        folder: &str,
        options: Map,
    ) -> Outcome<Object> {
        compared(&context, cluster, kind, name, folder, options)
    }
}

fn compared(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &str,
    folder: &str,
    options: Map,
) -> Outcome<Object> {
    let raise = |fault| context.raise(fault);
    let options = context.options("flux::diff", options)?;
    let timeout = options.deadline("timeout").map_err(raise)?;
    let reference = target::one(cluster, kind, name, &options).map_err(raise)?;
    if *reference.kind != KUSTOMIZATION {
        let message = format!("{reference} is made from no folder");
        return Err(raise(Fault::new(Kind::Usage, message).hint("only a Kustomization is")));
    }
    let cluster = cluster.here();
    let asked = Waiting::request(reference.to_string(), timeout);
    let (kustomization, variables) = {
        let (cluster, reference) = (cluster.clone(), reference.clone());
        context.wait(asked, |_| async move { looked_up(&cluster, &reference).await })?
    };
    let host = context.host();
    let spec = at(&kustomization, &["spec"]).cloned().unwrap_or_default().wire_json();
    let built = kustomization::build_for_flux(&host.files, folder, &spec).map_err(raise)?;
    let objects = preview::finished(built, &reference, &kustomization, &variables).map_err(raise)?;
    for object in objects.iter().filter(|object| preview::treated(object) == Treated::Encrypted) {
        let text = format!("{} is encrypted in `{folder}`, and not compared", apply::shown(object));
        host.events.emit(What::Warned { text });
    }
    let manner = Manner {
        force: true,
        dry: true,
        validation: Validation::Strict,
        manager: CONTROLLER,
        namespace: text(&kustomization, &["spec", "targetNamespace"]).unwrap_or("default").to_owned(),
        at_once: AT_ONCE,
        until: host.clock.elapsed() + timeout.mul_f64(0.95),
        cancel: frame::current().cancel,
    };
    let waiting = Waiting::request(format!("what {reference} would change"), timeout);
    context
        .wait(waiting, |progress| async move { compare(&cluster, &kustomization, &objects, &manner, &progress).await })
}

async fn looked_up(cluster: &Cluster, reference: &Reference) -> Result<(Tree, BTreeMap<String, String>), Fault> {
    let kustomization = reference.read(cluster).await?;
    if at(&kustomization, &["spec", "kubeConfig"]).is_some() {
        let fault = Fault::new(Kind::Unsupported, format!("{reference} brings its objects to another cluster"));
        return Err(fault.hint("build the folder, and compare it there: `k8s::diff`"));
    }
    let variables = preview::variables(cluster, reference, &kustomization).await?;
    Ok((kustomization, variables))
}

async fn compare(
    cluster: &Cluster,
    kustomization: &Tree,
    objects: &[Tree],
    manner: &Manner,
    progress: &Progress,
) -> Result<Object, Fault> {
    let mut wanted = Vec::new();
    for object in objects {
        let is_applied = match preview::treated(object) {
            Treated::Applied => true,
            Treated::MadeOnce => !is_there(cluster, object, &manner.namespace).await?,
            Treated::LeftAlone | Treated::Encrypted => false,
        };
        if is_applied {
            wanted.push(object.clone());
        }
    }
    let applied = apply::together(&wanted, apply::apply(cluster, &wanted, manner, progress).await)?;
    Ok(report::comparison(&applied, &preview::pruned(cluster, kustomization, objects).await?))
}

async fn is_there(cluster: &Cluster, object: &Tree, namespace: &str) -> Result<bool, Fault> {
    let kind = format!("{}/{}", object::api_version(object), object::kind(object));
    let namespace = object::namespace(object).unwrap_or(namespace);
    match cluster.resolve(&kind).await {
        Err(fault) if fault.kind == Kind::Unsupported => Ok(false),
        resource => Ok(cluster.find(&resource?, namespace, object::name(object)).await?.is_some()),
    }
}
