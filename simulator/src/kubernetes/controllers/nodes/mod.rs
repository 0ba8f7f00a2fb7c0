//! Nodes: those whose heartbeat stops are no longer ready, and pods leave nodes that they don't tolerate.

mod eviction;

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use self::eviction::Evictions;
use super::{Controller, Name, Tools, events::Event, fields::Fields, owners, pods};
use crate::kubernetes::{answer::Refusal, client::Place, store::Change};

/// How long a node may be silent.
const PATIENCE: SignedDuration = SignedDuration::from_secs(50);
const SILENT: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];
const NODES: Place<'static> = Place { api_version: "v1", resource: "nodes", namespace: "" };

pub struct Nodes;

impl Controller for Nodes {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        if &*change.key.resource == "nodes" { vec![Name::changed(change)] } else { Vec::new() }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(node) = tools.there("nodes", name) else { return Ok(None) };
            let heard = heard(tools, &node);
            let silent = tools.now().duration_since(heard) > PATIENCE;
            if silent && node.condition("Ready").is_none_or(|ready| ready["status"] != "Unknown") {
                return say_silent(tools, &node).await.map(|()| Some(Duration::ZERO));
            }
            taint(tools, &node).await?;
            if silent {
                return Ok(None);
            }
            let left = (heard + PATIENCE).duration_since(tools.now()) + SignedDuration::from_millis(1);
            Ok(Some(Duration::try_from(left).unwrap_or(Duration::from_millis(1))))
        })
    }
}

/// When a node was heard of last.
fn heard(tools: &Tools, node: &Value) -> Timestamp {
    let name = Name { namespace: "kube-node-lease".to_owned(), name: node.name().to_owned() };
    let lease = tools.there("leases.coordination.k8s.io", &name);
    let renewed = lease.and_then(|lease| lease.text("/spec/renewTime").parse().ok());
    let created = || node.text("/metadata/creationTimestamp").parse().unwrap_or(Timestamp::UNIX_EPOCH);
    renewed.unwrap_or_else(created)
}

async fn say_silent(tools: &Tools, node: &Value) -> Result<(), Refusal> {
    let now = tools.client.cluster().now();
    let was_ready = node.is("Ready");
    let mut said = node.clone();
    let conditions = super::fields::list(&mut said["status"], "conditions");
    for kind in SILENT {
        let known = node.condition(kind);
        let heard = known
            .map_or_else(|| node["metadata"]["creationTimestamp"].clone(), |known| known["lastHeartbeatTime"].clone());
        let (reason, message) = match known {
            Some(_) => ("NodeStatusUnknown", "Kubelet stopped posting node status."),
            None => ("NodeStatusNeverUpdated", "Kubelet never posted node status."),
        };
        let condition = json!({
            "type": kind,
            "status": "Unknown",
            "lastHeartbeatTime": heard,
            "lastTransitionTime": now,
            "reason": reason,
            "message": message,
        });
        match conditions.iter_mut().find(|known| known["type"] == kind) {
            Some(known) => *known = condition,
            None => conditions.push(condition),
        }
    }
    owners::gone_is_fine(tools.client.update(NODES, "status", &said).await)?;
    if was_ready {
        let message = format!("Node {} status is now: NodeNotReady", node.name());
        tools.normal(node, "NodeNotReady", &message).await;
        for pod in tools.census.on_node(node.name()).iter().filter(|pod| pod.is("Ready")) {
            unready(tools, pod).await?;
        }
    }
    Ok(())
}

/// Nobody knows how a pod is whose node is silent.
async fn unready(tools: &Tools, pod: &Value) -> Result<(), Refusal> {
    let condition = json!({
        "type": "Ready",
        "status": "False",
        "lastTransitionTime": tools.client.cluster().now(),
    });
    let patch = json!({"status": {"conditions": [condition]}});
    let place = pods::place(pod.namespace());
    owners::gone_is_fine(tools.client.patch(place, (pod.name(), "status"), "strategic-merge", &patch).await)?;
    let event = Event {
        weight: "Warning",
        reason: "NodeNotReady",
        message: "Node is not ready",
        part: "",
        host: "",
        marks: &Value::Null,
    };
    tools.teller.tell(&tools.client, pod, event).await;
    Ok(())
}

/// The taints that follow from how a node is: their key, and whether pods have to leave.
fn wanted(node: &Value) -> Vec<(&'static str, bool)> {
    let mut wanted = Vec::new();
    if node.flag("/spec/unschedulable") {
        wanted.push(("node.kubernetes.io/unschedulable", false));
    }
    match node.condition("Ready").map(|ready| ready.text("/status")) {
        Some("True") => {}
        Some("Unknown") => wanted.push(("node.kubernetes.io/unreachable", true)),
        _ => wanted.push(("node.kubernetes.io/not-ready", true)),
    }
    for (condition, key) in [
        ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
        ("DiskPressure", "node.kubernetes.io/disk-pressure"),
        ("PIDPressure", "node.kubernetes.io/pid-pressure"),
        ("NetworkUnavailable", "node.kubernetes.io/network-unavailable"),
    ] {
        if node.is(condition) {
            wanted.push((key, false));
        }
    }
    wanted
}

async fn taint(tools: &Tools, node: &Value) -> Result<(), Refusal> {
    const OWN: [&str; 7] = [
        "node.kubernetes.io/unschedulable",
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/memory-pressure",
        "node.kubernetes.io/disk-pressure",
        "node.kubernetes.io/pid-pressure",
        "node.kubernetes.io/network-unavailable",
    ];
    let mut wished = Vec::new();
    for (key, leave) in wanted(node) {
        wished.push((key, "NoSchedule"));
        if leave {
            wished.push((key, "NoExecute"));
        }
    }
    let there = node.list("/spec/taints");
    let is = |taint: &Value, (key, effect): &(&str, &str)| taint["key"] == *key && taint["effect"] == *effect;
    let is_wrong = |taint: &&Value| OWN.contains(&taint.text("/key")) && !wished.iter().any(|wish| is(taint, wish));
    let mut taints: Vec<Value> = there.iter().filter(|taint| !is_wrong(taint)).cloned().collect();
    let now = tools.client.cluster().now();
    for wish in wished.iter().filter(|wish| !there.iter().any(|taint| is(taint, wish))) {
        taints.push(json!({"key": wish.0, "effect": wish.1, "timeAdded": now}));
    }
    if taints == there {
        return Ok(());
    }
    let mut tainted = node.clone();
    match taints.is_empty() {
        true => drop(super::fields::take(&mut tainted["spec"], "taints")),
        false => tainted["spec"]["taints"] = json!(taints),
    }
    owners::gone_is_fine(tools.client.update(NODES, "", &tainted).await)?;
    Ok(())
}
