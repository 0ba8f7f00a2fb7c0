//! Ingresses, their classes, and network policies.

use serde_json::{Value, json};

use super::arms::Arm;

const INGRESSES: &str = "/apis/networking.k8s.io/v1/namespaces/SPACE/ingresses";
const CLASSES: &str = "/apis/networking.k8s.io/v1/ingressclasses?dryRun=All";
const POLICIES: &str = "/apis/networking.k8s.io/v1/namespaces/SPACE/networkpolicies";

bodies! {
    an_ingress_is_created_and_counts_its_changes
    rules_of_ingresses_are_checked
    backends_of_ingresses_are_checked
    classes_of_ingresses_are_checked
    a_network_policy_is_filled_in
    lists_of_a_policy_with_nothing_in_them_count
    network_policies_are_checked
}

fn backend() -> Value {
    json!({"service": {"name": "web", "port": {"number": 80}}})
}

fn rule(host: &str, path: Value) -> Value {
    json!({"rules": [{"host": host, "http": {"paths": [path]}}]})
}

fn ingress(spec: Value) -> Value {
    json!({"metadata": {"name": "web"}, "spec": spec})
}

fn an_ingress_is_created_and_counts_its_changes(arm: &Arm) {
    let web = format!("{INGRESSES}/web");
    let path = json!({"path": "/", "pathType": "Prefix", "backend": backend()});
    arm.create(INGRESSES, ingress(rule("example.com", path)));
    arm.patch(&web, "merge", json!({"spec": {"ingressClassName": "front"}}));
    arm.patch(
        &web,
        "merge",
        json!({"metadata": {"labels": {"app": "web"}}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}),
    );
    arm.patch(
        &format!("{web}/status"),
        "merge",
        json!({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}),
    );
    arm.delete(&web);
}

fn rules_of_ingresses_are_checked(arm: &Arm) {
    let path = |path: &str, kind: &str| json!({"path": path, "pathType": kind, "backend": backend()});
    for spec in [
        json!({}),
        rule("", path("/", "Exact")),
        rule("*.example.com", path("/a", "Exact")),
        rule("*", path("/a", "Exact")),
        rule("Example.com", path("/a", "Exact")),
        rule("192.0.2.1", path("/a", "Exact")),
        rule("example.com", path("a", "Exact")),
        rule("example.com", path("/a//b", "Prefix")),
        rule("example.com", path("/a/../b", "Prefix")),
        rule("example.com", path("", "Prefix")),
        rule("example.com", path("/a/./b", "ImplementationSpecific")),
        rule("example.com", path("", "ImplementationSpecific")),
        rule("example.com", path("/", "Regex")),
        rule("example.com", json!({"path": "/", "backend": backend()})),
        json!({"rules": [{"host": "example.com"}]}),
        json!({"rules": [{"http": {"paths": []}}]}),
        json!({"defaultBackend": backend(), "tls": [{"hosts": ["example.com", "Bad"], "secretName": "key"}]}),
    ] {
        arm.create(&format!("{INGRESSES}?dryRun=All"), ingress(spec));
    }
}

fn backends_of_ingresses_are_checked(arm: &Arm) {
    for backend in [
        json!({}),
        json!({"service": {"name": "web", "port": {"name": "http"}}}),
        json!({"service": {"name": "web"}}),
        json!({"service": {"port": {"number": 80}}}),
        json!({"service": {"name": "Web", "port": {"number": 80}}}),
        json!({"service": {"name": "web", "port": {"number": 80, "name": "http"}}}),
        json!({"service": {"name": "web", "port": {"number": 70000}}}),
        json!({"resource": {"apiGroup": "example.com", "kind": "Bucket", "name": "a"}}),
        json!({"resource": {"kind": "Bucket", "name": "a"}, "service": {"name": "web", "port": {"number": 80}}}),
    ] {
        arm.create(&format!("{INGRESSES}?dryRun=All"), ingress(json!({"defaultBackend": backend})));
    }
}

fn classes_of_ingresses_are_checked(arm: &Arm) {
    for spec in [
        json!({"controller": "example.com/front"}),
        json!({}),
        json!({"controller": "front"}),
        json!({"controller": "Example.com/Front"}),
        json!({"controller": "example.com/front", "parameters": {"kind": "Settings", "name": "a"}}),
        json!({"controller": "example.com/front", "parameters": {"kind": "Settings", "name": "a", "scope": "Namespace"}}),
        json!({"controller": "example.com/front", "parameters": {"apiGroup": "example.com", "kind": "Settings", "name": "a", "scope": "Namespace", "namespace": "b"}}),
        json!({"controller": "example.com/front", "parameters": {"kind": "Settings", "name": "a", "scope": "World"}}),
        json!({"controller": "example.com/front", "parameters": {"scope": "Cluster", "namespace": "b"}}),
    ] {
        arm.create(CLASSES, json!({"metadata": {"name": "SPACE"}, "spec": spec}));
    }
}

fn a_network_policy_is_filled_in(arm: &Arm) {
    for spec in [
        json!({}),
        json!({"podSelector": {}}),
        json!({"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{}], "egress": []}),
        json!({"podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}], "ports": [{"port": 53}, {"port": "dns", "protocol": "UDP"}]}]}),
        json!({"podSelector": {}, "policyTypes": ["Egress"]}),
    ] {
        arm.create(&format!("{POLICIES}?dryRun=All"), json!({"metadata": {"name": "web"}, "spec": spec}));
    }
    arm.create(POLICIES, json!({"metadata": {"name": "web"}, "spec": {"podSelector": {}}}));
    arm.patch(&format!("{POLICIES}/web"), "merge", json!({"spec": {"policyTypes": ["Ingress", "Egress"]}}));
}

fn network_policies_are_checked(arm: &Arm) {
    for spec in [
        json!({"policyTypes": ["Sideways"]}),
        json!({"policyTypes": ["Ingress", "Egress", "Ingress"]}),
        json!({"podSelector": {"matchLabels": {"a b": "c"}}}),
        json!({"ingress": [{"from": [{}]}]}),
        json!({"ingress": [{"from": [{"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}]}]}),
        json!({"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0"}}]}]}),
        json!({"ingress": [{"from": [{"ipBlock": {}}]}]}),
        json!({"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}]}]}),
        json!({"ingress": [{"ports": [{"port": 0}, {"port": "Web"}, {"protocol": "X"}]}]}),
        json!({"egress": [{"ports": [{"port": 80, "endPort": 70}, {"endPort": 70}, {"port": "web", "endPort": 70}]}]}),
    ] {
        arm.create(&format!("{POLICIES}?dryRun=All"), json!({"metadata": {"name": "web"}, "spec": spec}));
    }
}

fn lists_of_a_policy_with_nothing_in_them_count(arm: &Arm) {
    let policy = format!("{POLICIES}/web");
    arm.create(POLICIES, json!({"metadata": {"name": "web"}, "spec": {"podSelector": {}, "egress": [{}]}}));
    for spec in
        [json!({"ingress": []}), json!({"ingress": []}), json!({"ingress": [{}]}), json!({"ingress": [{"ports": []}]})]
    {
        arm.patch(&policy, "merge", json!({"spec": spec}));
    }
    arm.patch(&policy, "merge", json!({"spec": {"podSelector": {"matchLabels": {}}}}));
    arm.patch(&policy, "merge", json!({"metadata": {"annotations": {"a": "1"}}}));
}
