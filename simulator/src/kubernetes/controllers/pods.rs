//! What controllers want to know of pods, and how they make and unmake them.

use std::{cmp::Reverse, sync::Arc};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Tools, fields::Fields, owners};
use crate::kubernetes::{answer::Refusal, client::Place};

/// What can be said of a pod by its labels before others are taken away: who costs less goes first.
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

pub fn place(namespace: &str) -> Place<'_> {
    Place { api_version: "v1", resource: "pods", namespace }
}

/// True for a pod that has ended, well or badly.
pub fn has_ended(pod: &Value) -> bool {
    matches!(pod.text("/status/phase"), "Succeeded" | "Failed")
}

/// True for a pod that counts: neither ended nor on its way out.
pub fn is_active(pod: &Value) -> bool {
    !has_ended(pod) && !pod.is_going()
}

/// True for a pod that is on its way out and has not ended.
pub fn is_terminating(pod: &Value) -> bool {
    !has_ended(pod) && pod.is_going()
}

pub fn is_ready(pod: &Value) -> bool {
    pod.is("Ready")
}

/// Since when a pod is ready.
pub fn ready_since(pod: &Value) -> Option<Timestamp> {
    pod.condition("Ready").filter(|ready| ready["status"] == "True")?.text("/lastTransitionTime").parse().ok()
}

/// True for a pod that has been ready for so many seconds.
pub fn is_available(pod: &Value, seconds: i64, now: Timestamp) -> bool {
    is_ready(pod)
        && (seconds == 0 || ready_since(pod).is_some_and(|since| now.as_second() - since.as_second() >= seconds))
}

/// A pod as a template says, for its owner.
pub fn from_template(template: &Value, owner: &Value) -> Value {
    let mut metadata = json!({
        "generateName": format!("{}-", owner.name()),
        "namespace": owner.namespace(),
        "ownerReferences": [owners::reference(owner)],
    });
    for field in ["labels", "annotations", "finalizers"] {
        let given = &template["metadata"][field];
        if !given.is_null() {
            metadata[field] = given.clone();
        }
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}

/// Creates a pod and tells so; or tells why it can't be, unless its namespace is on its way out.
///
/// # Errors
/// If it can't be created.
pub async fn create(tools: &Tools, owner: &Value, pod: &Value) -> Result<Value, Refusal> {
    match tools.client.create(place(owner.namespace()), pod).await {
        Ok(created) => {
            tools.normal(owner, "SuccessfulCreate", &format!("Created pod: {}", created.name())).await;
            Ok(created)
        }
        Err(refusal) => {
            if !is_of_ending_namespace(&refusal) {
                tools.warning(owner, "FailedCreate", &format!("Error creating: {}", refusal.message)).await;
            }
            Err(refusal)
        }
    }
}

/// True if nothing can be created because the namespace is on its way out.
pub fn is_of_ending_namespace(refusal: &Refusal) -> bool {
    refusal.code == 403 && refusal.message.ends_with("because it is being terminated")
}

/// Deletes a pod and tells so.
///
/// # Errors
/// If it can't be deleted; that it is gone already is fine.
pub async fn delete(tools: &Tools, owner: &Value, pod: &Value) -> Result<(), Refusal> {
    match tools.client.delete(place(pod.namespace()), pod.name(), &Value::Null).await {
        Ok(_) => {
            tools.normal(owner, "SuccessfulDelete", &format!("Deleted pod: {}", pod.name())).await;
            Ok(())
        }
        Err(refusal) if refusal.code == 404 => Ok(()),
        Err(refusal) => {
            tools.warning(owner, "FailedDelete", &format!("Error deleting: {}", refusal.message)).await;
            Err(refusal)
        }
    }
}

/// Pods in the order in which they are given up, those that are missed least first; `related` are those that share the load.
pub fn by_dispensability(pods: &mut [Arc<Value>], related: &[Arc<Value>]) {
    let neighbours = |pod: &Value| {
        let node = pod.text("/spec/nodeName");
        related.iter().filter(|other| is_active(other) && other.text("/spec/nodeName") == node).count()
    };
    pods.sort_by_cached_key(|pod| {
        let phase = match pod.text("/status/phase") {
            "Pending" => 0,
            "Unknown" => 1,
            _ => 2,
        };
        let cost = pod.annotation(DELETION_COST).and_then(|cost| cost.parse::<i64>().ok()).unwrap_or_default();
        let restarts = pod.list("/status/containerStatuses").iter().map(|status| status.number("/restartCount")).max();
        let ready = ready_since(pod).map(Reverse);
        (
            !pod.text("/spec/nodeName").is_empty(),
            phase,
            is_ready(pod),
            cost,
            Reverse(neighbours(pod)),
            ready,
            Reverse(restarts),
            Reverse(pod.text("/metadata/creationTimestamp").to_owned()),
        )
    });
}
