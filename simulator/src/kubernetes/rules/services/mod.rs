//! Services.

mod allot;
mod check;

use serde_json::{Value, json};

use super::{
    Look, NameForm, Rules,
    field::Field,
    fill::{default, items, remove},
};
use crate::kubernetes::{
    answer::{Cause, Refusal},
    cluster::Cluster,
};

pub struct Services;

/// How long a client stays with a pod by its address, if nobody says.
const AFFINITY_SECONDS: u64 = 10800;

impl Rules for Services {
    fn warnings(&self, service: &Value) -> Vec<String> {
        let spec = &service["spec"];
        let mut warnings = Vec::new();
        let mut warn = |text: &str| warnings.push(text.to_owned());
        let given = |field: &str| Field::whole(spec).at(field);
        let headless = kind(spec) == "ClusterIP" && spec["clusterIP"] == "None";
        let external_ips = !given("externalIPs").is_empty();
        let named = kind(spec) == "ExternalName";
        if headless && !given("loadBalancerIP").is_empty() {
            warn("spec.loadBalancerIP is ignored for headless services");
        }
        if headless && external_ips {
            warn("spec.externalIPs is ignored for headless services");
        }
        if headless && spec["sessionAffinity"] != "None" {
            warn("spec.SessionAffinity is ignored for headless services");
        }
        if external_ips && !headless && !named {
            warn("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
        }
        if external_ips && named {
            warn("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
        }
        if !named && !given("externalName").is_empty() {
            warn("spec.externalName is ignored when spec.type is not \"ExternalName\"");
        }
        if spec["trafficDistribution"] == "PreferClose" {
            warn("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"");
        }
        warnings
    }

    fn replacing_creates(&self) -> bool {
        true
    }

    fn fill_in(&self, service: &mut Value) {
        let spec = &mut service["spec"];
        default(spec, "sessionAffinity", "None");
        default(spec, "type", "ClusterIP");
        match spec["sessionAffinity"].as_str() {
            Some("None") => drop(remove(spec, "sessionAffinityConfig")),
            Some("ClientIP") if spec.pointer("/sessionAffinityConfig/clientIP/timeoutSeconds").is_none() => {
                spec["sessionAffinityConfig"] = json!({"clientIP": {"timeoutSeconds": AFFINITY_SECONDS}});
            }
            _ => {}
        }
        for port in items(spec, "ports") {
            default(port, "protocol", "TCP");
            if matches!(port.get("targetPort").unwrap_or(&json!(0)), found if *found == 0 || found == "") {
                port["targetPort"] = port["port"].clone();
            }
        }
        if is_external(spec) {
            default(spec, "externalTrafficPolicy", "Cluster");
        }
        if matches!(kind(spec), "NodePort" | "LoadBalancer" | "ClusterIP") {
            default(spec, "internalTrafficPolicy", "Cluster");
        }
        if kind(spec) == "LoadBalancer" {
            default(spec, "allocateLoadBalancerNodePorts", true);
            for ingress in items(&mut service["status"]["loadBalancer"], "ingress") {
                if ingress.get("ip").is_some() {
                    default(ingress, "ipMode", "VIP");
                }
            }
        }
    }

    fn allot(
        &self,
        service: &mut Value,
        there: Option<&Value>,
        cluster: &Cluster,
        dry_run: bool,
    ) -> Result<(), Refusal> {
        allot::allot(service, there, cluster, dry_run)
    }

    /// Names of others have no traffic inside of the cluster.
    fn fill_in_stored(&self, service: &mut Value) {
        if kind(&service["spec"]) == "ExternalName" {
            remove(&mut service["spec"], "internalTrafficPolicy");
        }
    }

    fn prepare_change(&self, service: &mut Value, there: &Value, _cluster: &Cluster) {
        drop_what_the_type_has_not(service, there);
    }

    fn check(&self, service: &Value) -> Vec<Cause> {
        check::service(service)
    }

    fn check_part(&self, _part: &str, service: &Value, there: &Value) -> Vec<Cause> {
        check::status(service, there)
    }

    fn looks_at_metadata(&self, _part: &str) -> Look {
        Look::AtChanges
    }

    fn check_over(&self, service: &Value, there: &Value) -> Vec<Cause> {
        [check::change(service, there), check::service(service)].concat()
    }

    fn shows_deleted(&self) -> bool {
        true
    }

    fn selectable(&self) -> Vec<&str> {
        vec!["spec.clusterIP", "spec.type"]
    }

    fn name_form(&self) -> NameForm {
        NameForm::Label
    }
}

fn kind(spec: &Value) -> &str {
    spec["type"].as_str().unwrap_or_default()
}

/// Clients outside of the cluster can reach it.
fn is_external(spec: &Value) -> bool {
    let outside = spec["externalIPs"].as_array().is_some_and(|ips| !ips.is_empty());
    matches!(kind(spec), "NodePort" | "LoadBalancer") || kind(spec) == "ClusterIP" && outside
}

/// Load balancers have to ask nodes whether they have pods of it.
fn has_health_port(spec: &Value) -> bool {
    kind(spec) == "LoadBalancer" && spec["externalTrafficPolicy"] == "Local"
}

fn is_headless(spec: &Value) -> bool {
    spec.pointer("/clusterIPs/0").is_some_and(|ip| ip == "None")
}

/// What somebody left as it was though they changed the type goes with the type.
fn drop_what_the_type_has_not(service: &mut Value, there: &Value) {
    let (before, spec) = (&there["spec"], &mut service["spec"]);
    let same = |spec: &Value, field: &str| spec.get(field) == before.get(field);
    let has_ips = |spec: &Value| kind(spec) != "ExternalName";
    if has_ips(before) && !has_ips(spec) {
        if same(spec, "clusterIP") && same(spec, "clusterIPs") {
            remove(spec, "clusterIP");
            remove(spec, "clusterIPs");
        }
        for field in ["ipFamilies", "ipFamilyPolicy"] {
            if same(spec, field) {
                remove(spec, field);
            }
        }
    }
    let has_node_ports = |spec: &Value| matches!(kind(spec), "NodePort" | "LoadBalancer");
    let node_ports = |spec: &Value| -> Vec<Value> {
        Field::whole(spec).at("ports").items().map(|port| port.at("nodePort").value.clone()).collect()
    };
    if has_node_ports(before) && !has_node_ports(spec) && node_ports(before) == node_ports(spec) {
        items(spec, "ports").for_each(|port| drop(remove(port, "nodePort")));
    }
    let needs = |spec: &Value| {
        [
            ("healthCheckNodePort", has_health_port(spec)),
            ("allocateLoadBalancerNodePorts", kind(spec) == "LoadBalancer"),
            ("loadBalancerClass", kind(spec) == "LoadBalancer"),
            ("externalTrafficPolicy", is_external(spec)),
        ]
    };
    for ((field, had), (_, has)) in needs(before).into_iter().zip(needs(spec)) {
        if had && !has && same(spec, field) {
            remove(spec, field);
        }
    }
    if kind(spec) != "LoadBalancer" {
        service["status"]["loadBalancer"] = json!({});
    }
}
