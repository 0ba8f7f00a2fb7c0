//! Wiping a node.

use std::time::Duration;

use rhai::{Map, NativeCallContext, plugin::*};
use talos::api::machine::{ResetPartitionSpec, ResetRequest, reset_request::WipeMode};

use super::{
    connect::texts,
    sequence::{PAUSE, Sequence, begin, booted, word},
};
use crate::{
    bindings::talos::{
        condition::Role,
        guard::{self, Allowed, Etcd, Prospect},
        machines::Talos,
        probe::{self, Whereabouts},
        reach::{Node, machine},
    },
    host::wait::Waiting,
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
};

/// How long a node may take to begin.
const ANSWER: Duration = Duration::from_secs(120);

/// How long is looked at what dies with it.
const LOOK: Duration = Duration::from_secs(60);

#[export_module]
pub mod functions {
    /// Wipes a node.
    #[rhai_fn(global, pure, return_raw)]
    pub fn reset(context: NativeCallContext, talos: &mut Talos, node: &str) -> Outcome<()> {
        reset_node(&context, talos, node, Map::new())
    }

    /// Wipes a node, and waits until it is back: in maintenance, if its configuration went, else in another boot.
    ///
    /// What dies is shown before. Three orders are refused, each unless it is asked for: a node whose endpoints this run has
    /// sent away, the last endpoint while workers behind it still answer, and the last control plane.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `wipe` (text, `all`): `all`: the system disk and the `user_disks`; `system-disk`; or `user-disks`: those alone
    /// - `partitions` (list): wipe only these of the system disk, such as `["STATE", "EPHEMERAL"]`
    /// - `user_disks` (list): further disks to wipe, such as `["/dev/sdb"]`; without it none is
    /// - `graceful` (boolean, `true`): drain the node and leave etcd first, which needs a cluster that works
    /// - `reboot` (boolean, `true`): boot afterwards; otherwise it is powered off
    /// - `wait` (boolean, `true`): wait until it is back, or off
    /// - `timeout` (duration, `30m`): how long that may take
    /// - `last_control_plane` (boolean, `false`): also the last control plane, and the cluster with it
    /// - `workers_left` (boolean, `false`): also if workers are out of reach then
    /// - `endpoints_leaving` (boolean, `false`): also by an endpoint that was sent away
    ///
    /// # Returns
    /// Nothing.
    ///
    /// # Effect
    /// What is on the disks goes. A resume looks for the node: in maintenance it was reset, and as it was before it was not.
    ///
    /// # Faults
    /// - `refused`: the order is one of the three, or somebody said no
    /// - `unreachable`: no endpoint gets through to it
    /// - `denied`: the certificate may not do it
    /// - `failed`: the node can't do it, such as when there is no such disk
    /// - `in_doubt`: the connection broke, and nobody knows whether it began
    /// - `timeout`: it did not come back in time
    /// - `usage`: options contradict each other
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// step "nuke" {
    ///     parallel for node in ["10.17.13.86", "10.17.13.101"] {
    ///         lab.reset(node, #{ graceful: false, user_disks: ["/dev/sdb"] });
    ///     }
    /// }
    /// ```
    #[rhai_fn(global, name = "reset", pure, return_raw)]
    pub fn reset_with_options(context: NativeCallContext, talos: &mut Talos, node: &str, options: Map) -> Outcome<()> {
        reset_node(&context, talos, node, options)
    }
}

fn reset_node(context: &NativeCallContext, talos: &Talos, name: &str, options: Map) -> Outcome<()> {
    let options = context.options("talos::reset", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let node = talos.node(name).map_err(raise)?;
    let request = request(&options).map_err(raise)?;
    let allowed = Allowed {
        last_control_plane: options.flag("last_control_plane"),
        workers_left: options.flag("workers_left"),
        endpoints_leaving: options.flag("endpoints_leaving"),
    };
    let prospect = {
        let (talos, node) = (talos.clone(), node.clone());
        let waiting = Waiting::request(format!("what dies with node {node}"), LOOK);
        context.wait(waiting, |_| async move { Ok(Prospect::of(&talos, &node).await) })?
    };
    // Whoever is reset beside this one counts with it.
    talos.leaves(name);
    guard::taking_away(talos, &node, &prospect, allowed).map_err(|fault| {
        talos.stays(name);
        raise(fault)
    })?;

    let forgets = forgets_itself(&request);
    let (sent, to) = (request.clone(), node.clone());
    let before = begin(
        context,
        Sequence {
            talos,
            node: node.clone(),
            verb: "reset",
            asked: format!("{request:?}"),
            destroys: Some(radius(&node, &request, &prospect)),
            answer: ANSWER,
            send: Box::pin(async move {
                to.once(|channel| {
                    let request = sent.clone();
                    async move { machine(channel).reset(request).await }
                })
                .await
                .map(drop)
            }),
            judge: if forgets { judge_wiped } else { judge_kept },
        },
    )
    .inspect_err(|_| talos.stays(name))?;
    if !options.flag("wait") {
        return Ok(());
    }
    match (request.reboot, forgets) {
        (false, _) => {
            let waiting = Waiting::until(format!("node {node} to be off"), timeout);
            context.wait(waiting, |progress| async move {
                probe::away(&node, PAUSE, &progress).await;
                Ok(())
            })
        }
        (true, true) => {
            let waiting = Waiting::until(format!("node {node} to be in maintenance"), timeout);
            let (host, at) = (context.host(), node.address());
            context.wait(waiting, |progress| async move {
                probe::maintenance(&host, &[at], PAUSE, &progress).await;
                Ok(())
            })
        }
        (true, false) => {
            booted(context, &node, before, timeout)?;
            talos.stays(name);
            Ok(())
        }
    }
}

fn request(options: &Options) -> Result<ResetRequest, Fault> {
    let wipe = options.text("wipe").unwrap_or_default();
    let mode = word(
        "talos::reset",
        "wipe",
        &wipe,
        &[("all", WipeMode::All), ("system-disk", WipeMode::SystemDisk), ("user-disks", WipeMode::UserDisks)],
    )?;
    let (partitions, disks) = (texts(options, "partitions")?, texts(options, "user_disks")?);
    let usage = |message: &str, hint: &str| Err(Fault::new(Kind::Usage, message).hint(hint));
    match mode {
        WipeMode::SystemDisk if !disks.is_empty() => {
            return usage("`wipe: \"system-disk\"` wipes no user disks", "leave `user_disks` out, or write `all`");
        }
        WipeMode::UserDisks if !partitions.is_empty() => {
            return usage("`wipe: \"user-disks\"` wipes no partitions", "leave `partitions` out, or write `all`");
        }
        WipeMode::UserDisks if disks.is_empty() => {
            return usage("`wipe: \"user-disks\"` wipes no disk that is not named", "name them with `user_disks`");
        }
        _ => {}
    }
    Ok(ResetRequest {
        graceful: options.flag("graceful"),
        reboot: options.flag("reboot"),
        system_partitions_to_wipe: partitions
            .into_iter()
            .map(|label| ResetPartitionSpec { label, wipe: true })
            .collect(),
        user_disks_to_wipe: disks,
        mode: mode.into(),
    })
}

/// True if its configuration goes.
fn forgets_itself(request: &ResetRequest) -> bool {
    let partitions = &request.system_partitions_to_wipe;
    request.mode() != WipeMode::UserDisks
        && (partitions.is_empty() || partitions.iter().any(|partition| partition.label == "STATE"))
}

/// What dies, a line each.
fn radius(node: &Node, request: &ResetRequest, prospect: &Prospect) -> Vec<String> {
    let called = prospect.called(node);
    let labels: Vec<&str> =
        request.system_partitions_to_wipe.iter().map(|partition| partition.label.as_str()).collect();
    let mut dies = match (request.mode(), labels.is_empty()) {
        (WipeMode::UserDisks, _) => Vec::new(),
        (_, true) => vec![format!("the system disk of {called}, with its configuration")],
        (_, false) => vec![format!("of the system disk of {called}: {}", labels.join(", "))],
    };
    dies.extend(request.user_disks_to_wipe.iter().map(|disk| format!("disk {disk} of {called}")));
    match &prospect.etcd {
        Some(Etcd { others: 0, .. }) => {
            dies.push("the last member of etcd that answers, and all that its cluster knows".to_owned());
        }
        Some(Etcd { members, others }) if *others <= members / 2 => {
            dies.push(format!("a member of etcd: the {others} of {members} that answer besides it have no majority"));
        }
        Some(Etcd { members, others }) => {
            dies.push(format!("a member of etcd: {others} of {members} answer besides it"));
        }
        None if prospect.role == Some(Role::ControlPlane) => {
            dies.push("a member of etcd, perhaps: it does not say which there are".to_owned());
        }
        None => {}
    }
    if prospect.role.is_none() {
        dies.push(format!("more is not known: {called} does not say what it is"));
    }
    dies
}

fn judge_wiped(found: &Whereabouts) -> Result<bool, String> {
    match found {
        Whereabouts::Blank => Ok(true),
        Whereabouts::Configured(stage) => Ok(stage.name == "resetting"),
        Whereabouts::Foreign(why) | Whereabouts::Away(why) => Err(why.clone()),
    }
}

fn judge_kept(found: &Whereabouts) -> Result<bool, String> {
    match found {
        Whereabouts::Configured(stage) if stage.name == "resetting" => Ok(true),
        Whereabouts::Configured(stage) => {
            Err(format!("the node is {stage}, and what was wiped can't be seen from outside"))
        }
        Whereabouts::Blank => Err("the node is in maintenance".to_owned()),
        Whereabouts::Foreign(why) | Whereabouts::Away(why) => Err(why.clone()),
    }
}
