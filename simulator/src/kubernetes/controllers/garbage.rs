//! Garbage: what belongs to nobody any more goes, and what is to go in a certain order goes in that order.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Controller, Name, Tools, fields::Fields, kinds, owners::gone_is_fine};
use crate::kubernetes::{
    answer::Refusal,
    client::Place,
    kinds::Kind,
    store::{Change, Key},
};

/// What holds an object until its dependents are gone.
const FOREGROUND: &str = "foregroundDeletion";
/// What holds an object until its dependents are let go.
const ORPHAN: &str = "orphan";

/// Collects garbage. What it looks after is called by resource and name: `replicasets.apps web`.
pub struct Garbage;

impl Controller for Garbage {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        let mut concerned = Vec::new();
        match &change.after {
            None => {
                let uid = change.before.as_deref().map(|before| before.uid()).unwrap_or_default();
                concerned.extend(tools.census.dependents(uid).into_iter().map(|(key, _)| named(&key)));
            }
            Some(object) if object.is_going() => {
                if holds(object, FOREGROUND) || holds(object, ORPHAN) {
                    concerned.push(named(&change.key));
                    concerned.extend(tools.census.dependents(object.uid()).into_iter().map(|(key, _)| named(&key)));
                }
            }
            Some(object) => {
                let known = change.before.as_deref().map(|before| before.at("/metadata/ownerReferences"));
                if object.has("/metadata/ownerReferences") && known != Some(object.at("/metadata/ownerReferences")) {
                    concerned.push(named(&change.key));
                }
            }
        }
        // Whoever waits for its dependents has one less.
        if let Some(before) = change.before.as_deref()
            && change
                .after
                .as_deref()
                .is_none_or(|after| after.at("/metadata/ownerReferences") != before.at("/metadata/ownerReferences"))
        {
            for reference in before.list("/metadata/ownerReferences") {
                if let Some((key, Some(owner))) = owner(tools, before, reference)
                    && owner.is_going()
                {
                    concerned.push(named(&key));
                }
            }
        }
        concerned
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some((stored, own)) = name.name.split_once(' ') else { return Ok(None) };
            let own = Name { namespace: name.namespace.clone(), name: own.to_owned() };
            let Some(object) = tools.there(stored, &own) else { return Ok(None) };
            let Some(kind) = kinds::stored(tools.client.cluster(), stored) else { return Ok(None) };
            if object.is_going() {
                if holds(&object, ORPHAN) {
                    let_go(tools, &object).await?;
                    release(tools, &kind, &object, ORPHAN).await?;
                } else if holds(&object, FOREGROUND) {
                    let dependents = tools.census.dependents(object.uid());
                    let blocks = |dependent: &Value| {
                        let mut references = dependent.list("/metadata/ownerReferences").iter();
                        references
                            .any(|reference| reference["uid"] == object.uid() && reference.flag("/blockOwnerDeletion"))
                    };
                    if !dependents.iter().any(|(_, dependent)| blocks(dependent)) {
                        release(tools, &kind, &object, FOREGROUND).await?;
                    }
                }
                return Ok(None);
            }
            collect(tools, &kind, &object).await.map(|()| None)
        })
    }
}

fn named(key: &Key) -> Name {
    Name { namespace: key.namespace.clone(), name: format!("{} {}", key.resource, key.name) }
}

fn holds(object: &Value, finalizer: &str) -> bool {
    object.list("/metadata/finalizers").iter().any(|known| known == finalizer)
}

/// Where an owner is, and the owner, if it is there; nothing, if it can't be said where it would be.
fn owner(tools: &Tools, object: &Value, reference: &Value) -> Option<(Key, Option<Arc<Value>>)> {
    let cluster = tools.client.cluster();
    let kind = kinds::called(cluster, reference.text("/apiVersion"), reference.text("/kind"))?;
    let namespace = if kind.namespaced { object.namespace() } else { "" };
    if kind.namespaced && namespace.is_empty() {
        return None;
    }
    let key = Key {
        resource: kind.stored.clone(),
        namespace: namespace.to_owned(),
        name: reference.text("/name").to_owned(),
    };
    let there = cluster.store.get(&key).filter(|there| there["metadata"]["uid"] == reference["uid"]);
    Some((key, there))
}

/// Deletes an object that belongs to nobody, or whose owner waits for it; takes owners that are gone out of others.
async fn collect(tools: &Tools, kind: &Kind, object: &Value) -> Result<(), Refusal> {
    let (mut solid, mut lost, mut waiting) = (0, Vec::new(), Vec::new());
    for reference in object.list("/metadata/ownerReferences") {
        tell_if_elsewhere(tools, object, reference).await;
        match owner(tools, object, reference) {
            // Nobody knows of it, so nobody can say that it is gone.
            None => solid += 1,
            Some((_, None)) => lost.push(&reference["uid"]),
            Some((_, Some(owner)))
                if owner.is_going() && holds(&owner, FOREGROUND) && reference.flag("/blockOwnerDeletion") =>
            {
                waiting.push(&reference["uid"]);
            }
            Some(_) => solid += 1,
        }
    }
    if lost.is_empty() && waiting.is_empty() {
        return Ok(());
    }
    let place = place(kind, object);
    if solid > 0 {
        let stays = |reference: &&Value| !lost.contains(&&reference["uid"]) && !waiting.contains(&&reference["uid"]);
        let kept: Vec<&Value> = object.list("/metadata/ownerReferences").iter().filter(stays).collect();
        let patch = json!({"metadata": {"uid": object.uid(), "ownerReferences": kept}});
        gone_is_fine(tools.client.patch(place.borrowed(), (object.name(), ""), "merge", &patch).await)?;
        return Ok(());
    }
    let dependents = tools.census.dependents(object.uid());
    let waits_for_all = !waiting.is_empty() && !dependents.is_empty();
    if waits_for_all && dependents.iter().any(|(_, dependent)| dependent.is_going() && holds(dependent, FOREGROUND)) {
        // They may go in a circle: nobody waits for this one.
        hold_up_nobody(tools, kind, object).await?;
    }
    let policy = if holds(object, ORPHAN) {
        "Orphan"
    } else if holds(object, FOREGROUND) || waits_for_all {
        "Foreground"
    } else {
        "Background"
    };
    let options = json!({"propagationPolicy": policy, "preconditions": {"uid": object.uid()}});
    gone_is_fine(tools.client.delete(place.borrowed(), object.name(), &options).await)?;
    Ok(())
}

/// Tells that an owner is in another namespace, where it can't own anything.
async fn tell_if_elsewhere(tools: &Tools, object: &Value, reference: &Value) {
    let Some(there) = tools.census.whereabouts(reference.text("/uid")) else { return };
    if there.namespace.is_empty() || there.namespace == object.namespace() {
        return;
    }
    let [version, kind, name, uid] = ["/apiVersion", "/kind", "/name", "/uid"].map(|field| reference.text(field));
    let namespace = object.namespace();
    let message = format!(
        "ownerRef [{version}/{kind}, namespace: {namespace}, name: {name}, uid: {uid}] does not exist in namespace \
         {namespace:?}"
    );
    tools.warning(object, "OwnerRefInvalidNamespace", &message).await;
}

/// Lets none of an object's owners wait for it any longer.
async fn hold_up_nobody(tools: &Tools, kind: &Kind, object: &Value) -> Result<(), Refusal> {
    let mut owners = object["metadata"]["ownerReferences"].clone();
    for owner in owners.as_array_mut().into_iter().flatten().filter(|owner| owner.flag("/blockOwnerDeletion")) {
        owner["blockOwnerDeletion"] = json!(false);
    }
    let patch = json!({"metadata": {"uid": object.uid(), "ownerReferences": owners}});
    gone_is_fine(tools.client.patch(place(kind, object).borrowed(), (object.name(), ""), "merge", &patch).await)?;
    Ok(())
}

/// Takes an owner out of all that refer to it.
async fn let_go(tools: &Tools, owner: &Value) -> Result<(), Refusal> {
    for (key, dependent) in tools.census.dependents(owner.uid()) {
        let Some(kind) = kinds::stored(tools.client.cluster(), &key.resource) else { continue };
        let others =
            dependent.list("/metadata/ownerReferences").iter().filter(|reference| reference["uid"] != owner.uid());
        let others: Vec<&Value> = others.collect();
        let others = if others.is_empty() { Value::Null } else { json!(others) };
        let patch = json!({"metadata": {"uid": dependent.uid(), "ownerReferences": others}});
        let place = place(&kind, &dependent);
        gone_is_fine(tools.client.patch(place.borrowed(), (dependent.name(), ""), "merge", &patch).await)?;
    }
    Ok(())
}

/// Takes a finalizer away.
async fn release(tools: &Tools, kind: &Kind, object: &Value, finalizer: &str) -> Result<(), Refusal> {
    let others = object.list("/metadata/finalizers").iter().filter(|known| *known != finalizer);
    let others: Vec<&Value> = others.collect();
    let version = &object["metadata"]["resourceVersion"];
    let patch = json!({"metadata": {"resourceVersion": version, "finalizers": others}});
    gone_is_fine(tools.client.patch(place(kind, object).borrowed(), (object.name(), ""), "merge", &patch).await)?;
    Ok(())
}

/// Where an object is, in texts of its own.
struct Whereabouts {
    api_version: String,
    resource: String,
    namespace: String,
}

fn place(kind: &Kind, object: &Value) -> Whereabouts {
    Whereabouts {
        api_version: kind.api_version(),
        resource: kind.resource.clone(),
        namespace: object.namespace().to_owned(),
    }
}

impl Whereabouts {
    fn borrowed(&self) -> Place<'_> {
        Place { api_version: &self.api_version, resource: &self.resource, namespace: &self.namespace }
    }
}
