//! What the cluster gives to a service: addresses and ports that no other service has.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    ops::RangeInclusive,
};

use serde_json::{Value, json};

use super::{check, has_health_port, is_headless, kind};
use crate::kubernetes::{
    answer::{Cause, Refusal},
    cluster::Cluster,
    rules::{
        field::Field,
        fill::{default, items, remove},
    },
};

/// The network of services: 10.0.0.0/24, of which the low addresses are given only to those who ask for them.
const NETWORK: [u8; 3] = [10, 0, 0];
const HOSTS: RangeInclusive<u8> = 1..=254;
const FIRST_DRAWN: u8 = 17;

/// The ports that nodes have for services, of which the low ones are given only to those who ask for them.
const PORTS: RangeInclusive<i64> = 30000..=32767;
const FIRST_PORT_DRAWN: i64 = 30086;

pub fn allot(service: &mut Value, there: Option<&Value>, cluster: &Cluster, dry_run: bool) -> Result<(), Refusal> {
    let name = service["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let before = there.map(|there| &there["spec"]);
    let spec = &mut service["spec"];
    if let Some(before) = before {
        take_over(spec, before);
    }
    agree_on_addresses(spec, before);
    let invalid = |wrong: Vec<Cause>| Refusal::invalid("Service", "", &name, wrong);
    if kind(spec) == "ExternalName" {
        return Ok(());
    }
    families(service, there).map_err(invalid)?;
    let used = Used::by_others(cluster, service);
    let draws = (!dry_run).then_some(cluster);
    let spec = &mut service["spec"];
    let had_address = before.is_some_and(|before| kind(before) != "ExternalName");
    if !had_address && !is_headless(spec) {
        address(&name, spec, &used, draws).map_err(|wrong| invalid(vec![wrong]))?;
    }
    let mut ports = Ports { used: used.ports, taken: BTreeSet::new(), draws };
    if matches!(kind(spec), "NodePort" | "LoadBalancer") {
        match before {
            None => new_ports(spec, &mut ports).map_err(|wrong| invalid(vec![wrong]))?,
            Some(before) => changed_ports(spec, before, &mut ports, &name)?,
        }
    }
    if has_health_port(spec) && !before.is_some_and(has_health_port) {
        match spec["healthCheckNodePort"].as_i64().unwrap_or_default() {
            0 => spec["healthCheckNodePort"] = json!(ports.next()),
            wanted => ports.take(wanted).map_err(|why| {
                Refusal::internal(&format!("failed to allocate requested HealthCheck NodePort {wanted}: {why}"))
            })?,
        }
    }
    Ok(())
}

/// What others have.
struct Used {
    addresses: BTreeSet<String>,
    ports: BTreeSet<i64>,
}

impl Used {
    fn by_others(cluster: &Cluster, service: &Value) -> Self {
        let mut used = Self { addresses: BTreeSet::new(), ports: BTreeSet::new() };
        let metadata = &service["metadata"];
        for (key, other) in cluster.store.list(&"services".into(), None).1 {
            if metadata["name"] != key.name.as_str() || metadata["namespace"] != key.namespace.as_str() {
                let spec = Field::of(&other, "spec");
                used.addresses.extend(spec.at("clusterIPs").items().map(|ip| ip.text().to_owned()));
                used.ports.extend(ports_of(spec.value));
                used.ports.extend(spec.at("healthCheckNodePort").number());
            }
        }
        used
    }
}

/// The ports of nodes that a service has.
fn ports_of(spec: &Value) -> BTreeSet<i64> {
    Field::whole(spec).at("ports").items().filter_map(|port| port.at("nodePort").number()).collect()
}

/// Ports of nodes as one write takes them. Without a cluster to draw from they are what nobody is given.
struct Ports<'c> {
    used: BTreeSet<i64>,
    taken: BTreeSet<i64>,
    draws: Option<&'c Cluster>,
}

impl Ports<'_> {
    fn take(&mut self, port: i64) -> Result<(), String> {
        if self.draws.is_some() && !PORTS.contains(&port) {
            let (first, last) = (PORTS.start(), PORTS.end());
            return Err(format!("provided port is not in the valid range. The range of valid ports is {first}-{last}"));
        }
        if self.used.contains(&port) || !self.taken.insert(port) {
            return Err("provided port is already allocated".to_owned());
        }
        Ok(())
    }

    fn next(&mut self) -> i64 {
        let next = match self.draws {
            None => self.taken.last().map_or(PORTS.end() + 2, |last| last + 1),
            Some(cluster) => {
                let is_free = |port: &i64| !self.used.contains(port) && !self.taken.contains(port);
                let free: Vec<i64> = (FIRST_PORT_DRAWN..=*PORTS.end()).filter(is_free).collect();
                free.get(cluster.draw(free.len())).copied().unwrap_or_default()
            }
        };
        self.taken.insert(next);
        next
    }
}

/// Who sends the same again without what they were given keeps it.
fn take_over(spec: &mut Value, before: &Value) {
    if kind(before) != "ExternalName" && kind(spec) != "ExternalName" {
        for field in ["clusterIP", "clusterIPs"] {
            if let Some(value) = before.get(field) {
                default(spec, field, value.clone());
            }
        }
    }
    let has_ports = |spec: &Value| matches!(kind(spec), "NodePort" | "LoadBalancer");
    if has_ports(before) && has_ports(spec) {
        let in_use = &ports_of(before) & &ports_of(spec);
        for port in items(spec, "ports") {
            let known = Field::whole(before).at("ports").items().find(|known| known.at("name").value == &port["name"]);
            let number = known.and_then(|known| known.at("nodePort").number());
            if let Some(number) = number.filter(|number| !in_use.contains(number)) {
                default(port, "nodePort", number);
            }
        }
    }
    if has_health_port(before) && has_health_port(spec) {
        default(spec, "healthCheckNodePort", before["healthCheckNodePort"].clone());
    }
}

/// `clusterIPs` follows `clusterIP`, for those who know only that.
fn agree_on_addresses(spec: &mut Value, before: Option<&Value>) {
    let (one, all) = (spec.get("clusterIP").cloned(), spec.get("clusterIPs").cloned());
    let same = |field: &str, value: &Option<Value>| before.is_some_and(|before| before.get(field) == value.as_ref());
    match (one, &all) {
        (Some(one), None) if before.is_none() => spec["clusterIPs"] = json!([one]),
        (Some(one), _) if before.is_some() && !same("clusterIP", &Some(one.clone())) && same("clusterIPs", &all) => {
            spec["clusterIPs"] = json!([one]);
        }
        (None, _) if !same("clusterIP", &None) && same("clusterIPs", &all) => {
            remove(spec, "clusterIPs");
        }
        _ => {}
    }
}

fn families(service: &mut Value, there: Option<&Value>) -> Result<(), Vec<Cause>> {
    let spec = &mut service["spec"];
    let selects = spec["selector"].as_object().is_some_and(|selector| !selector.is_empty());
    let free = spec["clusterIP"] == "None" && !selects;
    let known = there.and_then(|there| there["spec"].get("ipFamilyPolicy"));
    let policy = known.cloned().unwrap_or_else(|| json!(if free { "RequireDualStack" } else { "SingleStack" }));
    default(spec, "ipFamilyPolicy", policy);
    if spec.get("ipFamilies").is_none()
        && let Some(known) = there.and_then(|there| there["spec"].get("ipFamilies"))
        && spec.get("clusterIP") == there.and_then(|there| there["spec"].get("clusterIP"))
    {
        spec["ipFamilies"] = known.clone();
    }
    let wrong = check::addresses(service);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let spec = &mut service["spec"];
    let mut wrong = Vec::new();
    let mut families: Vec<String> =
        Field::whole(spec).at("ipFamilies").items().map(|family| family.text().to_owned()).collect();
    {
        let spec = Field::of(service, "spec");
        let (policy, addresses) = (spec.at("ipFamilyPolicy"), spec.at("clusterIPs"));
        if policy.text() == "SingleStack" {
            let needs = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
            if addresses.len() == 2 {
                wrong.push(policy.invalid(&format!("{needs} cluster IPs are specified")));
            }
            if families.len() == 2 {
                wrong.push(policy.invalid(&format!("{needs} IP families are specified")));
            }
        }
        for (index, address) in addresses.items().enumerate().filter(|(_, address)| address.text() != "None") {
            if index < families.len() {
                continue;
            }
            if address.text().contains(':') {
                wrong.push(Cause::invalid(address.path, addresses.value, "IPv6 is not configured on this cluster"));
            } else {
                families.push("IPv4".to_owned());
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let spec = Field::of(service, "spec");
    let policy = spec.at("ipFamilyPolicy");
    if free {
        if families.is_empty() {
            families.push("IPv4".to_owned());
        }
        if families.len() < 2 && policy.text() != "SingleStack" {
            families.push(if families[0] == "IPv4" { "IPv6" } else { "IPv4" }.to_owned());
        }
    } else {
        if policy.text() == "RequireDualStack" {
            wrong.push(policy.invalid("this cluster is not configured for dual-stack services"));
        }
        for family in spec.at("ipFamilies").items().filter(|family| family.text() != "IPv4") {
            wrong.push(family.invalid("not configured on this cluster"));
        }
        if families.is_empty() {
            families.push("IPv4".to_owned());
        }
    }
    service["spec"]["ipFamilies"] = json!(families);
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Gives a service an address. Without a cluster to draw one from, it is one that nobody is given.
fn address(service: &str, spec: &mut Value, used: &Used, cluster: Option<&Cluster>) -> Result<(), Cause> {
    let addresses = Field::whole(spec).at("clusterIPs");
    let wanted = addresses.items().next().map(|ip| ip.text().to_owned()).unwrap_or_default();
    let none = json!([""]);
    let given = if wanted.is_empty() { &none } else { addresses.value };
    let refused = |why: String| Cause::invalid("spec.clusterIPs", given, &why);
    if !wanted.is_empty() {
        let [a, b, c] = NETWORK;
        let inside = wanted.parse::<Ipv4Addr>().is_ok_and(|ip| {
            let [x, y, z, host] = ip.octets();
            [x, y, z] == [a, b, c] && HOSTS.contains(&host)
        });
        if !inside {
            let why = "the provided network does not match the current range";
            return Err(refused(format!("failed to allocate IP {wanted}: {why}")));
        }
        if cluster.is_none() {
            return Ok(());
        }
        if used.addresses.contains(&wanted) {
            return Err(refused(format!("failed to allocate IP {wanted}: provided IP is already allocated")));
        }
        return match service {
            "" => Err(refused(format!("failed to allocate IP {wanted}: {}", nobodys(&wanted)))),
            _ => Ok(()),
        };
    }
    let [a, b, c] = NETWORK;
    let Some(cluster) = cluster else {
        give(spec, format!("{a}.{b}.{c}.0"));
        return Ok(());
    };
    let free = |hosts: RangeInclusive<u8>| -> Vec<String> {
        let all = hosts.map(|host| format!("{a}.{b}.{c}.{host}"));
        all.filter(|ip| !used.addresses.contains(ip)).collect()
    };
    let mut choice = free(FIRST_DRAWN..=*HOSTS.end());
    if choice.is_empty() {
        choice = free(HOSTS);
    }
    if choice.is_empty() {
        return Err(refused("failed to allocate IP: range is full".to_owned()));
    }
    let drawn = choice.swap_remove(cluster.draw(choice.len()));
    if service.is_empty() {
        return Err(refused(format!("failed to allocate IP: {}", nobodys(&drawn))));
    }
    give(spec, drawn);
    Ok(())
}

fn give(spec: &mut Value, address: String) {
    spec["clusterIPs"] = json!([address]);
    spec["clusterIP"] = json!(address);
}

/// What is said of an address for a service without a name: an object of its own says whose it is.
fn nobodys(address: &str) -> String {
    format!("IPAddress.networking.k8s.io \"{address}\" is invalid: spec.parentRef.name: Required value")
}

/// True if a service has ports of nodes that it doesn't ask for.
fn is_given_ports(spec: &Value) -> bool {
    kind(spec) == "NodePort" || spec["allocateLoadBalancerNodePorts"] != false
}

fn refused_port(index: usize, port: i64, why: &str) -> Cause {
    Cause::invalid(format!("spec.ports[{index}].nodePort"), &json!(port), why)
}

/// Gives a new service its ports. Several protocols on one port of the service are on one port of the nodes.
fn new_ports(spec: &mut Value, ports: &mut Ports<'_>) -> Result<(), Cause> {
    let gives = is_given_ports(spec);
    let asked: Vec<(i64, Option<i64>)> = Field::whole(spec)
        .at("ports")
        .items()
        .map(|port| (port.at("port").number().unwrap_or_default(), port.at("nodePort").number()))
        .collect();
    let mut shared = BTreeMap::new();
    for (index, port) in items(spec, "ports").enumerate() {
        let (of, wanted) = asked[index];
        match (shared.get(&of), wanted) {
            (_, None) if !gives => continue,
            (None, _) => {
                let number = match asked.iter().find_map(|(other, wanted)| wanted.filter(|_| *other == of)) {
                    Some(wanted) => {
                        ports.take(wanted).map_err(|why| refused_port(index, wanted, &why))?;
                        wanted
                    }
                    None => ports.next(),
                };
                port["nodePort"] = json!(number);
                shared.insert(of, number);
            }
            (Some(number), None) => port["nodePort"] = json!(number),
            (Some(number), Some(wanted)) if *number != wanted => {
                ports.take(wanted).map_err(|why| refused_port(index, wanted, &why))?;
            }
            (Some(_), Some(_)) => {}
        }
    }
    Ok(())
}

/// Gives a service that was there the ports that it has not yet, each one of its own.
fn changed_ports(spec: &mut Value, before: &Value, ports: &mut Ports<'_>, name: &str) -> Result<(), Refusal> {
    let gives = is_given_ports(spec);
    let known = ports_of(before);
    ports.used.extend(&known);
    ports.used.extend(before["healthCheckNodePort"].as_i64());
    let (mut asked, mut had) = (BTreeSet::new(), BTreeSet::new());
    for (index, port) in items(spec, "ports").enumerate() {
        let number = match port["nodePort"].as_i64() {
            None if !gives => continue,
            None => ports.next(),
            Some(wanted) => {
                if !known.contains(&wanted) && asked.insert(wanted) {
                    let refused =
                        |why: String| Refusal::invalid("Service", "", name, vec![refused_port(index, wanted, &why)]);
                    ports.take(wanted).map_err(refused)?;
                }
                wanted
            }
        };
        port["nodePort"] = json!(number);
        let protocol = port["protocol"].as_str().unwrap_or_default().to_owned();
        if !had.insert((protocol.clone(), number)) {
            return Err(Refusal::internal(&format!("duplicate nodePort: {{{protocol} {number}}}")));
        }
    }
    Ok(())
}
