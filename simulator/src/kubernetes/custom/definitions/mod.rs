//! The rules of definitions themselves.

mod schema;
pub mod spec;
mod written;

use serde_json::{Value, json};

use super::conditions::{self, Said};
use crate::kubernetes::{answer::Cause, cluster::Cluster, rules::Rules};

/// What keeps a definition until its objects are gone.
pub const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

pub struct Definitions;

impl Rules for Definitions {
    fn replacing_needs_version(&self) -> bool {
        true
    }

    fn fill_in(&self, object: &mut Value) {
        let spec = &mut object["spec"];
        let kind = spec["names"]["kind"].as_str().unwrap_or_default().to_owned();
        if !kind.is_empty() {
            set_if_missing(&mut spec["names"], "singular", json!(kind.to_lowercase()));
            set_if_missing(&mut spec["names"], "listKind", json!(format!("{kind}List")));
        }
        if spec["preserveUnknownFields"] == false {
            spec.as_object_mut().and_then(|spec| spec.shift_remove("preserveUnknownFields"));
        }
        for version in spec["versions"].as_array_mut().into_iter().flatten() {
            if let Some(schema) = version.pointer_mut("/schema/openAPIV3Schema") {
                written::tidy(schema);
            }
        }
        set_if_missing(spec, "conversion", json!({"strategy": "None"}));
        if let Some(service) = spec.pointer_mut("/conversion/webhook/clientConfig/service") {
            set_if_missing(service, "port", json!(443));
        }
    }

    fn prepare_new(&self, object: &mut Value, _cluster: &Cluster) {
        object["metadata"]["generation"] = json!(1);
        object["status"] = json!({
            "conditions": null,
            "acceptedNames": {"plural": "", "kind": ""},
            "storedVersions": stored_version(object).into_iter().collect::<Vec<_>>(),
        });
    }

    fn prepare_change(&self, object: &mut Value, there: &Value, _cluster: &Cluster) {
        object["status"] = there["status"].clone();
        if object["spec"] != there["spec"] {
            object["metadata"]["generation"] = json!(there["metadata"]["generation"].as_i64().unwrap_or_default() + 1);
        }
        remember_stored(object);
    }

    fn prepare_part(&self, _part: &str, object: &mut Value, _there: &Value, _cluster: &Cluster) {
        // Whoever says that nothing is stored has forgotten what new objects are stored in.
        if object["status"]["storedVersions"].as_array().is_none_or(Vec::is_empty) {
            remember_stored(object);
        }
    }

    fn check(&self, object: &Value) -> Vec<Cause> {
        spec::check(object)
    }

    fn check_new(&self, object: &Value) -> Vec<Cause> {
        spec::check_new(object)
    }

    fn check_change(&self, object: &Value, there: &Value) -> Vec<Cause> {
        spec::check_change(object, there)
    }

    fn terminates(&self, object: &mut Value, cluster: &Cluster) -> bool {
        if object["metadata"].get("deletionTimestamp").is_some() {
            return false;
        }
        let finalizers = &mut object["metadata"]["finalizers"];
        match finalizers.as_array_mut() {
            Some(finalizers) if finalizers.iter().any(|known| known == CLEANUP) => {}
            Some(finalizers) => finalizers.push(json!(CLEANUP)),
            None => *finalizers = json!([CLEANUP]),
        }
        let pending = Said {
            name: "Terminating",
            holds: true,
            reason: "InstanceDeletionPending",
            message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        };
        conditions::set(object, pending, &cluster.now());
        true
    }
}

/// Notes that objects may be stored in the version that new ones are stored in.
fn remember_stored(definition: &mut Value) {
    let Some(stored) = stored_version(definition).map(Value::from) else { return };
    let known = &mut definition["status"]["storedVersions"];
    match known.as_array_mut() {
        Some(known) if known.contains(&stored) => {}
        Some(known) => known.push(stored),
        None => *known = json!([stored]),
    }
}

/// The version in which new objects are stored.
fn stored_version(definition: &Value) -> Option<&str> {
    let versions = definition["spec"]["versions"].as_array()?;
    versions.iter().find(|version| version["storage"] == true)?["name"].as_str()
}

fn set_if_missing(parent: &mut Value, field: &str, value: Value) {
    if let Some(parent) = parent.as_object_mut()
        && parent.get(field).is_none_or(|there| there.is_null() || there == "")
    {
        parent.insert(field.to_owned(), value);
    }
}
