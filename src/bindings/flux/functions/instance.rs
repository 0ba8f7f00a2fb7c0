//! What an operator keeps Flux by, and the repository that Flux takes itself from.

use std::time::Duration;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::Value;

use super::suspend::await_ready;
use crate::{
    bindings::flux::instance,
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

/// How long a look takes at most that has no options.
const LOOK: Duration = Duration::from_secs(30);

#[export_module]
pub mod functions {
    /// Says how the FluxInstance of a cluster stands, by which an operator keeps Flux.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    ///
    /// # Returns
    /// An object as `flux::get` gives it, with `version` (as it is asked for), `sync` (a map of `kind`, `url`, `ref`, `path`,
    /// `pull_secret`, `interval`, `provider` and `name`, those that are set), `components` and `hazards`: what may delete it or
    /// change it behind one's back, a line each, for with it goes Flux.
    ///
    /// # Faults
    /// - `not_found`: there is none
    /// - `unsupported`: the cluster does not have the operator
    /// - `denied`: this user may not read it
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let instance = flux::instance(cluster);
    /// print(`${instance.sync.url} at ${instance.sync["ref"]}: ${instance.message}`);
    /// for hazard in instance.hazards { print(hazard); }
    /// ```
    #[rhai_fn(pure, return_raw)]
    pub fn instance(context: NativeCallContext, cluster: &mut Cluster) -> Outcome<Dynamic> {
        let cluster = cluster.here();
        let asked = Waiting::request(format!("the FluxInstance of {cluster}"), LOOK);
        context.wait(asked, |_| async move {
            let (reference, object) = instance::find(&cluster).await?;
            Ok(instance::shown(&reference, &object).to_dynamic())
        })
    }

    /// Says where Flux takes its own repository from.
    #[rhai_fn(pure, return_raw)]
    pub fn set_sync(context: NativeCallContext, cluster: &mut Cluster, sync: Map) -> Outcome<Dynamic> {
        set(&context, cluster, sync, Map::new())
    }

    /// Says where Flux takes its own repository from, and waits until the operator has seen to it.
    ///
    /// What is not said stays as it is.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `sync` (map): some of `kind`, `url`, `ref`, `path`, `pull_secret`, `interval`, `provider`, and `name`, which can be said only
    ///   once
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `wait` (boolean, `true`): wait until the FluxInstance is ready
    /// - `timeout` (duration, `5m`): how long it may take
    ///
    /// # Returns
    /// The FluxInstance, as `flux::instance` gives it.
    ///
    /// # Effect
    /// `spec.sync` of the FluxInstance gets these values. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `usage`: something else is said
    /// - `not_found`: there is no FluxInstance
    /// - `invalid`: the server refuses it
    /// - `failed`: it can't become ready
    /// - `timeout`: it did not become ready in time
    /// - `unsupported`: the cluster does not have the operator
    /// - `denied`: this user may not change it
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// step "follow the fleet" {
    ///     let fleet = #{ kind: "GitRepository", url: "ssh://git@git.example.org/team/fleet", path: "clusters/lab" };
    ///     fleet["ref"] = "refs/heads/main";
    ///     fleet.pull_secret = "flux-system";
    ///     flux::set_sync(cluster, fleet);
    /// }
    /// ```
    #[rhai_fn(name = "set_sync", pure, return_raw)]
    pub fn set_sync_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        sync: Map,
        options: Map,
    ) -> Outcome<Dynamic> {
        set(&context, cluster, sync, options)
    }
}

fn set(context: &NativeCallContext, cluster: &Cluster, sync: Map, options: Map) -> Outcome<Dynamic> {
    let options = context.options("flux::set_sync", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let sync = Tree::from_dynamic(&Dynamic::from(sync)).map_err(|error| context.raise(error.into()))?;
    let patch = instance::patch(&sync).map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    let asked = Waiting::request(format!("the FluxInstance of {cluster}"), LOOK);
    let looked = cluster.clone();
    let (reference, _) = context.wait(asked, |_| async move { instance::find(&looked).await })?;
    let object = format!("{cluster}: {reference}");
    let effect = Effect {
        verb: "set the sync of".to_owned(),
        digest: digest(&[object.as_bytes(), patch.to_string().as_bytes()]),
        object,
        repeatable: true,
        destroys: None,
    };
    let perform = {
        let (cluster, reference) = (cluster.clone(), reference.clone());
        async move {
            let resource = reference.kind.resolve(&cluster).await?;
            let now = cluster.merge_patch(&resource, &reference.namespace, &reference.name, None, &patch).await?;
            Ok(Changed { value: now, kept: Value::Null, detail: None })
        }
    };
    let mut object = context.change(Change::repeatable(effect, timeout, perform))?;
    if options.flag("wait") {
        object = await_ready(context, &cluster, &reference, timeout)?;
    }
    Ok(instance::shown(&reference, &object).to_dynamic())
}
