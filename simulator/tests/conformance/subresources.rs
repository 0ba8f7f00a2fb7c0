//! The status and the scale of objects, which have paths of their own.

use serde_json::{Value, json};

use super::arms::Arm;

const CLAIMS: &str = "/api/v1/namespaces/SPACE/persistentvolumeclaims";
const CLAIM: &str = "/api/v1/namespaces/SPACE/persistentvolumeclaims/c";
const STATUS: &str = "/api/v1/namespaces/SPACE/persistentvolumeclaims/c/status";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/SPACE/deployments";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/SPACE/deployments/web";
const SCALE: &str = "/apis/apps/v1/namespaces/SPACE/deployments/web/scale";

bodies! {
    a_status_is_not_for_its_creator
    a_status_is_written_by_itself
    a_status_is_patched_in_every_form
    a_status_is_applied
    a_status_has_owners_of_its_own
    a_status_of_what_is_not_there
    parts_that_nobody_knows
    a_dry_run_of_a_status
    a_scale_is_shown
    a_scale_is_replaced
    a_scale_is_patched
    a_scale_is_applied
    a_scale_that_is_none
    a_scale_of_what_is_not_there
}

fn claim(arm: &Arm) {
    arm.create(CLAIMS, json!({
        "metadata": {"name": "c", "labels": {"a": "1"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none-such", "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound", "capacity": {"storage": "7Gi"}},
    }));
    arm.until(CLAIM, |object| object["status"]["phase"] == "Pending");
}

fn a_status_is_not_for_its_creator(arm: &Arm) {
    claim(arm);
    arm.patch(CLAIM, "merge", json!({"status": {"phase": "Lost"}}));
    arm.patch(CLAIM, "merge", json!({"status": {"phase": "Lost"}, "metadata": {"labels": {"b": "2"}}}));
    arm.get(STATUS);
}

fn a_status_is_written_by_itself(arm: &Arm) {
    claim(arm);
    let mut object = arm.look(CLAIM).body;
    object["status"] = json!({"phase": "Pending", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}});
    object["spec"]["volumeName"] = json!("other");
    object["metadata"]["labels"] = json!({"new": "label"});
    object["metadata"]["annotations"] = json!({"new": "annotation"});
    arm.replace(STATUS, object);
    arm.get(CLAIM);
    arm.replace(STATUS, json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}, "status": {"phase": "Pending"}}));
}

fn a_status_is_patched_in_every_form(arm: &Arm) {
    claim(arm);
    arm.patch(STATUS, "merge", json!({"status": {"capacity": {"storage": "1Gi"}}, "spec": {"volumeName": "x"}}));
    arm.patch(STATUS, "json", json!([{"op": "add", "path": "/status/capacity/other", "value": "1"}]));
    arm.patch(STATUS, "strategic-merge", json!({"status": {"conditions": [{"type": "Resizing", "status": "True"}]}}));
    arm.patch(STATUS, "strategic-merge", json!({"status": {"conditions": [{"type": "Other", "status": "True"}, {"type": "Resizing", "status": "False"}]}}));
    arm.patch(STATUS, "merge", json!({"status": null}));
}

fn a_status_is_applied(arm: &Arm) {
    claim(arm);
    let object = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "status": {"capacity": {"storage": "2Gi"}}});
    arm.apply(STATUS, "me", object.clone());
    arm.apply(CLAIM, "me", object);
    arm.apply(STATUS, "you", json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "status": {"capacity": {"storage": "3Gi"}}}));
    arm.apply(STATUS, "you&force=true", json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "status": {"capacity": {"storage": "3Gi"}}}));
}

fn a_status_has_owners_of_its_own(arm: &Arm) {
    claim(arm);
    arm.patch(&format!("{STATUS}?fieldManager=me"), "merge", json!({"status": {"capacity": {"storage": "1Gi"}}}));
    arm.patch(&format!("{CLAIM}?fieldManager=me"), "merge", json!({"metadata": {"labels": {"a": "2"}}}));
    arm.patch(&format!("{STATUS}?fieldManager=me"), "merge", json!({"metadata": {"labels": {"a": "3"}}}));
}

fn a_status_of_what_is_not_there(arm: &Arm) {
    arm.get(STATUS);
    arm.patch(STATUS, "merge", json!({}));
    arm.replace(STATUS, json!({"metadata": {"name": "c"}}));
    arm.apply(STATUS, "me", json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}}));
}

fn parts_that_nobody_knows(arm: &Arm) {
    claim(arm);
    arm.get(&format!("{CLAIM}/scale"));
    arm.get(&format!("{CLAIM}/colour"));
    arm.get(&format!("{CLAIM}/status/deep"));
    arm.delete(STATUS);
    arm.create(STATUS, json!({}));
    arm.get("/api/v1/namespaces/SPACE/configmaps/m/status");
    arm.create("/api/v1/namespaces/SPACE/configmaps/m/data", json!({}));
}

fn a_dry_run_of_a_status(arm: &Arm) {
    claim(arm);
    arm.patch(&format!("{STATUS}?dryRun=All"), "merge", json!({"status": {"capacity": {"storage": "1Gi"}}}));
    arm.get(CLAIM);
}

/// A Deployment that nobody works on.
fn deployment(arm: &Arm) {
    arm.create(DEPLOYMENTS, json!({
        "metadata": {"name": "web", "finalizers": ["example.com/held"]},
        "spec": {"replicas": 0, "paused": true,
            "selector": {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "In", "values": ["b", "a"]}]},
            "template": {"metadata": {"labels": {"app": "web", "tier": "a"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}},
    }));
    settled(arm);
    arm.delete(DEPLOYMENT);
    arm.look_until(DEPLOYMENT, |answer| answer.body["status"]["observedGeneration"] == 2);
}

fn finish(arm: &Arm) {
    arm.dismiss("PATCH", DEPLOYMENT, "application/merge-patch+json", "{\"metadata\": {\"finalizers\": null}}");
}

fn settled(arm: &Arm) {
    arm.look_until(DEPLOYMENT, |answer| {
        answer.body["status"]["observedGeneration"] == answer.body["metadata"]["generation"]
    });
}

fn a_scale_is_shown(arm: &Arm) {
    deployment(arm);
    arm.get(SCALE);
    finish(arm);
}

fn a_scale_is_replaced(arm: &Arm) {
    deployment(arm);
    let mut scale = arm.look(SCALE).body;
    scale["spec"]["replicas"] = json!(2);
    arm.replace(SCALE, scale.clone());
    settled(arm);
    scale["spec"]["replicas"] = json!(3);
    arm.replace(SCALE, scale);
    arm.replace(SCALE, json!({"metadata": {"name": "web"}, "spec": {"replicas": 4}}));
    settled(arm);
    arm.until(DEPLOYMENT, |object| object["spec"]["replicas"] == 4);
    finish(arm);
}

fn a_scale_is_patched(arm: &Arm) {
    deployment(arm);
    arm.patch(SCALE, "merge", json!({"spec": {"replicas": 2}}));
    arm.patch(SCALE, "json", json!([{"op": "replace", "path": "/spec/replicas", "value": 3}]));
    arm.patch(SCALE, "strategic-merge", json!({"spec": {"replicas": 1}}));
    settled(arm);
    arm.get(DEPLOYMENT);
    finish(arm);
}

fn a_scale_is_applied(arm: &Arm) {
    deployment(arm);
    let scale = |replicas: i64| json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": replicas}});
    arm.apply(SCALE, "me", scale(2));
    arm.apply(SCALE, "me&force=true", scale(2));
    settled(arm);
    arm.get(DEPLOYMENT);
    finish(arm);
}

fn a_scale_that_is_none(arm: &Arm) {
    deployment(arm);
    arm.patch(SCALE, "merge", json!({"spec": {"replicas": -1}}));
    arm.replace(SCALE, json!({"metadata": {"name": "other"}, "spec": {"replicas": 1}}));
    arm.replace(SCALE, Value::Object(serde_json::Map::new()));
    arm.delete(SCALE);
    arm.create(SCALE, json!({}));
    finish(arm);
}

fn a_scale_of_what_is_not_there(arm: &Arm) {
    arm.get(SCALE);
    arm.patch(SCALE, "merge", json!({"spec": {"replicas": 1}}));
    arm.replace(SCALE, json!({"metadata": {"name": "web"}, "spec": {"replicas": 1}}));
}
