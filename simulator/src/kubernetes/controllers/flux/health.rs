//! Whether an object has become what it should be, by the rules that Flux and Helm wait by.

use serde_json::Value;

use super::super::fields::Fields;

/// `Current`, `InProgress`, `Failed` or `Terminating`.
pub fn of(object: &Value) -> &'static str {
    if object.is_going() {
        return "Terminating";
    }
    let observed = object.at("/status/observedGeneration");
    if !observed.is_null() && observed != object.at("/metadata/generation") {
        return "InProgress";
    }
    if object.is("Reconciling") {
        return "InProgress";
    }
    if object.is("Stalled") {
        return "Failed";
    }
    let number = |path: &str| object.number(path);
    let wanted = if object.has("/spec/replicas") { number("/spec/replicas") } else { 1 };
    let fine = match object.text("/kind") {
        "Deployment" => {
            let progressing = object.condition("Progressing");
            if progressing.is_some_and(|progressing| progressing["reason"] == "ProgressDeadlineExceeded") {
                return "Failed";
            }
            let counts = ["updatedReplicas", "readyReplicas", "availableReplicas", "replicas"];
            counts.iter().all(|count| number(&format!("/status/{count}")) == wanted) && object.is("Available")
        }
        "StatefulSet" => {
            let revisions = ["/status/currentRevision", "/status/updateRevision"].map(|path| object.text(path));
            number("/status/readyReplicas") == wanted && revisions[0] == revisions[1]
        }
        "ReplicaSet" => number("/status/availableReplicas") == wanted && number("/status/readyReplicas") == wanted,
        "DaemonSet" => {
            let wanted = number("/status/desiredNumberScheduled");
            let counts = ["updatedNumberScheduled", "numberAvailable", "numberReady"];
            object.has("/status/desiredNumberScheduled")
                && counts.iter().all(|count| number(&format!("/status/{count}")) == wanted)
        }
        "PersistentVolumeClaim" => object.text("/status/phase") == "Bound",
        "Pod" => match object.text("/status/phase") {
            "Succeeded" | "Failed" => true,
            "Running" => object.is("Ready"),
            _ => false,
        },
        "Job" => {
            if object.is("Failed") {
                return "Failed";
            }
            object.is("Complete")
        }
        "Service" => object.text("/spec/type") != "LoadBalancer" || object.has("/spec/clusterIP"),
        "CustomResourceDefinition" => object.is("Established"),
        _ => object.condition("Ready").is_none_or(|ready| ready["status"] == "True"),
    };
    if fine { "Current" } else { "InProgress" }
}
