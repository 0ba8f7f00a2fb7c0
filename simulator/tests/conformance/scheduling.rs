//! Where pods are put, and why some are not.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{Scene, condition, each, fields, items, template},
};

const PODS: &str = "/api/v1/namespaces/SPACE/pods";

bodies! {
    a_pod_is_put_on_a_node
    a_pod_that_wants_too_much_waits
    a_pod_that_wants_other_nodes_waits
    affinity_to_nodes_chooses_among_them
    pods_that_shun_each_other_are_on_different_nodes
    pods_that_need_others_wait_for_them
    ports_of_nodes_are_had_once
    nobody_puts_pods_on_nodes_that_are_gated
    pods_that_miss_a_claim_wait
    pods_are_spread_over_zones_that_nodes_must_have
    other_schedulers_are_left_to_their_own
    a_pod_that_waited_is_put_where_room_is_made
}

fn pod(arm: &Arm, name: &str, spec: Value) {
    let mut pod = template(name);
    pod["metadata"]["name"] = json!(name);
    for (field, value) in spec.as_object().into_iter().flatten() {
        pod["spec"][field] = value.clone();
    }
    arm.make(PODS, pod);
}

fn placed(arm: &Arm, name: &str) -> String {
    arm.look_until(&format!("{PODS}/{name}"), |answer| answer.body["spec"]["nodeName"].is_string());
    arm.look(&format!("{PODS}/{name}")).body["spec"]["nodeName"].as_str().unwrap().to_owned()
}

/// Writes down why a pod waits, and the event of it.
fn waits(arm: &Arm, name: &str) {
    arm.settle(&format!("{PODS}/{name}"), |pod| {
        Some(fields(condition(pod, "PodScheduled")?, &["/status", "/reason", "/message"]))
    });
    arm.settle(&format!("/api/v1/namespaces/SPACE/events?fieldSelector=involvedObject.name={name}"), |list| {
        let told = each(list, |event| {
            fields(event, &["/type", "/reason", "/message", "/action", "/reportingComponent", "/source"])
        });
        (!items(list).is_empty()).then_some(told)
    });
}

fn requests(cpu: &str, memory: &str) -> Value {
    json!({"containers": [{"name": "main", "image": "image:1", "resources": {"requests": {"cpu": cpu, "memory": memory}}}]})
}

fn on(node: &str) -> Value {
    json!({"kubernetes.io/hostname": node})
}

fn a_pod_is_put_on_a_node(arm: &Arm) {
    pod(arm, "web", json!({"nodeSelector": on("node-2")}));
    assert_eq!(placed(arm, "web"), "node-2");
    arm.settle("/api/v1/namespaces/SPACE/events?fieldSelector=reason=Scheduled", |list| {
        let told =
            each(list, |event| fields(event, &["/type", "/reason", "/message", "/action", "/reportingComponent"]));
        (!items(list).is_empty()).then_some(told)
    });
    arm.settle(&format!("{PODS}/web"), |pod| Some(fields(condition(pod, "PodScheduled")?, &["/status", "/reason"])));
}

fn a_pod_that_wants_too_much_waits(arm: &Arm) {
    pod(arm, "large", requests("100", "1Gi"));
    waits(arm, "large");
    pod(arm, "huge", requests("100", "1000Gi"));
    waits(arm, "huge");
}

fn a_pod_that_wants_other_nodes_waits(arm: &Arm) {
    pod(arm, "web", json!({"nodeSelector": {"disk": "golden"}}));
    waits(arm, "web");
}

fn affinity_to_nodes_chooses_among_them(arm: &Arm) {
    let wants = |operator: &str, values: Value| {
        let terms =
            json!([{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": operator, "values": values}]}]);
        json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}})
    };
    pod(arm, "in", wants("In", json!(["node-1"])));
    pod(arm, "not-in", wants("NotIn", json!(["node-1"])));
    assert_eq!([placed(arm, "in"), placed(arm, "not-in")], ["node-1", "node-2"]);
    pod(arm, "never", wants("In", json!(["node-9"])));
    waits(arm, "never");
}

fn others(kind: &str, app: &str) -> Value {
    let term = json!([{"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": "kubernetes.io/hostname"}]);
    json!({"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": term}}})
}

fn pods_that_shun_each_other_are_on_different_nodes(arm: &Arm) {
    for name in ["first", "second"] {
        let mut object = template("crowd");
        object["metadata"]["name"] = json!(name);
        object["spec"]["affinity"] = others("podAntiAffinity", "crowd")["affinity"].clone();
        arm.make(PODS, object);
    }
    assert_ne!(placed(arm, "first"), placed(arm, "second"));
    pod(arm, "third", others("podAntiAffinity", "crowd"));
    waits(arm, "third");
}

fn pods_that_need_others_wait_for_them(arm: &Arm) {
    pod(arm, "follower", others("podAffinity", "leader"));
    waits(arm, "follower");
    pod(arm, "leader", json!({"nodeSelector": on("node-1")}));
    assert_eq!(placed(arm, "follower"), "node-1");
}

fn ports_of_nodes_are_had_once(arm: &Arm) {
    let port = json!({"containers": [{"name": "main", "image": "image:1", "ports": [{"containerPort": 80, "hostPort": 7777}]}]});
    for name in ["first", "second"] {
        pod(arm, name, port.clone());
    }
    assert_ne!(placed(arm, "first"), placed(arm, "second"));
    pod(arm, "third", port);
    waits(arm, "third");
}

fn nobody_puts_pods_on_nodes_that_are_gated(arm: &Arm) {
    pod(arm, "gated", json!({"schedulingGates": [{"name": "example.com/wait"}]}));
    arm.settle(&format!("{PODS}/gated"), |pod| {
        Some(fields(condition(pod, "PodScheduled")?, &["/status", "/reason", "/message"]))
    });
}

fn pods_that_miss_a_claim_wait(arm: &Arm) {
    pod(arm, "web", json!({"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "missing"}}]}));
    waits(arm, "web");
}

fn pods_are_spread_over_zones_that_nodes_must_have(arm: &Arm) {
    let spread = json!([{
        "maxSkew": 1,
        "topologyKey": "example.com/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }]);
    pod(arm, "web", json!({"topologySpreadConstraints": spread}));
    waits(arm, "web");
}

fn other_schedulers_are_left_to_their_own(arm: &Arm) {
    pod(arm, "other", json!({"schedulerName": "other"}));
    pod(arm, "web", json!({}));
    placed(arm, "web");
    arm.settle(&format!("{PODS}/other"), |pod| Some(fields(pod, &["/spec/nodeName", "/status"])));
}

fn a_pod_that_waited_is_put_where_room_is_made(arm: &Arm) {
    pod(arm, "waiting", others("podAffinity", "nobody"));
    waits(arm, "waiting");
    pod(arm, "nobody", json!({"nodeSelector": on("node-2")}));
    assert_eq!(placed(arm, "waiting"), "node-2");
}
