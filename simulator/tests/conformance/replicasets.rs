//! ReplicaSets: so many pods.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{count, each, events, fields, is_going, is_observed, is_ready, items, template, workload},
};

const SETS: &str = "/apis/apps/v1/namespaces/SPACE/replicasets";
const WEB: &str = "/apis/apps/v1/namespaces/SPACE/replicasets/web";
const PODS: &str = "/api/v1/namespaces/SPACE/pods";

bodies! {
    there_are_as_many_pods_as_wanted
    more_and_fewer_pods
    a_pod_that_is_gone_is_replaced
    a_pod_that_has_failed_is_replaced
    a_pod_without_an_owner_is_adopted
    a_pod_that_is_no_longer_selected_is_let_go
    pods_are_available_some_time_after_they_are_ready
    the_cheapest_pods_go_first
    pods_without_all_labels_of_the_template_are_counted_apart
}

fn create(arm: &Arm, replicas: u64) {
    let created =
        arm.exchange("POST", &SETS.replace("SPACE", &arm.space), "application/json", &workload("web", replicas));
    assert_eq!(created.code, 201, "{:#}", created.body);
}

fn settled(arm: &Arm, ready: u64) {
    arm.settle(WEB, |set| {
        let status = &set["status"];
        let is_so = is_observed(set)
            && status["replicas"] == ready
            && status["readyReplicas"].as_u64().unwrap_or_default() == ready
            && status["terminatingReplicas"] == 0;
        is_so.then(|| fields(set, &["/metadata/generation", "/spec/replicas", "/status"]))
    });
}

fn pods(arm: &Arm, is_so: impl Fn(&Value) -> bool) -> Value {
    arm.settle(PODS, |list| {
        let told = |pod: &Value| {
            fields(pod, &["/metadata/name", "/metadata/generateName", "/metadata/labels", "/metadata/ownerReferences"])
        };
        (is_so(list) && !items(list).iter().any(is_going)).then(|| each(list, told))
    })
}

fn first_pod(arm: &Arm) -> String {
    let list = arm.look(PODS).body;
    format!("{PODS}/{}", items(&list)[0]["metadata"]["name"].as_str().unwrap())
}

fn send(arm: &Arm, method: &str, path: &str, content: &str, body: Value) {
    let answer = arm.exchange(method, &path.replace("SPACE", &arm.space), content, &body);
    assert!(answer.code < 300, "{:#}", answer.body);
}

fn patch(arm: &Arm, path: &str, patch: Value) {
    send(arm, "PATCH", path, "application/merge-patch+json", patch);
}

fn there_are_as_many_pods_as_wanted(arm: &Arm) {
    create(arm, 3);
    settled(arm, 3);
    pods(arm, |list| items(list).len() == 3);
    events(arm, "ReplicaSet", 3);
}

fn more_and_fewer_pods(arm: &Arm) {
    create(arm, 1);
    settled(arm, 1);
    for replicas in [4, 2, 0] {
        patch(arm, WEB, json!({"spec": {"replicas": replicas}}));
        settled(arm, replicas);
    }
    events(arm, "ReplicaSet", 8);
}

fn a_pod_that_is_gone_is_replaced(arm: &Arm) {
    create(arm, 2);
    settled(arm, 2);
    let gone = first_pod(arm);
    send(arm, "DELETE", &gone, "application/json", json!({"gracePeriodSeconds": 0}));
    pods(arm, |list| count(list, is_ready) == 2);
    settled(arm, 2);
}

fn a_pod_that_has_failed_is_replaced(arm: &Arm) {
    create(arm, 1);
    settled(arm, 1);
    let pod = first_pod(arm);
    patch(arm, &format!("{pod}/status"), json!({"status": {"phase": "Failed", "reason": "Evicted"}}));
    pods(arm, |list| {
        items(list).len() == 2 && count(list, |pod| pod["status"]["phase"] == "Running" && is_ready(pod)) == 1
    });
    settled(arm, 1);
}

fn a_pod_without_an_owner_is_adopted(arm: &Arm) {
    let mut pod = template("web");
    pod["metadata"]["name"] = json!("lonely");
    send(arm, "POST", PODS, "application/json", pod);
    create(arm, 2);
    settled(arm, 2);
    pods(arm, |list| count(list, is_ready) == 2);
    events(arm, "ReplicaSet", 1);
}

fn a_pod_that_is_no_longer_selected_is_let_go(arm: &Arm) {
    create(arm, 1);
    settled(arm, 1);
    let pod = first_pod(arm);
    patch(arm, &pod, json!({"metadata": {"labels": {"app": "other"}}}));
    pods(arm, |list| {
        count(list, is_ready) == 2 && count(list, |pod| pod["metadata"]["ownerReferences"].is_null()) == 1
    });
    settled(arm, 1);
}

fn pods_are_available_some_time_after_they_are_ready(arm: &Arm) {
    let mut set = workload("web", 1);
    set["spec"]["minReadySeconds"] = json!(4);
    send(arm, "POST", SETS, "application/json", set);
    for available in [false, true] {
        arm.settle(WEB, |set| {
            let is_so = set["status"]["readyReplicas"] == 1 && (set["status"]["availableReplicas"] == 1) == available;
            is_so.then(|| fields(set, &["/status"]))
        });
    }
}

fn the_cheapest_pods_go_first(arm: &Arm) {
    create(arm, 3);
    settled(arm, 3);
    let cheap = first_pod(arm);
    let cost = json!({"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-5"}}});
    patch(arm, &cheap, cost);
    patch(arm, WEB, json!({"spec": {"replicas": 2}}));
    settled(arm, 2);
    arm.look_until(&cheap, |answer| answer.code == 404);
}

fn pods_without_all_labels_of_the_template_are_counted_apart(arm: &Arm) {
    let mut set = workload("web", 1);
    set["spec"]["template"]["metadata"]["labels"]["tier"] = json!("front");
    send(arm, "POST", SETS, "application/json", set);
    settled(arm, 1);
    let pod = first_pod(arm);
    patch(arm, &pod, json!({"metadata": {"labels": {"tier": null}}}));
    arm.settle(WEB, |set| set["status"]["fullyLabeledReplicas"].is_null().then(|| fields(set, &["/status"])));
}
