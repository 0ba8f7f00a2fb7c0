//! Nodes, as the world's file has them.

use serde_json::{Value, json};

use super::{
    check::taint,
    description::{Named, Node, Nodes},
};

/// How many nodes a cluster has whose file doesn't say.
const USUAL: usize = 2;

/// The nodes, as objects.
pub fn all(described: Option<&Nodes>) -> Vec<Value> {
    let counted =
        |count: usize| (1..=count).map(|number| object(&format!("node-{number}"), &Node::default())).collect();
    match described {
        None => counted(USUAL),
        Some(Nodes::Count(count)) => counted(*count),
        Some(Nodes::Named(Named(nodes))) => nodes.iter().map(|(name, node)| object(name, node)).collect(),
    }
}

fn object(name: &str, node: &Node) -> Value {
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    });
    for (key, value) in &node.labels {
        labels[key] = json!(value);
    }
    let taints = node.taints.iter().filter_map(|text| taint(text));
    let taints: Vec<Value> = taints
        .map(|(key, value, effect)| match value {
            "" => json!({"key": key, "effect": effect}),
            value => json!({"key": key, "value": value, "effect": effect}),
        })
        .collect();
    let spec = if taints.is_empty() { json!({}) } else { json!({ "taints": taints }) };
    let room = json!({
        "cpu": node.cpu.as_deref().unwrap_or("32"),
        "memory": node.memory.as_deref().unwrap_or("256Gi"),
        "pods": "110",
    });
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {"allocatable": room, "capacity": room},
    })
}
