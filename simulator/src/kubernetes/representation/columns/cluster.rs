//! Nodes, events, and what governs a cluster.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{NONE, Row, UNKNOWN, UNSET, at, condition, items, or, text};
use crate::kubernetes::{quantity, representation::human};

pub fn node_status(row: &Row<'_>) -> Value {
    let mut status = match condition(row.object, "Ready") {
        None => "Unknown",
        Some(ready) if ready["status"] == "True" => "Ready",
        Some(_) => "NotReady",
    }
    .to_owned();
    if at(row.object, "spec.unschedulable") == Some(&Value::Bool(true)) {
        status.push_str(",SchedulingDisabled");
    }
    json!(status)
}

pub fn node_roles(row: &Row<'_>) -> Value {
    let labels = at(row.object, "metadata.labels").and_then(Value::as_object).into_iter().flatten();
    let roles: BTreeSet<String> = labels
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role.to_owned()),
            None => (key == "kubernetes.io/role").then(|| text(Some(value))),
        })
        .filter(|role| !role.is_empty())
        .collect();
    or(roles.into_iter().collect::<Vec<_>>().join(","), NONE)
}

pub fn node_address(row: &Row<'_>, of: &str) -> Value {
    let address = items(at(row.object, "status.addresses")).find(|address| address["type"] == of);
    or(text(address.and_then(|address| address.get("address"))), NONE)
}

/// A time that is there, and not empty.
fn time<'o>(row: &Row<'o>, path: &str) -> Option<&'o Value> {
    at(row.object, path).filter(|time| **time != "")
}

pub fn first_seen(row: &Row<'_>) -> Value {
    json!(human::since(time(row, "firstTimestamp").or(time(row, "eventTime")), row.now))
}

pub fn last_seen(row: &Row<'_>) -> Value {
    match time(row, "series.lastObservedTime").or(time(row, "lastTimestamp")) {
        None => first_seen(row),
        last => json!(human::since(last, row.now)),
    }
}

pub fn event_count(row: &Row<'_>) -> Value {
    let number = |path: &str| at(row.object, path).and_then(Value::as_i64);
    // Whoever sees something once doesn't count.
    json!(number("series.count").or(number("count").filter(|count| *count > 0)).unwrap_or(1))
}

pub fn involved(row: &Row<'_>) -> Value {
    let kind = text(at(row.object, "involvedObject.kind")).to_lowercase();
    match text(at(row.object, "involvedObject.name")) {
        name if name.is_empty() => json!(kind),
        name => json!(format!("{kind}/{name}")),
    }
}

pub fn event_source(row: &Row<'_>) -> Value {
    let first = |paths: [&str; 2]| {
        paths.iter().map(|path| text(at(row.object, path))).find(|text| !text.is_empty()).unwrap_or_default()
    };
    let component = first(["source.component", "reportingComponent"]);
    match first(["source.host", "reportingInstance"]) {
        host if host.is_empty() => json!(component),
        host => json!(format!("{component}, {host}")),
    }
}

pub fn event_message(row: &Row<'_>) -> Value {
    json!(text(at(row.object, "message")).trim())
}

pub fn role(row: &Row<'_>) -> Value {
    json!(format!("{}/{}", text(at(row.object, "roleRef.kind")), text(at(row.object, "roleRef.name"))))
}

pub fn subjects(row: &Row<'_>, kind: &str) -> Value {
    let subjects = items(at(row.object, "subjects")).filter(|subject| subject["kind"] == kind);
    let names = subjects.map(|subject| {
        let [namespace, name] = ["namespace", "name"].map(|field| text(subject.get(field)));
        if kind == "ServiceAccount" { format!("{namespace}/{name}") } else { name }
    });
    json!(names.collect::<Vec<_>>().join(", "))
}

pub fn requested_duration(row: &Row<'_>) -> Value {
    match at(row.object, "spec.expirationSeconds").and_then(Value::as_i64) {
        None => json!(NONE),
        Some(seconds) => json!(human::duration(seconds)),
    }
}

pub fn signing_condition(row: &Row<'_>) -> Value {
    let has = |of: &str| condition(row.object, of).is_some();
    let mut words = vec![match row.object {
        _ if has("Denied") => "Denied",
        _ if has("Approved") => "Approved",
        _ => "Pending",
    }];
    words.extend(has("Failed").then_some("Failed"));
    words.extend(time(row, "status.certificate").map(|_| "Issued"));
    json!(words.join(","))
}

pub fn api_service(row: &Row<'_>) -> Value {
    match at(row.object, "spec.service") {
        None => json!("Local"),
        Some(service) => json!(format!("{}/{}", text(service.get("namespace")), text(service.get("name")))),
    }
}

pub fn is_available(row: &Row<'_>) -> Value {
    match condition(row.object, "Available") {
        None => json!("Unknown"),
        Some(available) if available["status"] == "True" => json!("True"),
        Some(available) => json!(format!("{} ({})", text(available.get("status")), text(available.get("reason")))),
    }
}

/// What is used of what may be, of limits or of all else.
pub fn used(row: &Row<'_>, limits: bool) -> Value {
    let none = serde_json::Map::new();
    let hard = at(row.object, "status.hard").and_then(Value::as_object).unwrap_or(&none);
    let mut names: Vec<&String> = hard.keys().filter(|name| name.starts_with("limits") == limits).collect();
    names.sort();
    let amount = |value: Option<&Value>| match value {
        None => "0".to_owned(),
        Some(value) => quantity::normal_form(value).unwrap_or_else(|| text(Some(value))),
    };
    let used = at(row.object, "status.used");
    let told = names.into_iter().map(|name| {
        let used = amount(used.and_then(|used| used.get(name)));
        format!("{name}: {used}/{}", amount(hard.get(name)))
    });
    json!(told.collect::<Vec<_>>().join(", "))
}

pub fn scaled(row: &Row<'_>) -> Value {
    let target = ["kind", "name"].map(|field| text(at(row.object, &format!("spec.scaleTargetRef.{field}"))));
    json!(target.join("/"))
}

/// What an autoscaler looks at: each as it is and as it should be.
pub fn metrics(row: &Row<'_>) -> Value {
    const SHOWN: usize = 2;
    let now: Vec<&Value> = items(at(row.object, "status.currentMetrics")).collect();
    let wanted = items(at(row.object, "spec.metrics")).enumerate();
    let all: Vec<String> = wanted.map(|(index, metric)| told(metric, now.get(index).copied())).collect();
    json!(match all.len() {
        0 => NONE.to_owned(),
        count if count > SHOWN => format!("{} + {} more...", all[..SHOWN].join(", "), count - SHOWN),
        _ => all.join(", "),
    })
}

fn told(metric: &Value, now: Option<&Value>) -> String {
    let of = match metric["type"].as_str() {
        Some("External") => "external",
        Some("Pods") => "pods",
        Some("Object") => "object",
        Some("Resource") => "resource",
        Some("ContainerResource") => "containerResource",
        _ => return "<unknown type>".to_owned(),
    };
    let wanted = at(metric, of).and_then(|metric| metric.get("target"));
    let current = now.and_then(|now| at(now, of)).and_then(|now| now.get("current"));
    let amount =
        |from: Option<&Value>, field: &str| from.and_then(|from| from.get(field)).map(|value| text(Some(value)));
    let pair = |field: &str| {
        let current = amount(current, field).unwrap_or_else(|| UNKNOWN.to_owned());
        Some(format!("{current}/{}", amount(wanted, field)?))
    };
    let share = || {
        let percent = |from| amount(from, "averageUtilization").map(|value| format!("{value}%"));
        let wanted = percent(wanted).unwrap_or_else(|| "<auto>".to_owned());
        format!("{}/{wanted}", percent(current).unwrap_or_else(|| UNKNOWN.to_owned()))
    };
    let average = pair("averageValue");
    match of {
        "external" | "object" => match average {
            Some(average) => format!("{average} (avg)"),
            None => pair("value").unwrap_or_default(),
        },
        "pods" => average.unwrap_or_default(),
        _ => format!("{}: {}", text(metric[of].get("name")), average.unwrap_or_else(share)),
    }
}

pub fn parameter_kind(row: &Row<'_>) -> Value {
    match at(row.object, "spec.paramKind") {
        None => json!(UNSET),
        Some(kind) => json!(format!("{}/{}", text(kind.get("apiVersion")), text(kind.get("kind")))),
    }
}

pub fn parameters(row: &Row<'_>) -> Value {
    let Some(parameters) = at(row.object, "spec.paramRef") else { return json!(UNSET) };
    let [namespace, name] = ["namespace", "name"].map(|field| text(parameters.get(field)));
    match parameters.get("selector") {
        Some(selector) if name.is_empty() => json!(go_string(selector)),
        _ if namespace.is_empty() => json!(format!("*/{name}")),
        _ => json!(format!("{namespace}/{name}")),
    }
}

/// A selector as the language of the real server shows it.
fn go_string(selector: &Value) -> String {
    let mut labels: Vec<String> = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}: {},", text(Some(value))))
        .collect();
    labels.sort();
    let expressions = items(selector.get("matchExpressions")).map(|expression| {
        let values: Vec<String> = items(expression.get("values")).map(|value| text(Some(value))).collect();
        let [key, operator] = ["key", "operator"].map(|field| text(expression.get(field)));
        format!("LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{}],}},", values.join(" "))
    });
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{}}},MatchExpressions:[]LabelSelectorRequirement{{{}}},}}",
        labels.concat(),
        expressions.collect::<String>()
    )
}

pub fn dangling(row: &Row<'_>) -> Value {
    or(text(condition(row.object, "Dangling").and_then(|condition| condition.get("status"))), "?")
}

pub fn concurrency_shares(row: &Row<'_>) -> Value {
    let shares =
        ["spec.limited", "spec.exempt"].iter().find_map(|path| at(row.object, path)?.get("nominalConcurrencyShares"));
    shares.cloned().unwrap_or(json!(NONE))
}

pub fn queuing(row: &Row<'_>, field: &str) -> Value {
    let queuing = at(row.object, "spec.limited.limitResponse.queuing");
    queuing.and_then(|queuing| queuing.get(field)).cloned().unwrap_or(json!(NONE))
}

pub fn claim_state(row: &Row<'_>) -> Value {
    let mut states: Vec<&str> = Vec::new();
    states.extend(at(row.object, "metadata.deletionTimestamp").map(|_| "deleted"));
    let is_allocated = at(row.object, "status.allocation").is_some();
    if !is_allocated && states.is_empty() {
        return json!("pending");
    }
    states.extend(is_allocated.then_some("allocated"));
    states.extend(items(at(row.object, "status.reservedFor")).next().map(|_| "reserved"));
    json!(states.join(","))
}
