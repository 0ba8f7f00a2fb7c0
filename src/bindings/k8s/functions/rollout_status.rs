//! Waiting for a rollout.

use std::collections::BTreeSet;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};

use super::{
    given,
    waiting::{Order, wait_on},
};
use crate::{
    host::wait::Waiting,
    kubernetes::{client::Cluster, rollout, wait::Until, waited::Group},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod functions {
    /// Waits until all pods of a workload are of its newest template.
    #[rhai_fn(global, pure, return_raw)]
    pub fn rollout_status(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
    ) -> Outcome<Dynamic> {
        status(&context, cluster, kind, name, Map::new())
    }

    /// Waits until all pods of a workload are of its newest template, and ready.
    ///
    /// It is `wait` with `ready` for what is rolled out: the controller has seen the latest change, every replica is of the
    /// new version and available, and no old one is left. Of a stateful set with a partition, as many replicas as it
    /// lets through.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): `deployment`, `statefulset` or `daemonset`
    /// - `name` (text): its name; it need not be there yet
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `10m`): how long to wait
    /// - `grace` (duration, `30s`): how long pods may be stuck, or crash, before the wait fails
    /// - `fail_fast` (boolean, `true`): fail as soon as the rollout can no longer succeed
    /// - `revision` (integer): of a deployment, only the rollout of this revision counts, as `rollout_history` numbers them; once
    ///   there is a later one, the wait fails
    ///
    /// # Returns
    /// The workload as it is now.
    ///
    /// # Faults
    /// - `timeout`: it was not done in time; the notes say why: conditions, warnings, the worst pod and its log
    /// - `failed`: it can't succeed any more: its progress deadline has passed, its pods are stuck, they are replaced only when
    ///   somebody deletes them, or there is a later revision than `revision`
    /// - `unsupported`: this kind has no rollouts, or no numbers for them
    /// - `denied`: this user may not watch it
    /// - `tls`: the server can't be trusted
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.rollout_status("deployment", "web", #{ namespace: "default", timeout: "1m" });
    /// ```
    #[rhai_fn(global, name = "rollout_status", pure, return_raw)]
    pub fn rollout_status_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        status(&context, cluster, kind, name, options)
    }
}

fn status(context: &NativeCallContext, cluster: &Cluster, kind: &str, name: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("k8s::rollout_status", options)?;
    let namespace = given::namespace(&options, cluster);
    let revision = options.integer("revision");
    let until = Until::RolledOut { revision };
    let order = || -> Result<(Order, _), Fault> {
        let (timeout, grace) = (options.deadline("timeout")?, options.deadline("grace")?);
        let groups = Group::of_names(kind, &namespace, BTreeSet::from([name.to_owned()]));
        Ok((Order::for_one(groups, until, timeout, grace, options.flag("fail_fast")), timeout))
    };
    let (order, timeout) = order().map_err(|fault| context.raise(fault))?;
    let asked = Waiting::request(format!("what a {kind} is to {cluster}"), timeout);
    let resolved = {
        let (cluster, kind) = (cluster.here(), kind.to_owned());
        context.wait(asked, |_| async move { cluster.resolve(&kind).await })?
    };
    rollout::supported(&resolved).map_err(|fault| context.raise(fault))?;
    if revision.is_some() && resolved.plural != "deployments" {
        let message =
            format!("option `revision` is for deployments: a {} does not say which it is at", resolved.shown());
        return Err(context.raise(Fault::new(Kind::Unsupported, message).hint("leave `revision` out")));
    }
    wait_on(context, cluster, order)
}
