//! Looking at a node.

use std::time::Duration;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use talos::api::{
    common::ContainerDriver,
    machine::{ContainersRequest, ServiceInfo},
    storage::disk::DiskType,
};

use crate::{
    bindings::talos::{
        condition::{self, Stage},
        machines::{Maintenance, Talos},
        reach::{Node, machine, only, storage, time},
    },
    host::wait::Waiting,
    script::{conductor::Outcome, context::Call, fault::Fault, values::tree::Tree},
};

/// How long an answer may take, with every endpoint that has to be tried.
pub const ANSWER: Duration = Duration::from_secs(60);

#[export_module]
pub mod functions {
    /// Tells which Talos a node runs.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node, by its address or name
    ///
    /// # Returns
    /// An object with `tag` (`v1.11.5`), `sha`, `arch`, `platform` (`metal`) and `mode`.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to it
    /// - `tls`: one side does not trust the other
    /// - `denied`: the certificate may not do it
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// print(lab.version("10.17.13.86").tag);
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn version(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "version", |node| async move {
            let version = condition::version(&node).await?;
            let (about, platform) = (version.version.unwrap_or_default(), version.platform.unwrap_or_default());
            Ok(object([
                ("tag", text(&about.tag)),
                ("sha", text(&about.sha)),
                ("arch", text(&about.arch)),
                ("platform", text(&platform.name)),
                ("mode", text(&platform.mode)),
            ]))
        })
    }

    /// Tells what a node calls itself.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    ///
    /// # Returns
    /// A text.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to it
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// print(talos::connect().hostname("10.17.13.86"));
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn hostname(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "hostname", |node| async move { Ok(text(&condition::hostname(&node).await?)) })
    }

    /// Tells which boot of a node this is: another text after each boot.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    ///
    /// # Returns
    /// A text.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to it
    /// - `denied`: only who has the role `os:admin` may read files
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// print(talos::connect().boot_id("10.17.13.86"));
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn boot_id(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "boot id", |node| async move { Ok(text(&condition::boot_id(&node).await?)) })
    }

    /// Tells in which stage a node is, and what it lacks.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    ///
    /// # Returns
    /// An object with `stage` (`booting`, `installing`, `maintenance`, `running`, `rebooting`, `shutting down`, `resetting` or
    /// `upgrading`), `ready` and `unmet`, a list of what it lacks.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to it
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let status = talos::connect().status("10.17.13.86");
    /// if !status.ready { print(status.unmet); }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn status(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "status", |node| async move { Ok(stage_tree(&condition::stage(&node).await?)) })
    }

    /// Lists the services of a node.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    ///
    /// # Returns
    /// A list of objects with `id`, `state` (`Running`, `Waiting`, `Finished` …), `healthy` (`true`, `false`, or `()` where
    /// nobody knows), `message` of its health, and `events`, the newest last.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to it
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// for service in talos::connect().services("10.17.13.86") { print(`${service.id}: ${service.state}`); }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn services(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "services", |node| async move {
            Ok(condition::services(&node).await?.iter().map(described).collect())
        })
    }

    /// Lists the containers that Talos runs its services in.
    #[rhai_fn(global, pure, return_raw)]
    pub fn containers(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        contained(&context, talos, node, Map::new())
    }

    /// Lists the containers that Talos runs its services in, or those of Kubernetes, without asking Kubernetes.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `kubernetes` (boolean, `false`): those of pods
    ///
    /// # Returns
    /// A list of objects with `id`, by which `logs` finds it, `name`, `pod`, `image`, `status` (`RUNNING`, `CONTAINER_EXITED` …) and `pid`.
    ///
    /// # Faults
    /// - `unavailable`: what runs containers does not run yet
    /// - `unreachable`: no endpoint gets through to it
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect();
    /// for container in lab.containers("10.17.13.86", #{ kubernetes: true }) {
    ///     if container.status == "CONTAINER_EXITED" { print(lab.logs("10.17.13.86", container.id, #{ kubernetes: true })); }
    /// }
    /// ```
    #[rhai_fn(global, name = "containers", pure, return_raw)]
    pub fn containers_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        contained(&context, talos, node, options)
    }

    /// Lists the members of the cluster, as a node has found them.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node that is asked
    ///
    /// # Returns
    /// A list of objects with `hostname`, `role` (`control plane` or `worker`) and `addresses`.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to it
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let members = talos::connect().members("10.17.13.86");
    /// print(members.filter(|member| member.role == "worker").len());
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn members(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "members", |node| async move {
            let members = condition::members(&node).await?;
            let described = members.iter().map(|member| {
                object([
                    ("hostname", text(&member.hostname)),
                    ("role", text(&member.role.to_string())),
                    ("addresses", member.addresses.iter().map(|address| text(address)).collect()),
                ])
            });
            Ok(described.collect())
        })
    }

    /// Lists the disks of a node.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text or maintenance): the node
    ///
    /// # Returns
    /// A list of objects with `path` (`/dev/sda`), `size` in bytes, `type` (`ssd`, `hdd`, `nvme`, `sd`, `cd` or `unknown`),
    /// `model`, `serial`, `wwid`, `bus_path`, `system` and `readonly`.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to it
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// for disk in talos::maintenance("10.17.13.86").disks() { print(`${disk.path}: ${disk.size >> 30} GiB`); }
    /// ```
    #[rhai_fn(global, pure, return_raw)]
    pub fn disks(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "disks", |node| async move { disks_of(&node).await })
    }

    /// Lists the disks of a node in maintenance.
    #[rhai_fn(global, name = "disks", pure, return_raw)]
    pub fn disks_in_maintenance(context: NativeCallContext, node: &mut Maintenance) -> Outcome<Dynamic> {
        ask_node(&context, node.node().clone(), "disks", |node| async move { disks_of(&node).await })
    }

    /// Compares the clock of a node with its time server.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    ///
    /// # Returns
    /// An object with `server`, `local` and `remote` as texts, and `off_by` in seconds.
    ///
    /// # Faults
    /// - `unreachable`: no endpoint gets through to it
    /// - `failed`: the node does not get through to its time server
    /// - `timeout`: it does not answer
    ///
    /// # Example
    /// ```rhai cluster
    /// let clock = talos::connect().time("10.17.13.86");
    /// if clock.off_by.abs() > 1.0 { print(`ask ${clock.server} what time it is`); }
    /// ```
    #[rhai_fn(global, name = "time", pure, return_raw)]
    pub fn time_of(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<Dynamic> {
        ask(&context, talos, node, "time", |node| async move {
            let answer = only(node.ask(|channel| async move { time(channel).time(()).await }).await?.messages)?;
            let moment = |moment: Option<talos::prost_types::Timestamp>| {
                let moment = moment.unwrap_or_default();
                jiff::Timestamp::new(moment.seconds, moment.nanos).unwrap_or_default()
            };
            let (local, remote) = (moment(answer.localtime), moment(answer.remotetime));
            Ok(object([
                ("server", text(&answer.server)),
                ("local", text(&local.to_string())),
                ("remote", text(&remote.to_string())),
                ("off_by", Tree::Float(local.duration_since(remote).as_secs_f64())),
            ]))
        })
    }
}

/// Asks a node of a context.
pub fn ask<F>(
    context: &NativeCallContext,
    talos: &Talos,
    node: &str,
    what: &str,
    work: impl FnOnce(Node) -> F,
) -> Outcome<Dynamic>
where
    F: Future<Output = Result<Tree, Fault>> + Send + 'static,
{
    let node = talos.node(node).map_err(|fault| context.raise(fault))?;
    ask_node(context, node, what, work)
}

pub fn ask_node<F>(
    context: &NativeCallContext,
    node: Node,
    what: &str,
    work: impl FnOnce(Node) -> F,
) -> Outcome<Dynamic>
where
    F: Future<Output = Result<Tree, Fault>> + Send + 'static,
{
    let waiting = Waiting::request(format!("{what} of node {node}"), ANSWER);
    context.wait(waiting, |_| work(node)).map(|tree| tree.to_dynamic())
}

pub fn text(text: &str) -> Tree {
    Tree::Text(text.into())
}

pub fn object<const N: usize>(fields: [(&str, Tree); N]) -> Tree {
    fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// The word of a value that a node gives, in small letters; its number, if a later version invented it.
pub fn known<E: TryFrom<i32>>(value: i32, word: fn(&E) -> &'static str) -> String {
    E::try_from(value).map_or_else(|_| value.to_string(), |value| word(&value).to_lowercase().replace('_', " "))
}

pub fn stage_tree(stage: &Stage) -> Tree {
    let unmet = stage.unmet.iter().map(|unmet| text(unmet)).collect();
    object([("stage", text(&stage.name)), ("ready", Tree::Bool(stage.ready)), ("unmet", unmet)])
}

fn described(service: &ServiceInfo) -> Tree {
    let health = service.health.clone().unwrap_or_default();
    let events = service.events.iter().flat_map(|events| &events.events);
    let events = events.map(|event| object([("state", text(&event.state)), ("message", text(&event.msg))]));
    object([
        ("id", text(&service.id)),
        ("state", text(&service.state)),
        ("healthy", if health.unknown { Tree::Null } else { Tree::Bool(health.healthy) }),
        ("message", text(&health.last_message)),
        ("events", events.collect()),
    ])
}

/// Where containers are, and who runs them: those of Kubernetes, or Talos's own.
pub fn containers_of(kubernetes: bool) -> (&'static str, ContainerDriver) {
    match kubernetes {
        true => ("k8s.io", ContainerDriver::Cri),
        false => ("system", ContainerDriver::Containerd),
    }
}

fn contained(context: &NativeCallContext, talos: &Talos, name: &str, options: Map) -> Outcome<Dynamic> {
    let (namespace, driver) = containers_of(context.options("talos::containers", options)?.flag("kubernetes"));
    ask(context, talos, name, "containers", move |node| async move {
        let ask = |channel| async move {
            let request = ContainersRequest { namespace: namespace.to_owned(), driver: driver.into() };
            machine(channel).containers(request).await
        };
        let containers = only(node.ask(ask).await?.messages)?.containers.into_iter().map(|container| {
            object([
                ("id", text(&container.id)),
                ("name", text(&container.name)),
                ("pod", text(&container.pod_id)),
                ("image", text(&container.image)),
                ("status", text(&container.status)),
                ("pid", Tree::Int(container.pid.into())),
            ])
        });
        Ok(containers.collect())
    })
}

async fn disks_of(node: &Node) -> Result<Tree, Fault> {
    let answer = node.ask(|channel| async move { storage(channel).disks(()).await }).await?;
    let disks = only(answer.messages)?.disks.into_iter().map(|disk| {
        object([
            ("path", text(&disk.device_name)),
            ("size", Tree::Int(i64::try_from(disk.size).unwrap_or(i64::MAX))),
            ("type", text(&known(disk.r#type, DiskType::as_str_name))),
            ("model", text(&disk.model)),
            ("serial", text(&disk.serial)),
            ("wwid", text(&disk.wwid)),
            ("bus_path", text(&disk.bus_path)),
            ("system", Tree::Bool(disk.system_disk)),
            ("readonly", Tree::Bool(disk.readonly)),
        ])
    });
    Ok(disks.collect())
}
