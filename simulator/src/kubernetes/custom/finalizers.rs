//! What whoever gives an object of a defined kind a finalizer is warned of.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::kubernetes::rules::form;

/// The finalizers that the real server has itself.
const STANDARD: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

/// What is said of the finalizers that an object has and what is there has not.
pub fn warnings(object: &Value, there: &Value) -> Vec<String> {
    let new: BTreeSet<&str> = names(object).difference(&names(there)).copied().collect();
    new.into_iter().flat_map(warned).collect()
}

fn names(object: &Value) -> BTreeSet<&str> {
    object["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn warned(name: &str) -> Vec<String> {
    let mut said = form::qualified_name(name);
    if !name.contains('/') && !STANDARD.contains(&name) {
        let how = if name.contains('.') { " including a path (/)" } else { "" };
        let why = "to avoid accidental conflicts with other finalizer writers";
        said.push(format!("prefer a domain-qualified finalizer name{how} {why}"));
    }
    said.iter().map(|why| format!("metadata.finalizers: {name:?}: {why}")).collect()
}
