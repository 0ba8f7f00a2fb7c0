//! Nodes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Rules,
    field::{Field, formed},
    fill::default,
    form, resources,
};
use crate::kubernetes::{answer::Cause, cluster::Cluster};

pub struct Nodes;

/// What a new node has until it is known to be ready.
const NOT_READY: &str = "node.kubernetes.io/not-ready";

impl Rules for Nodes {
    fn fill_in(&self, node: &mut Value) {
        if let Some(capacity) = node["status"].get("capacity").cloned() {
            default(&mut node["status"], "allocatable", capacity);
        }
        for amounts in ["capacity", "allocatable"] {
            node["status"].get_mut(amounts).into_iter().for_each(resources::round);
        }
        // Either form of the networks of its pods implies the other.
        let spec = &mut node["spec"];
        match (spec.get("podCIDR").cloned(), spec.pointer("/podCIDRs/0").cloned()) {
            (Some(one), first) if first.as_ref() != Some(&one) => spec["podCIDRs"] = json!([one]),
            (None, Some(first)) => spec["podCIDR"] = first,
            _ => {}
        }
    }

    fn prepare_new(&self, node: &mut Value, _cluster: &Cluster) {
        let taint = json!({"key": NOT_READY, "effect": "NoSchedule"});
        match node["spec"]["taints"].as_array_mut() {
            Some(taints) if taints.iter().any(|known| known["key"] == NOT_READY && known["effect"] == "NoSchedule") => {
            }
            Some(taints) => taints.push(taint),
            None => node["spec"]["taints"] = json!([taint]),
        }
    }

    fn born_with_status(&self) -> bool {
        true
    }

    fn check(&self, node: &Value) -> Vec<Cause> {
        let taints = Field { path: "metadata.taints".to_owned(), ..Field::of(node, "spec.taints") };
        let mut wrong = check_taints(&taints);
        for list in ["capacity", "allocatable"] {
            for (name, value) in node["status"][list].as_object().into_iter().flatten() {
                let quantity = Field { path: format!("status.{list}.{name}"), value };
                wrong.extend(resources::check_value(name, &quantity));
            }
        }
        let networks = Field::of(node, "spec.podCIDRs");
        for network in networks.items() {
            wrong.extend(formed(&network, form::network));
        }
        let families: BTreeSet<bool> = networks.items().map(|network| network.text().contains(':')).collect();
        if networks.len() > families.len() {
            wrong.push(networks.invalid("may specify no more than one CIDR for each IP family"));
        }
        wrong
    }

    fn check_change(&self, node: &Value, there: &Value) -> Vec<Cause> {
        let once = [("podCIDRs", "podCIDR"), ("providerID", "providerID")];
        let changed = once.iter().filter(|(field, _)| {
            let before = Field::of(there, "spec").at(field);
            !before.is_empty() && before.value != Field::of(node, "spec").at(field).value
        });
        let told = changed.map(|(field, name)| {
            let why = format!("node updates may not change {name} except from \"\" to valid");
            Field::of(node, "spec").at(field).forbidden(&why)
        });
        told.collect()
    }

    fn selectable(&self) -> Vec<&str> {
        vec!["spec.unschedulable"]
    }
}

fn check_taints(taints: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for taint in taints.items() {
        let (key, value, effect) = (taint.at("key"), taint.at("value"), taint.at("effect"));
        wrong.extend(formed(&key, form::qualified_name));
        let malformed = form::label_value(value.text());
        if !malformed.is_empty() {
            wrong.push(value.invalid(&malformed.join(";")));
        }
        match effect.text() {
            "" => wrong.push(effect.required("")),
            "NoSchedule" | "PreferNoSchedule" | "NoExecute" => {}
            _ => wrong.push(effect.unsupported(&["NoSchedule", "PreferNoSchedule", "NoExecute"])),
        }
        if !seen.insert((key.text(), effect.text())) {
            let told = json!({"Key": key.text(), "Value": value.text(), "Effect": effect.text(), "TimeAdded": taint.at("timeAdded").value});
            let twice = Cause::duplicate(&taint.path, &told);
            let message = format!("{}: taints must be unique by key and effect pair", twice.message);
            wrong.push(Cause { message, ..twice });
        }
    }
    wrong
}
