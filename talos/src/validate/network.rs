//! Links, their addresses and routes.

use std::{collections::BTreeMap, net::IpAddr};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

use super::{Findings, items, number, on, text, texts};
use crate::configuration::{base64, network};

const SMALLEST_KUBESPAN_MTU: i64 = 1280;

pub fn check(network: &Value, found: &mut Findings) {
    let devices = items(&network["interfaces"]);
    let mut members: BTreeMap<&str, &str> = BTreeMap::new();
    for device in devices {
        let (name, bond, bridge) = (text(&device["interface"]), &device["bond"], &device["bridge"]);
        if !bond.is_null() && !bridge.is_null() {
            found.error(format!(
                "interface has both bridge and bond sections set {name:?}: config sections are mutually exclusive"
            ));
        }
        if !items(&bond["interfaces"]).is_empty() && !items(&bond["deviceSelectors"]).is_empty() {
            found.error(format!(
                "interface {name:?} has both interfaces and selectors set: config sections are mutually exclusive"
            ));
        }
        let holder = if bridge.is_null() { bond } else { bridge };
        for member in texts(&holder["interfaces"]) {
            if let Some(other) = members.insert(member, name).filter(|other| *other != name) {
                found.error(format!(
                    "interface {member:?} is declared as part of two separate links: {other:?} and {name:?}"
                ));
            }
        }
    }
    for device in devices {
        if device.is_null() {
            found.error("empty device");
        } else if !on(&device["ignore"]) {
            link(device, found);
            addresses(device, members.contains_key(text(&device["interface"])), found);
            for (index, route) in items(&device["routes"]).iter().enumerate() {
                check_route(index, route, found);
            }
        }
    }
    let kubespan = &network["kubespan"];
    let mtu = number(&kubespan["mtu"]);
    if on(&kubespan["enabled"]) && mtu != 0 && mtu < SMALLEST_KUBESPAN_MTU {
        found.error(format!("kubespan link MTU must be at least {SMALLEST_KUBESPAN_MTU}"));
    }
}

pub fn kubespan(kubespan: &Value, cluster: &Value, found: &mut Findings) {
    if !on(&kubespan["enabled"]) {
        return;
    }
    if !on(&cluster["discovery"]["enabled"]) {
        found.error(".cluster.discovery should be enabled when .machine.network.kubespan is enabled");
    }
    for field in ["id", "secret"].iter().filter(|field| text(&cluster[field]).is_empty()) {
        found.error(format!(".cluster.{field} should be set when .machine.network.kubespan is enabled"));
    }
    for subnet in texts(&kubespan["filters"]["endpoints"]).map(|said| said.strip_prefix('!').unwrap_or(said)) {
        if !is_subnet(subnet) {
            found.error(format!("KubeSpan endpoint filer is not valid: {subnet:?}"));
        }
    }
}

/// Networks and addresses, some of which are excluded by `!`.
pub fn subnets(subnets: &Value, what: &str, found: &mut Findings) {
    for subnet in texts(subnets).map(|said| said.strip_prefix('!').unwrap_or(said)) {
        if !is_subnet(subnet) {
            found.error(format!("{what} is not valid: {subnet:?}"));
        }
    }
}

fn is_subnet(text: &str) -> bool {
    !text.is_empty() && (network(text).is_ok() || text.parse::<IpAddr>().is_ok())
}

fn link(device: &Value, found: &mut Findings) {
    let (name, selector) = (text(&device["interface"]), &device["deviceSelector"]);
    let both = "[networking.os.device.interface], [networking.os.device.deviceSelector]";
    match (name.is_empty(), selector.is_null()) {
        (true, true) => found.error(format!("{both}: required either config section to be set")),
        (false, false) => found.error(format!("{both}: config sections are mutually exclusive")),
        _ => {}
    }
    if selector.as_object().is_some_and(serde_json::Map::is_empty) {
        found.error("[networking.os.device.deviceSelector]: config section should contain at least one field");
    }
    if !device["bond"].is_null() {
        bond(&device["bond"], found);
    }
    if !device["wireguard"].is_null() {
        wireguard(&device["wireguard"], found);
    }
    for vlan in items(&device["vlans"]) {
        check_vlan(name, vlan, found);
    }
}

/// What a field of a bond may say, and how it is told that it doesn't.
const WORDS_OF_BONDS: [(&str, &[&str], &str); 8] = [
    (
        "mode",
        &["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"],
        "invalid bond type",
    ),
    ("xmitHashPolicy", &["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4"], "invalid xmit hash policy"),
    ("lacpRate", &["slow", "fast"], "invalid lacp rate"),
    ("arpValidate", &["none", "active", "backup", "all"], "invalid arp_validate mode"),
    ("arpAllTargets", &["any", "all"], "invalid arp_all_targets mode"),
    ("primaryReselect", &["always", "better", "failure"], "invalid primary_reselect mode"),
    ("failOverMac", &["none", "active", "follow"], "invalid fail_over_mac value"),
    ("adSelect", &["stable", "bandwidth", "count"], "invalid ad_select mode"),
];

fn bond(bond: &Value, found: &mut Findings) {
    for (field, words, wrong) in WORDS_OF_BONDS {
        let said = text(&bond[field]);
        if !said.is_empty() && !words.contains(&said) {
            found.error(format!("{wrong} {said}"));
        }
    }
    let (interval, up, down) = (number(&bond["miimon"]), number(&bond["updelay"]), number(&bond["downdelay"]));
    for (name, delay) in [("upDelay", up), ("downDelay", down)] {
        if interval == 0 && delay != 0 {
            found.error(format!("bond.{name} can't be set if miiMon is zero"));
        } else if interval != 0 && delay % interval != 0 {
            found.error(format!("bond.{name} should be a multiple of miiMon"));
        }
    }
    let (_, modes, _) = WORDS_OF_BONDS[0];
    let mode = modes.iter().find(|mode| **mode == text(&bond["mode"])).copied().unwrap_or("balance-rr");
    let (lacp, balanced) = (mode == "802.3ad", ["balance-tlb", "balance-alb"].contains(&mode));
    let said = |field: &str| !text(&bond[field]).is_empty();
    let counted = |field: &str, least: i64| number(&bond[field]) > least;
    let not_here = |name: &str| format!("bond.{name} is not available in {mode} mode");
    let rules = [
        (!items(&bond["arpIPTarget"]).is_empty(), "bond.arpIPTarget is not supported".to_owned()),
        (said("lacpRate") && !lacp, "bond.lacpRate is only available in 802.3ad mode".to_owned()),
        (said("adActorSystem"), "bond.adActorSystem is not supported".to_owned()),
        (said("arpValidate") && (lacp || balanced), not_here("arpValidate")),
        (said("primary") && !(balanced || mode == "active-backup"), not_here("primary")),
        (counted("arpInterval", 0) && (lacp || balanced), not_here("arpInterval")),
        (counted("packetsPerSlave", 1) && mode != "balance-rr", not_here("packetsPerSlave")),
        (counted("tlbDynamicLb", 0) && !balanced, not_here("tlbDynamicTLB")),
        (counted("adActorSysPrio", 0) && !lacp, "bond.adActorSysPrio is only available in 802.3ad mode".to_owned()),
        (counted("adUserPortKey", 0) && !lacp, "bond.adUserPortKey is only available in 802.3ad mode".to_owned()),
    ];
    found.errors.extend(rules.into_iter().filter(|(broken, _)| *broken).map(|(_, rule)| rule));
}

fn wireguard(wireguard: &Value, found: &mut Findings) {
    let key = |key: &str, shown: &str| match BASE64_STANDARD.decode(key) {
        Ok(raw) if raw.len() == 32 => Ok(()),
        Ok(raw) => Err(format!("wrong key{shown} length: {}", raw.len())),
        Err(_) => Err(base64(key).err().unwrap_or_default()),
    };
    // Talos shows it; it is nobody's to see.
    if let Err(why) = key(text(&wireguard["privateKey"]), "") {
        found.error(format!("private key is invalid: {why}"));
    }
    for peer in items(&wireguard["peers"]) {
        let public = text(&peer["publicKey"]);
        if let Err(why) = key(public, &format!(" {public:?}")) {
            found.error(format!("public key invalid: {why}"));
        }
        let endpoint = text(&peer["endpoint"]);
        if !endpoint.is_empty() && !has_port(endpoint) {
            found.error(format!("peer endpoint {endpoint:?} is invalid"));
        }
        for address in texts(&peer["allowedIPs"]) {
            if let Err(why) = cidr(address) {
                found.error(format!("peer allowed IP {address:?} is invalid: {why}"));
            }
        }
    }
}

/// Whether it is a host and a port, with brackets around addresses that have colons themselves.
pub fn has_port(endpoint: &str) -> bool {
    match endpoint.rsplit_once(':') {
        Some((host, _)) => match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) => !address.contains(':') || address.parse::<IpAddr>().is_ok(),
            None => !host.contains([':', '[', ']']),
        },
        None => false,
    }
}

fn check_vlan(device: &str, vlan: &Value, found: &mut Findings) {
    let (id, address) = (number(&vlan["vlanId"]), text(&vlan["cidr"]));
    let addresses = &vlan["addresses"];
    if !items(addresses).is_empty() && !address.is_empty() {
        found
            .error(format!("[networking.os.device.vlan] {device}.{id}: vlan can't have both .cidr and .addresses set"));
    }
    if !address.is_empty()
        && let Err(why) = address_or_cidr(address)
    {
        found.error(format!("[networking.os.device.vlan.CIDR] {device}.{id}: {why}"));
    }
    for why in texts(addresses).filter_map(|address| address_or_cidr(address).err()) {
        found.error(format!("[networking.os.device.vlan.addresses] {device}.{id}: {why}"));
    }
}

fn addresses(device: &Value, member: bool, found: &mut Findings) {
    let name = text(&device["interface"]);
    let (old, new, shared) = (text(&device["cidr"]), &device["addresses"], &device["vip"]);
    if member && (on(&device["dhcp"]) || !old.is_empty() || !items(new).is_empty() || !shared.is_null()) {
        found.error(format!(
            "[networking.os.device] {name:?}: bonded/bridged interface shouldn't have any addressing methods configured"
        ));
    }
    if !items(new).is_empty() && !old.is_empty() {
        found.error(format!("[networking.os.device] {name:?}: interface can't have both .cidr and .addresses set"));
    }
    if !old.is_empty() {
        if let Err(why) = address_or_cidr(old) {
            found.error(format!("[networking.os.device.CIDR] {name:?}: {why}"));
        }
        found.warnings.push(format!(
            "{name:?}: machine.network.interface.cidr is deprecated, please use machine.network.interface.addresses"
        ));
    }
    for why in texts(new).filter_map(|address| address_or_cidr(address).err()) {
        found.error(format!("[networking.os.device.addresses] {name:?}: {why}"));
    }
    let address = text(&shared["ip"]);
    if !shared.is_null() && address.parse::<IpAddr>().is_err() {
        found.error(format!("[networking.os.device.vip] failed to parse {address:?} as IP address"));
    }
}

fn check_route(index: usize, route: &Value, found: &mut Findings) {
    let (network, gateway) = (text(&route["network"]), text(&route["gateway"]));
    let mut wrong = |part: &str, said: &str| {
        found.error(format!("[networking.os.device.route[{index}].{part}] {said:?}: invalid network address"));
    };
    if !network.is_empty() && cidr(network).is_err() {
        wrong("network", network);
    }
    if !gateway.is_empty() && gateway.parse::<IpAddr>().is_err() {
        wrong("gateway", gateway);
    }
    let source = text(&route["source"]);
    if !source.is_empty() && source.parse::<IpAddr>().is_err() {
        wrong("source", source);
    }
    if network.is_empty() && gateway.is_empty() {
        found.error(format!("[networking.os.device.route[{index}]]: either network or gateway should be set"));
    }
}

fn cidr(text: &str) -> Result<(), String> {
    match text.contains('/') && network(text).is_ok() {
        true => Ok(()),
        false => Err(format!("invalid CIDR address: {text}")),
    }
}

fn address_or_cidr(text: &str) -> Result<(), String> {
    match text.contains('/') {
        true => cidr(text),
        false if text.parse::<IpAddr>().is_ok() => Ok(()),
        false => Err(format!("failed to parse IP address {text:?}")),
    }
}
