//! Quotas of namespaces.

use serde_json::Value;

use super::{
    field::{Field, unchanged},
    form, resources,
    simple::{PLAIN, Simple},
};
use crate::kubernetes::answer::Cause;

pub static QUOTAS: Simple = Simple { fill_in, check, check_change, shows_deleted: true, ..PLAIN };

const SCOPES: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];
const OPPOSITES: [[&str; 2]; 2] = [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]];
const STANDARD: [&str; 20] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
    "storage",
];

fn fill_in(quota: &mut Value) {
    for amounts in ["/spec/hard", "/status/hard", "/status/used"] {
        quota.pointer_mut(amounts).into_iter().for_each(resources::round);
    }
}

fn check(quota: &Value) -> Vec<Cause> {
    let spec = Field::of(quota, "spec");
    let mut wrong = Vec::new();
    for (name, amount) in spec.at("hard").entries() {
        wrong.extend(check_name(name, &amount.path));
        wrong.extend(resources::check_value(name, &amount));
    }
    let scopes = spec.at("scopes");
    for scope in scopes.items() {
        if !SCOPES.contains(&scope.text()) {
            wrong.push(scopes.invalid("unsupported scope"));
        }
        let resources = spec.at("hard").entries().filter(|(name, _)| is_standard(name));
        wrong.extend(
            resources
                .filter(|(name, _)| !suits(scope.text(), name))
                .map(|_| scopes.invalid("unsupported scope applied to resource")),
        );
    }
    let has = |named: &str| scopes.items().any(|scope| scope.text() == named);
    let conflicts = OPPOSITES.iter().filter(|[one, other]| has(one) && has(other));
    wrong.extend(conflicts.map(|_| scopes.invalid("conflicting scopes")));
    wrong.extend(check_selector(&spec.at("scopeSelector").at("matchExpressions")));
    wrong
}

fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name) || name.starts_with("hugepages-") || name.starts_with("requests.hugepages-")
}

/// True if amounts of a resource can be counted for the pods of a scope.
fn suits(scope: &str, resource: &str) -> bool {
    let of_pods = matches!(
        resource,
        "pods"
            | "cpu"
            | "memory"
            | "ephemeral-storage"
            | "requests.cpu"
            | "requests.memory"
            | "requests.ephemeral-storage"
            | "limits.cpu"
            | "limits.memory"
            | "limits.ephemeral-storage"
    );
    match scope {
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => matches!(resource, "requests.storage" | "persistentvolumeclaims"),
        "Terminating" | "NotTerminating" | "NotBestEffort" | "PriorityClass" | "CrossNamespacePodAffinity" => of_pods,
        _ => true,
    }
}

fn check_name(name: &str, path: &str) -> Vec<Cause> {
    let told = |why: &str| Cause::invalid(path, &Value::from(name), why);
    let malformed = form::qualified_name(name);
    let mut wrong: Vec<Cause> = malformed.iter().map(|why| told(why)).collect();
    if !name.contains('/') && !is_standard(name) {
        if malformed.is_empty() {
            wrong.push(told("must be a standard resource type or fully qualified"));
        }
        wrong.push(told("must be a standard resource for quota"));
    }
    wrong
}

fn check_selector(expressions: &Field<'_>) -> Vec<Cause> {
    const NEEDS_EXISTS: &str = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, \
         ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
    let mut wrong = Vec::new();
    for expression in expressions.items() {
        // The real server names the list, and not the item.
        let part = |name: &str| Field { path: format!("{}.{name}", expressions.path), ..expression.at(name) };
        let (scope, operator, values) = (part("scopeName"), part("operator"), part("values"));
        if !SCOPES.contains(&scope.text()) {
            wrong.push(scope.invalid("unsupported scope"));
        }
        if !matches!(scope.text(), "PriorityClass" | "VolumeAttributesClass")
            && SCOPES.contains(&scope.text())
            && operator.text() != "Exists"
        {
            wrong.push(operator.invalid(NEEDS_EXISTS));
        }
        match operator.text() {
            "In" | "NotIn" if values.is_empty() => {
                let why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                wrong.push(values.required(why));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                wrong.push(
                    values.invalid("must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"),
                );
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => wrong.push(operator.invalid("not a valid selector operator")),
        }
    }
    wrong
}

fn check_change(quota: &Value, there: &Value) -> Vec<Cause> {
    let (scopes, before) = (Field::of(quota, "spec.scopes"), Field::of(there, "spec.scopes"));
    Vec::from_iter(unchanged(&scopes, &before))
}
