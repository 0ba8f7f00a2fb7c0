//! Where pods may run.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, formed, label_selector, one_of, required},
        form,
    },
};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

pub fn affinity(affinity: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let nodes = affinity.at("nodeAffinity");
    if nodes.at(REQUIRED).is_set() {
        let terms = nodes.at(REQUIRED).at("nodeSelectorTerms");
        wrong.extend(required(&terms, "must have at least one node selector term"));
        wrong.extend(terms.items().flat_map(|term| node_term(&term, true)));
    }
    for term in nodes.at(PREFERRED).items() {
        wrong.extend(weight(&term));
        wrong.extend(node_term(&term.at("preference"), false));
    }
    for pods in ["podAffinity", "podAntiAffinity"].map(|name| affinity.at(name)) {
        wrong.extend(pods.at(REQUIRED).items().flat_map(|term| pod_term(&term)));
        for term in pods.at(PREFERRED).items() {
            wrong.extend(weight(&term));
            wrong.extend(pod_term(&term.at("podAffinityTerm")));
        }
    }
    wrong
}

fn weight(term: &Field<'_>) -> Option<Cause> {
    let weight = term.at("weight");
    let outside = !(1..=100).contains(&weight.number().unwrap_or_default());
    outside.then(|| weight.invalid("must be in the range 1-100"))
}

fn node_term(term: &Field<'_>, values_are_labels: bool) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for expression in term.at("matchExpressions").items() {
        let (operator, values) = (expression.at("operator"), expression.at("values"));
        match operator.text() {
            "In" | "NotIn" if values.is_empty() => {
                wrong.push(values.required("must be specified when `operator` is 'In' or 'NotIn'"));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                wrong.push(values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
            }
            "Gt" | "Lt" if values.len() != 1 => {
                wrong.push(values.required("must be specified single value when `operator` is 'Lt' or 'Gt'"));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
            _ => wrong.push(operator.invalid("not a valid selector operator")),
        }
        wrong.extend(formed(&expression.at("key"), form::qualified_name));
        if values_are_labels {
            wrong.extend(values.items().flat_map(|value| formed(&value, form::label_value)));
        }
    }
    for expression in term.at("matchFields").items() {
        let (key, operator, values) = (expression.at("key"), expression.at("operator"), expression.at("values"));
        match operator.text() {
            "In" | "NotIn" if values.len() != 1 => {
                wrong.push(
                    values
                        .required("must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
                );
            }
            "In" | "NotIn" => {}
            _ => wrong.push(operator.invalid("not a valid selector operator")),
        }
        if key.text() == "metadata.name" {
            wrong.extend(values.items().flat_map(|value| formed(&value, form::subdomain)));
        } else {
            wrong.push(key.invalid("not a valid field selector key"));
        }
    }
    wrong
}

fn pod_term(term: &Field<'_>) -> Vec<Cause> {
    let mut wrong = label_selector(&term.at("labelSelector"));
    wrong.extend(label_selector(&term.at("namespaceSelector")));
    for name in term.at("namespaces").items() {
        wrong.extend(formed(&term.at("namespace").with(name.value), form::label));
    }
    wrong.extend(label_keys(term, "matchLabelKeys"));
    wrong.extend(label_keys(term, "mismatchLabelKeys"));
    let topology = term.at("topologyKey");
    wrong.extend(required(&topology, "can not be empty"));
    let none = Value::from("");
    let shown = if topology.is_set() { topology } else { topology.with(&none) };
    wrong.extend(formed(&shown, form::qualified_name));
    wrong
}

/// Labels of the pod itself that others have to have, or not to have, as well.
fn label_keys(term: &Field<'_>, name: &str) -> Vec<Cause> {
    let (keys, selector) = (term.at(name), term.at("labelSelector"));
    let mut wrong = Vec::new();
    if keys.is_empty() {
        return wrong;
    }
    if !selector.is_set() {
        wrong.push(keys.forbidden("must not be specified when labelSelector is not set"));
    }
    wrong.extend(keys.items().flat_map(|key| formed(&key, form::qualified_name)));
    wrong
}

pub fn tolerations(tolerations: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for toleration in tolerations.items() {
        let [key, operator, value, effect] = ["key", "operator", "value", "effect"].map(|name| toleration.at(name));
        let none = Value::from("");
        let shown = |field: &Field<'_>, why: &str| {
            let value = if field.is_set() { field.value } else { &none };
            Cause::invalid(&field.path, value, why)
        };
        if !key.is_empty() {
            wrong.extend(formed(&key, form::qualified_name));
        } else if operator.text() != "Exists" {
            let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            wrong.push(shown(&operator, why));
        }
        if toleration.at("tolerationSeconds").is_set() && effect.text() != "NoExecute" {
            wrong.push(shown(&effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
        }
        match operator.text() {
            "" | "Equal" => {
                let found = form::label_value(value.text());
                if !found.is_empty() {
                    wrong.push(operator.with(value.value).invalid(&found.join(";")));
                }
            }
            "Exists" if !value.is_empty() => {
                wrong.push(operator.with(value.value).invalid("value must be empty when `operator` is 'Exists'"));
            }
            "Exists" => {}
            "Lt" | "Gt" => wrong.push(operator.unsupported(&["Equal", "Exists", "Lt", "Gt"])),
            _ => wrong.push(operator.unsupported(&["Equal", "Exists"])),
        }
        if !effect.is_empty() {
            wrong.extend(one_of(&effect, &["NoSchedule", "PreferNoSchedule", "NoExecute"]));
        }
    }
    wrong
}

/// What has to be lifted before a pod is given a node.
pub fn gates(gates: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for gate in gates.items() {
        let name = gate.at("name");
        wrong.extend(formed(&gate.with(name.value), form::qualified_name));
        if !names.insert(name.text()) {
            wrong.push(Cause::duplicate(&gate.path, name.value));
        }
    }
    wrong
}

/// How evenly pods are spread.
pub fn spread(constraints: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let all: Vec<Field<'_>> = constraints.items().collect();
    for (at, constraint) in all.iter().enumerate() {
        let [skew, topology, otherwise, least] =
            ["maxSkew", "topologyKey", "whenUnsatisfiable", "minDomains"].map(|name| constraint.at(name));
        if skew.number().is_none_or(|skew| skew <= 0) {
            wrong.push(skew.invalid("must be greater than zero"));
        }
        wrong.extend(required(&topology, "can not be empty"));
        wrong.extend(one_of(&otherwise, &["DoNotSchedule", "ScheduleAnyway"]));
        let same = |other: &Field<'_>| {
            other.at("topologyKey").value == topology.value && other.at("whenUnsatisfiable").value == otherwise.value
        };
        if all[at + 1..].iter().any(same) {
            let told = Value::from(format!("{{{}, {}}}", topology.text(), otherwise.text()));
            wrong.push(Cause::duplicate(constraint.at("{topologyKey, whenUnsatisfiable}").path, &told));
        }
        if least.is_set() {
            if least.number().is_none_or(|least| least <= 0) {
                wrong.push(least.invalid("must be greater than zero"));
            }
            if otherwise.text() != "DoNotSchedule" {
                let why =
                    format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {}", otherwise.text());
                wrong.push(least.invalid(&why));
            }
        }
        for policy in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            wrong.extend(one_of(&constraint.at(policy), &["Honor", "Ignore"]));
        }
        wrong.extend(label_keys(constraint, "matchLabelKeys"));
        wrong.extend(label_selector(&constraint.at("labelSelector")));
    }
    wrong
}
