//! The scheduler: it finds a node for each pod, or says why there is none.

mod fit;
mod nodes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use serde_json::{Value, json};

pub use self::fit::{is_selected, is_tolerated, tolerates};
use self::{fit::Wishes, nodes::Nodes};
use super::{
    Controller, Name, Tools,
    events::Event,
    fields::{Fields, map},
    owners, pods, volumes,
};
use crate::kubernetes::{answer::Refusal, client::Place, store::Change};

/// Who is scheduled here.
const NAME: &str = "default-scheduler";
/// Where it says that it runs.
const HOST: &str = "default-scheduler-control-plane";

#[derive(Default)]
pub struct Scheduler(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    nodes: Nodes,
    /// Those for which there was no node.
    waiting: BTreeSet<Name>,
}

impl Controller for Scheduler {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        let mut memory = self.memory();
        match &*change.key.resource {
            "nodes" => {
                memory.nodes.set(&change.key.name, change.after.clone());
                // Heartbeats change nothing for anybody.
                if change.before.as_deref().map(what_matters) == change.after.as_deref().map(what_matters) {
                    return Vec::new();
                }
            }
            "pods" => {
                let uid = change.after.as_deref().or(change.before.as_deref()).map(|pod| pod.uid().to_owned());
                let is_placed = |pod: &&Arc<Value>| !pod.text("/spec/nodeName").is_empty() && !pods::has_ended(pod);
                let placed = change.after.as_ref().filter(is_placed);
                memory.nodes.place(&uid.unwrap_or_default(), placed);
                let left = change.before.as_ref().is_some_and(|pod| is_placed(&pod)) && placed.is_none();
                let arrived = !change.before.as_ref().is_some_and(|pod| is_placed(&pod)) && placed.is_some();
                if !left && !arrived {
                    let wants = change.after.as_deref().is_some_and(wants_a_node);
                    let changed = change.before.as_deref().is_none_or(|before| {
                        change.after.as_deref().is_some_and(|after| what_a_pod_wants(before) != what_a_pod_wants(after))
                    });
                    return if wants && changed { vec![Name::changed(change)] } else { Vec::new() };
                }
            }
            "persistentvolumeclaims" | "persistentvolumes" => {}
            _ => return Vec::new(),
        }
        std::mem::take(&mut memory.waiting).into_iter().collect()
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(pod) = tools.there("pods", name).filter(|pod| wants_a_node(pod)) else { return Ok(None) };
            if !pod.list("/spec/schedulingGates").is_empty() {
                return Ok(None);
            }
            match self.find(tools, &pod) {
                Ok(node) if has_volumes(tools, &pod, &node).await? => self.bind(tools, &pod, &node).await?,
                Ok(_) => drop(self.memory().waiting.insert(name.clone())),
                Err(why) => self.refuse(tools, &pod, &why).await?,
            }
            Ok(None)
        })
    }
}

/// What of a node decides who can be there.
fn what_matters(node: &Value) -> [&Value; 5] {
    ["/metadata/labels", "/spec/taints", "/spec/unschedulable", "/status/allocatable", "/metadata/name"]
        .map(|path| node.at(path))
}

fn what_a_pod_wants(pod: &Value) -> [&Value; 3] {
    ["/spec", "/metadata/labels", "/metadata/deletionTimestamp"].map(|path| pod.at(path))
}

fn wants_a_node(pod: &Value) -> bool {
    pod.text("/spec/nodeName").is_empty()
        && pod.text("/spec/schedulerName") == NAME
        && !pod.is_going()
        && !pods::has_ended(pod)
}

impl Scheduler {
    /// The node for a pod, or why there is none.
    fn find(&self, tools: &Tools, pod: &Value) -> Result<String, String> {
        if let Some(why) = missing_claims(tools, pod) {
            return Err(why);
        }
        if !pod.list("/spec/resourceClaims").is_empty() {
            return Err("the simulator has no model of this: devices that pods claim".to_owned());
        }
        let memory = self.memory();
        let wishes = Wishes::of(pod, &memory.nodes);
        let owner = owners::controller_of(pod).map(|owner| owner.text("/uid").to_owned());
        let mut best: Option<(Score, &String)> = None;
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        let (mut count, mut stubborn, mut open) = (0, 0, 0);
        for (name, node) in memory.nodes.all() {
            count += 1;
            if let Some(misfit) = wishes.misfit(node) {
                for reason in misfit.reasons {
                    *reasons.entry(reason).or_default() += 1;
                }
                *if misfit.others_could_help { &mut open } else { &mut stubborn } += 1;
                continue;
            }
            let score = Score {
                siblings: owner.as_ref().map_or(0, |owner| node.siblings(owner)),
                fill: node.fill(&wishes.requests),
                pods: node.pods.len(),
            };
            if best.as_ref().is_none_or(|(known, _)| score < *known) {
                best = Some((score, name));
            }
        }
        if let Some((_, name)) = best {
            return Ok(name.clone());
        }
        if count == 0 {
            return Err("no nodes available to schedule pods".to_owned());
        }
        let told = |reasons: BTreeMap<String, usize>| {
            let mut told: Vec<String> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            told.sort();
            told.join(", ")
        };
        let helpless = [
            ("No preemption victims found for incoming pod.", open),
            ("Preemption is not helpful for scheduling.", stubborn),
        ];
        let helpless = helpless.into_iter().filter(|(_, count)| *count > 0).map(|(why, count)| (why.to_owned(), count));
        // Only the last of them ends with a stop.
        let helpless = told(helpless.collect()).replace("., ", ", ");
        Err(format!(
            "0/{count} nodes are available: {}. no new claims to deallocate, preemption: 0/{count} nodes are available: \
             {helpless}",
            told(reasons)
        ))
    }

    async fn bind(&self, tools: &Tools, pod: &Value, node: &str) -> Result<(), Refusal> {
        let binding = json!({
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod.name(), "namespace": pod.namespace(), "uid": pod.uid()},
            "target": {"kind": "Node", "name": node},
        });
        let place = pods::place(pod.namespace());
        if owners::gone_is_fine(tools.client.create_part(place, pod.name(), "binding", &binding).await)?.is_none() {
            return Ok(());
        }
        // It is there before anybody else is looked at.
        let name = Name::of(pod);
        if let Some(bound) = tools.there("pods", &name) {
            self.memory().nodes.place(pod.uid(), Some(&bound));
        }
        let message = format!("Successfully assigned {}/{} to {node}", pod.namespace(), pod.name());
        let event = Event {
            weight: "Normal",
            reason: "Scheduled",
            message: &message,
            part: "Binding",
            host: HOST,
            marks: &Value::Null,
        };
        tools.teller.tell(&tools.client, pod, event).await;
        Ok(())
    }

    async fn refuse(&self, tools: &Tools, pod: &Value, why: &str) -> Result<(), Refusal> {
        self.memory().waiting.insert(Name::of(pod));
        let event = Event {
            weight: "Warning",
            reason: "FailedScheduling",
            message: why,
            part: "Scheduling",
            host: HOST,
            marks: &Value::Null,
        };
        tools.teller.tell(&tools.client, pod, event).await;
        let known = pod.condition("PodScheduled");
        if known.is_some_and(|known| known["status"] == "False" && known.text("/message") == why) {
            return Ok(());
        }
        let since = known.filter(|known| known["status"] == "False").map(|known| known["lastTransitionTime"].clone());
        let condition = json!({
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": why,
            "observedGeneration": pod["metadata"]["generation"],
            "lastProbeTime": null,
            "lastTransitionTime": since.unwrap_or_else(|| json!(tools.client.cluster().now())),
        });
        let patch = json!({"status": {"conditions": [condition]}});
        let place = pods::place(pod.namespace());
        owners::gone_is_fine(tools.client.patch(place, (pod.name(), "status"), "strategic-merge", &patch).await)?;
        Ok(())
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How good a node is for a pod: less is better, and what comes first weighs more.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    siblings: usize,
    fill: i128,
    pods: usize,
}

/// The claims of a pod's volumes.
fn claims(pod: &Value) -> impl Iterator<Item = Name> {
    let named = pod.list("/spec/volumes").iter().map(|volume| volume.text("/persistentVolumeClaim/claimName"));
    named
        .filter(|claim| !claim.is_empty())
        .map(|claim| Name { namespace: pod.namespace().to_owned(), name: claim.to_owned() })
}

/// What is missing of the claims of a pod's volumes.
fn missing_claims(tools: &Tools, pod: &Value) -> Option<String> {
    let nodes = tools.client.cluster().store.list(&"nodes".into(), None).1.len();
    for name in claims(pod) {
        let why = match tools.there("persistentvolumeclaims", &name) {
            None => format!("persistentvolumeclaim {:?} not found", name.name),
            Some(claim) if claim.text("/status/phase") == "Lost" => {
                format!("persistentvolumeclaim {:?} bound to non-existent persistentvolume \"\"", name.name)
            }
            Some(claim) if !volumes::is_bound(&claim) && !waits(tools, &claim) => {
                "pod has unbound immediate PersistentVolumeClaims".to_owned()
            }
            Some(_) => continue,
        };
        return Some(format!("0/{nodes} nodes are available: {why}. not found"));
    }
    None
}

/// True for a claim that gets its volume when a pod of it has a node.
fn waits(tools: &Tools, claim: &Value) -> bool {
    let name = Name { namespace: String::new(), name: claim.text("/spec/storageClassName").to_owned() };
    tools.there("storageclasses.storage.k8s.io", &name).is_some_and(|class| volumes::waits_for_a_pod(&class))
}

/// True if all claims of a pod have their volumes; those that have none yet are told for which node.
async fn has_volumes(tools: &Tools, pod: &Value, node: &str) -> Result<bool, Refusal> {
    let mut all = true;
    for name in claims(pod) {
        let Some(claim) = tools.there("persistentvolumeclaims", &name) else { continue };
        if volumes::is_bound(&claim) {
            continue;
        }
        all = false;
        if claim.annotation(volumes::NODE).is_none() {
            let place = Place { api_version: "v1", resource: "persistentvolumeclaims", namespace: &name.namespace };
            let mut told = (*claim).clone();
            map(&mut told["metadata"], "annotations").insert(volumes::NODE.to_owned(), json!(node));
            owners::gone_is_fine(tools.client.update(place, "", &told).await)?;
        }
    }
    Ok(all)
}
