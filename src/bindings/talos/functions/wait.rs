//! Waiting for what can be seen of a node from outside.

use std::time::Duration;

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use super::look::stage_tree;
use crate::{
    bindings::talos::{
        machines::{Maintenance, Talos},
        opening, probe,
        reach::Node,
    },
    host::wait::{Progress, Waiting},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
};

#[export_module]
pub mod functions {
    /// Waits until a node is in maintenance.
    #[rhai_fn(return_raw)]
    pub fn wait_maintenance(context: NativeCallContext, address: Dynamic) -> Outcome<Maintenance> {
        until_maintenance(&context, address, Map::new())
    }

    /// Waits until a node is in maintenance: until it tells anybody about its disks, for it has no configuration.
    ///
    /// It may be away meanwhile, or still be configured. The fingerprint of its key is shown as a warning: nobody vouches for
    /// such a node.
    ///
    /// # Parameters
    /// - `address` (text or list): where the node is, or the addresses of which it may come back with one
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `15m`): how long to wait
    /// - `interval` (duration, `2s`): how long to pause between two attempts
    ///
    /// # Returns
    /// A `Maintenance`, which is connected.
    ///
    /// # Faults
    /// - `timeout`: it is not in maintenance; the note has what was seen last
    /// - `usage`: there can be no node at such an address
    ///
    /// # Example
    /// ```rhai cluster
    /// let blank = talos::wait_maintenance("10.17.13.86", #{ timeout: "15m" });
    /// print(blank.disks());
    /// ```
    #[rhai_fn(name = "wait_maintenance", return_raw)]
    pub fn wait_maintenance_with_options(
        context: NativeCallContext,
        address: Dynamic,
        options: Map,
    ) -> Outcome<Maintenance> {
        until_maintenance(&context, address, options)
    }

    /// Waits until a node runs in another boot.
    #[rhai_fn(global, pure, return_raw)]
    pub fn wait_boot(context: NativeCallContext, talos: &mut Talos, node: &str, before: &str) -> Outcome<Dynamic> {
        until_boot(&context, talos, node, before, Map::new())
    }

    /// Waits until a node runs in another boot than one that is known.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `before` (text): what `boot_id` gave before
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `15m`): how long to wait
    /// - `interval` (duration, `2s`): how long to pause between two looks
    ///
    /// # Returns
    /// The boot that it runs in now, a text.
    ///
    /// # Faults
    /// - `timeout`: it still runs in that boot, or does not answer; the note has what was seen last
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// let before = lab.boot_id("10.17.13.86");
    /// print("press the button");
    /// lab.wait_boot("10.17.13.86", before, #{ timeout: "30m" });
    /// ```
    #[rhai_fn(global, name = "wait_boot", pure, return_raw)]
    pub fn wait_boot_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        before: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        until_boot(&context, talos, node, before, options)
    }

    /// Waits until a node is ready.
    #[rhai_fn(global, pure, return_raw)]
    pub fn wait_ready(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        until_ready(&context, talos, node, Map::new())
    }

    /// Waits until a node has booted to the end and lacks nothing: time, network, services, its place in Kubernetes.
    ///
    /// A control plane is not ready before etcd was bootstrapped, and no node before there is a network for pods.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `15m`): how long to wait
    /// - `interval` (duration, `2s`): how long to pause between two looks
    ///
    /// # Returns
    /// What `status` gives.
    ///
    /// # Faults
    /// - `timeout`: it lacks something, or does not answer; the note has what
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// parallel for node in lab.nodes() { lab.wait_ready(node); }
    /// ```
    #[rhai_fn(global, name = "wait_ready", pure, return_raw)]
    pub fn wait_ready_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        until_ready(&context, talos, node, options)
    }

    /// Waits until a service of a node is healthy.
    #[rhai_fn(global, pure, return_raw)]
    pub fn wait_service(context: NativeCallContext, talos: &mut Talos, node: &str, service: &str) -> Outcome<()> {
        until_service(&context, talos, node, service, Map::new())
    }

    /// Waits until a service of a node runs, and is healthy if it has a health.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `service` (text): its id, such as `kubelet`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `timeout` (duration, `10m`): how long to wait
    /// - `interval` (duration, `2s`): how long to pause between two looks
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Faults
    /// - `timeout`: it is not healthy, or the node does not answer; the note has what was seen last
    ///
    /// # Example
    /// ```rhai cluster
    /// talos::connect().wait_service("10.17.13.86", "kubelet", #{ timeout: "5m" });
    /// ```
    #[rhai_fn(global, name = "wait_service", pure, return_raw)]
    pub fn wait_service_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        service: &str,
        options: Map,
    ) -> Outcome<()> {
        until_service(&context, talos, node, service, options)
    }

    /// Waits until etcd is healthy.
    #[rhai_fn(global, pure, return_raw)]
    pub fn wait_etcd(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<()> {
        until_etcd(&context, talos, node, Map::new())
    }

    /// Waits until etcd on a control plane runs, is healthy, and tells its members.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the control plane
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `members` (integer): also until so many members vote
    /// - `timeout` (duration, `10m`): how long to wait
    /// - `interval` (duration, `2s`): how long to pause between two looks
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Faults
    /// - `timeout`: it is not healthy, or there are fewer members; the note has what was seen last
    /// - `usage`: there can't be so many members
    ///
    /// # Example
    /// ```rhai cluster
    /// talos::connect("talosconfig").wait_etcd("10.17.13.86", #{ members: 3 });
    /// ```
    #[rhai_fn(global, name = "wait_etcd", pure, return_raw)]
    pub fn wait_etcd_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        options: Map,
    ) -> Outcome<()> {
        until_etcd(&context, talos, node, options)
    }
}

/// How long to wait, and to pause.
struct Patience {
    timeout: Duration,
    every: Duration,
}

fn patience(options: &Options) -> Result<Patience, Fault> {
    Ok(Patience { timeout: options.deadline("timeout")?, every: options.deadline("interval")? })
}

fn until<T, F>(
    context: &NativeCallContext,
    talos: &Talos,
    node: &str,
    options: &Options,
    what: &str,
    work: impl FnOnce(Node, Duration, Progress) -> F,
) -> Outcome<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let node = talos.node(node).map_err(|fault| context.raise(fault))?;
    let Patience { timeout, every } = patience(options).map_err(|fault| context.raise(fault))?;
    let waiting = Waiting::until(what.replace("{}", &node.to_string()), timeout);
    context.wait(waiting, |progress| {
        let work = work(node, every, progress);
        async move { Ok(work.await) }
    })
}

fn until_maintenance(context: &NativeCallContext, address: Dynamic, options: Map) -> Outcome<Maintenance> {
    let options = context.options("talos::wait_maintenance", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let Patience { timeout, every } = patience(&options).map_err(raise)?;
    let given = address.clone().try_cast::<Array>().unwrap_or_else(|| vec![address]);
    let at = given.iter().map(|address| opening::address(&address.to_string())).collect::<Result<Vec<_>, _>>();
    let at = at.map_err(raise)?;
    if at.is_empty() {
        return Err(raise(Fault::new(Kind::Usage, "there is no address to wait at")));
    }
    let shown: Vec<&str> = at.iter().map(|address| address.host.as_str()).collect();
    let waiting = Waiting::until(format!("node {} to be in maintenance", shown.join(" or ")), timeout);
    let host = context.host();
    context.wait(waiting, |progress| async move { Ok(probe::maintenance(&host, &at, every, &progress).await) })
}

fn until_boot(context: &NativeCallContext, talos: &Talos, node: &str, before: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("talos::wait_boot", options)?;
    let before = before.to_owned();
    let boot = until(context, talos, node, &options, "node {} to boot", |node, every, progress| async move {
        probe::boot(&node, &before, every, &progress).await
    })?;
    Ok(boot.into())
}

fn until_ready(context: &NativeCallContext, talos: &Talos, node: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("talos::wait_ready", options)?;
    let stage = until(context, talos, node, &options, "node {} to be ready", |node, every, progress| async move {
        probe::ready(&node, every, &progress).await
    })?;
    Ok(stage_tree(&stage).to_dynamic())
}

fn until_service(context: &NativeCallContext, talos: &Talos, node: &str, service: &str, options: Map) -> Outcome<()> {
    let options = context.options("talos::wait_service", options)?;
    let service = service.to_owned();
    let what = format!("service {service} of node {{}}");
    until(context, talos, node, &options, &what, |node, every, progress| async move {
        probe::service(&node, &service, every, &progress).await;
    })
}

fn until_etcd(context: &NativeCallContext, talos: &Talos, node: &str, options: Map) -> Outcome<()> {
    let options = context.options("talos::wait_etcd", options)?;
    let members = match options.integer("members") {
        None => None,
        Some(members) => Some(
            usize::try_from(members)
                .ok()
                .filter(|members| *members > 0)
                .ok_or_else(|| context.raise(Fault::new(Kind::Usage, format!("etcd can't have {members} members"))))?,
        ),
    };
    until(context, talos, node, &options, "etcd on node {} to be healthy", |node, every, progress| async move {
        probe::etcd(&node, members, every, &progress).await;
    })
}
