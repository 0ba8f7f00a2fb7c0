//! DaemonSets: what their controller makes of them.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{Scene, each, events, fields, is_going, is_observed, items, template},
};

const SETS: &str = "/apis/apps/v1/namespaces/SPACE/daemonsets";
const AGENT: &str = "/apis/apps/v1/namespaces/SPACE/daemonsets/agent";
const PODS: &str = "/api/v1/namespaces/SPACE/pods";

bodies! {
    there_is_a_pod_on_each_node
    there_are_pods_only_on_nodes_that_are_meant
    a_new_template_comes_to_one_node_after_the_other
    pods_that_are_deleted_are_updated_then_where_nothing_rolls
    a_pod_that_is_gone_comes_again
    nodes_that_are_no_longer_meant_lose_their_pod
}

fn set(more: Value) -> Value {
    let mut set = json!({
        "metadata": {"name": "agent"},
        "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": template("agent")},
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        set["spec"][field] = value.clone();
    }
    set
}

fn on_hosts(selector: Value) -> Value {
    let mut pod = template("agent");
    pod["spec"]["nodeSelector"] = selector;
    json!({"template": pod})
}

fn settled(arm: &Arm, nodes: u64, updated: u64) {
    arm.settle(AGENT, |set| {
        let status = &set["status"];
        let is_so = is_observed(set)
            && status["desiredNumberScheduled"] == nodes
            && status["numberAvailable"].as_u64().unwrap_or_default() == nodes
            && status["numberMisscheduled"] == 0
            && status["updatedNumberScheduled"].as_u64().unwrap_or_default() == updated;
        is_so.then(|| fields(set, &["/metadata/annotations", "/metadata/generation", "/status"]))
    });
}

fn pods(arm: &Arm, is_so: impl Fn(&[Value]) -> bool) {
    arm.settle(PODS, |list| {
        let told = |pod: &Value| {
            let mut told = fields(
                pod,
                &[
                    "/metadata/name",
                    "/metadata/generateName",
                    "/metadata/labels",
                    "/metadata/ownerReferences",
                    "/spec/affinity",
                    "/spec/tolerations",
                    "/spec/nodeName",
                    "/spec/containers/0/image",
                ],
            );
            told["/metadata/labels"]["controller-revision-hash"] = json!("HASH");
            told
        };
        (is_so(items(list)) && !items(list).iter().any(is_going)).then(|| each(list, told))
    });
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}})
}

fn there_is_a_pod_on_each_node(arm: &Arm) {
    arm.make(SETS, set(json!({})));
    settled(arm, 2, 2);
    pods(arm, |pods| pods.len() == 2);
    arm.settle("/apis/apps/v1/namespaces/SPACE/controllerrevisions", |list| {
        Some(each(list, |revision| {
            fields(revision, &["/metadata/name", "/metadata/annotations", "/metadata/labels/app", "/data", "/revision"])
        }))
    });
    events(arm, "DaemonSet", 2);
}

fn there_are_pods_only_on_nodes_that_are_meant(arm: &Arm) {
    arm.make(SETS, set(on_hosts(json!({"kubernetes.io/hostname": "node-2"}))));
    settled(arm, 1, 1);
    pods(arm, |pods| pods.len() == 1);
}

fn a_new_template_comes_to_one_node_after_the_other(arm: &Arm) {
    arm.make(SETS, set(json!({})));
    settled(arm, 2, 2);
    arm.adjust(AGENT, image("image:2"));
    settled(arm, 2, 2);
    pods(arm, |pods| pods.len() == 2 && pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == "image:2"));
    events(arm, "DaemonSet", 6);
}

fn pods_that_are_deleted_are_updated_then_where_nothing_rolls(arm: &Arm) {
    arm.make(SETS, set(json!({"updateStrategy": {"type": "OnDelete"}})));
    settled(arm, 2, 2);
    arm.adjust(AGENT, image("image:2"));
    settled(arm, 2, 0);
    let first = items(&arm.look(PODS).body)[0]["metadata"]["name"].as_str().unwrap().to_owned();
    arm.drop(&format!("{PODS}/{first}"));
    settled(arm, 2, 1);
}

fn a_pod_that_is_gone_comes_again(arm: &Arm) {
    arm.make(SETS, set(on_hosts(json!({"kubernetes.io/hostname": "node-1"}))));
    settled(arm, 1, 1);
    let first = items(&arm.look(PODS).body)[0]["metadata"]["name"].as_str().unwrap().to_owned();
    arm.drop(&format!("{PODS}/{first}"));
    pods(arm, |pods| {
        pods.len() == 1 && pods[0]["metadata"]["name"] != first && pods[0]["spec"]["nodeName"].is_string()
    });
    settled(arm, 1, 1);
}

fn nodes_that_are_no_longer_meant_lose_their_pod(arm: &Arm) {
    arm.make(SETS, set(json!({})));
    settled(arm, 2, 2);
    arm.adjust(AGENT, json!({"spec": {"template": {"spec": {"nodeSelector": {"disk": "golden"}}}}}));
    settled(arm, 0, 0);
    pods(arm, |pods| pods.is_empty());
}
