//! Pods leave nodes whose taints they don't tolerate, or no longer.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::kubernetes::{
    answer::Refusal,
    controllers::{Controller, Name, Tools, fields::Fields, owners, pods, scheduler::tolerates},
    store::Change,
};

pub struct Evictions;

impl Controller for Evictions {
    /// By node.
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        let node = |name: &str| vec![Name { namespace: String::new(), name: name.to_owned() }];
        match &*change.key.resource {
            "nodes" => {
                let taints = |side: &Option<std::sync::Arc<Value>>| {
                    side.as_deref().map(|node| node.at("/spec/taints").clone()).unwrap_or_default()
                };
                if taints(&change.before) == taints(&change.after) { Vec::new() } else { node(&change.key.name) }
            }
            "pods" => match &change.after {
                Some(pod)
                    if pod.has("/spec/nodeName")
                        && (change.before.as_ref()).is_none_or(|before| before["spec"] != pod["spec"]) =>
                {
                    node(pod.text("/spec/nodeName"))
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(node) = tools.there("nodes", name) else { return Ok(None) };
            let taints: Vec<&Value> =
                node.list("/spec/taints").iter().filter(|taint| taint["effect"] == "NoExecute").collect();
            if taints.is_empty() {
                return Ok(None);
            }
            let now = tools.now();
            let mut next: Option<Timestamp> = None;
            for pod in tools.census.on_node(&name.name).iter().filter(|pod| !pod.is_going()) {
                match due(pod, &taints, now) {
                    Some(due) if due <= now => evict(tools, pod).await?,
                    due => next = [next, due].into_iter().flatten().min(),
                }
            }
            Ok(next.map(|next| Duration::try_from(next.duration_since(now)).unwrap_or_default()))
        })
    }
}

/// When a pod has to go, if it has to.
fn due(pod: &Value, taints: &[&Value], now: Timestamp) -> Option<Timestamp> {
    let mut earliest: Option<Timestamp> = None;
    for taint in taints {
        let since: Timestamp = taint.text("/timeAdded").parse().unwrap_or(now);
        let tolerations = pod.list("/spec/tolerations").iter().filter(|toleration| tolerates(toleration, taint));
        let patience: Vec<Option<i64>> =
            tolerations.map(|toleration| toleration.at("/tolerationSeconds").as_i64()).collect();
        let due = match patience.as_slice() {
            [] => Some(since),
            some => {
                let shortest = some.iter().flatten().min();
                shortest.map(|seconds| since + SignedDuration::from_secs((*seconds).max(0)))
            }
        };
        earliest = [earliest, due].into_iter().flatten().min();
    }
    earliest
}

async fn evict(tools: &Tools, pod: &Value) -> Result<(), Refusal> {
    let message = format!("Marking for deletion Pod {}/{}", pod.namespace(), pod.name());
    tools.normal(pod, "TaintManagerEviction", &message).await;
    let condition = json!({
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "DeletionByTaintManager",
        "message": "Taint manager: deleting due to NoExecute taint",
        "lastTransitionTime": tools.client.cluster().now(),
    });
    let patch = json!({"status": {"conditions": [condition]}});
    let place = pods::place(pod.namespace());
    owners::gone_is_fine(tools.client.patch(place, (pod.name(), "status"), "strategic-merge", &patch).await)?;
    owners::gone_is_fine(tools.client.delete(place, pod.name(), &Value::Null).await)?;
    Ok(())
}
