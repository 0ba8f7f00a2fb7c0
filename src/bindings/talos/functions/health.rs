//! Waiting until a cluster of nodes is healthy.

use rhai::{Map, NativeCallContext, plugin::*};

use super::{connect::texts, sequence::PAUSE};
use crate::{
    bindings::talos::{
        health::{self, CHECKS, Cluster},
        machines::Talos,
        reach::Node,
    },
    host::wait::Waiting,
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod functions {
    /// Waits until a cluster is healthy.
    #[rhai_fn(global, pure, return_raw)]
    pub fn health(context: NativeCallContext, talos: &mut Talos) -> Outcome<()> {
        until_healthy(&context, talos, Map::new())
    }

    /// Waits until the nodes of a cluster are healthy.
    ///
    /// It looks at nine things, one after the other, and says which one it waits for and why: that etcd is healthy, that its
    /// members are the same wherever one asks, and are control planes; that all nodes answer, have enough memory, large enough
    /// disks, and nothing to complain of; that kubelet is healthy, and that all nodes have booted to the end. What
    /// `talosctl health` looks at beyond them is Kubernetes, which needs a network for pods first.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `control_planes` (list): the control planes; without it those that the first endpoint has found
    /// - `workers` (list): the workers, where the control planes are named
    /// - `timeout` (duration, `20m`): how long to wait
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Faults
    /// - `timeout`: something is not so; the note has what, and why
    /// - `unreachable`: nobody says which nodes there are
    /// - `not_found`: no control plane was found
    /// - `usage`: workers are named without control planes
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// lab.health(#{ control_planes: ["10.17.13.86", "10.17.13.101", "10.17.13.139"], timeout: "15m" });
    /// ```
    #[rhai_fn(global, name = "health", pure, return_raw)]
    pub fn health_with_options(context: NativeCallContext, talos: &mut Talos, options: Map) -> Outcome<()> {
        until_healthy(&context, talos, options)
    }
}

fn until_healthy(context: &NativeCallContext, talos: &Talos, options: Map) -> Outcome<()> {
    let options = context.options("talos::health", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let nodes = |name: &str| -> Result<Vec<Node>, Fault> {
        texts(&options, name)?.iter().map(|node| talos.node(node)).collect()
    };
    let (control_planes, workers) = (nodes("control_planes").map_err(raise)?, nodes("workers").map_err(raise)?);
    if control_planes.is_empty() && !workers.is_empty() {
        return Err(raise(
            Fault::new(Kind::Usage, "workers are named, and no control planes")
                .hint("name them with `control_planes`, or leave both out"),
        ));
    }
    let (talos, named) = (talos.clone(), Cluster { control_planes, workers });
    let waiting = Waiting::until(format!("{talos} to be healthy ({} checks)", CHECKS.len()), timeout);
    context.wait(waiting, |progress| async move {
        let cluster = if named.control_planes.is_empty() {
            let endpoint = talos.endpoints().first().map(|endpoint| endpoint.host.clone()).unwrap_or_default();
            health::discovered(&talos, &talos.node(&endpoint)?).await?
        } else {
            named
        };
        if cluster.control_planes.is_empty() {
            return Err(Fault::new(Kind::NotFound, format!("no control plane of {talos} was found"))
                .hint("name them with `control_planes`"));
        }
        health::healthy(&cluster, PAUSE, &progress).await;
        Ok(())
    })
}
