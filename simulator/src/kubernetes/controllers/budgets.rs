//! PodDisruptionBudgets: how many pods may be taken away just now.

use std::{collections::BTreeSet, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Name, Tools,
    conditions::{self, Condition},
    deployments::share,
    fields::Fields,
    owners, pods, sides,
};
use crate::kubernetes::{answer::Refusal, client::Place, selector::Labels, store::Change};

const STORED: &str = "poddisruptionbudgets.policy";

pub struct Budgets;

impl Controller for Budgets {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            STORED => vec![Name::changed(change)],
            "pods" => {
                let budgets = tools.client.cluster().store.list(&STORED.into(), Some(&change.key.namespace)).1;
                let about = budgets.into_iter().filter(|(_, budget)| {
                    let selector = Labels::of(&budget["spec"]["selector"]);
                    sides(change).any(|pod| selector.select(pod))
                });
                about.map(|(key, _)| Name { namespace: key.namespace, name: key.name }).collect()
            }
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(budget) = tools.there(STORED, name) else { return Ok(None) };
            let labels = &budget["spec"]["selector"]["matchLabels"];
            let selector = Labels::of(&budget["spec"]["selector"]);
            let mut all: Vec<_> = match labels.as_object().is_some_and(|labels| !labels.is_empty()) {
                true => tools.census.labelled(&name.namespace, labels),
                false => {
                    let all = tools.client.cluster().store.list(&"pods".into(), Some(&name.namespace)).1;
                    all.into_iter().map(|(_, pod)| pod).collect()
                }
            };
            all.retain(|pod| !pods::has_ended(pod) && selector.select(pod));
            let disrupted = budget.at("/status/disruptedPods");
            let is_healthy =
                |pod: &Value| pods::is_ready(pod) && !pod.is_going() && disrupted.get(pod.name()).is_none();
            let healthy = count(all.iter().filter(|pod| is_healthy(pod)).count());
            let (expected, desired) = expected(tools, &budget, &all);
            let allowed = (healthy - desired).max(0);
            let allowed = if expected == 0 { 0 } else { allowed };
            let mut status = budget["status"].clone();
            for (field, count) in [
                ("currentHealthy", healthy),
                ("desiredHealthy", desired),
                ("disruptionsAllowed", allowed),
                ("expectedPods", expected),
            ] {
                status[field] = json!(count);
            }
            status["observedGeneration"] = budget["metadata"]["generation"].clone();
            if let Some(known) = status["disruptedPods"].as_object_mut() {
                known.retain(|pod, _| all.iter().any(|there| there.name() == pod && !there.is_going()));
                if known.is_empty() {
                    super::fields::take(&mut status, "disruptedPods");
                }
            }
            let (value, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
            let condition = Condition { kind: "DisruptionAllowed", status: value, reason, message: "" };
            let more = json!({"message": "", "observedGeneration": budget["metadata"]["generation"]});
            conditions::set(&mut status, condition, &tools.client.cluster().now(), &more);
            if status != budget["status"] {
                let mut updated = (*budget).clone();
                updated["status"] = status;
                let place =
                    Place { api_version: "policy/v1", resource: "poddisruptionbudgets", namespace: &name.namespace };
                owners::gone_is_fine(tools.client.update(place, "status", &updated).await)?;
            }
            Ok(None)
        })
    }
}

/// How many pods there should be, and how many of them have to be healthy.
fn expected(tools: &Tools, budget: &Value, all: &[std::sync::Arc<Value>]) -> (i64, i64) {
    let there = count(all.len());
    let least = budget.at("/spec/minAvailable");
    if least.is_number() {
        return (there, least.as_i64().unwrap_or_default());
    }
    // Shares are of what those want who make the pods.
    let uids: BTreeSet<&str> =
        all.iter().filter_map(|pod| owners::controller_of(pod)).map(|owner| owner.text("/uid")).collect();
    let owners = all.iter().filter_map(|pod| owners::controller_of(pod).map(|owner| (owner, pod.namespace())));
    let mut wanted = 0;
    let mut seen = BTreeSet::new();
    for (owner, namespace) in owners.filter(|(owner, _)| uids.contains(owner.text("/uid"))) {
        if seen.insert(owner.text("/uid")) {
            wanted += wanted_by(tools, owner, namespace);
        }
    }
    let desired = match least.is_null() {
        false => share(least, wanted, true),
        true => wanted - share(budget.at("/spec/maxUnavailable"), wanted, true),
    };
    (wanted, desired.max(0))
}

/// How many pods an owner wants; a set's own owner is asked, if it has one.
fn wanted_by(tools: &Tools, owner: &Value, namespace: &str) -> i64 {
    let stored = match owner.text("/kind") {
        "ReplicaSet" => "replicasets.apps",
        "StatefulSet" => "statefulsets.apps",
        "Deployment" => "deployments.apps",
        "ReplicationController" => "replicationcontrollers",
        _ => return 0,
    };
    let name = Name { namespace: namespace.to_owned(), name: owner.text("/name").to_owned() };
    let Some(there) = tools.there(stored, &name) else { return 0 };
    match owners::controller_of(&there) {
        Some(above) if above["kind"] == "Deployment" => wanted_by(tools, above, namespace),
        _ => there.number("/spec/replicas"),
    }
}

fn count(count: usize) -> i64 {
    i64::try_from(count).expect("there are fewer pods than numbers")
}
