//! How services, ingresses and what is behind them can be reached.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{NONE, Row, UNSET, at, first_of, items, or, text};

/// How many of something are shown.
const SHOWN: usize = 3;

fn texts(row: &Row<'_>, path: &str) -> Vec<String> {
    items(at(row.object, path)).map(|item| text(Some(item))).collect()
}

pub fn cluster_address(row: &Row<'_>) -> Value {
    or(texts(row, "spec.clusterIPs").into_iter().next().unwrap_or_default(), NONE)
}

pub fn external_addresses(row: &Row<'_>) -> Value {
    let given = texts(row, "spec.externalIPs");
    match text(at(row.object, "spec.type")).as_str() {
        "ClusterIP" | "NodePort" => or(given.join(","), NONE),
        "LoadBalancer" => or([addresses(row), given].concat().join(","), "<pending>"),
        "ExternalName" => json!(text(at(row.object, "spec.externalName"))),
        _ => json!("<unknown>"),
    }
}

/// The addresses at which a load balancer listens.
fn addresses(row: &Row<'_>) -> Vec<String> {
    let addresses: BTreeSet<String> = items(at(row.object, "status.loadBalancer.ingress"))
        .map(|ingress| text(ingress.get("ip").filter(|ip| **ip != "").or(ingress.get("hostname"))))
        .filter(|address| !address.is_empty())
        .collect();
    addresses.into_iter().collect()
}

pub fn balanced(row: &Row<'_>) -> Value {
    json!(addresses(row).join(","))
}

pub fn service_ports(row: &Row<'_>) -> Value {
    let ports = items(at(row.object, "spec.ports")).map(|port| {
        let [number, protocol] = ["port", "protocol"].map(|field| text(port.get(field)));
        match port["nodePort"].as_i64().unwrap_or_default() {
            0 => format!("{number}/{protocol}"),
            node_port => format!("{number}:{node_port}/{protocol}"),
        }
    });
    or(ports.collect::<Vec<_>>().join(","), NONE)
}

pub fn hosts(row: &Row<'_>) -> Value {
    let rules: Vec<String> = items(at(row.object, "spec.rules")).map(|rule| text(rule.get("host"))).collect();
    let mut shown: Vec<&str> = Vec::new();
    let mut more = false;
    for host in &rules {
        more |= shown.len() == SHOWN;
        if !more && !host.is_empty() {
            shown.push(host);
        }
    }
    match shown.join(",") {
        none if none.is_empty() => json!("*"),
        some if more => json!(format!("{some} + {} more...", rules.len() - SHOWN)),
        all => json!(all),
    }
}

pub fn ingress_ports(row: &Row<'_>) -> Value {
    let has_certificates = items(at(row.object, "spec.tls")).next().is_some();
    json!(if has_certificates { "80, 443" } else { "80" })
}

pub fn class_parameters(row: &Row<'_>) -> Value {
    let Some(parameters) = at(row.object, "spec.parameters") else { return json!(NONE) };
    let [kind, name] = ["kind", "name"].map(|field| text(parameters.get(field)));
    match parameters.get("apiGroup").and_then(Value::as_str) {
        Some(group) => json!(format!("{kind}.{group}/{name}")),
        None => json!(format!("{kind}/{name}")),
    }
}

pub fn endpoints(row: &Row<'_>) -> Value {
    let mut all = Vec::new();
    for subset in items(at(row.object, "subsets")) {
        let addresses: Vec<String> = items(subset.get("addresses")).map(|address| text(address.get("ip"))).collect();
        let ports: Vec<String> = items(subset.get("ports")).map(|port| text(port.get("port"))).collect();
        if ports.is_empty() {
            all.extend(addresses);
            continue;
        }
        for port in ports {
            all.extend(addresses.iter().map(|address| match address.contains(':') {
                true => format!("[{address}]:{port}"),
                false => format!("{address}:{port}"),
            }));
        }
    }
    match items(at(row.object, "subsets")).next() {
        None => json!(NONE),
        Some(_) => json!(first_of(&all, SHOWN)),
    }
}

pub fn slice_ports(row: &Row<'_>) -> Value {
    let ports = items(at(row.object, "ports")).map(|port| match (at(port, "port"), at(port, "name")) {
        (None, None) => "*".to_owned(),
        (None, name) => text(name),
        (port, _) => text(port),
    });
    or(first_of(&ports.collect::<Vec<_>>(), SHOWN), UNSET)
}

pub fn slice_endpoints(row: &Row<'_>) -> Value {
    let endpoints = items(at(row.object, "endpoints"));
    let addresses = endpoints.flat_map(|endpoint| items(endpoint.get("addresses")));
    or(first_of(&addresses.map(|address| text(Some(address))).collect::<Vec<_>>(), SHOWN), UNSET)
}

/// What an address belongs to.
pub fn parent(row: &Row<'_>) -> Value {
    let Some(parent) = at(row.object, "spec.parentRef") else { return json!("") };
    let [group, resource, namespace, name] =
        ["group", "resource", "namespace", "name"].map(|field| text(parent.get(field)));
    let what = if group.is_empty() { resource } else { format!("{resource}.{group}") };
    let place = [what, namespace, name];
    json!(place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
}
