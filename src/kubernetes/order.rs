//! The order in which objects are made: what others need comes first. They go in the opposite one.

use super::object;
use crate::script::values::tree::Tree;

/// Kinds that come before all others, a stage a line; what stands in one stage doesn't need each other.
const FIRST: &[&[&str]] = &[
    &["Namespace", "CustomResourceDefinition"],
    &[
        "ClusterRole",
        "ClusterClass",
        "GatewayClass",
        "IngressClass",
        "PriorityClass",
        "RuntimeClass",
        "StorageClass",
        "VolumeSnapshotClass",
    ],
    &["ClusterRoleBinding", "LimitRange", "ResourceQuota", "Role", "ServiceAccount"],
    &["RoleBinding"],
    &["ConfigMap", "NetworkPolicy", "PersistentVolume", "PersistentVolumeClaim", "Secret", "Service"],
    &[
        "CronJob",
        "DaemonSet",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Job",
        "Pod",
        "PodDisruptionBudget",
        "ReplicaSet",
        "StatefulSet",
    ],
];

/// Kinds that have a say in all that comes after them, and may not be up yet.
const LAST: &[&str] = &[
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

/// The stage that a kind belongs to.
pub fn stage(kind: &str) -> usize {
    match FIRST.iter().position(|kinds| kinds.contains(&kind)) {
        Some(stage) => stage,
        None if LAST.contains(&kind) => FIRST.len() + 1,
        None => FIRST.len(),
    }
}

/// The places of the documents, stage by stage.
pub fn stages(documents: &[Tree]) -> Vec<Vec<usize>> {
    let mut stages = vec![Vec::new(); FIRST.len() + 2];
    for (place, document) in documents.iter().enumerate() {
        stages[stage(object::kind(document))].push(place);
    }
    stages.retain(|stage| !stage.is_empty());
    stages
}
