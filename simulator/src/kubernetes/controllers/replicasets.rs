//! ReplicaSets and ReplicationControllers: so many pods of one sort.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Name, Tools,
    conditions::{self, Condition},
    fields::Fields,
    owners, owners_of_kind, pods,
};
use crate::kubernetes::{answer::Refusal, client::Place, selector::Labels, store::Change};

/// How many pods are created or deleted before it looks again.
const BURST: usize = 500;

/// After how many of them others get their turn.
const MANY: usize = 50;

/// The kinds that keep so many pods of one sort.
pub struct ReplicaSets {
    kind: &'static str,
    api_version: &'static str,
    resource: &'static str,
    stored: &'static str,
}

impl ReplicaSets {
    pub const SETS: Self =
        Self { kind: "ReplicaSet", api_version: "apps/v1", resource: "replicasets", stored: "replicasets.apps" };
    pub const CONTROLLERS: Self = Self {
        kind: "ReplicationController",
        api_version: "v1",
        resource: "replicationcontrollers",
        stored: "replicationcontrollers",
    };
}

impl Controller for ReplicaSets {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            stored if stored == self.stored => vec![Name::changed(change)],
            "pods" => owners_of_kind(change, self.kind),
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(set) = tools.there(self.stored, name) else { return Ok(None) };
            let place = Place { api_version: self.api_version, resource: self.resource, namespace: &name.namespace };
            let pods = owners::claim(tools, pods::place(&name.namespace), &set).await?;
            let (active, failed) = match set.is_going() {
                true => (active(&pods), None),
                false => manage(tools, &set, &pods).await,
            };
            let status = status(tools, &set, &active, &pods, failed.as_ref());
            if status != set["status"] {
                let mut updated = (*set).clone();
                updated["status"] = status.clone();
                owners::gone_is_fine(tools.client.update(place, "status", &updated).await)?;
            }
            if let Some((_, refusal)) = failed {
                return Err(refusal);
            }
            let seconds = set.number("/spec/minReadySeconds");
            let waiting = seconds > 0
                && status["readyReplicas"] == set["spec"]["replicas"]
                && status["availableReplicas"] != set["spec"]["replicas"];
            Ok(waiting.then(|| until_available(tools, &active, seconds)))
        })
    }
}

fn active(pods: &[Arc<Value>]) -> Vec<Arc<Value>> {
    pods.iter().filter(|pod| pods::is_active(pod)).cloned().collect()
}

/// When the next pod that is ready is available.
pub fn until_available(tools: &Tools, pods: &[Arc<Value>], seconds: i64) -> Duration {
    let now = tools.now();
    let waits = pods.iter().filter(|pod| !pods::is_available(pod, seconds, now)).filter_map(|pod| {
        let due = pods::ready_since(pod)?.as_second() + seconds;
        u64::try_from(due - now.as_second()).ok()
    });
    Duration::from_secs(waits.min().unwrap_or_default().max(1))
}

/// Creates or deletes pods until there are enough; what is active then, and what went wrong.
async fn manage(tools: &Tools, set: &Value, pods: &[Arc<Value>]) -> (Vec<Arc<Value>>, Option<(&'static str, Refusal)>) {
    let mut active = active(pods);
    let wanted = usize::try_from(set.number("/spec/replicas")).unwrap_or_default();
    if active.len() < wanted {
        let pod = pods::from_template(&set["spec"]["template"], set);
        for index in 0..(wanted - active.len()).min(BURST) {
            if index % MANY == MANY - 1 {
                // Others are served meanwhile.
                tokio::task::yield_now().await;
            }
            match pods::create(tools, set, &pod).await {
                Ok(created) => active.push(Arc::new(created)),
                // Then there is nothing more to be done.
                Err(refusal) if pods::is_of_ending_namespace(&refusal) => break,
                Err(refusal) => return (active, Some(("FailedCreate", refusal))),
            }
        }
    }
    if active.len() > wanted {
        let related = related(tools, set);
        pods::by_dispensability(&mut active, &related);
        let surplus: Vec<_> = active.drain(..(active.len() - wanted).min(BURST)).collect();
        for pod in surplus {
            if let Err(refusal) = pods::delete(tools, set, &pod).await {
                active.push(pod);
                return (active, Some(("FailedDelete", refusal)));
            }
        }
    }
    (active, None)
}

/// The pods of all ReplicaSets of the same owner: they share the load on the nodes.
fn related(tools: &Tools, set: &Value) -> Vec<Arc<Value>> {
    let family = match owners::controller_of(set) {
        Some(owner) => tools.census.owned("replicasets.apps", owner.text("/uid")),
        None => Vec::new(),
    };
    let uids = family.iter().map(|set| set.uid().to_owned()).chain([set.uid().to_owned()]);
    let mut uids: Vec<String> = uids.collect();
    uids.sort();
    uids.dedup();
    uids.iter().flat_map(|uid| tools.census.owned("pods", uid)).collect()
}

/// What can be said of a set by its pods.
fn status(
    tools: &Tools,
    set: &Value,
    active: &[Arc<Value>],
    all: &[Arc<Value>],
    failed: Option<&(&'static str, Refusal)>,
) -> Value {
    let now = tools.now();
    let seconds = set.number("/spec/minReadySeconds");
    let labelled = Labels::of(&json!({"matchLabels": set.at("/spec/template/metadata/labels")}));
    let count = |holds: &dyn Fn(&Value) -> bool| active.iter().filter(|pod| holds(pod)).count();
    let mut status = json!({"replicas": active.len()});
    for (field, count) in [
        ("fullyLabeledReplicas", count(&|pod| labelled.select(pod))),
        ("readyReplicas", count(&pods::is_ready)),
        ("availableReplicas", count(&|pod| pods::is_available(pod, seconds, now))),
    ] {
        if count > 0 {
            status[field] = json!(count);
        }
    }
    if set["kind"] == "ReplicaSet" {
        status["terminatingReplicas"] = json!(all.iter().filter(|pod| pods::is_terminating(pod)).count());
    }
    status["observedGeneration"] = set["metadata"]["generation"].clone();
    status["conditions"] = set["status"]["conditions"].clone();
    match failed {
        Some((reason, refusal)) => {
            let known = set.condition("ReplicaFailure").is_some();
            let condition = Condition { kind: "ReplicaFailure", status: "True", reason, message: &refusal.message };
            if !known {
                conditions::set(&mut status, condition, &tools.client.cluster().now(), &Value::Null);
            }
        }
        None => conditions::remove(&mut status, "ReplicaFailure"),
    }
    if status.list("/conditions").is_empty() {
        super::fields::take(&mut status, "conditions");
    }
    status
}
