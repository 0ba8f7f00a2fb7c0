//! Volumes, claims of them, and who makes them.

use serde_json::{Value, json};

use super::{Row, UNSET, at, items, joined, or, text};
use crate::kubernetes::quantity;

const MODES: [(&str, &str); 4] =
    [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];

pub fn modes(modes: Option<&Value>) -> Value {
    let has = |mode: &str| items(modes).any(|known| *known == mode);
    let short = MODES.iter().filter(|(mode, _)| has(mode)).map(|(_, short)| *short);
    json!(short.collect::<Vec<_>>().join(","))
}

pub fn phase(row: &Row<'_>) -> Value {
    match at(row.object, "metadata.deletionTimestamp") {
        Some(_) => json!("Terminating"),
        None => json!(text(at(row.object, "status.phase"))),
    }
}

/// What a claim has; before there is a volume, it has nothing.
fn of_volume<'o>(row: &Row<'o>, path: &str) -> Option<&'o Value> {
    at(row.object, "spec.volumeName").filter(|name| **name != "")?;
    at(row.object, path)
}

pub fn claim_capacity(row: &Row<'_>) -> Value {
    if of_volume(row, "spec.volumeName").is_none() {
        return json!("");
    }
    let capacity = of_volume(row, "status.capacity.storage");
    json!(
        capacity
            .map_or("0".to_owned(), |capacity| quantity::normal_form(capacity).unwrap_or_else(|| text(Some(capacity))))
    )
}

pub fn claim_modes(row: &Row<'_>) -> Value {
    modes(of_volume(row, "status.accessModes"))
}

pub fn claim(row: &Row<'_>) -> Value {
    match at(row.object, "spec.claimRef") {
        None => json!(""),
        Some(claim) => json!(format!("{}/{}", text(claim.get("namespace")), text(claim.get("name")))),
    }
}

pub fn class(row: &Row<'_>) -> Value {
    let annotations = at(row.object, "metadata.annotations");
    let older = annotations.and_then(|annotations| annotations.get("volume.beta.kubernetes.io/storage-class"));
    json!(text(older.or(at(row.object, "spec.storageClassName"))))
}

pub fn class_name(row: &Row<'_>) -> Value {
    let annotations = at(row.object, "metadata.annotations");
    let marks = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
    let is_default = marks.iter().any(|mark| annotations.is_some_and(|annotations| annotations[*mark] == "true"));
    let name = text(at(row.object, "metadata.name"));
    json!(if is_default { format!("{name} (default)") } else { name })
}

pub fn needs_attaching(row: &Row<'_>) -> Value {
    json!(at(row.object, "spec.attachRequired") != Some(&Value::Bool(false)))
}

pub fn token_requests(row: &Row<'_>) -> Value {
    let audiences = items(at(row.object, "spec.tokenRequests")).map(|request| text(request.get("audience")));
    or(audiences.collect::<Vec<_>>().join(","), UNSET)
}

pub fn lifecycle_modes(row: &Row<'_>) -> Value {
    joined(at(row.object, "spec.volumeLifecycleModes"), ",")
}
