//! What is wrong with a service.

use std::{collections::BTreeSet, net::IpAddr};

use serde_json::{Value, json};

use super::{has_health_port, is_external, is_headless};
use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{self, Field, formed, one_of},
        form,
    },
};

const LONGEST_AFFINITY: i64 = 86400;

pub fn service(service: &Value) -> Vec<Cause> {
    let spec = Field::of(service, "spec");
    let kind = spec.at("type");
    let mut wrong = Vec::new();
    if spec.at("ports").is_empty() && !is_headless(spec.value) && kind.text() != "ExternalName" {
        wrong.push(spec.at("ports").required(""));
    }
    match kind.text() {
        named @ ("LoadBalancer" | "NodePort") if is_headless(spec.value) => {
            let why = format!("may not be set to 'None' for {named} services");
            wrong.push(Cause::invalid("spec.clusterIPs[0]", &json!("None"), &why));
        }
        "ExternalName" => wrong.extend(external_name(&spec)),
        _ => {}
    }
    wrong.extend(ports(&spec));
    wrong.extend(field::labels(&spec.at("selector")));
    wrong.extend(one_of(&spec.at("sessionAffinity"), &["ClientIP", "None"]));
    wrong.extend(affinity(&spec));
    wrong.extend(addresses(service));
    for ip in spec.at("externalIPs").items() {
        wrong.extend(external_ip(&ip));
    }
    wrong.extend(one_of(&kind, &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]));
    wrong.extend(twice(&spec));
    wrong.extend(load_balancer(&spec));
    wrong.extend(traffic(&spec));
    wrong
}

fn external_name(spec: &Field<'_>) -> Vec<Cause> {
    let fields = ["clusterIPs", "ipFamilies", "ipFamilyPolicy"].map(|name| spec.at(name));
    let given = fields.iter().filter(|field| !field.is_empty());
    let mut wrong: Vec<Cause> =
        given.map(|field| field.forbidden("may not be set for ExternalName services")).collect();
    let name = spec.at("externalName");
    let bare = name.text().trim_end_matches('.');
    if bare.is_empty() {
        wrong.push(name.required(""));
    } else {
        wrong.extend(form::subdomain(bare).iter().map(|why| Cause::invalid(&name.path, &json!(bare), why)));
    }
    wrong
}

fn ports(spec: &Field<'_>) -> Vec<Cause> {
    let all = spec.at("ports");
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for port in all.items() {
        let name = port.at("name");
        if !name.is_empty() {
            wrong.extend(formed(&name, form::label));
            if !names.insert(name.text()) {
                wrong.push(name.duplicate());
            }
        } else if all.len() > 1 {
            wrong.push(name.required(""));
        }
        wrong.extend(field::port(&port.at("port")));
        wrong.extend(one_of(&port.at("protocol"), &["SCTP", "TCP", "UDP"]));
        wrong.extend(field::port_or_name(&port.at("targetPort")));
        if port.at("appProtocol").is_set() {
            wrong.extend(formed(&port.at("appProtocol"), form::qualified_name));
        }
    }
    wrong
}

fn affinity(spec: &Field<'_>) -> Option<Cause> {
    if spec.at("sessionAffinity").text() != "ClientIP" {
        return None;
    }
    let timeout = spec.at("sessionAffinityConfig").at("clientIP").at("timeoutSeconds");
    let allowed = timeout.number().is_some_and(|seconds| (1..=LONGEST_AFFINITY).contains(&seconds));
    (!allowed).then(|| timeout.invalid(&format!("must be greater than 0 and less than {LONGEST_AFFINITY}")))
}

/// What is wrong with the addresses of a service and their families.
pub fn addresses(service: &Value) -> Vec<Cause> {
    let spec = Field::of(service, "spec");
    if spec.at("type").text() == "ExternalName" {
        return Vec::new();
    }
    let (one, all, families) = (spec.at("clusterIP"), spec.at("clusterIPs"), spec.at("ipFamilies"));
    let mut wrong = Vec::new();
    match (one.is_empty(), all.items().next()) {
        (false, None) => wrong.push(all.required("")),
        (false, Some(first)) if first.text() != one.text() => {
            wrong.push(all.invalid("first value must match `clusterIP`"));
        }
        (true, Some(_)) => wrong.push(all.invalid("must be empty when `clusterIP` is not specified")),
        _ => {}
    }
    let mut seen = BTreeSet::new();
    for family in families.items() {
        wrong.extend(one_of(&family, &["IPv4", "IPv6"]));
        if !seen.insert(family.text()) {
            wrong.push(family.duplicate());
        }
    }
    let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    wrong.extend(one_of(&spec.at("ipFamilyPolicy"), &policies));
    let mut malformed = Vec::new();
    for (index, ip) in all.items().enumerate() {
        if index > 0 || ip.text() != "None" {
            malformed.extend(formed(&ip, form::ip));
        } else if all.len() > 1 {
            malformed.push(all.invalid("'None' must be the first and only value"));
        }
    }
    let stop = !malformed.is_empty();
    wrong.extend(malformed);
    if all.len() > 2 {
        wrong.push(all.invalid("may only hold up to 2 values"));
    }
    if stop {
        return wrong;
    }
    let is_v6 = |ip: &Field<'_>| ip.text().contains(':');
    let kinds: BTreeSet<bool> = all.items().map(|ip| is_v6(&ip)).collect();
    if all.len() > 1 && kinds.len() < 2 {
        wrong.push(all.invalid("may specify no more than one IP for each IP family"));
    }
    if !is_headless(spec.value) {
        for ((index, ip), family) in all.items().enumerate().zip(families.items()) {
            let expected = if is_v6(&ip) { "IPv6" } else { "IPv4" };
            if matches!(family.text(), "IPv4" | "IPv6") && family.text() != expected {
                let asked = family.text();
                wrong.push(ip.invalid(&format!("expected an {asked} value as indicated by `ipFamilies[{index}]`")));
            }
        }
    }
    wrong
}

fn external_ip(field: &Field<'_>) -> Vec<Cause> {
    let Ok(ip) = field.text().parse::<IpAddr>() else { return formed(field, form::ip) };
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

/// Ports that two entries have, and ports of nodes where there may be none.
fn twice(spec: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let (mut of_nodes, mut of_service) = (BTreeSet::new(), BTreeSet::new());
    let ports = spec.at("ports");
    let given = |port: &Field<'_>| port.at("nodePort").number().is_some_and(|number| number != 0);
    if spec.at("type").text() == "ClusterIP" {
        let given = ports.items().filter(given);
        wrong.extend(given.map(|port| port.at("nodePort").forbidden("may not be used when `type` is 'ClusterIP'")));
    }
    for port in ports.items().filter(given) {
        let number = port.at("nodePort");
        if !of_nodes.insert((port.at("protocol").text(), number.number())) {
            wrong.push(number.duplicate());
        }
    }
    for port in ports.items() {
        let (protocol, number) = (port.at("protocol"), port.at("port"));
        if !of_service.insert((protocol.text(), number.number())) {
            let told = json!({
                "Name": "", "Protocol": protocol.value, "AppProtocol": null, "Port": number.value, "TargetPort": 0, "NodePort": 0,
            });
            wrong.push(Cause::duplicate(&port.path, &told));
        }
    }
    wrong
}

fn load_balancer(spec: &Field<'_>) -> Vec<Cause> {
    let only = "may only be used when `type` is 'LoadBalancer'";
    let balanced = spec.at("type").text() == "LoadBalancer";
    let mut wrong = Vec::new();
    let ranges = Field { path: "spec.LoadBalancerSourceRanges".to_owned(), ..spec.at("loadBalancerSourceRanges") };
    if !ranges.is_empty() && !balanced {
        wrong.push(ranges.forbidden(only));
    }
    for range in ranges.items() {
        wrong.extend(form::network(range.text().trim()).iter().map(|why| range.invalid(why)));
    }
    let allocates = spec.at("allocateLoadBalancerNodePorts");
    if allocates.is_set() && !balanced {
        wrong.push(allocates.forbidden(only));
    }
    wrong.extend(class(spec));
    wrong
}

/// What is wrong with where a service says that it is reached from outside.
pub fn status(service: &Value, there: &Value) -> Vec<Cause> {
    let [ingress, before] = [service, there].map(|service| Field::of(service, "status.loadBalancer.ingress"));
    if Field::of(service, "spec.type").text() != "LoadBalancer" && !ingress.is_empty() {
        return vec![ingress.forbidden("may only be used when `spec.type` is 'LoadBalancer'")];
    }
    let known: Vec<&str> = before.items().map(|place| place.at("ip").text()).collect();
    let mut wrong = Vec::new();
    for place in ingress.items() {
        let [ip, mode, host] = ["ip", "ipMode", "hostname"].map(|name| place.at(name));
        if !ip.is_empty() && !known.contains(&ip.text()) {
            wrong.extend(formed(&ip, form::ip));
        }
        match (mode.is_set(), ip.is_empty()) {
            (false, false) => wrong.push(mode.required("must be specified when `ip` is set")),
            (true, true) => wrong.push(mode.forbidden("may not be specified when `ip` is not set")),
            _ => wrong.extend(one_of(&mode, &["Proxy", "VIP"])),
        }
        if !host.is_empty() {
            wrong.extend(formed(&host, form::subdomain));
            if host.text().parse::<IpAddr>().is_ok() {
                wrong.push(host.invalid("must be a DNS name, not an IP address"));
            }
        }
    }
    wrong
}

fn class(spec: &Field<'_>) -> Vec<Cause> {
    let class = spec.at("loadBalancerClass");
    match spec.at("type").text() {
        _ if !class.is_set() => Vec::new(),
        "LoadBalancer" => formed(&class, form::qualified_name),
        _ => vec![class.forbidden("may only be used when `type` is 'LoadBalancer'")],
    }
}

fn traffic(spec: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let (external, health) = (spec.at("externalTrafficPolicy"), spec.at("healthCheckNodePort"));
    if is_external(spec.value) {
        wrong.extend(one_of(&external, &["Cluster", "Local"]));
    } else if !external.is_empty() {
        wrong.push(external.invalid("may only be set for externally-accessible services"));
    }
    if has_health_port(spec.value) {
        match health.number().unwrap_or_default() {
            0 => wrong.push(health.required("")),
            _ => wrong.extend(field::port(&health)),
        }
    } else if health.number().is_some_and(|port| port != 0) {
        let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        wrong.push(health.invalid(why));
    }
    wrong.extend(one_of(&spec.at("internalTrafficPolicy"), &["Cluster", "Local"]));
    let near = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    wrong.extend(one_of(&spec.at("trafficDistribution"), &near));
    wrong
}

/// What may not change.
pub fn change(service: &Value, there: &Value) -> Vec<Cause> {
    let (spec, before) = (Field::of(service, "spec"), Field::of(there, "spec"));
    let mut wrong = Vec::new();
    let named = |spec: &Field<'_>| spec.at("type").text() == "ExternalName";
    let headless = [is_headless(spec.value), is_headless(before.value)];
    if !named(&spec) && !named(&before) {
        let pairs = |field: &str| !before.at(field).is_empty() && spec.at(field).value != before.at(field).value;
        if headless != [true, true] && pairs("clusterIPs") {
            let all = spec.at("clusterIPs");
            wrong.push(Cause::invalid("spec.clusterIPs[0]", all.value, "may not change once set"));
        }
        if headless == [false, false] && pairs("ipFamilies") && spec.at("ipFamilies").len() == 1 {
            let all = spec.at("ipFamilies");
            wrong.push(Cause::invalid("spec.ipFamilies[0]", all.value, "may not change once set"));
        }
    }
    let balanced = |spec: &Field<'_>| spec.at("type").text() == "LoadBalancer";
    let class = spec.at("loadBalancerClass");
    if balanced(&spec) && balanced(&before) && class.value != before.at("loadBalancerClass").value {
        wrong.push(class.invalid("may not change once set"));
    }
    // The real server tells this once more for a change.
    wrong.extend(self::class(&spec));
    let health = spec.at("healthCheckNodePort");
    if has_health_port(spec.value)
        && has_health_port(before.value)
        && health.value != before.at("healthCheckNodePort").value
    {
        wrong.push(health.forbidden("field is immutable"));
    }
    wrong
}
