//! What stops or changes a write on its way in.

use serde_json::{Value, json};

use super::{
    arms::{Answer, Arm},
    settled::Scene as _,
};

const PODS: &str = "/api/v1/namespaces/SPACE/pods";
const QUOTAS: &str = "/api/v1/namespaces/SPACE/resourcequotas";
const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";
const HOOKS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

bodies! {
    containers_get_what_a_limit_range_says
    pods_beyond_a_limit_are_refused
    claims_beyond_a_limit_are_refused
    pods_need_their_service_account
    objects_beyond_a_quota_are_refused
    pods_have_to_say_what_is_limited
    services_are_counted_by_what_they_take
    a_quota_knows_what_is_used
    some_namespaces_stay
    a_policy_says_what_has_to_be_so
    a_webhook_that_is_not_there_refuses
    a_webhook_that_is_not_there_may_be_ignored
}

fn pod(name: &str, resources: Value) -> Value {
    let container = json!({"name": "web", "image": "web", "resources": resources});
    json!({"metadata": {"name": name}, "spec": {"containers": [container], "automountServiceAccountToken": false}})
}

/// Pods can be made once the namespace has its account, and what is in it can be counted once it has all that each has.
fn settled(arm: &Arm) {
    for path in ["serviceaccounts/default", "configmaps/kube-root-ca.crt"] {
        arm.look_until(&format!("/api/v1/namespaces/SPACE/{path}"), |answer| answer.code == 200);
    }
}

/// A limit range, once the server goes by it: then it answers a dry run that the range concerns otherwise than before.
fn limited(arm: &Arm, limits: Value, concerned: (&str, Value)) {
    settled(arm);
    let (path, object) = concerned;
    let said = |answer: &Answer| (answer.code, answer.body["spec"].clone());
    let before = said(&arm.exchange("POST", &arm.placed(path), "application/json", &object));
    let ranges = "/api/v1/namespaces/SPACE/limitranges";
    arm.create(ranges, json!({"metadata": {"name": "limits"}, "spec": {"limits": limits}}));
    arm.ask_until(path, &object, |answer| said(answer) != before);
}

fn containers_get_what_a_limit_range_says(arm: &Arm) {
    let path = format!("{PODS}?dryRun=All");
    limited(
        arm,
        json!([{"type": "Container", "default": {"cpu": "1", "memory": "1Gi"}, "defaultRequest": {"cpu": "100m"}}]),
        (&path, pod("none", json!({}))),
    );
    arm.create(&path, pod("none", json!({})));
    arm.create(&path, pod("some", json!({"requests": {"cpu": "200m"}, "limits": {"memory": "2Gi"}})));
    arm.create(
        &path,
        pod("all", json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}})),
    );
}

fn pods_beyond_a_limit_are_refused(arm: &Arm) {
    let container =
        json!({"type": "Container", "min": {"cpu": "100m"}, "max": {"cpu": "1"}, "maxLimitRequestRatio": {"cpu": "2"}});
    let path = format!("{PODS}?dryRun=All");
    limited(arm, json!([container, {"type": "Pod", "max": {"memory": "1Gi"}}]), (&path, pod("web", json!({}))));
    for resources in [
        json!({"requests": {"cpu": "50m"}, "limits": {"cpu": "100m", "memory": "1Gi"}}),
        json!({"requests": {"cpu": "2"}, "limits": {"cpu": "2", "memory": "1Gi"}}),
        json!({"requests": {"cpu": "100m"}, "limits": {"cpu": "1", "memory": "1Gi"}}),
        json!({"requests": {"cpu": "500m"}, "limits": {"cpu": "1", "memory": "2Gi"}}),
        json!({"requests": {"cpu": "500m"}, "limits": {"cpu": "1"}}),
        json!({"requests": {"cpu": "500m"}, "limits": {"cpu": "1", "memory": "1Gi"}}),
    ] {
        arm.create(&path, pod("web", resources));
    }
}

fn claims_beyond_a_limit_are_refused(arm: &Arm) {
    let path = "/api/v1/namespaces/SPACE/persistentvolumeclaims?dryRun=All";
    let claim = |storage: &str| {
        let spec = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": storage}}});
        json!({"metadata": {"name": "data"}, "spec": spec})
    };
    let limits = json!([{"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}]);
    limited(arm, limits, (path, claim("3Gi")));
    for storage in ["500Mi", "1Gi", "3Gi"] {
        arm.create(path, claim(storage));
    }
}

fn pods_need_their_service_account(arm: &Arm) {
    settled(arm);
    let mut other = pod("web", json!({}));
    other["spec"]["serviceAccountName"] = json!("robot");
    arm.create(&format!("{PODS}?dryRun=All"), other);
}

/// A quota, once the server goes by it: of leases it allows none.
fn quota(arm: &Arm, hard: Value) {
    settled(arm);
    let mut spec = json!({"hard": hard});
    spec["hard"]["count/leases.coordination.k8s.io"] = json!("0");
    arm.make(QUOTAS, json!({"metadata": {"name": "most"}, "spec": spec}));
    let leases = "/apis/coordination.k8s.io/v1/namespaces/SPACE/leases?dryRun=All";
    arm.ask_until(leases, &json!({"metadata": {"name": "probe"}}), is_beyond_quota);
}

/// True for the answer to a write that a quota refuses.
pub fn is_beyond_quota(answer: &Answer) -> bool {
    answer.body["message"].as_str().is_some_and(|why| why.contains("exceeded quota"))
}

fn objects_beyond_a_quota_are_refused(arm: &Arm) {
    quota(arm, json!({"count/configmaps": "2", "secrets": "1", "count/deployments.apps": "0"}));
    for name in ["a", "b", "c"] {
        arm.create(MAPS, json!({"metadata": {"name": name}}));
    }
    arm.create("/api/v1/namespaces/SPACE/secrets", json!({"metadata": {"name": "a"}}));
    arm.create("/api/v1/namespaces/SPACE/secrets", json!({"metadata": {"name": "b"}}));
    let template =
        json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web"}]}});
    arm.create(
        "/apis/apps/v1/namespaces/SPACE/deployments",
        json!({"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template}}),
    );
}

fn pods_have_to_say_what_is_limited(arm: &Arm) {
    quota(arm, json!({"pods": "5", "requests.cpu": "1", "limits.memory": "1Gi"}));
    let path = format!("{PODS}?dryRun=All");
    for resources in [
        json!({}),
        json!({"requests": {"cpu": "100m"}}),
        json!({"requests": {"cpu": "2"}, "limits": {"memory": "2Gi"}}),
        json!({"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}),
    ] {
        arm.create(&path, pod("web", resources));
    }
}

fn services_are_counted_by_what_they_take(arm: &Arm) {
    quota(arm, json!({"services": "2", "services.nodeports": "1", "services.loadbalancers": "0"}));
    let path = "/api/v1/namespaces/SPACE/services";
    for (name, spec) in [
        ("a", json!({"type": "LoadBalancer", "ports": [{"port": 80}]})),
        ("a", json!({"type": "NodePort", "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]})),
        ("a", json!({"type": "NodePort", "ports": [{"port": 80}]})),
        ("b", json!({"ports": [{"port": 80}]})),
        ("c", json!({"ports": [{"port": 80}]})),
    ] {
        arm.create(path, json!({"metadata": {"name": name}, "spec": spec}));
    }
    arm.patch(&format!("{path}/b"), "merge", json!({"spec": {"type": "NodePort"}}));
}

fn a_quota_knows_what_is_used(arm: &Arm) {
    quota(arm, json!({"count/secrets": "5"}));
    let used = |wanted: &'static str| move |quota: &Value| quota["status"]["used"]["count/secrets"] == wanted;
    arm.create("/api/v1/namespaces/SPACE/secrets", json!({"metadata": {"name": "a"}}));
    arm.until(&format!("{QUOTAS}/most"), used("1"));
    arm.delete("/api/v1/namespaces/SPACE/secrets/a");
    arm.until(&format!("{QUOTAS}/most"), used("0"));
}

fn some_namespaces_stay(arm: &Arm) {
    for name in ["default", "kube-system", "kube-public"] {
        arm.delete(&format!("/api/v1/namespaces/{name}"));
    }
}

fn a_policy_says_what_has_to_be_so(arm: &Arm) {
    let group = "/apis/admissionregistration.k8s.io/v1";
    let rules = json!([{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE", "UPDATE"]}]);
    let policy = json!({
        "matchConstraints": {"resourceRules": rules},
        "matchConditions": [{"name": "checked", "expression": "has(object.metadata.labels) && object.metadata.labels.checked == 'true'"}],
        "variables": [{"name": "size", "expression": "has(object.data) ? size(object.data) : 0"}],
        "validations": [
            {"expression": "object.metadata.name != 'no'"},
            {"expression": "variables.size < 2", "message": "too many", "reason": "Forbidden"},
            {"expression": "request.operation != 'UPDATE' || object.data.a == oldObject.data.a", "messageExpression": "'a was ' + oldObject.data.a"},
        ],
    });
    arm.create(&format!("{group}/validatingadmissionpolicies"), json!({"metadata": {"name": "SPACE"}, "spec": policy}));
    let binding = json!({
        "policyName": "SPACE", "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "SPACE"}}},
    });
    let path = format!("{group}/validatingadmissionpolicybindings");
    arm.create(&path, json!({"metadata": {"name": "SPACE"}, "spec": binding}));
    let map =
        |name: &str, data: Value| json!({"metadata": {"name": name, "labels": {"checked": "true"}}, "data": data});
    arm.ask_until(&format!("{MAPS}?dryRun=All"), &map("no", json!({})), |answer| answer.code != 201);
    arm.create(MAPS, map("no", json!({})));
    arm.create(MAPS, map("a", json!({"a": "1", "b": "2"})));
    arm.create(MAPS, map("a", json!({"a": "1"})));
    arm.patch(&format!("{MAPS}/a"), "merge", json!({"data": {"a": "2"}}));
    arm.patch(&format!("{MAPS}/a"), "merge", json!({"data": null}));
    arm.create(MAPS, json!({"metadata": {"name": "no"}}));
    arm.delete(&format!("{path}/SPACE"));
    arm.delete(&format!("{group}/validatingadmissionpolicies/SPACE"));
}

fn hook(policy: &str) -> Value {
    let rules =
        json!([{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}]);
    let webhook = json!({
        "name": "check.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": policy,
        "clientConfig": {"service": {"name": "nobody", "namespace": "SPACE", "path": "/check"}}, "rules": rules,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "SPACE"}},
        "objectSelector": {"matchLabels": {"checked": "true"}},
        "matchConditions": [{"name": "named", "expression": "object.metadata.name != 'free'"}],
    });
    json!({"metadata": {"name": "SPACE"}, "webhooks": [webhook]})
}

fn a_webhook_that_is_not_there_refuses(arm: &Arm) {
    let checked = json!({"metadata": {"name": "a", "labels": {"checked": "true"}}});
    arm.create(HOOKS, hook("Fail"));
    arm.ask_until(&format!("{MAPS}?dryRun=All"), &checked, |answer| answer.code != 201);
    arm.create(MAPS, checked);
    arm.create(MAPS, json!({"metadata": {"name": "free", "labels": {"checked": "true"}}}));
    arm.create(MAPS, json!({"metadata": {"name": "b"}}));
    arm.create("/api/v1/namespaces/SPACE/secrets", json!({"metadata": {"name": "a", "labels": {"checked": "true"}}}));
    arm.delete(&format!("{HOOKS}/SPACE"));
}

fn a_webhook_that_is_not_there_may_be_ignored(arm: &Arm) {
    arm.create(HOOKS, hook("Ignore"));
    arm.create(MAPS, json!({"metadata": {"name": "a", "labels": {"checked": "true"}}}));
    arm.delete(&format!("{HOOKS}/SPACE"));
}
