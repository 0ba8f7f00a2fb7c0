//! The order in which objects are given: what others need comes first.

use crate::{
    identity::{Identity, Sort},
    kustomization::Order,
    resource::Resource,
};

const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// Without an order of its own, a kustomization is sorted by kinds.
pub fn sort(resources: &mut [Resource], order: &Option<Order>) {
    let (first, last): (Vec<&str>, Vec<&str>) = match order {
        Some(Order { is_by_kind: false, .. }) => return,
        Some(Order { first_and_last: Some((first, last)), .. }) => {
            (first.iter().map(String::as_str).collect(), last.iter().map(String::as_str).collect())
        }
        _ => (FIRST.to_vec(), LAST.to_vec()),
    };
    let place = |kind: &str| {
        let behind = last.iter().position(|known| *known == kind).map(|place| place + first.len() + 1);
        behind.or_else(|| first.iter().position(|known| *known == kind)).unwrap_or(first.len())
    };
    resources.sort_by_cached_key(|resource| {
        let Identity { sort, name, namespace } = resource.identity();
        (place(&sort.kind), by_sort(&sort), or(&namespace, "~X"), name)
    });
}

/// What has no group stands behind what has one.
fn by_sort(Sort { group, version, kind }: &Sort) -> String {
    format!("{}_{}_{}", or(group, "~G"), or(version, "~V"), or(kind, "~K"))
}

fn or(text: &str, none: &str) -> String {
    if text.is_empty() { none.to_owned() } else { text.to_owned() }
}
