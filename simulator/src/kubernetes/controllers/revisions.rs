//! ControllerRevisions: the templates that a StatefulSet or DaemonSet has had.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{Tools, deployments::hash, fields::Fields, owners};
use crate::kubernetes::{answer::Refusal, client::Place};

const STORED: &str = "controllerrevisions.apps";

/// How the revisions of a kind are labelled.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// The label that has the hash.
    pub label: &'static str,
    /// They have their owner's annotations.
    pub annotated: bool,
}

/// All revisions, oldest first, and which is of the template as it is now; made, if there is none.
///
/// # Errors
/// If it can't be made.
pub async fn of(tools: &Tools, owner: &Value, style: Style) -> Result<(Vec<Arc<Value>>, Arc<Value>), Refusal> {
    let place = place(owner);
    let mut known = tools.census.owned(STORED, owner.uid());
    known.retain(|revision| !revision.is_going());
    known.sort_by_key(|revision| revision.number("/revision"));
    let mut template = owner["spec"]["template"].clone();
    template["$patch"] = json!("replace");
    let data = json!({"spec": {"template": sorted(&template)}});
    let next = known.last().map_or(0, |latest| latest.number("/revision")) + 1;
    if let Some(at) = known.iter().position(|revision| revision["data"] == data) {
        let mut same = known.remove(at);
        if at < known.len() {
            let mut renewed = (*same).clone();
            renewed["revision"] = json!(next);
            same = Arc::new(tools.client.update(place, "", &renewed).await?);
        }
        known.push(same.clone());
        return Ok((known, same));
    }
    let hash = hash(&owner["spec"]["template"], owner.at("/status/collisionCount").as_i64().filter(|count| *count > 0));
    let mut labels = owner.at("/spec/template/metadata/labels").as_object().cloned().unwrap_or_default();
    labels.insert(style.label.to_owned(), json!(hash));
    let mut revision = json!({
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": format!("{}-{hash}", owner.name()),
            "labels": labels,
            "ownerReferences": [owners::reference(owner)],
        },
        "data": data,
        "revision": next,
    });
    if style.annotated && owner.has("/metadata/annotations") {
        revision["metadata"]["annotations"] = owner["metadata"]["annotations"].clone();
    }
    let made = Arc::new(tools.client.create(place, &revision).await?);
    known.push(made.clone());
    Ok((known, made))
}

/// Takes away the oldest revisions that nothing is of any more, beyond as many as are to be kept.
///
/// # Errors
/// If one can't be deleted.
pub async fn forget(
    tools: &Tools,
    owner: &Value,
    known: &[Arc<Value>],
    is_used: impl Fn(&Value) -> bool,
) -> Result<(), Refusal> {
    let Some(limit) = owner.at("/spec/revisionHistoryLimit").as_u64() else { return Ok(()) };
    let unused: Vec<&Arc<Value>> = known.iter().filter(|revision| !is_used(revision)).collect();
    let surplus = unused.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    for revision in unused.into_iter().take(surplus) {
        owners::gone_is_fine(tools.client.delete(place(owner), revision.name(), &Value::Null).await)?;
    }
    Ok(())
}

/// The same with fields in the order of their names: whoever compares revisions compares letters.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, Value> = fields.iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.into_iter().map(|(name, value)| (name.clone(), value)).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn place(owner: &Value) -> Place<'_> {
    Place { api_version: "apps/v1", resource: "controllerrevisions", namespace: owner.namespace() }
}
