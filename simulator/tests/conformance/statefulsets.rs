//! StatefulSets: what their controller makes of them.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{Scene, each, events, fields, is_going, is_observed, items, sorts_of_events, workload},
};

const SETS: &str = "/apis/apps/v1/namespaces/SPACE/statefulsets";
const DB: &str = "/apis/apps/v1/namespaces/SPACE/statefulsets/db";
const PODS: &str = "/api/v1/namespaces/SPACE/pods";
const REVISIONS: &str = "/apis/apps/v1/namespaces/SPACE/controllerrevisions";

bodies! {
    pods_are_numbered_and_come_one_after_the_other
    the_last_pod_goes_first
    a_new_template_comes_to_the_last_pod_first
    a_partition_holds_the_first_pods_back
    pods_that_are_deleted_are_updated_then_where_nothing_rolls
    each_pod_has_a_claim_of_its_own
    numbers_may_begin_elsewhere
    going_back_takes_the_old_revision_again
}

fn set(replicas: u64, more: Value) -> Value {
    let mut set = workload("db", replicas);
    set["spec"]["serviceName"] = json!("db");
    for (field, value) in more.as_object().into_iter().flatten() {
        set["spec"][field] = value.clone();
    }
    set
}

fn settled(arm: &Arm, is_so: impl Fn(&Value) -> bool) {
    arm.settle(DB, |set| {
        (is_observed(set) && is_so(&set["status"])).then(|| fields(set, &["/metadata/generation", "/status"]))
    });
}

fn complete(arm: &Arm, replicas: u64) {
    settled(arm, |status| {
        status["replicas"] == replicas
            && status["availableReplicas"] == replicas
            && status["currentRevision"] == status["updateRevision"]
            && status["updatedReplicas"].as_u64().unwrap_or_default() == replicas
    });
}

fn pods(arm: &Arm, is_so: impl Fn(&[Value]) -> bool) {
    arm.settle(PODS, |list| {
        let told = |pod: &Value| {
            fields(
                pod,
                &[
                    "/metadata/name",
                    "/metadata/generateName",
                    "/metadata/labels",
                    "/metadata/ownerReferences",
                    "/spec/hostname",
                    "/spec/subdomain",
                    "/spec/containers/0/image",
                ],
            )
        };
        (is_so(items(list)) && !items(list).iter().any(is_going)).then(|| each(list, told))
    });
}

fn images(pods: &[Value]) -> Vec<&str> {
    pods.iter().filter_map(|pod| pod["spec"]["containers"][0]["image"].as_str()).collect()
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}})
}

fn pods_are_numbered_and_come_one_after_the_other(arm: &Arm) {
    arm.make(SETS, set(3, json!({})));
    complete(arm, 3);
    pods(arm, |pods| pods.len() == 3);
    arm.settle(REVISIONS, |list| {
        Some(each(list, |revision| {
            fields(
                revision,
                &["/metadata/name", "/metadata/labels/app", "/metadata/ownerReferences", "/data", "/revision"],
            )
        }))
    });
    events(arm, "StatefulSet", 3);
}

fn the_last_pod_goes_first(arm: &Arm) {
    arm.make(SETS, set(3, json!({})));
    complete(arm, 3);
    arm.adjust(DB, json!({"spec": {"replicas": 1}}));
    complete(arm, 1);
    pods(arm, |pods| pods.len() == 1);
    events(arm, "StatefulSet", 5);
}

fn a_new_template_comes_to_the_last_pod_first(arm: &Arm) {
    arm.make(SETS, set(2, json!({})));
    complete(arm, 2);
    arm.adjust(DB, image("image:2"));
    complete(arm, 2);
    pods(arm, |pods| images(pods) == ["image:2", "image:2"]);
    sorts_of_events(arm, "StatefulSet", 4);
}

fn a_partition_holds_the_first_pods_back(arm: &Arm) {
    arm.make(SETS, set(3, json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}})));
    complete(arm, 3);
    arm.adjust(DB, image("image:2"));
    settled(arm, |status| status["updatedReplicas"] == 1 && status["availableReplicas"] == 3);
    pods(arm, |pods| images(pods) == ["image:1", "image:1", "image:2"]);
}

fn pods_that_are_deleted_are_updated_then_where_nothing_rolls(arm: &Arm) {
    arm.make(SETS, set(2, json!({"updateStrategy": {"type": "OnDelete"}, "podManagementPolicy": "Parallel"})));
    complete(arm, 2);
    arm.adjust(DB, image("image:2"));
    settled(arm, |status| status["currentRevision"] != status["updateRevision"]);
    arm.drop(&format!("{PODS}/db-0"));
    settled(arm, |status| status["updatedReplicas"] == 1 && status["availableReplicas"] == 2);
    pods(arm, |pods| images(pods) == ["image:2", "image:1"]);
}

fn each_pod_has_a_claim_of_its_own(arm: &Arm) {
    let claim = json!({
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    arm.make(SETS, set(2, json!({"volumeClaimTemplates": [claim], "podManagementPolicy": "Parallel"})));
    arm.settle("/api/v1/namespaces/SPACE/persistentvolumeclaims", |list| {
        let told = each(list, |claim| {
            fields(claim, &["/metadata/name", "/metadata/labels", "/metadata/ownerReferences", "/spec"])
        });
        (items(list).len() == 2).then_some(told)
    });
    arm.settle(PODS, |list| {
        let told = each(list, |pod| json!({"name": pod["metadata"]["name"], "volume": pod["spec"]["volumes"][0]}));
        (items(list).len() == 2).then_some(told)
    });
    events(arm, "StatefulSet", 4);
}

fn numbers_may_begin_elsewhere(arm: &Arm) {
    arm.make(SETS, set(2, json!({"ordinals": {"start": 5}})));
    complete(arm, 2);
    pods(arm, |pods| pods.len() == 2);
}

fn going_back_takes_the_old_revision_again(arm: &Arm) {
    arm.make(SETS, set(1, json!({})));
    for name in ["image:2", "image:1"] {
        complete(arm, 1);
        arm.adjust(DB, image(name));
    }
    complete(arm, 1);
    pods(arm, |pods| images(pods) == ["image:1"]);
    arm.settle(REVISIONS, |list| {
        let mut numbers: Vec<i64> = items(list).iter().filter_map(|revision| revision["revision"].as_i64()).collect();
        numbers.sort();
        Some(json!(numbers))
    });
}
