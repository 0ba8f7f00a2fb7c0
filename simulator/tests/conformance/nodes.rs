//! Nodes: what is wrong with them. What becomes of them is the work of controllers.

use serde_json::{Value, json};

use super::arms::Arm;

const NODES: &str = "/api/v1/nodes";
const ONE: &str = "/api/v1/nodes/SPACE";

bodies! {
    a_node_is_created_with_its_status
    taints_of_nodes_are_checked
    networks_of_pods_do_not_change
    quantities_of_nodes_are_checked
    names_of_nodes_are_subdomains
}

fn node(spec: Value, status: Value) -> Value {
    json!({"metadata": {"name": "SPACE", "labels": {"type": "none"}}, "spec": spec, "status": status})
}

fn a_node_is_created_with_its_status(arm: &Arm) {
    let status = json!({"capacity": {"cpu": "4000m", "memory": "1024Mi", "pods": 110}, "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]});
    arm.create(&format!("{NODES}?dryRun=All"), node(json!({}), status));
    arm.create(
        &format!("{NODES}?dryRun=All"),
        node(json!({"unschedulable": true, "taints": [{"key": "a", "effect": "NoExecute"}]}), json!({})),
    );
}

fn taints_of_nodes_are_checked(arm: &Arm) {
    for taints in [
        json!([{"key": "a", "value": "b", "effect": "NoSchedule"}]),
        json!([{"key": "a b", "effect": "NoSchedule"}]),
        json!([{"key": "a", "value": "b c", "effect": "NoSchedule"}]),
        json!([{"key": "a", "effect": "Never"}]),
        json!([{"key": "a"}]),
        json!([{"key": "a", "effect": "NoSchedule"}, {"key": "a", "value": "b", "effect": "NoSchedule"}]),
        json!([{"key": "a", "effect": "NoSchedule"}, {"key": "a", "value": "b", "effect": "NoExecute"}]),
    ] {
        arm.create(&format!("{NODES}?dryRun=All"), node(json!({"taints": taints}), json!({})));
    }
}

fn networks_of_pods_do_not_change(arm: &Arm) {
    for spec in [
        json!({"podCIDR": "10.1.0.0/24"}),
        json!({"podCIDRs": ["10.1.0.0/24"]}),
        json!({"podCIDR": "10.1.0.0"}),
        json!({"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24", "10.2.0.0/24"]}),
        json!({"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24", "fd00::/64"], "providerID": "own://1"}),
    ] {
        arm.create(&format!("{NODES}?dryRun=All"), node(spec, json!({})));
    }
    arm.exchange(
        "POST",
        NODES,
        "application/json",
        &json!({"metadata": {"name": arm.space}, "spec": {"podCIDR": "10.1.0.0/24", "providerID": "own://1"}}),
    );
    arm.patch(ONE, "merge", json!({"spec": {"podCIDR": "10.2.0.0/24", "podCIDRs": ["10.2.0.0/24"]}}));
    arm.patch(ONE, "merge", json!({"spec": {"providerID": "own://2"}}));
    arm.exchange("DELETE", &ONE.replace("SPACE", &arm.space), "", &Value::Null);
}

fn quantities_of_nodes_are_checked(arm: &Arm) {
    for capacity in [json!({"cpu": "-1"}), json!({"pods": "1.5"}), json!({"memory": "0.5"})] {
        arm.create(&format!("{NODES}?dryRun=All"), node(json!({}), json!({"capacity": capacity})));
    }
}

fn names_of_nodes_are_subdomains(arm: &Arm) {
    for name in ["Node", "node_1", "node.example.com"] {
        arm.create(&format!("{NODES}?dryRun=All"), json!({"metadata": {"name": name}}));
    }
}
