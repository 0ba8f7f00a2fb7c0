//! What may change about the pods of a job.

use serde_json::Value;

use crate::kubernetes::{
    answer::Cause,
    rules::{field::Field, structures},
};

/// Where pods go, which may change as long as none is there.
const PLACES: [&str; 3] = ["nodeSelector", "tolerations", "schedulingGates"];

/// Nothing, once the job runs; where its pods go and what they ask for, as long as it is suspended.
pub fn change(spec: &Field<'_>, there: &Field<'_>) -> Option<Cause> {
    let (template, before) = (spec.at("template"), there.at("template"));
    if !there.at("suspend").is_true() {
        let shown = structures::shown(template.value, "PodTemplateSpec");
        return (before.value != template.value).then(|| template.with(&shown).invalid("field is immutable"));
    }
    let pods = template.at("spec");
    let mut before = before.at("spec").value.clone();
    if let Some(before) = before.as_object_mut() {
        for name in PLACES {
            match pods.value.get(name) {
                Some(value) => before.insert(name.to_owned(), value.clone()),
                None => before.shift_remove(name),
            };
        }
        place(before, pods.value);
    }
    for list in ["containers", "initContainers"] {
        let old = before.get_mut(list).and_then(Value::as_array_mut);
        for (old, new) in old.into_iter().flatten().zip(pods.at(list).items()) {
            if old["name"] == *new.at("name").value {
                old["resources"] = new.at("resources").value.clone();
            }
        }
    }
    let shown = structures::shown(pods.value, "PodSpec");
    (before != *pods.value).then(|| pods.with(&shown).invalid("field is immutable"))
}

/// Gives a spec the nodes that another one likes; the pods that either likes stay what they are.
fn place(spec: &mut serde_json::Map<String, Value>, other: &Value) {
    let nodes = other.pointer("/affinity/nodeAffinity").cloned();
    let affinity = spec.entry("affinity").or_insert_with(|| Value::Object(serde_json::Map::new()));
    match (affinity.as_object_mut(), nodes) {
        (Some(affinity), Some(nodes)) => drop(affinity.insert("nodeAffinity".to_owned(), nodes)),
        (Some(affinity), None) => drop(affinity.shift_remove("nodeAffinity")),
        (None, _) => {}
    }
    if spec["affinity"].as_object().is_some_and(serde_json::Map::is_empty) && other.get("affinity").is_none() {
        spec.shift_remove("affinity");
    }
}
