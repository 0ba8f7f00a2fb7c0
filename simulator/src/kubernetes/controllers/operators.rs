//! The operators of the world: after an object of their kind has appeared or changed, phase comes after phase, and what is gone of
//! the phases that are over comes back.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    Controller, Name, Tools,
    fields::{Fields, list},
    owners,
};
use crate::kubernetes::{
    answer::Refusal,
    client::Place,
    kinds::Kind,
    manifests,
    operators::{Births, Operator, Phase, filled},
    store::Change,
};

/// Who owns the fields that they write.
pub const MANAGER: &str = "operator";

pub struct Operators {
    all: Vec<Operator>,
    /// How far they are with each object, by the operator's place among them.
    progress: Mutex<BTreeMap<(usize, Name), Progress>>,
    births: Arc<dyn Births>,
}

/// How far an operator is with an object.
#[derive(Debug, Clone)]
struct Progress {
    uid: String,
    generation: i64,
    /// The phase that is next, and since when all is there that it awaits.
    next: usize,
    since: Option<Instant>,
    /// What was made and can't belong to the object, for the server to remove: it goes with the object all the same.
    apart: Vec<Apart>,
    /// The clusters that were made for it.
    clusters: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
struct Apart {
    api_version: String,
    resource: String,
    name: Name,
}

impl Operators {
    pub fn new(all: Vec<Operator>, births: Arc<dyn Births>) -> Self {
        Self { all, progress: Mutex::default(), births }
    }

    fn known(&self, is: impl Fn(&Name, &Progress) -> bool) -> Vec<Name> {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.iter().filter(|((_, name), progress)| is(name, progress)).map(|((_, name), _)| name.clone()).collect()
    }

    async fn operate(&self, tools: &Tools, index: usize, name: &Name) -> Result<Option<Duration>, Refusal> {
        let operator = &self.all[index];
        let key = (index, name.clone());
        let known = self.progress.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let object = tools.there(&operator.of, name);
        if let Some(gone) =
            known.as_ref().filter(|known| object.as_ref().is_none_or(|object| object.uid() != known.uid))
        {
            for apart in &gone.apart {
                let place = Place {
                    api_version: &apart.api_version,
                    resource: &apart.resource,
                    namespace: &apart.name.namespace,
                };
                owners::gone_is_fine(tools.client.delete(place, &apart.name.name, &Value::Null).await)?;
            }
            gone.clusters.iter().for_each(|cluster| self.births.end(cluster));
            self.progress.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        }
        let Some(object) = object.filter(|object| !object.is_going()) else { return Ok(None) };
        let generation = object.number("/metadata/generation");
        let mut progress = match known.filter(|known| known.uid == object.uid()) {
            Some(known) if known.generation == generation => known,
            known => Progress {
                uid: object.uid().to_owned(),
                generation,
                next: 0,
                since: None,
                apart: known.as_ref().map(|known| known.apart.clone()).unwrap_or_default(),
                clusters: known.map(|known| known.clusters).unwrap_or_default(),
            },
        };
        let outcome = self.go_on(tools, operator, name, &mut progress).await;
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).insert(key, progress);
        outcome
    }

    async fn go_on(
        &self,
        tools: &Tools,
        operator: &Operator,
        name: &Name,
        progress: &mut Progress,
    ) -> Result<Option<Duration>, Refusal> {
        loop {
            // What the phase before it has made of the object counts.
            let Some(object) = tools.there(&operator.of, name) else { return Ok(None) };
            for phase in operator.phases[..progress.next].iter().filter(|phase| phase.is_for(&object)) {
                make(tools, phase, &object, false, progress).await?;
            }
            let Some(phase) = operator.phases.get(progress.next) else { return Ok(None) };
            let now = Instant::now();
            if !phase.is_for(&object) {
                progress.next += 1;
                continue;
            }
            if !awaited(tools, phase, &object) {
                progress.since = None;
                return Ok(None);
            }
            let due = *progress.since.get_or_insert(now) + phase.takes;
            if due > now {
                return Ok(Some(due - now));
            }
            make(tools, phase, &object, true, progress).await?;
            phase.clusters.iter().for_each(|cluster| self.births.begin(cluster));
            progress.clusters.extend(phase.clusters.iter().cloned());
            set_status(tools, phase, &object).await?;
            for told in &phase.events {
                let message = filled(&Value::from(told.message.clone()), &object, 0);
                let message = message.as_str().unwrap_or_default();
                match told.warning {
                    true => tools.warning(&object, &told.reason, message).await,
                    false => tools.normal(&object, &told.reason, message).await,
                }
            }
            progress.next += 1;
            progress.since = None;
        }
    }
}

impl Controller for Operators {
    fn concerned(&self, _: &Tools, change: &Change) -> Vec<Name> {
        let stored = &*change.key.resource;
        let name = Name::changed(change);
        let is_looked_after =
            |operator: &Operator| operator.of == stored && operator.looks_after(&name.namespace, &name.name);
        let mut names = Vec::new();
        if self.all.iter().any(is_looked_after) {
            names.push(name);
        }
        if self.all.iter().any(|operator| operator.awaits(stored)) {
            names.extend(self.known(|_, _| true));
        }
        // What somebody takes away comes back.
        if change.after.is_none()
            && let Some(owner) = change.before.as_deref().and_then(owners::controller_of)
        {
            names.extend(self.known(|_, progress| progress.uid == owner.text("/uid")));
        }
        names
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let mut again: Option<Duration> = None;
            for (index, operator) in self.all.iter().enumerate() {
                if operator.looks_after(&name.namespace, &name.name) {
                    let pause = self.operate(tools, index, name).await?;
                    again = [again, pause].into_iter().flatten().min();
                }
            }
            Ok(again)
        })
    }
}

fn awaited(tools: &Tools, phase: &Phase, object: &Value) -> bool {
    phase.awaits.iter().all(|awaited| {
        let text = |template: &str| match filled(&template.into(), object, 0) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let name = Name { namespace: text(&awaited.namespace), name: text(&awaited.name) };
        tools.there(&awaited.of, &name).is_some_and(|there| awaited.is_so(&there))
    })
}

/// Makes the objects of a phase that are not there; `renew` also brings those that are to what they should be.
async fn make(
    tools: &Tools,
    phase: &Phase,
    owner: &Value,
    renew: bool,
    progress: &mut Progress,
) -> Result<(), Refusal> {
    let count = phase.count(owner);
    for template in &phase.objects {
        let Some(kind) = manifests::kind(tools.client.cluster(), template) else {
            let (kind, group) = (template.text("/kind"), template.text("/apiVersion"));
            let message = format!("no matches for kind \"{kind}\" in version \"{group}\"");
            tools.warning(owner, "OperatorFailed", &message).await;
            return Err(Refusal::unavailable(message));
        };
        if template.has("/metadata/generateName") {
            populate(tools, &kind, phase, template, owner).await?;
            continue;
        }
        for index in 0..count {
            // Definitions of kinds are long: whatever is there and stays as it is isn't written out.
            if !renew && tools.there(&kind.stored, &name_of(template, owner, &kind, index)).is_some() {
                continue;
            }
            let (object, belongs) = made_of(template, owner, &kind, index);
            put(tools, &kind, &object).await?;
            let apart =
                Apart { api_version: kind.api_version(), resource: kind.resource.clone(), name: Name::of(&object) };
            if !belongs && !progress.apart.contains(&apart) {
                progress.apart.push(apart);
            }
        }
    }
    Ok(())
}

/// An object as the template has it, and whether it belongs to its owner, with whom the server removes it.
fn made_of(template: &Value, owner: &Value, kind: &Kind, index: usize) -> (Value, bool) {
    let mut object = filled(template, owner, index);
    if kind.namespaced && object.namespace().is_empty() {
        object["metadata"]["namespace"] = owner["metadata"]["namespace"].clone();
    }
    let belongs = owner.namespace().is_empty() || owner.namespace() == object.namespace();
    if belongs {
        list(&mut object["metadata"], "ownerReferences").push(owners::reference(owner));
    }
    (object, belongs)
}

/// The name of what the template makes.
fn name_of(template: &Value, owner: &Value, kind: &Kind, index: usize) -> Name {
    let mut named = Name::of(&filled(&json!({"metadata": template["metadata"]}), owner, index));
    if kind.namespaced && named.namespace.is_empty() {
        named.namespace = owner.namespace().to_owned();
    }
    named
}

/// Lets there be an object, as it should be.
async fn put(tools: &Tools, kind: &Kind, object: &Value) -> Result<(), Refusal> {
    if tools.there(&kind.stored, &Name::of(object)).is_some_and(|there| there.is_going()) {
        return Ok(());
    }
    let api_version = kind.api_version();
    let place = Place { api_version: &api_version, resource: &kind.resource, namespace: object.namespace() };
    tools.client.apply(place, object.name(), MANAGER, object).await?;
    if object.has("/status") && kind.subresources.iter().any(|part| part == "status") {
        let status = json!({"status": object["status"]});
        tools.client.patch(place, (object.name(), "status"), "merge", &status).await?;
    }
    Ok(())
}

/// Lets there be so many objects whose names the server makes up. Of too many the marked ones go, and then the youngest.
async fn populate(tools: &Tools, kind: &Kind, phase: &Phase, template: &Value, owner: &Value) -> Result<(), Refusal> {
    let count = phase.count(owner);
    let (first, _) = made_of(template, owner, kind, 0);
    let api_version = kind.api_version();
    let place = Place { api_version: &api_version, resource: &kind.resource, namespace: first.namespace() };
    let all = tools.client.cluster().store.list(&kind.stored, Some(first.namespace())).1;
    let is_one = |object: &Value| {
        owners::is_controlled_by(object, owner)
            && object.text("/metadata/generateName") == first.text("/metadata/generateName")
            && !object.is_going()
    };
    let mut own: Vec<_> = all.into_iter().map(|(_, object)| object).filter(|object| is_one(object)).collect();
    let is_marked = |object: &Value| !phase.first_to_go.is_empty() && object.has(&phase.first_to_go);
    own.sort_by_cached_key(|object| (is_marked(object), object.text("/metadata/creationTimestamp").to_owned()));
    for index in own.len()..count {
        tools.client.create(place, &made_of(template, owner, kind, index).0).await?;
    }
    for surplus in own.iter().skip(count) {
        owners::gone_is_fine(tools.client.delete(place, surplus.name(), &Value::Null).await)?;
    }
    Ok(())
}

/// Lets the status of an object be as a phase has it.
async fn set_status(tools: &Tools, phase: &Phase, object: &Value) -> Result<(), Refusal> {
    let Some(kind) = manifests::kind(tools.client.cluster(), object).filter(|_| !phase.status.is_empty()) else {
        return Ok(());
    };
    let mut status = filled(&Value::Object(phase.status.clone()), object, 0);
    if let Some(conditions) = status.get_mut("conditions").and_then(Value::as_array_mut) {
        let known = object.list("/status/conditions");
        for condition in &mut *conditions {
            let before = known.iter().find(|before| before["type"] == condition["type"]);
            let since = before.filter(|before| before["status"] == condition["status"]);
            condition["lastTransitionTime"] =
                since.map_or_else(|| json!(tools.client.cluster().now()), |since| since["lastTransitionTime"].clone());
        }
        let said: Vec<Value> = conditions.iter().map(|condition| condition["type"].clone()).collect();
        let others = known.iter().filter(|known| !said.contains(&known["type"])).cloned();
        *conditions = others.chain(std::mem::take(conditions)).collect();
    }
    let api_version = kind.api_version();
    let place = Place { api_version: &api_version, resource: &kind.resource, namespace: object.namespace() };
    let part = if kind.subresources.iter().any(|part| part == "status") { "status" } else { "" };
    tools.client.patch(place, (object.name(), part), "merge", &json!({"status": status})).await.map(drop)
}
