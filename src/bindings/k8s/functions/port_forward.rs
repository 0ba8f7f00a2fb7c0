//! Forwarding ports.

use std::sync::Arc;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};

use super::given;
use crate::{
    host::{tunnel::Tunnel, wait::Waiting},
    kubernetes::{client::Cluster, forward::Forward},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod functions {
    /// Forwards a port of a pod, a workload or a service.
    #[rhai_fn(global, pure, return_raw)]
    pub fn port_forward(
        context: NativeCallContext,
        cluster: &mut Cluster,
        target: &str,
        port: Dynamic,
    ) -> Outcome<Tunnel> {
        open(&context, cluster, target, &port, Map::new())
    }

    /// Forwards a port of a pod, a workload or a service, for what speaks to it: `http` and `redis` take a tunnel.
    ///
    /// No port of this machine is opened. Each connection is made when it is needed, to a pod that is ready then: one that
    /// went is replaced by another. The tunnel lasts until it is closed or the run ends.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `target` (text): the pod's name, or `kind/name`: `svc/redis`, `deployment/web`
    /// - `port` (integer or text): the number or name of a service's port, or of a container's
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `30s`): how long finding a pod may take
    ///
    /// # Returns
    /// A `Tunnel`. Its `host` and `port` say where it leads, for URLs.
    ///
    /// # Faults
    /// - `not_found`: there is no such target, or it has no such port; the hint says which it has
    /// - `unavailable`: none of its pods is ready
    /// - `denied`: this user may not read it
    /// - `usage`: the port is no port
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// fn web(cluster) {
    ///     let web = cluster.port_forward("svc/web", 80, #{ namespace: "shop" });
    ///     print(`http://${web.host}:${web.port}`);
    ///     web
    /// }
    /// ```
    #[rhai_fn(global, name = "port_forward", pure, return_raw)]
    pub fn port_forward_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        target: &str,
        port: Dynamic,
        options: Map,
    ) -> Outcome<Tunnel> {
        open(&context, cluster, target, &port, options)
    }

    /// Closes a tunnel and the connections through it.
    ///
    /// # Parameters
    /// - `tunnel` (tunnel): the tunnel
    ///
    /// # Example
    /// ```rhai cluster
    /// fn done(tunnel) {
    ///     tunnel.close();
    /// }
    /// ```
    #[rhai_fn(global, pure)]
    pub fn close(tunnel: &mut Tunnel) {
        tunnel.close();
    }
}

fn open(context: &NativeCallContext, cluster: &Cluster, target: &str, port: &Dynamic, options: Map) -> Outcome<Tunnel> {
    let options = context.options("k8s::port_forward", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let port = port.to_string();
    if port.is_empty() || port.parse::<i64>().is_ok_and(|port| u16::try_from(port).is_err() || port == 0) {
        let fault =
            Fault::new(Kind::Usage, format!("`{port}` is no port")).hint("give a number up to 65535, or a name");
        return Err(raise(fault));
    }
    let cluster = cluster.here();
    let namespace = given::namespace(&options, &cluster);
    let (kind, name) = target.rsplit_once('/').unwrap_or(("pod", target));
    let host = match kind {
        "svc" | "service" | "services" => format!("{name}.{namespace}.svc"),
        _ => name.to_owned(),
    };
    let shown = format!("{target}:{port} in {namespace} of {cluster}");
    let forward = Forward { cluster, namespace, target: target.to_owned(), port: port.clone() };
    let what = format!("a pod behind {shown}");
    context.wait(Waiting::request(what, timeout), |_| async move {
        let ends = forward.ends().await?;
        // A name stands for the number that the first pod has for it.
        let number = port.parse().ok().or(ends.first().map(|(_, port)| *port)).unwrap_or_default();
        Ok(Tunnel::new(shown, host, number, Arc::new(forward)))
    })
}
