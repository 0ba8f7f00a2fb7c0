//! Pods that nobody ends any more: of nodes that are gone, deleted before they had a node, or over for long.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Controller, Name, Tools, fields::Fields, owners, pods};
use crate::kubernetes::{answer::Refusal, store::Change};

/// How long a node has to be gone: it may come again.
const QUARANTINE: SignedDuration = SignedDuration::from_secs(40);
/// How long others have for a pod that has no node.
const NOTICE: SignedDuration = SignedDuration::from_secs(20);
/// So many pods that are over are kept.
const KEPT: usize = 12_500;
/// Whoever sets this on a node says that nothing runs there any more.
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// Looks after nodes that are gone, which have no namespace, and after pods.
#[derive(Default)]
pub struct Abandoned {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// The pods that are over, oldest first.
    over: BTreeSet<(String, Name)>,
    /// Since when something is looked at.
    since: BTreeMap<Name, Timestamp>,
}

impl Controller for Abandoned {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        let node = |name: &str| Name { namespace: String::new(), name: name.to_owned() };
        match (&*change.key.resource, &change.after) {
            ("nodes", _) => vec![node(&change.key.name)],
            ("pods", None) => {
                let mut memory = self.memory();
                let name = Name::changed(change);
                memory.since.remove(&name);
                memory.over.retain(|(_, known)| *known != name);
                Vec::new()
            }
            ("pods", Some(pod)) => {
                let mut concerned = Vec::new();
                let on = pod.text("/spec/nodeName");
                if !on.is_empty() && tools.there("nodes", &node(on)).is_none() {
                    concerned.push(node(on));
                }
                if pod.is_going() {
                    concerned.push(Name::of(pod));
                }
                concerned.extend(self.oldest(pod));
                concerned
            }
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            if name.namespace.is_empty() {
                return self.tend_node(tools, name).await;
            }
            let Some(pod) = tools.there("pods", name) else { return Ok(None) };
            if self.is_surplus(name) {
                end(tools, &pod, None).await?;
                return Ok(None);
            }
            let on = Name { namespace: String::new(), name: pod.text("/spec/nodeName").to_owned() };
            let is_out = |node: &Value| {
                let taints = node.list("/spec/taints");
                !node.is("Ready") && taints.iter().any(|taint| taint["key"] == OUT_OF_SERVICE)
            };
            match tools.there("nodes", &on) {
                _ if !pod.is_going() => Ok(None),
                Some(node) if is_out(&node) => {
                    end(tools, &pod, Some("PodGC: node out of service")).await?;
                    Ok(None)
                }
                None if on.name.is_empty() => {
                    let left = self.left(tools, name, NOTICE);
                    if left.is_none() {
                        end(tools, &pod, None).await?;
                    }
                    Ok(left)
                }
                _ => Ok(None),
            }
        })
    }
}

impl Abandoned {
    async fn tend_node(&self, tools: &Tools, name: &Name) -> Result<Option<Duration>, Refusal> {
        let pods = tools.census.on_node(&name.name);
        if let Some(node) = tools.there("nodes", name) {
            self.memory().since.remove(name);
            if node.list("/spec/taints").iter().any(|taint| taint["key"] == OUT_OF_SERVICE) && !node.is("Ready") {
                for pod in pods.iter().filter(|pod| pod.is_going()) {
                    end(tools, pod, Some("PodGC: node out of service")).await?;
                }
            }
            return Ok(None);
        }
        if pods.is_empty() {
            self.memory().since.remove(name);
            return Ok(None);
        }
        let left = self.left(tools, name, QUARANTINE);
        if left.is_none() {
            for pod in &pods {
                end(tools, pod, Some("PodGC: node no longer exists")).await?;
            }
        }
        Ok(left)
    }

    /// How long something is still left alone, counted from when it was first seen like this.
    fn left(&self, tools: &Tools, name: &Name, patience: SignedDuration) -> Option<Duration> {
        let since = *self.memory().since.entry(name.clone()).or_insert_with(|| tools.now());
        let left = (since + patience).duration_since(tools.now());
        Duration::try_from(left).ok().filter(|left| !left.is_zero())
    }

    /// Notes a pod that is over; the oldest of them, if there are too many.
    fn oldest(&self, pod: &Value) -> Option<Name> {
        if !pods::has_ended(pod) {
            return None;
        }
        let mut memory = self.memory();
        memory.over.insert((pod.text("/metadata/creationTimestamp").to_owned(), Name::of(pod)));
        let oldest = memory.over.first().filter(|_| memory.over.len() > KEPT);
        oldest.map(|(_, name)| name.clone())
    }

    fn is_surplus(&self, name: &Name) -> bool {
        let memory = self.memory();
        memory.over.len() > KEPT && memory.over.first().is_some_and(|(_, oldest)| oldest == name)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a pod one that has failed, for a reason, and takes it away at once.
async fn end(tools: &Tools, pod: &Value, why: Option<&str>) -> Result<(), Refusal> {
    let place = pods::place(pod.namespace());
    if !pods::has_ended(pod) {
        let mut patch = json!({"metadata": {"uid": pod.uid()}, "status": {"phase": "Failed"}});
        if let Some(why) = why {
            patch["status"]["conditions"] = json!([{
                "type": "DisruptionTarget",
                "status": "True",
                "observedGeneration": pod["metadata"]["generation"],
                "reason": "DeletionByPodGC",
                "message": why,
                "lastTransitionTime": tools.client.cluster().now(),
            }]);
        }
        let patched = tools.client.patch(place, (pod.name(), "status"), "strategic-merge", &patch).await;
        owners::gone_is_fine(patched)?;
    }
    owners::gone_is_fine(tools.client.delete(place, pod.name(), &json!({"gracePeriodSeconds": 0})).await)?;
    Ok(())
}
