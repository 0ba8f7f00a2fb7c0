//! How a pod is called, whom it asks for names, and what it shares with its node.

use serde_json::Value;

use super::{resources, scheduling};
use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, Form, formed, in_range, required},
        form,
    },
};

/// On the network of its node, a container has the ports of the node.
pub fn host_ports(spec: &Field<'_>, is_pod: bool) -> Vec<Cause> {
    if !spec.at("hostNetwork").is_true() {
        return Vec::new();
    }
    let ports = spec.at("containers").items().flat_map(|container| container.at("ports").items());
    let differs = |port: &Field<'_>| {
        let (inside, outside) = (port.at("containerPort").number(), port.at("hostPort").number().unwrap_or_default());
        (is_pod || outside != 0) && inside != Some(outside)
    };
    let why = "must match `containerPort` when `hostNetwork` is true";
    ports.filter(differs).map(|port| port.at("hostPort").invalid(why)).collect()
}

pub fn host_users(spec: &Field<'_>) -> Vec<Cause> {
    if spec.at("hostUsers").value != false {
        return Vec::new();
    }
    let shared = [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")];
    let refused = shared.iter().filter(|(name, _)| spec.at(name).is_true());
    refused.map(|(_, shown)| spec.at(shown).forbidden("when `hostUsers` is false")).collect()
}

pub fn dns(spec: &Field<'_>) -> Vec<Cause> {
    let config = spec.at("dnsConfig");
    let servers = config.at("nameservers");
    if spec.at("dnsPolicy").text() == "None" {
        if !config.is_set() {
            return vec![config.required("must provide `dnsConfig` when `dnsPolicy` is None")];
        }
        if servers.is_empty() {
            let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            return vec![servers.required(why)];
        }
    }
    let mut wrong = Vec::new();
    if servers.len() > 3 {
        wrong.push(servers.invalid("must not have more than 3 nameservers"));
    }
    wrong.extend(servers.items().flat_map(|server| formed(&server, form::ip)));
    let searches = config.at("searches");
    if searches.len() > 32 {
        wrong.push(searches.invalid("must not have more than 32 search paths"));
    }
    let length = searches.items().map(|search| search.text().len() + 1).sum::<usize>();
    if length > 2049 {
        let why = "must not have more than 2048 characters (including spaces) in the search list";
        wrong.push(searches.invalid(why));
    }
    for search in searches.items().filter(|search| search.text() != ".") {
        let name = Value::from(search.text().trim_end_matches('.'));
        wrong.extend(formed(&search.with(&name), form::underscored_subdomain));
    }
    for option in config.at("options").items().filter(|option| option.at("name").is_empty()) {
        wrong.push(option.required("must not be empty"));
    }
    wrong
}

/// The single names and numbers of a spec.
pub fn check(spec: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let own = spec.at("hostnameOverride");
    if own.is_set() {
        for (name, set) in [("setHostnameAsFQDN", "setHostnameAsFQDN"), ("hostNetwork", "hostNetwork")] {
            if spec.at(name).is_true() {
                wrong.push(own.forbidden(&format!("may not be specified when {set} is true")));
            }
        }
        if own.text().len() > 64 {
            wrong.push(Cause::too_long(&own.path, 64));
        }
        wrong.extend(formed(&own, form::subdomain));
    }
    let named = |name: &str, wrongly: Form| {
        let field = spec.at(name);
        if field.is_empty() { Vec::new() } else { formed(&field, wrongly) }
    };
    wrong.extend(named("serviceAccountName", form::subdomain));
    wrong.extend(named("nodeName", form::subdomain));
    wrong.extend(in_range(&spec.at("activeDeadlineSeconds"), 1..=i64::from(i32::MAX)));
    wrong.extend(named("hostname", form::label));
    wrong.extend(named("subdomain", form::label));
    wrong.extend(scheduling::tolerations(&spec.at("tolerations")));
    for alias in spec.at("hostAliases").items() {
        wrong.extend(formed(&alias.at("ip"), form::ip));
        wrong.extend(alias.at("hostnames").items().flat_map(|name| formed(&name, form::subdomain)));
    }
    wrong.extend(named("priorityClassName", form::subdomain));
    if spec.at("runtimeClassName").is_set() {
        wrong.extend(formed(&spec.at("runtimeClassName"), form::subdomain));
    }
    let overhead = spec.at("overhead");
    if overhead.is_set() {
        let limits = serde_json::json!({"limits": overhead.value});
        wrong.extend(resources::check(&overhead.with(&limits), resources::Of::Container));
    }
    wrong.extend(required(&spec.at("terminationGracePeriodSeconds"), ""));
    wrong
}
