//! Whether a cluster of nodes is healthy: nine things that have to be so, one after the other, as `talosctl health` has them
//! before it comes to Kubernetes.

use std::{collections::BTreeSet, time::Duration};

use talos::api::machine::EtcdMember;

use super::{
    condition::{self, complaint},
    etcd,
    machines::Talos,
    reach::{Node, machine, only},
    resources::{self, DIAGNOSTICS, VOLUMES},
};
use crate::{
    host::wait::Progress,
    script::{
        fault::{Fault, Kind},
        values::at,
    },
};

/// Whom to look at.
pub struct Cluster {
    pub control_planes: Vec<Node>,
    pub workers: Vec<Node>,
}

impl Cluster {
    fn all(&self) -> impl Iterator<Item = &Node> {
        self.control_planes.iter().chain(&self.workers)
    }
}

/// What has to be so, in this order.
pub const CHECKS: [&str; 9] = [
    "etcd to be healthy",
    "etcd members to be the same everywhere",
    "etcd members to be control planes",
    "all nodes to answer",
    "all nodes to have enough memory",
    "all nodes to have large enough disks",
    "no diagnostics",
    "kubelet to be healthy",
    "all nodes to have booted",
];

/// The least that Talos wants of a node, which itself allows a little less.
const CONTROL_PLANE_MEMORY: u64 = 2 << 30;
const WORKER_MEMORY: u64 = 1 << 30;
const MEMORY_TAKEN: u64 = 150 << 20;
const EPHEMERAL: i64 = 6 << 30;

/// Until all checks pass, one after the other, each from the beginning of its turn.
pub async fn healthy(cluster: &Cluster, every: Duration, progress: &Progress) {
    for (number, name) in CHECKS.iter().enumerate() {
        let host = cluster.control_planes.first().expect("a cluster has a control plane").host();
        loop {
            match check(number, cluster).await {
                Ok(()) => break,
                Err(why) => progress.because(format!("{} of {}, {name}: {why}", number + 1, CHECKS.len())),
            }
            host.clock.sleep(every).await;
        }
    }
}

async fn check(number: usize, cluster: &Cluster) -> Result<(), String> {
    match number {
        0 => service("etcd", &cluster.control_planes).await,
        1 => same_members(cluster).await,
        2 => members_are_control_planes(cluster).await,
        3 => all_answer(cluster).await,
        4 => memory(cluster).await,
        5 => disks(cluster).await,
        6 => diagnostics(cluster).await,
        7 => service("kubelet", &cluster.control_planes).await,
        _ => booted(cluster).await,
    }
}

fn said(fault: Fault) -> String {
    fault.message
}

async fn service(id: &str, nodes: &[Node]) -> Result<(), String> {
    for node in nodes {
        let services = condition::services(node).await.map_err(said)?;
        if let Some(why) = complaint(id, services.iter().find(|service| service.id == id)) {
            return Err(format!("node `{node}`: {why}"));
        }
    }
    Ok(())
}

async fn same_members(cluster: &Cluster) -> Result<(), String> {
    let shown = |members: &[EtcdMember]| {
        let names: BTreeSet<String> =
            members.iter().map(|member| format!("{} {}", etcd::hex(member.id), member.hostname)).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    let mut first: Option<(&Node, String)> = None;
    for node in &cluster.control_planes {
        let members = shown(&etcd::members(node, true).await.map_err(said)?);
        match &first {
            None => first = Some((node, members)),
            Some((_, same)) if *same == members => {}
            Some((other, theirs)) => {
                return Err(format!("node `{node}` knows {members}, and node `{other}` {theirs}"));
            }
        }
    }
    Ok(())
}

async fn members_are_control_planes(cluster: &Cluster) -> Result<(), String> {
    let Some(node) = cluster.control_planes.first() else { return Ok(()) };
    let mut known: BTreeSet<String> = cluster.control_planes.iter().map(ToString::to_string).collect();
    for member in condition::members(node).await.map_err(said)? {
        if member.role == condition::Role::ControlPlane {
            known.extend(member.addresses);
        }
    }
    let members = etcd::members(node, false).await.map_err(said)?;
    match members.iter().find(|member| !etcd::addresses(member).any(|address| known.contains(&address))) {
        None => Ok(()),
        Some(stranger) => Err(format!("member `{}` is at none of them", stranger.hostname)),
    }
}

async fn all_answer(cluster: &Cluster) -> Result<(), String> {
    for node in cluster.all() {
        condition::version(node).await.map_err(said)?;
    }
    Ok(())
}

async fn memory(cluster: &Cluster) -> Result<(), String> {
    let least = cluster.control_planes.iter().map(|node| (node, CONTROL_PLANE_MEMORY));
    for (node, least) in least.chain(cluster.workers.iter().map(|node| (node, WORKER_MEMORY))) {
        let answer = node.ask(|channel| async move { machine(channel).memory(()).await }).await.map_err(said)?;
        let there = only(answer.messages).map_err(said)?.meminfo.unwrap_or_default().memtotal << 10;
        if there < least - MEMORY_TAKEN {
            return Err(format!("node `{node}` has {} MiB of {} MiB", there >> 20, least >> 20));
        }
    }
    Ok(())
}

async fn disks(cluster: &Cluster) -> Result<(), String> {
    for node in cluster.all() {
        let found = resources::find(node, &VOLUMES, &VOLUMES.namespace, "EPHEMERAL").await;
        let volume = match found {
            // Before 1.8 nodes did not say.
            Err(fault) if fault.kind == Kind::Denied && fault.message.contains("not supported") => continue,
            found => found.map_err(said)?,
        };
        let Some(volume) = volume else { return Err(format!("node `{node}` has no volume EPHEMERAL yet")) };
        let tree = resources::tree(node.host(), node, &VOLUMES, &volume).map_err(said)?;
        match at::integer(&tree, &["spec", "size"]) {
            Some(size) if size < EPHEMERAL => {
                return Err(format!("EPHEMERAL of node `{node}` has {} MiB of {} MiB", size >> 20, EPHEMERAL >> 20));
            }
            _ => {}
        }
    }
    Ok(())
}

async fn diagnostics(cluster: &Cluster) -> Result<(), String> {
    for node in cluster.all() {
        let found = match resources::list(node, &DIAGNOSTICS, &DIAGNOSTICS.namespace).await {
            // Before 1.8 nodes did not say.
            Err(fault) if fault.kind == Kind::Denied && fault.message.contains("not supported") => continue,
            found => found.map_err(said)?,
        };
        if let Some(diagnostic) = found.first() {
            let tree = resources::tree(node.host(), node, &DIAGNOSTICS, diagnostic).map_err(said)?;
            return Err(format!("node `{node}`: {}", at::text(&tree, &["spec", "message"]).unwrap_or("there is one")));
        }
    }
    Ok(())
}

async fn booted(cluster: &Cluster) -> Result<(), String> {
    for node in cluster.all() {
        let stage = condition::stage(node).await.map_err(said)?;
        if stage.name != "running" {
            return Err(format!("node `{node}` is {stage}"));
        }
    }
    Ok(())
}

/// Whom to look at, as a node has found the cluster.
///
/// # Errors
/// Why nobody says.
pub async fn discovered(talos: &Talos, by: &Node) -> Result<Cluster, Fault> {
    let mut cluster = Cluster { control_planes: Vec::new(), workers: Vec::new() };
    for member in condition::members(by).await? {
        let Some(address) = member.addresses.first() else { continue };
        let node = talos.node(address)?;
        match member.role {
            condition::Role::ControlPlane => cluster.control_planes.push(node),
            condition::Role::Worker => cluster.workers.push(node),
        }
    }
    Ok(cluster)
}
