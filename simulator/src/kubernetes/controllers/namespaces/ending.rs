//! How a namespace comes to its end: first its pods go, then everything else, then itself.

use std::{collections::BTreeMap, time::Duration};

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::kubernetes::{
    answer::Refusal,
    client::Place,
    controllers::{
        Controller, Name, Tools,
        conditions::{self, Condition},
        fields::Fields,
        kinds,
        owners::gone_is_fine,
        pods::has_ended,
    },
    store::{Change, Key},
};

/// What a namespace is held by until it is empty.
const FINALIZER: &str = "kubernetes";
/// Others learn of the end first.
const NOTICE: SignedDuration = SignedDuration::from_secs(5);
/// How long things that are held are given, if they don't say.
const USUAL: i64 = 15;
const NAMESPACES: Place<'static> = Place { api_version: "v1", resource: "namespaces", namespace: "" };

pub struct Endings;

impl Controller for Endings {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        let is_ending = change.after.as_deref().is_some_and(|namespace| namespace.is_going());
        if &*change.key.resource == "namespaces" && is_ending { vec![Name::changed(change)] } else { Vec::new() }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(namespace) = tools.there("namespaces", name).filter(|namespace| namespace.is_going()) else {
                return Ok(None);
            };
            if !namespace.list("/spec/finalizers").iter().any(|known| known == FINALIZER) {
                return Ok(None);
            }
            let asked: Timestamp = namespace.text("/metadata/deletionTimestamp").parse().unwrap_or(tools.now());
            let left = (asked + NOTICE).duration_since(tools.now());
            if left.is_positive() {
                return Ok(Some(Duration::try_from(left).unwrap_or_default()));
            }
            empty(tools, &name.name).await?;
            let remaining = tools.census.inside(&name.name);
            // As long as there are pods, nothing is told of what is left.
            let told = if remaining.iter().any(is_pod) { &[] } else { remaining.as_slice() };
            say(tools, &namespace, told).await?;
            if !remaining.is_empty() {
                return Ok(Some(patience(tools, &remaining)));
            }
            let Some(namespace) = tools.there("namespaces", name) else { return Ok(None) };
            let mut finished = (*namespace).clone();
            let finalizers = super::super::fields::list(&mut finished["spec"], "finalizers");
            finalizers.retain(|known| known != FINALIZER);
            gone_is_fine(tools.client.update(NAMESPACES, "finalize", &finished).await)?;
            Ok(None)
        })
    }
}

/// Deletes everything in a namespace; nothing but pods, as long as there are any.
async fn empty(tools: &Tools, namespace: &str) -> Result<(), Refusal> {
    let all = tools.census.inside(namespace);
    delete(tools, all.iter().filter(|key| is_pod(key))).await?;
    if tools.census.inside(namespace).iter().any(is_pod) {
        return Ok(());
    }
    delete(tools, all.iter().filter(|key| !is_pod(key))).await
}

fn is_pod(key: &Key) -> bool {
    &*key.resource == "pods"
}

async fn delete(tools: &Tools, keys: impl Iterator<Item = &Key>) -> Result<(), Refusal> {
    let cluster = tools.client.cluster();
    for key in keys {
        if cluster.store.get(key).is_none_or(|object| object.is_going()) {
            continue;
        }
        let Some(kind) = kinds::stored(cluster, &key.resource).filter(|kind| kind.allows("delete")) else { continue };
        let api_version = kind.api_version();
        let place = Place { api_version: &api_version, resource: &kind.resource, namespace: &key.namespace };
        let options = json!({"propagationPolicy": "Background"});
        gone_is_fine(tools.client.delete(place, &key.name, &options).await)?;
    }
    Ok(())
}

/// When to look again: what is stopped is given its time.
fn patience(tools: &Tools, remaining: &[Key]) -> Duration {
    let store = &tools.client.cluster().store;
    let pods = remaining.iter().filter(|key| is_pod(key)).filter_map(|key| store.get(key));
    let graces = pods.filter(|pod| !has_ended(pod)).map(|pod| pod.number("/spec/terminationGracePeriodSeconds"));
    let grace = graces.max().filter(|grace| *grace > 0).unwrap_or(USUAL);
    Duration::from_secs(u64::try_from(grace / 2 + 1).unwrap_or(1))
}

/// Says what is left.
async fn say(tools: &Tools, namespace: &Value, remaining: &[Key]) -> Result<(), Refusal> {
    let store = &tools.client.cluster().store;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut holders: BTreeMap<String, usize> = BTreeMap::new();
    for key in remaining {
        *counts.entry(&key.resource).or_default() += 1;
        let object = store.get(key);
        for finalizer in object.iter().flat_map(|object| object.list("/metadata/finalizers")) {
            *holders.entry(finalizer.as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    let counts = counts.iter().map(|(resource, count)| {
        // The core group has no name, and the dot before it stays.
        let dot = if resource.contains('.') { "" } else { "." };
        format!("{resource}{dot} has {count} resource instances")
    });
    let holders = holders.iter().map(|(finalizer, count)| format!("{finalizer} in {count} resource instances"));
    let (counts, holders): (Vec<String>, Vec<String>) = (counts.collect(), holders.collect());
    let left = format!("Some resources are remaining: {}", counts.join(", "));
    let held = format!("Some content in the namespace has finalizers remaining: {}", holders.join(", "));
    let mut said = namespace.clone();
    let now = tools.client.cluster().now();
    let mut changed = false;
    for (kind, status, reason, message) in [
        ("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        match counts.is_empty() {
            true => ("NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed"),
            false => ("NamespaceContentRemaining", "True", "SomeResourcesRemain", left.as_str()),
        },
        match holders.is_empty() {
            true => (
                "NamespaceFinalizersRemaining",
                "False",
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished",
            ),
            false => ("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", held.as_str()),
        },
    ] {
        let known = namespace.condition(kind);
        if known.is_some_and(|known| known["status"] == status && known.text("/message") == message) {
            continue;
        }
        let place = namespace.list("/status/conditions").iter().position(|known| known["type"] == kind);
        conditions::remove(&mut said["status"], kind);
        conditions::set(&mut said["status"], Condition { kind, status, reason, message }, &now, &Value::Null);
        // A condition keeps its place.
        if let (Some(place), Some(conditions)) = (place, said["status"]["conditions"].as_array_mut())
            && let Some(last) = conditions.pop()
        {
            conditions.insert(place, last);
        }
        changed = true;
    }
    if changed {
        gone_is_fine(tools.client.update(NAMESPACES, "status", &said).await)?;
    }
    Ok(())
}
