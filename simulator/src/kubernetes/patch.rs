//! Patches: instructions for changing an object.

use serde_json::{Map, Value};

use super::answer::Refusal;

/// A patch that was read.
pub enum Patch {
    /// RFC 7386: what is there is replaced, what is null is removed.
    Merge(Value),
}

/// # Errors
/// If it is malformed, or of a form that has no model.
pub fn read(media_type: &str, body: &[u8]) -> Result<Patch, Refusal> {
    match media_type {
        "application/merge-patch+json" => serde_json::from_slice(body)
            .map(Patch::Merge)
            .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}"))),
        "application/json-patch+json" | "application/strategic-merge-patch+json" => {
            Err(Refusal::not_modelled(format!("patches of the form `{media_type}`")))
        }
        _ => Err(Refusal::unsupported_media_type(&[
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/apply-patch+yaml",
        ])),
    }
}

impl Patch {
    /// The object with the patch on it.
    ///
    /// # Errors
    /// If it doesn't fit.
    pub fn on(&self, object: &Value) -> Result<Value, Refusal> {
        match self {
            Patch::Merge(patch) => {
                let mut patched = object.clone();
                merge(&mut patched, patch);
                Ok(patched)
            }
        }
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { unreachable!("it was made a map") };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}
