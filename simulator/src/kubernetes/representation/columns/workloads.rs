//! What makes pods, and how far it is.

use serde_json::{Value, json};

use super::{NONE, Row, at, holds, items, text};
use crate::kubernetes::{representation::human, selector::shown};

pub fn template_names(row: &Row<'_>) -> Value {
    names(row, "spec.template.spec")
}

pub fn template_images(row: &Row<'_>) -> Value {
    images(row, "spec.template.spec")
}

/// Nothing is shown of a selector of nothing, or of everything.
pub fn selector(row: &Row<'_>) -> Value {
    json!(row.object.pointer("/spec/selector").map(shown).unwrap_or_default())
}

pub fn names(row: &Row<'_>, pods: &str) -> Value {
    containers(row, pods, "name")
}

pub fn images(row: &Row<'_>, pods: &str) -> Value {
    containers(row, pods, "image")
}

fn containers(row: &Row<'_>, pods: &str, field: &str) -> Value {
    let containers = items(at(row.object, pods).and_then(|pods| pods.get("containers")));
    json!(containers.map(|container| text(container.get(field))).collect::<Vec<_>>().join(","))
}

fn number(row: &Row<'_>, path: &str) -> i64 {
    at(row.object, path).and_then(Value::as_i64).unwrap_or_default()
}

/// How many are ready of those that are wanted.
pub fn ready(row: &Row<'_>, path: &str) -> Value {
    json!(format!("{}/{}", number(row, path), number(row, "spec.replicas")))
}

pub fn job_status(row: &Row<'_>) -> Value {
    let holds = |of: &str| holds(row.object, of);
    json!(match row.object {
        _ if holds("Complete") => "Complete",
        _ if holds("Failed") => "Failed",
        job if at(job, "metadata.deletionTimestamp").is_some() => "Terminating",
        _ if holds("Suspended") => "Suspended",
        _ if holds("FailureTarget") => "FailureTarget",
        _ if holds("SuccessCriteriaMet") => "SuccessCriteriaMet",
        _ => "Running",
    })
}

pub fn completions(row: &Row<'_>) -> Value {
    let succeeded = number(row, "status.succeeded");
    match (at(row.object, "spec.completions"), number(row, "spec.parallelism")) {
        (Some(wanted), _) => json!(format!("{succeeded}/{wanted}")),
        (None, parallelism) if parallelism > 1 => json!(format!("{succeeded}/1 of {parallelism}")),
        (None, _) => json!(format!("{succeeded}/1")),
    }
}

pub fn job_duration(row: &Row<'_>) -> Value {
    let time = |path: &str| at(row.object, path)?.as_str()?.parse().ok();
    match time("status.startTime") {
        None => json!(""),
        Some(start) => json!(human::between(start, time("status.completionTime").unwrap_or(row.now))),
    }
}

pub fn is_suspended(row: &Row<'_>) -> Value {
    json!(match at(row.object, "spec.suspend") {
        None => "<unset>",
        Some(Value::Bool(true)) => "True",
        Some(_) => "False",
    })
}

pub fn last_schedule(row: &Row<'_>) -> Value {
    match at(row.object, "status.lastScheduleTime") {
        None => json!(NONE),
        time => json!(human::since(time, row.now)),
    }
}

/// Who a revision belongs to.
pub fn controller(row: &Row<'_>) -> Value {
    let owners = items(at(row.object, "metadata.ownerReferences"));
    match owners.into_iter().find(|owner| owner["controller"] == true) {
        None => json!(NONE),
        Some(owner) => {
            let kind = text(owner.get("kind")).to_lowercase();
            let version = text(owner.get("apiVersion"));
            let group = version.split_once('/').map_or(String::new(), |(group, _)| format!(".{group}"));
            json!(format!("{kind}{group}/{}", text(owner.get("name"))))
        }
    }
}
