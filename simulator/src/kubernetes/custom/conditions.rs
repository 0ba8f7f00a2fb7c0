//! What is said of a definition: its conditions, and how the server writes them down.

use std::sync::Arc;

use serde_json::{Value, json};

use super::registry::key;
use crate::kubernetes::{
    cluster::Cluster,
    kinds::built_in,
    ownership::{self, Before, Writer},
};

/// True if a definition has a condition that holds.
pub fn holds(definition: &Value, name: &str) -> bool {
    find(definition, name).is_some_and(|condition| condition["status"] == "True")
}

pub fn find<'d>(definition: &'d Value, name: &str) -> Option<&'d Value> {
    let mut conditions = definition["status"]["conditions"].as_array().into_iter().flatten();
    conditions.find(|condition| condition["type"] == name)
}

/// What a condition says.
#[derive(Debug, Clone, Copy)]
pub struct Said<'s> {
    pub name: &'static str,
    pub holds: bool,
    pub reason: &'s str,
    pub message: &'s str,
}

/// Sets a condition; since when it is so changes only with whether it holds.
pub fn set(definition: &mut Value, said: Said<'_>, now: &str) {
    let status = if said.holds { "True" } else { "False" };
    let since = match find(definition, said.name) {
        Some(there) if there["status"] == status => there["lastTransitionTime"].clone(),
        _ => json!(now),
    };
    let condition = json!({
        "type": said.name, "status": status, "lastTransitionTime": since, "reason": said.reason, "message": said.message,
    });
    let conditions = &mut definition["status"]["conditions"];
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    let Some(conditions) = conditions.as_array_mut() else { return };
    match conditions.iter_mut().find(|there| there["type"] == said.name) {
        Some(there) => *there = condition,
        None => conditions.push(condition),
    }
}

/// Writes down what the server itself says of a definition, if nobody has changed it meanwhile.
pub fn write(cluster: &Cluster, there: &Arc<Value>, mut definition: Value) {
    if definition == **there {
        return;
    }
    let kind =
        &built_in()[&("apiextensions.k8s.io".to_owned(), "v1".to_owned(), "customresourcedefinitions".to_owned())];
    let entries = ownership::read(&there["metadata"]["managedFields"]).unwrap_or_default();
    let before = Before { typed: kind.schema().root(), object: Some(there), entries: &entries };
    let writer = Writer {
        manager: "kube-apiserver".to_owned(),
        api_version: kind.api_version(),
        subresource: "status".to_owned(),
        now: cluster.now(),
    };
    if let Ok(entries) = ownership::update(before, &definition, &writer, &[&["metadata"], &["spec"]]) {
        definition["metadata"]["managedFields"] = ownership::write(&entries);
    }
    let name = there["metadata"]["name"].as_str().unwrap_or_default();
    // Whoever was faster has woken us anew.
    drop(cluster.store.put(&key(name), Some(there), definition));
}
