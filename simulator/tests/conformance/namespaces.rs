//! Namespaces as objects.

use serde_json::json;

use super::arms::Arm;

bodies! {
    names_of_namespaces_are_labels
    a_namespace_keeps_its_label
    what_is_in_no_namespace_is_refused
}

fn names_of_namespaces_are_labels(arm: &Arm) {
    for name in ["Space", "space.a", "space_a", "9space"] {
        arm.create("/api/v1/namespaces?dryRun=All", json!({"metadata": {"name": name}}));
    }
    arm.create(
        "/api/v1/namespaces?dryRun=All",
        json!({"metadata": {"name": "SPACE-2"}, "spec": {"finalizers": ["example.com/own", "Bad name"]}}),
    );
}

fn a_namespace_keeps_its_label(arm: &Arm) {
    let path = "/api/v1/namespaces/SPACE";
    arm.patch(path, "merge", json!({"metadata": {"labels": {"team": "a", "kubernetes.io/metadata.name": null}}}));
    arm.patch(path, "merge", json!({"metadata": {"labels": {"kubernetes.io/metadata.name": "other"}}}));
    arm.patch(path, "merge", json!({"spec": {"finalizers": []}, "status": {"phase": "Odd"}}));
}

fn what_is_in_no_namespace_is_refused(arm: &Arm) {
    arm.create("/api/v1/namespaces/SPACE-none/configmaps", json!({"metadata": {"name": "a"}}));
    arm.apply(
        "/api/v1/namespaces/SPACE-none/configmaps/a",
        "me",
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}),
    );
    arm.create("/api/v1/namespaces/SPACE-none/roles", json!({"metadata": {"name": "a"}}));
}
