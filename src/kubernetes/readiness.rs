//! How ready an object is, by the rules of its kind. They are those of `kstatus`, but for two: a Service of type
//! LoadBalancer is ready when it has its address, and a Job when it is complete, not when it has begun.

use super::{
    object::{api_version, at, condition, flag, integer, items, kind, text},
    wait::{Verdict, shown_condition, unobserved},
};
use crate::script::values::tree::Tree;

/// How ready it is; what is hopeless is for [`hopeless`] to say.
pub fn readiness(object: &Tree) -> Verdict {
    if at(object, &["metadata", "deletionTimestamp"]).is_some() {
        return waiting("it is being deleted");
    }
    if let Some(because) = unobserved(object, None) {
        return Verdict::Waiting(because);
    }
    match kind(object) {
        "Deployment" => deployment(object),
        "StatefulSet" => stateful_set(object),
        "DaemonSet" => daemon_set(object),
        "ReplicaSet" | "ReplicationController" => {
            let (wanted, ready) = (wanted_replicas(object), number(object, "readyReplicas"));
            seen_and(object, || unless(ready >= wanted, || format!("{ready} of {wanted} replicas are ready")))
        }
        "Job" if flag(object, &["spec", "suspend"]) => waiting("it is suspended"),
        "Job" => plain_condition(object, "Complete"),
        "Pod" if text(object, &["status", "phase"]) == Some("Succeeded") => Verdict::Met,
        "Pod" | "Node" => plain_condition(object, "Ready"),
        "CustomResourceDefinition" => plain_condition(object, "Established"),
        "APIService" => plain_condition(object, "Available"),
        "Namespace" => phase(object, &["Active"]),
        "PersistentVolumeClaim" => phase(object, &["Bound"]),
        "PersistentVolume" => phase(object, &["Available", "Bound"]),
        "PodDisruptionBudget" => {
            let (wanted, healthy) = (number(object, "desiredHealthy"), number(object, "currentHealthy"));
            seen_and(object, || unless(healthy >= wanted, || format!("{healthy} of {wanted} pods are healthy")))
        }
        "Service" if text(object, &["spec", "type"]) == Some("LoadBalancer") => {
            let addresses = items(object, &["status", "loadBalancer", "ingress"]);
            unless(!addresses.is_empty(), || "it has no address yet".to_owned())
        }
        _ => anything(object),
    }
}

/// Why it can no longer become ready by itself.
pub fn hopeless(object: &Tree) -> Option<String> {
    let is = |kind: &str, status: &str| {
        let found = condition(object, kind)?;
        (text(found, &["status"]) == Some(status) && unobserved(object, Some(found)).is_none()).then_some(found)
    };
    let found = match kind(object) {
        "Job" => is("Failed", "True"),
        "Deployment" => {
            is("Progressing", "False").filter(|found| text(found, &["reason"]) == Some("ProgressDeadlineExceeded"))
        }
        "CustomResourceDefinition" => is("NamesAccepted", "False"),
        _ => None,
    };
    if let Some(found) = found.or_else(|| is("Stalled", "True")) {
        return Some(shown_condition(found));
    }
    let phase = text(object, &["status", "phase"]);
    let lost = matches!(
        (kind(object), phase),
        ("Pod", Some("Failed")) | ("PersistentVolumeClaim", Some("Lost")) | ("PersistentVolume", Some("Failed"))
    );
    lost.then(|| {
        let why = text(object, &["status", "message"]).or(text(object, &["status", "reason"]));
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        format!("it has {}{why}", if phase == Some("Lost") { "lost its volume" } else { "failed" })
    })
}

/// `1 of 3 replicas are ready`, for kinds that have replicas.
pub fn replicas(object: &Tree) -> Option<String> {
    let (wanted, ready) = match kind(object) {
        "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController" => {
            (wanted_replicas(object), number(object, "readyReplicas"))
        }
        "DaemonSet" => (integer(object, &["status", "desiredNumberScheduled"])?, number(object, "numberReady")),
        _ => return None,
    };
    Some(format!("{ready} of {wanted} replicas are ready"))
}

fn deployment(object: &Tree) -> Verdict {
    let wanted = wanted_replicas(object);
    let (all, updated, available) =
        (number(object, "replicas"), number(object, "updatedReplicas"), number(object, "availableReplicas"));
    let judged = seen_and(object, || match all - updated {
        _ if updated < wanted && flag(object, &["spec", "paused"]) => {
            Verdict::Waiting(format!("it is paused, with {updated} of {wanted} replicas of the new version"))
        }
        _ if updated < wanted => Verdict::Waiting(format!("{updated} of {wanted} replicas are of the new version")),
        1 => waiting("1 old replica is still there"),
        old @ 2.. => Verdict::Waiting(format!("{old} old replicas are still there")),
        _ => unless(available >= wanted, || format!("{available} of {wanted} replicas are available")),
    });
    // A quota, or an admission webhook, keeps pods from being made, and there is no pod that could say so.
    let refused = condition(object, "ReplicaFailure").filter(|found| text(found, &["status"]) == Some("True"));
    match (judged, refused.and_then(|found| text(found, &["message"]))) {
        (Verdict::Waiting(because), Some(why)) => Verdict::Waiting(format!("{because}: {why}")),
        (judged, _) => judged,
    }
}

fn stateful_set(object: &Tree) -> Verdict {
    let wanted = wanted_replicas(object);
    let (ready, updated) = (number(object, "readyReplicas"), number(object, "updatedReplicas"));
    let strategy = &["spec", "updateStrategy"];
    let partition = integer(object, &[strategy[0], strategy[1], "rollingUpdate", "partition"]).unwrap_or(0);
    let by_hand = text(object, &[strategy[0], strategy[1], "type"]) == Some("OnDelete");
    let newest = text(object, &["status", "updateRevision"]) == text(object, &["status", "currentRevision"]);
    seen_and(object, || match () {
        () if ready < wanted => Verdict::Waiting(format!("{ready} of {wanted} replicas are ready")),
        () if by_hand => Verdict::Met,
        () if partition > 0 => {
            let wanted = (wanted - partition).max(0);
            unless(updated >= wanted, || format!("{updated} of {wanted} replicas are of the new version"))
        }
        () => unless(newest, || format!("{updated} of {wanted} replicas are of the new version")),
    })
}

fn daemon_set(object: &Tree) -> Verdict {
    let wanted = number(object, "desiredNumberScheduled");
    let (updated, available) = (number(object, "updatedNumberScheduled"), number(object, "numberAvailable"));
    let by_hand = text(object, &["spec", "updateStrategy", "type"]) == Some("OnDelete");
    seen_and(object, || match updated < wanted && !by_hand {
        true => Verdict::Waiting(format!("{updated} of {wanted} pods are of the new version")),
        false => unless(available >= wanted, || format!("{available} of {wanted} pods are available")),
    })
}

/// The rules of what no rule is written for: custom resources, above all.
fn anything(object: &Tree) -> Verdict {
    if let Some(busy) = condition(object, "Reconciling").filter(|found| text(found, &["status"]) == Some("True")) {
        return Verdict::Waiting(shown_condition(busy));
    }
    if let Some(name) = ["Ready", "Available"].into_iter().find(|name| condition(object, name).is_some()) {
        return plain_condition(object, name);
    }
    match (at(object, &["status", "ready"]), text(object, &["status", "phase"])) {
        (Some(Tree::Bool(ready)), _) => unless(*ready, || "its status is not `ready` yet".to_owned()),
        (_, Some(word @ ("Pending" | "Provisioning" | "Failed" | "Unknown"))) => {
            Verdict::Waiting(format!("it is {word}"))
        }
        // What has conditions will have this one too.
        _ if !items(object, &["status", "conditions"]).is_empty() && !is_of_kubernetes(object) => {
            plain_condition(object, "Ready")
        }
        _ => Verdict::Met,
    }
}

/// True for the kinds that every server has: of these, few have a condition `Ready`.
fn is_of_kubernetes(object: &Tree) -> bool {
    match api_version(object).split_once('/') {
        None => true,
        Some((group, _)) => !group.contains('.') || group.ends_with(".k8s.io"),
    }
}

fn plain_condition(object: &Tree, kind: &str) -> Verdict {
    let Some(found) = condition(object, kind) else {
        return Verdict::Waiting(format!("it has no condition `{kind}` yet"));
    };
    match unobserved(object, Some(found)) {
        Some(because) => Verdict::Waiting(because),
        None => unless(text(found, &["status"]) == Some("True"), || shown_condition(found)),
    }
}

fn phase(object: &Tree, good: &[&str]) -> Verdict {
    let phase = text(object, &["status", "phase"]).unwrap_or("without a phase");
    unless(good.contains(&phase), || format!("it is {phase}"))
}

/// A verdict about numbers that a controller has counted at least once.
fn seen_and(object: &Tree, verdict: impl FnOnce() -> Verdict) -> Verdict {
    match at(object, &["status", "observedGeneration"]) {
        None if kind(object) != "ReplicationController" => waiting("its controller has not seen it yet"),
        _ => verdict(),
    }
}

fn unless(met: bool, because: impl FnOnce() -> String) -> Verdict {
    if met { Verdict::Met } else { Verdict::Waiting(because()) }
}

fn waiting(because: &str) -> Verdict {
    Verdict::Waiting(because.to_owned())
}

fn wanted_replicas(object: &Tree) -> i64 {
    integer(object, &["spec", "replicas"]).unwrap_or(1)
}

fn number(object: &Tree, name: &str) -> i64 {
    integer(object, &["status", name]).unwrap_or(0)
}
