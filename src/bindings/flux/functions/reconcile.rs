//! Having the controllers look at an object now.

use std::time::Duration;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::Value;

use super::target;
use crate::{
    bindings::flux::{
        kind::Reference,
        request::{self, Manner},
        standing,
    },
    host::{
        effect::{Effect, digest},
        wait::Waiting,
    },
    kubernetes::client::Cluster,
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        values::tree::Tree,
    },
};

/// How long the request itself may take.
const REQUEST: Duration = Duration::from_secs(30);

#[export_module]
pub mod functions {
    /// Has an object of Flux looked at now, and waits until it is ready.
    #[rhai_fn(pure, return_raw)]
    pub fn reconcile(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Dynamic> {
        reconcile_one(&context, cluster, kind, name, Map::new())
    }

    /// Has an object of Flux looked at now, and waits until it is ready.
    ///
    /// It is done when the controller says that it has come to this very request *and* the object is Ready at its latest
    /// generation. An attempt that fails is not waited beyond, nor is an object that is Stalled.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): a kind of Flux, as for `flux::get`
    /// - `name` (text): the object's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `source` (boolean, `false`): its source first, and before that the source of its chart
    /// - `force` (boolean, `false`): for a HelmRelease: install or upgrade once, even if all is as it should be
    /// - `reset` (boolean, `false`): for a HelmRelease: forget the attempts that failed, so that it has all of them again
    /// - `timeout` (duration, `5m`): how long each of them may take
    ///
    /// # Returns
    /// How it stands then, as `flux::get` gives it.
    ///
    /// # Effect
    /// Annotations of the object ask its controller to look. Doing it twice is the same as doing it once, but with `force`
    /// there is one more release.
    ///
    /// # Faults
    /// - `failed`: it was tried and failed, it is stalled, or it is suspended
    /// - `timeout`: it did not become ready in time
    /// - `not_found`: it is not there
    /// - `unsupported`: the cluster has no Flux, or the object is a repository of the type `oci`, which nobody reconciles
    /// - `usage`: Flux has no such kind
    /// - `denied`: this user may not change it
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// step "take up the new chart" {
    ///     let web = flux::reconcile(cluster, "helmrelease", "web", #{ namespace: "shop", source: true });
    ///     print(web.revision);
    /// }
    /// ```
    #[rhai_fn(name = "reconcile", pure, return_raw)]
    pub fn reconcile_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        reconcile_one(&context, cluster, kind, name, options)
    }
}

fn reconcile_one(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &str,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("flux::reconcile", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let reference = target::one(cluster, kind, name, &options).map_err(|fault| context.raise(fault))?;
    let manner = Manner { force: options.flag("force"), reset: options.flag("reset") };
    let cluster = cluster.here();
    if options.flag("source") {
        reconcile_sources(context, &cluster, &reference, timeout)?;
    }
    let object = reconciled(context, &cluster, &reference, manner, timeout)?;
    Ok(standing::shown(&reference, &object).to_dynamic())
}

/// Reconciles what an object is made from, the deepest first.
pub fn reconcile_sources(
    context: &NativeCallContext,
    cluster: &Cluster,
    reference: &Reference,
    timeout: Duration,
) -> Outcome<()> {
    let asked = Waiting::request(format!("the sources of {reference}"), REQUEST);
    let sources = {
        let (cluster, reference) = (cluster.clone(), reference.clone());
        context.wait(asked, |_| async move { request::sources(&cluster, &reference).await })?
    };
    for source in sources {
        reconciled(context, cluster, &source, Manner::default(), timeout)?;
    }
    Ok(())
}

/// Reconciles one object, and waits for what comes of it.
pub fn reconciled(
    context: &NativeCallContext,
    cluster: &Cluster,
    reference: &Reference,
    manner: Manner,
    timeout: Duration,
) -> Outcome<Tree> {
    let object = format!("{cluster}: {reference}");
    let effect = Effect {
        verb: manner.verb().to_owned(),
        digest: digest(&[manner.verb().as_bytes(), object.as_bytes()]),
        object,
        repeatable: true,
        destroys: None,
    };
    let perform = {
        let (cluster, reference) = (cluster.clone(), reference.clone());
        async move {
            let token = request::ask(&cluster, &reference, manner).await?;
            Ok(Changed { value: token, kept: Value::Null, detail: Some("its controller was asked".to_owned()) })
        }
    };
    let token = context.change(Change::repeatable(effect, REQUEST, perform))?;
    let awaited = Waiting::until(format!("{reference} to be reconciled"), timeout);
    let (cluster, reference) = (cluster.clone(), reference.clone());
    context.wait(awaited, |progress| async move {
        let judge = |object: &Tree| standing::judge_after(object, &token);
        request::watched(&cluster, &reference, &progress, judge).await
    })
}
