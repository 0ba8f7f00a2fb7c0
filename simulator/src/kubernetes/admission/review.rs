//! What webhooks are told of a write, and which writes a webhook or a policy is about.

use serde_json::{Value, json};

use super::{Attempt, Operation};
use crate::kubernetes::selector::Labels;

/// The review that a webhook is asked for.
pub fn of(attempt: &Attempt<'_>, object: &Value) -> Value {
    let kind = attempt.kind;
    let deleted = attempt.operation == Operation::Delete;
    let shown = |object: &Value| kind.seen(object).into_owned();
    let group = json!({"group": kind.group, "version": kind.version});
    let with = |field: &str, value: &str| {
        let mut group = group.clone();
        group[field] = json!(value);
        group
    };
    let (is, resource) = (with("kind", &kind.kind), with("resource", &kind.resource));
    let options = match attempt.operation {
        Operation::Create => "CreateOptions",
        Operation::Update => "UpdateOptions",
        Operation::Delete => "DeleteOptions",
    };
    let mut request = json!({
        "uid": attempt.cluster.uid(), "kind": is, "resource": resource, "requestKind": is, "requestResource": resource,
        "operation": attempt.operation.word(), "userInfo": attempt.request.user.shown(),
        "object": if deleted { Value::Null } else { shown(object) },
        "oldObject": attempt.there.map_or(Value::Null, shown),
        "dryRun": attempt.dry_run, "options": {"kind": options, "apiVersion": "meta.k8s.io/v1"},
    });
    if attempt.named {
        request["name"] = json!(attempt.name);
    }
    if !attempt.namespace.is_empty() {
        request["namespace"] = json!(attempt.namespace);
    }
    if !attempt.part.is_empty() {
        request["subResource"] = json!(attempt.part);
        request["requestSubResource"] = json!(attempt.part);
    }
    json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request})
}

/// True if one of the rules names this operation on this resource.
pub fn is_named(rules: &Value, attempt: &Attempt<'_>) -> bool {
    rules.as_array().into_iter().flatten().any(|rule| {
        let has = |list: &str, wanted: &str| {
            let entries = rule[list].as_array().into_iter().flatten().filter_map(Value::as_str);
            entries.into_iter().any(|entry| entry == "*" || entry == wanted)
        };
        let scope = match rule["scope"].as_str() {
            Some("Namespaced") => attempt.kind.namespaced,
            Some("Cluster") => !attempt.kind.namespaced,
            _ => true,
        };
        let name = if attempt.named { attempt.name } else { "" };
        let names = rule["resourceNames"].as_array().is_none_or(|names| names.iter().any(|known| known == name));
        has("operations", attempt.operation.word())
            && has("apiGroups", &attempt.kind.group)
            && has("apiVersions", &attempt.kind.version)
            && is_resource(&rule["resources"], attempt)
            && scope
            && names
    })
}

fn is_resource(resources: &Value, attempt: &Attempt<'_>) -> bool {
    let entries = resources.as_array().into_iter().flatten().filter_map(Value::as_str);
    entries.into_iter().any(|entry| {
        let (resource, part) = entry.split_once('/').unwrap_or((entry, ""));
        let all = resource == "*" || resource == attempt.kind.resource;
        all && (part == attempt.part || part == "*")
    })
}

/// True if the selectors select the object, before or after, and its namespace.
pub fn is_selected(matches: &Value, attempt: &Attempt<'_>, object: &Value) -> bool {
    let by = |selector: &Value, object: &Value| Labels::of(selector).select(object);
    let anything = json!({});
    let selector = |name: &str| matches.get(name).cloned().unwrap_or_else(|| anything.clone());
    let (objects, namespaces) = (selector("objectSelector"), selector("namespaceSelector"));
    if !by(&objects, object) && !attempt.there.is_some_and(|there| by(&objects, there)) {
        return false;
    }
    match attempt.namespace {
        _ if attempt.is_of("namespaces") => by(&namespaces, object),
        "" => true,
        namespace => {
            let there = attempt.stored("namespaces", "", namespace);
            there.is_some_and(|there| by(&namespaces, &there))
        }
    }
}
