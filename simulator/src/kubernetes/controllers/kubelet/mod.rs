//! What kubelets do: they run the pods of their machines, and say how it goes.

mod addresses;
mod container;
mod heartbeat;
mod life;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};

pub use self::heartbeat::Heartbeats;
use self::{addresses::Addresses, life::Life};
use super::{Controller, Name, Tools, events::Event, fields::Fields, owners, pods};
use crate::kubernetes::{answer::Refusal, store::Change};

/// The kubelets of all machines.
#[derive(Default)]
pub struct Kubelets(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    lives: BTreeMap<String, Life>,
    /// Which pod had the name, to forget it when the pod is gone.
    uids: BTreeMap<Name, String>,
    images: BTreeMap<String, BTreeSet<String>>,
    addresses: Addresses,
    /// The pods that wait for their machine to be turned on.
    off: BTreeMap<String, BTreeSet<Name>>,
}

impl Controller for Kubelets {
    fn hears_heartbeats(&self) -> bool {
        true
    }

    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            "pods" => {
                let assigned = |pod: &Value| !pod.text("/spec/nodeName").is_empty();
                let is_theirs = change.after.as_deref().or(change.before.as_deref()).is_some_and(assigned);
                if is_theirs { vec![Name::changed(change)] } else { Vec::new() }
            }
            // A heartbeat: the machine is on.
            "leases.coordination.k8s.io" => {
                let waiting = self.memory().off.remove(&change.key.name);
                waiting.into_iter().flatten().collect()
            }
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let pod = tools.there("pods", name);
            let Some(pod) = self.still_there(name, pod.as_deref()).then_some(pod).flatten() else { return Ok(None) };
            let node = pod.text("/spec/nodeName").to_owned();
            let machines = &tools.client.cluster().machines;
            if machines.is_off(&node) {
                self.memory().off.entry(node).or_default().insert(name.clone());
                return Ok(None);
            }
            let Some(machine) = tools.there("nodes", &Name { namespace: String::new(), name: node.clone() }) else {
                return Ok(None);
            };
            if pods::has_ended(&pod) && !pod.is_going() {
                return Ok(None);
            }
            let now = tools.now();
            let (next, events, status, is_over) = {
                let mut memory = self.memory();
                let memory = &mut *memory;
                let life = memory.lives.entry(pod.uid().to_owned()).or_insert_with(|| Life::begin(&pod, now));
                let images = memory.images.entry(node.clone()).or_default();
                let mut events = Vec::new();
                let next = life.advance(&pod, now, machines, images, &mut events);
                let host = address_of(&machine);
                if life.address.is_none() && life.has_sandbox(now) && !pods::has_ended(&pod) {
                    life.address = Some(match pod.flag("/spec/hostNetwork") {
                        true => host.to_owned(),
                        false => memory.addresses.take(&node, pod.uid()),
                    });
                }
                let status = report::status(&pod, life, host, now, machines);
                (next, events, status, pod.is_going() && life.has_stopped())
            };
            self.say(tools, &pod, &node, events, status).await?;
            if is_over {
                let options = json!({"gracePeriodSeconds": 0, "preconditions": {"uid": pod.uid()}});
                let gone = tools.client.delete(pods::place(&name.namespace), &name.name, &options).await;
                owners::gone_is_fine(gone)?;
                return Ok(None);
            }
            Ok(next.map(|next| wait(next, now)))
        })
    }
}

impl Kubelets {
    async fn say(
        &self,
        tools: &Tools,
        pod: &Value,
        node: &str,
        events: Vec<life::Event>,
        status: Value,
    ) -> Result<(), Refusal> {
        for (part, told) in events {
            let event = Event {
                weight: told.weight,
                reason: told.reason,
                message: &told.message,
                part: &part,
                host: node,
                marks: &Value::Null,
            };
            tools.teller.tell(&tools.client, pod, event).await;
        }
        if status != pod["status"] {
            let mut updated = pod.clone();
            updated["status"] = status;
            owners::gone_is_fine(tools.client.update(pods::place(pod.namespace()), "status", &updated).await)?;
        }
        Ok(())
    }

    /// Forgets a pod that is no longer there, or that another one has the name of.
    fn still_there(&self, name: &Name, pod: Option<&Value>) -> bool {
        let mut memory = self.memory();
        let uid = pod.map(|pod| pod.uid().to_owned());
        if memory.uids.get(name) != uid.as_ref() {
            if let Some(gone) = memory.uids.remove(name) {
                memory.lives.remove(&gone);
                memory.addresses.give_back(&gone);
            }
            if let Some(uid) = uid {
                memory.uids.insert(name.clone(), uid);
            }
        }
        pod.is_some()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address of a machine.
fn address_of(node: &Value) -> &str {
    let addresses = node.list("/status/addresses");
    addresses
        .iter()
        .find(|address| address["type"] == "InternalIP")
        .map_or("127.0.0.1", |address| address.text("/address"))
}

/// From now to then, and never nothing: what is due now has been done.
fn wait(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default().max(Duration::from_millis(1))
}
