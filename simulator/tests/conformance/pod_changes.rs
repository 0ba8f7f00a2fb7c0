//! What may change about pods, and their parts that have paths of their own.

use serde_json::{Value, json};

use super::{arms::Arm, pod_defaults::account};

const PODS: &str = "/api/v1/namespaces/SPACE/pods";
const WEB: &str = "/api/v1/namespaces/SPACE/pods/web";

bodies! {
    images_may_change
    hardly_anything_else_may_change
    containers_are_neither_added_nor_removed
    tolerations_are_only_added
    deadlines_only_come_nearer
    labels_and_annotations_may_change
    gates_are_only_lifted
    gated_pods_may_become_pickier
    a_status_is_written_by_itself
    qualities_and_nodes_are_not_of_the_status
    a_pod_is_bound_once
    bindings_name_a_node
    pods_that_wait_for_gates_are_not_bound
    containers_are_added_to_look_at_a_pod
    containers_that_look_at_a_pod_stay
    a_pod_is_evicted
    budgets_refuse_evictions
    resources_change_by_resize
    resizing_changes_nothing_else
    resizing_is_for_the_same_containers
    pods_are_found_by_their_fields
}

/// Pods that no scheduler takes, so that they stay as they are.
fn create(arm: &Arm, more: Value) {
    account(arm);
    let mut spec = json!({
        "schedulerName": "nobody", "containers": [{"name": "web", "image": "nginx:1"}], "automountServiceAccountToken": false,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        spec[name] = value.clone();
    }
    let created = arm.create(PODS, json!({"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": spec}));
    assert_eq!(created.code, 201, "{}", created.body);
}

fn merge(arm: &Arm, changes: impl IntoIterator<Item = Value>) {
    for change in changes {
        arm.patch(WEB, "merge", change);
    }
}

fn images_may_change(arm: &Arm) {
    create(arm, json!({"initContainers": [{"name": "first", "image": "a:1"}]}));
    let mut pod = arm.get(WEB).body;
    pod["spec"]["containers"][0]["image"] = json!("nginx:2");
    pod["spec"]["initContainers"][0]["image"] = json!("a:2");
    arm.replace(WEB, pod.clone());
    pod["spec"]["containers"][0]["image"] = json!("");
    pod["metadata"]["resourceVersion"] = Value::Null;
    arm.replace(WEB, pod.clone());
    pod["spec"]["containers"][0]["image"] = json!(" a");
    arm.replace(WEB, pod);
}

fn hardly_anything_else_may_change(arm: &Arm) {
    create(arm, json!({"volumes": [{"name": "v", "hostPath": {"path": "/a"}}], "nodeSelector": {"a": "b"}}));
    merge(
        arm,
        [
            json!({"spec": {"hostNetwork": true}}),
            json!({"spec": {"hostname": "web"}}),
            json!({"spec": {"restartPolicy": "Never"}}),
            json!({"spec": {"terminationGracePeriodSeconds": 5}}),
            json!({"spec": {"volumes": null}}),
            json!({"spec": {"nodeSelector": {"a": "c"}}}),
            json!({"spec": {"serviceAccountName": "other", "serviceAccount": "other"}}),
            json!({"spec": {"priority": 5}}),
            json!({"spec": {"containers": [{"name": "web", "image": "nginx:2", "env": [{"name": "A", "value": "b"}]}]}}),
            json!({"spec": {"containers": [{"name": "web", "image": "nginx:1", "resources": {"requests": {"cpu": "1"}}}]}}),
            json!({"spec": {"affinity": {"nodeAffinity": {}}}}),
            json!({"spec": {"hostname": "Web"}}),
        ],
    );
}

fn containers_are_neither_added_nor_removed(arm: &Arm) {
    create(arm, json!({}));
    merge(
        arm,
        [
            json!({"spec": {"containers": [{"name": "web", "image": "nginx:1"}, {"name": "more", "image": "a"}]}}),
            json!({"spec": {"containers": []}}),
            json!({"spec": {"initContainers": [{"name": "first", "image": "a"}]}}),
        ],
    );
}

fn tolerations_are_only_added(arm: &Arm) {
    create(
        arm,
        json!({"tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]}),
    );
    let there = arm.get(WEB).body["spec"]["tolerations"].clone();
    let mut more = there.clone();
    more.as_array_mut().unwrap().push(json!({"key": "b", "operator": "Exists"}));
    more[0]["tolerationSeconds"] = json!(7);
    merge(
        arm,
        [
            json!({"spec": {"tolerations": more}}),
            json!({"spec": {"tolerations": there}}),
            json!({"spec": {"tolerations": null}}),
        ],
    );
}

fn deadlines_only_come_nearer(arm: &Arm) {
    create(arm, json!({}));
    merge(arm, [100, 50, 70, 0, -1].map(|seconds| json!({"spec": {"activeDeadlineSeconds": seconds}})));
    merge(arm, [json!({"spec": {"activeDeadlineSeconds": null}})]);
}

fn labels_and_annotations_may_change(arm: &Arm) {
    create(arm, json!({}));
    merge(
        arm,
        [
            json!({"metadata": {"labels": {"app": "other"}, "annotations": {"a": "b"}}}),
            json!({"metadata": {"labels": {"app": null}}}),
            json!({"metadata": {"labels": {"not a key": "a"}}}),
            json!({"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "much"}}}),
        ],
    );
}

fn gates_are_only_lifted(arm: &Arm) {
    create(arm, json!({"schedulingGates": [{"name": "a"}, {"name": "b"}]}));
    merge(
        arm,
        [
            json!({"spec": {"schedulingGates": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}}),
            json!({"spec": {"schedulingGates": [{"name": "b"}]}}),
            json!({"spec": {"schedulingGates": null}}),
            json!({"spec": {"schedulingGates": [{"name": "a"}]}}),
        ],
    );
}

fn gated_pods_may_become_pickier(arm: &Arm) {
    create(arm, json!({"schedulingGates": [{"name": "a"}], "nodeSelector": {"a": "b"}}));
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let terms = json!([{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]);
    merge(
        arm,
        [
            json!({"spec": {"nodeSelector": {"c": "d"}}}),
            json!({"spec": {"nodeSelector": {"a": "x"}}}),
            json!({"spec": {"affinity": {"nodeAffinity": {required: {"nodeSelectorTerms": terms}}}}}),
            json!({"spec": {"affinity": null}}),
        ],
    );
}

fn a_status_is_written_by_itself(arm: &Arm) {
    create(arm, json!({}));
    let status = format!("{WEB}/status");
    let ready = json!({"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    arm.patch(&status, "merge", json!({"status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}], "conditions": [ready]}}));
    arm.patch(WEB, "merge", json!({"status": {"phase": "Failed"}}));
    arm.patch(&status, "merge", json!({"spec": {"hostname": "web"}, "metadata": {"labels": {"a": "b"}}}));
    arm.get(&status);
}

fn qualities_and_nodes_are_not_of_the_status(arm: &Arm) {
    create(arm, json!({}));
    let status = format!("{WEB}/status");
    arm.patch(&status, "merge", json!({"status": {"qosClass": "Guaranteed"}}));
    arm.patch(&status, "merge", json!({"status": {"nominatedNodeName": "A"}}));
    arm.patch(&status, "merge", json!({"status": {"podIPs": [{"ip": "a"}]}}));
    arm.patch(&status, "merge", json!({"status": {"conditions": [{"type": "a b", "status": "True"}]}}));
}

fn a_pod_is_bound_once(arm: &Arm) {
    create(arm, json!({}));
    let binding = format!("{WEB}/binding");
    let to = |node: &str| json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "web"}, "target": {"kind": "Node", "name": node}});
    arm.create(&binding, to("nowhere"));
    arm.create(&binding, to("elsewhere"));
    assert_eq!(arm.look(WEB).body["spec"]["nodeName"], "nowhere");
}

fn bindings_name_a_node(arm: &Arm) {
    create(arm, json!({}));
    let binding = format!("{WEB}/binding");
    let to =
        |target: Value| json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "web"}, "target": target});
    arm.create(&binding, to(json!({"kind": "Node"})));
    arm.create(&binding, to(json!({"kind": "Pod", "name": "a"})));
    arm.create(
        "/api/v1/namespaces/SPACE/pods/nobody/binding",
        json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "nobody"}, "target": {"name": "a"}}),
    );
}

fn pods_that_wait_for_gates_are_not_bound(arm: &Arm) {
    create(arm, json!({"schedulingGates": [{"name": "a"}]}));
    arm.create(
        &format!("{WEB}/binding"),
        json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "web"}, "target": {"name": "a"}}),
    );
}

fn containers_are_added_to_look_at_a_pod(arm: &Arm) {
    create(arm, json!({}));
    let part = format!("{WEB}/ephemeralcontainers");
    let with = |container: Value| json!({"spec": {"ephemeralContainers": [container]}});
    arm.get(&part);
    arm.patch(&part, "merge", with(json!({"name": "look", "image": "busybox", "targetContainerName": "nobody"})));
    arm.patch(&part, "merge", with(json!({"name": "web", "image": "busybox"})));
    arm.patch(&part, "merge", with(json!({"name": "look", "image": "busybox", "ports": [{"containerPort": 80}]})));
    arm.patch(
        &part,
        "merge",
        with(json!({"name": "look", "image": "busybox", "livenessProbe": {"tcpSocket": {"port": 80}}})),
    );
    arm.patch(
        &part,
        "merge",
        with(json!({"name": "look", "image": "busybox", "targetContainerName": "web", "stdin": true, "tty": true})),
    );
    arm.get(WEB);
}

fn containers_that_look_at_a_pod_stay(arm: &Arm) {
    create(arm, json!({}));
    let part = format!("{WEB}/ephemeralcontainers");
    arm.patch(&part, "merge", json!({"spec": {"ephemeralContainers": [{"name": "look", "image": "busybox"}]}}));
    arm.patch(&part, "merge", json!({"spec": {"ephemeralContainers": [{"name": "look", "image": "other"}]}}));
    arm.patch(&part, "merge", json!({"spec": {"ephemeralContainers": null}}));
    arm.patch(WEB, "merge", json!({"spec": {"ephemeralContainers": [{"name": "more", "image": "busybox"}]}}));
}

fn a_pod_is_evicted(arm: &Arm) {
    create(arm, json!({}));
    let eviction = |name: &str| json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}});
    arm.create(&format!("{WEB}/eviction"), eviction("other"));
    arm.create(&format!("{WEB}/eviction?dryRun=All"), eviction("web"));
    arm.create(&format!("{WEB}/eviction"), eviction("web"));
    arm.get(WEB);
    arm.create(&format!("{WEB}/eviction"), eviction("web"));
}

fn budgets_refuse_evictions(arm: &Arm) {
    create(arm, json!({}));
    let status = format!("{WEB}/status").replace("SPACE", &arm.space);
    let running = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    arm.exchange("PATCH", &status, "application/merge-patch+json", &running);
    let budgets = "/apis/policy/v1/namespaces/SPACE/poddisruptionbudgets".replace("SPACE", &arm.space);
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "all"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 1},
    });
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web"}});
    arm.exchange("POST", &budgets, "application/json", &budget);
    let all = format!("{budgets}/all");
    arm.look_until(&all, |answer| answer.body["status"]["currentHealthy"] == 1);
    arm.create(&format!("{WEB}/eviction"), eviction.clone());
    arm.exchange("DELETE", &all, "", &Value::Null);
    arm.create(&format!("{WEB}/eviction"), eviction);
}

fn resources_change_by_resize(arm: &Arm) {
    create(
        arm,
        json!({"containers": [{"name": "web", "image": "a:1", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}}]}),
    );
    let part = format!("{WEB}/resize");
    let to = |resources: Value| json!([{"op": "replace", "path": "/spec/containers/0/resources", "value": resources}]);
    arm.patch(
        &part,
        "json",
        to(json!({"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}})),
    );
    arm.patch(
        &part,
        "json",
        to(json!({"requests": {"cpu": "3", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}})),
    );
    arm.get(WEB);
}

fn resizing_changes_nothing_else(arm: &Arm) {
    create(arm, json!({"containers": [{"name": "web", "image": "a:1", "resources": {"requests": {"cpu": "1"}}}]}));
    let part = format!("{WEB}/resize");
    arm.patch(&part, "merge", json!({"spec": {"hostname": "web"}}));
    arm.patch(&part, "json", json!([{"op": "replace", "path": "/spec/containers/0/image", "value": "a:2"}]));
    arm.patch(&part, "json", json!([{"op": "remove", "path": "/spec/containers/0/resources/requests"}]));
    arm.patch(&part, "merge", json!({"metadata": {"labels": {"a": "b"}}}));
}

fn pods_are_found_by_their_fields(arm: &Arm) {
    create(arm, json!({"restartPolicy": "Never"}));
    for selector in [
        "spec.nodeName=",
        "spec.nodeName=node-1",
        "status.phase=Pending",
        "status.phase!=Pending",
        "spec.restartPolicy=Never",
        "spec.schedulerName=nobody,spec.serviceAccountName=default",
        "spec.hostNetwork=false",
        "status.podIP=",
        "status.nominatedNodeName=",
        "metadata.name=web,metadata.namespace=SPACE",
        "spec.hostname=web",
        "status.qosClass=BestEffort",
    ] {
        arm.get(&format!("{PODS}?fieldSelector={selector}"));
    }
}

fn resizing_is_for_the_same_containers(arm: &Arm) {
    let container = |name: &str, resources: Value| json!({"name": name, "image": "a:1", "resources": resources});
    let asked = json!({"requests": {"cpu": "1", "example.com/gpu": "1"}, "limits": {"example.com/gpu": "1"}});
    create(
        arm,
        json!({"initContainers": [container("first", json!({"requests": {"cpu": "1"}}))], "containers": [container("web", asked)]}),
    );
    let part = format!("{WEB}/resize?dryRun=All");
    let first = json!([container("first", json!({"requests": {"cpu": "2"}}))]);
    for spec in [
        json!({}),
        json!({"containers": [container("web", json!({}))]}),
        json!({"initContainers": first, "containers": [container("other", json!({"requests": {"cpu": "1"}}))]}),
        json!({"initContainers": first, "containers": [container("web", json!({"requests": {"cpu": "2"}}))]}),
        json!({"initContainers": first, "containers": [container("web", json!({"requests": {"cpu": "2", "example.com/gpu": "2"}, "limits": {"example.com/gpu": "2"}}))]}),
        json!({"initContainers": first, "containers": [container("web", json!({"requests": {"cpu": "2", "example.com/gpu": "1"}, "limits": {"example.com/gpu": "1"}}))]}),
        json!({"resources": {"requests": {"cpu": "4"}}, "initContainers": first, "containers": [container("web", json!({"requests": {"cpu": "2", "example.com/gpu": "1"}, "limits": {"example.com/gpu": "1"}}))]}),
    ] {
        arm.replace(
            &part,
            json!({"metadata": {"name": "web"}, "spec": spec, "status": {"podIPs": [{"ip": "192.0.2.1"}]}}),
        );
    }
    arm.patch(
        &part,
        "strategic-merge",
        json!({"spec": {"containers": [{"name": "web", "resizePolicy": [{"resourceName": "cpu", "restartPolicy": "NotRequired"}]}]}}),
    );
}
