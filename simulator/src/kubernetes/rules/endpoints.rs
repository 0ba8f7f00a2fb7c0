//! Endpoints, and slices of them.

use std::{collections::BTreeSet, net::IpAddr};

use serde_json::Value;

use super::{
    Look,
    field::{self, Field, formed, one_of, required, unchanged},
    fill::{default, items, remove},
    form,
    simple::{PLAIN, Simple},
};
use crate::kubernetes::answer::Cause;

pub static ENDPOINTS: Simple =
    Simple { fill_in: fill_in_endpoints, check: check_endpoints, replacing_creates: true, ..PLAIN };

pub static SLICES: Simple = Simple {
    fill_in: fill_in_slice,
    // It is only there for objects of older versions.
    prepare: |slice| items(slice, "endpoints").for_each(|endpoint| drop(remove(endpoint, "deprecatedTopology"))),
    check: check_slice,
    check_change: |slice, there| {
        Vec::from_iter(unchanged(&Field::of(slice, "addressType"), &Field::of(there, "addressType")))
    },
    counts_generations: true,
    counts_within_metadata: Some("labels"),
    looks_at_metadata: Look::AtTheWhole,
    ..PLAIN
};

fn fill_in_endpoints(endpoints: &mut Value) {
    for subset in items(endpoints, "subsets") {
        items(subset, "ports").for_each(|port| default(port, "protocol", "TCP"));
    }
}

fn check_endpoints(endpoints: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for subset in Field::of(endpoints, "subsets").items() {
        let [ready, other, ports] = ["addresses", "notReadyAddresses", "ports"].map(|name| subset.at(name));
        if ready.is_empty() && other.is_empty() {
            wrong.push(subset.required("must specify `addresses` or `notReadyAddresses`"));
        }
        for address in ready.items().chain(other.items()) {
            let (ip, host) = (address.at("ip"), address.at("hostname"));
            wrong.extend(formed(&ip, form::ip));
            wrong.extend(address_for_pods(&ip));
            if !host.is_empty() {
                wrong.extend(formed(&host, form::label));
            }
        }
        for port in ports.items() {
            let name = port.at("name");
            if name.is_empty() && ports.len() > 1 {
                wrong.push(name.required(""));
            } else if !name.is_empty() {
                wrong.extend(formed(&name, form::label));
            }
            wrong.extend(field::port(&port.at("port")));
            wrong.extend(one_of(&port.at("protocol"), &["SCTP", "TCP", "UDP"]));
            if port.at("appProtocol").is_set() {
                wrong.extend(formed(&port.at("appProtocol"), form::qualified_name));
            }
        }
    }
    wrong
}

/// What is wrong with an address of a pod.
pub fn address_for_pods(field: &Field<'_>) -> Vec<Cause> {
    let Ok(ip) = field.text().parse::<IpAddr>() else { return vec![field.invalid("must be a valid IP address")] };
    let (link_local, link_local_multicast) = match ip {
        IpAddr::V4(ip) => (ip.is_link_local(), ip.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(ip) => (ip.is_unicast_link_local(), ip.segments()[0] & 0xff0f == 0xff02),
    };
    let why = [
        (ip.is_unspecified(), format!("may not be unspecified ({ip})")),
        (ip.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned()),
        (link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned()),
        (link_local_multicast, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".to_owned()),
    ];
    why.iter().filter(|(is, _)| *is).map(|(_, why)| field.invalid(why)).collect()
}

fn fill_in_slice(slice: &mut Value) {
    for port in items(slice, "ports") {
        default(port, "name", "");
        default(port, "protocol", "TCP");
    }
}

fn check_slice(slice: &Value) -> Vec<Cause> {
    let kind = Field::of(slice, "addressType");
    let mut wrong = match required(&kind, "") {
        Some(cause) => vec![cause],
        None => Vec::from_iter(one_of(&kind, &["FQDN", "IPv4", "IPv6"])),
    };
    let is_known = wrong.is_empty();
    for endpoint in Field::of(slice, "endpoints").items() {
        let (addresses, host) = (endpoint.at("addresses"), endpoint.at("hostname"));
        if addresses.is_empty() {
            wrong.push(addresses.required("must contain at least 1 address"));
        }
        for address in addresses.items().filter(|_| is_known) {
            wrong.extend(slice_address(&address, &addresses, kind.text()));
        }
        if host.is_set() {
            wrong.extend(formed(&host, form::label));
        }
    }
    let mut names = BTreeSet::new();
    for port in Field::of(slice, "ports").items() {
        let name = port.at("name");
        if !name.is_empty() {
            wrong.extend(formed(&name, form::label));
        }
        if !names.insert(name.text()) {
            wrong.push(name.duplicate());
        }
        wrong.extend(one_of(&port.at("protocol"), &["SCTP", "TCP", "UDP"]));
        if port.at("appProtocol").is_set() {
            wrong.extend(formed(&port.at("appProtocol"), form::qualified_name));
        }
    }
    wrong
}

fn slice_address(address: &Field<'_>, all: &Field<'_>, kind: &str) -> Vec<Cause> {
    if kind == "FQDN" {
        return formed(address, form::subdomain);
    }
    let Ok(ip) = address.text().parse::<IpAddr>() else { return formed(address, form::ip) };
    let of_kind = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
    if of_kind != kind {
        return vec![Cause::invalid(&all.path, address.value, &format!("must be an {kind} address"))];
    }
    address_for_pods(address)
}
