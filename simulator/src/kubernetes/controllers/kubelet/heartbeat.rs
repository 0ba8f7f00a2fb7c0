//! The heartbeats of machines: a lease for each, renewed every few seconds, and what a kubelet says of its machine.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::super::{Controller, Name, Tools, fields::Fields, owners};
use crate::kubernetes::{
    admission,
    answer::Refusal,
    client::Place,
    store::{Change, Key},
};

const RENEWED_EVERY: Duration = Duration::from_secs(10);
const LEASE: Place<'static> =
    Place { api_version: "coordination.k8s.io/v1", resource: "leases", namespace: "kube-node-lease" };

pub struct Heartbeats;

impl Controller for Heartbeats {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        let is_new = change.before.is_none() != change.after.is_none();
        if &*change.key.resource == "nodes" && is_new { vec![Name::changed(change)] } else { Vec::new() }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(node) = tools.there("nodes", name) else { return Ok(None) };
            let cluster = tools.client.cluster();
            if !cluster.machines.is_off(&name.name) {
                renew(tools, &node).await?;
                say_ready(tools, &node).await?;
            }
            Ok(Some(RENEWED_EVERY))
        })
    }
}

async fn renew(tools: &Tools, node: &Value) -> Result<(), Refusal> {
    let now = tools.now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
    let name = Name { namespace: LEASE.namespace.to_owned(), name: node.name().to_owned() };
    match tools.there("leases.coordination.k8s.io", &name) {
        Some(lease) if is_renewed(tools, &name, &lease, &now) => {}
        Some(lease) => {
            let mut lease = (*lease).clone();
            lease["spec"]["renewTime"] = json!(now);
            tools.client.update(LEASE, "", &lease).await?;
        }
        None => {
            let lease = json!({
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {
                    "name": node.name(),
                    "namespace": LEASE.namespace,
                    "ownerReferences": [{
                        "apiVersion": "v1", "kind": "Node", "name": node.name(), "uid": node.uid(),
                    }],
                },
                "spec": {"holderIdentity": node.name(), "leaseDurationSeconds": 40, "renewTime": now},
            });
            tools.client.create(LEASE, &lease).await?;
        }
    }
    Ok(())
}

/// Renews a lease as a request for it would, if nobody else has a say in that. Worlds have many machines and last for hours, in
/// which there is more of this than of anything else.
fn is_renewed(tools: &Tools, name: &Name, lease: &Arc<Value>, now: &str) -> bool {
    let cluster = tools.client.cluster();
    if admission::asks_others(cluster) {
        return false;
    }
    let mut renewed = (**lease).clone();
    renewed["spec"]["renewTime"] = json!(now);
    let owners = renewed["metadata"]["managedFields"].as_array_mut().into_iter().flatten();
    for own in owners.filter(|owner| owner["manager"] == "kubelet") {
        own["time"] = json!(cluster.now());
    }
    let Name { namespace, name } = name.clone();
    let key = Key { resource: "leases.coordination.k8s.io".into(), namespace, name };
    cluster.store.put_heartbeat(&key, Some(lease), renewed).is_ok()
}

/// What a kubelet says of a machine that is well: each condition, its status, reason and message.
const WELL: [[&str; 4]; 4] = [
    ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
];

/// Says that a machine is well, if that is not what is known of it.
async fn say_ready(tools: &Tools, node: &Value) -> Result<(), Refusal> {
    let known = |[kind, status, ..]: &[&str; 4]| node.condition(kind).is_some_and(|known| known["status"] == *status);
    if WELL.iter().all(known) {
        return Ok(());
    }
    let now = tools.client.cluster().now();
    let mut said = node.clone();
    let conditions = super::super::fields::list(&mut said["status"], "conditions");
    for [kind, status, reason, message] in WELL {
        let since = match node.condition(kind).filter(|known| known["status"] == status) {
            Some(known) => known["lastTransitionTime"].clone(),
            None => json!(now),
        };
        let condition = json!({
            "type": kind,
            "status": status,
            "lastHeartbeatTime": now,
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        });
        match conditions.iter_mut().find(|known| known["type"] == kind) {
            Some(known) => *known = condition,
            None => conditions.push(condition),
        }
    }
    let place = Place { api_version: "v1", resource: "nodes", namespace: "" };
    owners::gone_is_fine(tools.client.update(place, "status", &said).await)?;
    Ok(())
}
