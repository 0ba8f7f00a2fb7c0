//! Network policies.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::kubernetes::{
    answer::Cause,
    rules::{
        Look,
        field::{self, Field, formed, label_selector, one_of, required},
        fill::{default, items},
        form,
        simple::{PLAIN, Simple},
    },
};

pub static POLICIES: Simple = Simple {
    fill_in,
    check,
    counts_generations: true,
    counts_what_is_empty: Some("spec"),
    looks_at_metadata: Look::AtChanges,
    ..PLAIN
};

fn fill_in(policy: &mut Value) {
    let spec = &mut policy["spec"];
    for direction in ["ingress", "egress"] {
        for rule in items(spec, direction) {
            items(rule, "ports").for_each(|port| default(port, "protocol", "TCP"));
        }
    }
    let mut kinds = vec!["Ingress"];
    if spec["egress"].as_array().is_some_and(|rules| !rules.is_empty()) {
        kinds.push("Egress");
    }
    if Field::whole(spec).at("policyTypes").is_empty() {
        spec["policyTypes"] = json!(kinds);
    }
}

fn check(policy: &Value) -> Vec<Cause> {
    let spec = Field::of(policy, "spec");
    let mut wrong = label_selector(&spec.at("podSelector"));
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in spec.at(direction).items() {
            wrong.extend(rule.at("ports").items().flat_map(|port| check_port(&port)));
            wrong.extend(rule.at(peers).items().flat_map(|peer| check_peer(&peer)));
        }
    }
    let kinds = spec.at("policyTypes");
    if kinds.len() > 2 {
        wrong.push(kinds.invalid("may not specify more than two policyTypes"));
        return wrong;
    }
    wrong.extend(kinds.items().filter_map(|kind| one_of(&kind, &["Ingress", "Egress"])));
    wrong
}

fn check_port(entry: &Field<'_>) -> Vec<Cause> {
    let [protocol, port, last] = ["protocol", "port", "endPort"].map(|part| entry.at(part));
    let mut wrong = Vec::from_iter(one_of(&protocol, &["TCP", "UDP", "SCTP"]));
    if port.is_set() {
        wrong.extend(field::port_or_name(&port));
    }
    match (last.number(), port.number()) {
        (None, _) => {}
        (Some(end), Some(start)) if end < start => {
            wrong.push(Cause::invalid(&last.path, &json!(start), "must be greater than or equal to `port`"));
        }
        (Some(_), Some(_)) => wrong.extend(field::port(&last)),
        (Some(_), None) if port.is_set() => {
            wrong.push(last.invalid("may not be specified when `port` is non-numeric"));
        }
        (Some(_), None) => wrong.push(last.invalid("may not be specified when `port` is not specified")),
    }
    wrong
}

fn check_peer(peer: &Field<'_>) -> Vec<Cause> {
    let [pods, namespaces, block] = ["podSelector", "namespaceSelector", "ipBlock"].map(|part| peer.at(part));
    let mut wrong = Vec::new();
    for selector in [&pods, &namespaces].into_iter().filter(|selector| selector.is_set()) {
        wrong.extend(label_selector(selector));
    }
    if block.is_set() {
        wrong.extend(check_block(&block));
    }
    if block.is_set() && (pods.is_set() || namespaces.is_set()) {
        wrong.push(peer.forbidden("may not specify both ipBlock and another peer"));
    }
    if [pods, namespaces, block].iter().all(|part| !part.is_set()) {
        wrong.push(peer.required("must specify a peer"));
    }
    wrong
}

fn check_block(block: &Field<'_>) -> Vec<Cause> {
    let network = block.at("cidr");
    if let Some(cause) = required(&network, "") {
        return vec![cause];
    }
    let malformed = formed(&network, form::network);
    if !malformed.is_empty() {
        return malformed;
    }
    let mut wrong = Vec::new();
    for except in block.at("except").items() {
        let malformed = formed(&except, form::network);
        if malformed.is_empty() && !is_inside(except.text(), network.text()) {
            wrong.push(except.invalid("must be a strict subset of `cidr`"));
        }
        wrong.extend(malformed);
    }
    wrong
}

/// True for a network that is a part of another, and not all of it.
fn is_inside(part: &str, whole: &str) -> bool {
    let read = |text: &str| -> Option<(u128, u32, bool)> {
        let (address, bits) = text.split_once('/')?;
        let (number, width) = match address.parse().ok()? {
            IpAddr::V4(ip) => (u128::from(u32::from(ip)) << 96, 32),
            IpAddr::V6(ip) => (u128::from(ip), 128),
        };
        Some((number, bits.parse().ok()?, width == 32))
    };
    let (Some((part, longer, one)), Some((whole, shorter, other))) = (read(part), read(whole)) else { return false };
    let mask = u128::MAX.checked_shl(128 - shorter).unwrap_or(0);
    one == other && longer > shorter && part & mask == whole & mask
}
