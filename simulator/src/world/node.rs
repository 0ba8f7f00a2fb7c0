//! Nodes, as the world's file has them.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use super::{
    check::taint,
    description::{Named, Node, Nodes},
    pools::Range,
};

/// How many nodes a cluster has whose file doesn't say.
const USUAL: usize = 2;

/// How many addresses of a network come before those of nodes.
const BEFORE: u32 = 10;

/// The names of the nodes.
pub fn names(described: Option<&Nodes>) -> Vec<String> {
    named(described).into_iter().map(|(name, _)| name).collect()
}

fn named(described: Option<&Nodes>) -> Vec<(String, Node)> {
    let counted = |count: usize| (1..=count).map(|number| (format!("node-{number}"), Node::default())).collect();
    match described {
        None => counted(USUAL),
        Some(Nodes::Count(count)) => counted(*count),
        Some(Nodes::Named(Named(nodes))) => nodes.clone(),
    }
}

/// The nodes, as objects, with addresses of a network.
pub fn all(described: Option<&Nodes>, network: Option<Range>, version: &str) -> Vec<Value> {
    let nodes = named(described);
    let mut free = network.into_iter().flat_map(addresses);
    let whole = nodes.iter().map(|(name, node)| object(name, node, node.address.or_else(|| free.next()), version));
    whole.collect()
}

/// The addresses of a network that nodes get.
pub fn addresses((first, last): Range) -> Box<dyn Iterator<Item = IpAddr>> {
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            let numbers = u32::from(first).saturating_add(BEFORE + 1)..u32::from(last);
            Box::new(numbers.map(|number| Ipv4Addr::from(number).into()))
        }
        _ => Box::new(std::iter::empty()),
    }
}

fn object(name: &str, node: &Node, address: Option<IpAddr>, version: &str) -> Value {
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
    let info = json!({
        "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "containerd://2.1.5", "kernelVersion": "6.12.57",
        "kubeProxyVersion": "", "kubeletVersion": version, "machineID": "", "operatingSystem": "linux", "osImage": "linux",
        "systemUUID": "",
    });
    let mut status = json!({"allocatable": room, "capacity": room, "nodeInfo": info});
    if let Some(address) = address {
        status["addresses"] =
            json!([{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}]);
    }
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": status,
    })
}
