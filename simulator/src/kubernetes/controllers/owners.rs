//! Who belongs to whom: references to owners, and how controllers claim what their selector matches.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Tools, fields::Fields};
use crate::kubernetes::{answer::Refusal, client::Place, selector::Labels};

/// The owner that manages an object.
pub fn controller_of(object: &Value) -> Option<&Value> {
    object.list("/metadata/ownerReferences").iter().find(|owner| owner.flag("/controller"))
}

/// True if this owner manages the object.
pub fn is_controlled_by(object: &Value, owner: &Value) -> bool {
    controller_of(object).is_some_and(|reference| reference.text("/uid") == owner.uid())
}

/// What an object refers to its controller by.
pub fn reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// What a workload selects its objects by.
pub fn selector(owner: &Value) -> Labels {
    match owner.text("/kind") {
        "ReplicationController" => Labels::of(&json!({"matchLabels": owner["spec"]["selector"]})),
        _ => Labels::of(owner.at("/spec/selector")),
    }
}

/// The objects of a place that belong to `owner`: its own as far as its selector still matches them, and orphans that it
/// matches, which are adopted.
///
/// # Errors
/// If one can't be adopted or released.
pub async fn claim(tools: &Tools, place: Place<'_>, owner: &Value) -> Result<Vec<Arc<Value>>, Refusal> {
    let stored = crate::kubernetes::answer::full(place.resource, place.group());
    let selector = selector(owner);
    let mut claimed = Vec::new();
    for object in tools.census.owned(&stored, owner.uid()) {
        if !is_controlled_by(&object, owner) {
            continue;
        }
        if selector.select(&object) {
            claimed.push(object);
        } else if !owner.is_going() {
            let patch = json!({"metadata": {
                "uid": object.uid(),
                "ownerReferences": [{"$patch": "delete", "uid": owner.uid()}],
            }});
            gone_is_fine(tools.client.patch(place, (object.name(), ""), "strategic-merge", &patch).await)?;
        }
    }
    for object in tools.census.orphans(&stored, place.namespace) {
        if owner.is_going() || object.is_going() || !selector.select(&object) {
            continue;
        }
        let patch = json!({"metadata": {"uid": object.uid(), "ownerReferences": [reference(owner)]}});
        let adopted = tools.client.patch(place, (object.name(), ""), "strategic-merge", &patch).await;
        claimed.extend(gone_is_fine(adopted)?.map(Arc::new));
    }
    Ok(claimed)
}

/// What was asked of an object that may be gone by now.
///
/// # Errors
/// Whatever else is wrong.
pub fn gone_is_fine(answer: Result<Value, Refusal>) -> Result<Option<Value>, Refusal> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(refusal) if refusal.code == 404 => Ok(None),
        Err(refusal) => Err(refusal),
    }
}
