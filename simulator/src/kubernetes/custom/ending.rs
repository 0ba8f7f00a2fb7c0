//! A definition that is to go waits until the last of its objects is gone.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    conditions::{self, Said},
    definitions::CLEANUP,
    registry::key,
};
use crate::kubernetes::{
    answer::{Refusal, full},
    client::Place,
    cluster::Cluster,
    controllers::{Controller, Name, Tools},
    store::{Change, Key},
};

/// How often a server looks whether objects that somebody holds are gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// Deletes the objects of definitions that are to go, and then lets go of the definitions.
pub struct Ending;

impl Controller for Ending {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        super::changed(change)
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let cluster = tools.client.cluster();
            let due = |there: &Value| {
                let metadata = &there["metadata"];
                let finalizers = metadata["finalizers"].as_array();
                metadata.get("deletionTimestamp").is_some()
                    && finalizers.is_some_and(|held| held.iter().any(|finalizer| finalizer == CLEANUP))
            };
            let Some(there) = cluster.store.get(&key(&name.name)).filter(|there| due(there)) else { return Ok(None) };
            let in_progress = Said {
                name: "Terminating",
                holds: true,
                reason: "InstanceDeletionInProgress",
                message: "CustomResource deletion is in progress",
            };
            let mut definition = (*there).clone();
            conditions::set(&mut definition, in_progress, &cluster.now());
            conditions::write(cluster, &there, definition);
            if conditions::holds(&there, "Established") {
                delete_all(tools, &there).await?;
            }
            if !objects(cluster, &there).is_empty() {
                return Ok(Some(PATIENCE));
            }
            let Some(there) = cluster.store.get(&key(&name.name)).filter(|there| due(there)) else { return Ok(None) };
            let mut definition = (*there).clone();
            let removed = Said {
                name: "Terminating",
                holds: false,
                reason: "InstanceDeletionCompleted",
                message: "removed all instances",
            };
            conditions::set(&mut definition, removed, &cluster.now());
            let held: Vec<Value> =
                definition["metadata"]["finalizers"].as_array().into_iter().flatten().cloned().collect();
            let held: Vec<Value> = held.into_iter().filter(|finalizer| finalizer != CLEANUP).collect();
            if held.is_empty() {
                // If somebody was faster, that wakes us anew.
                drop(cluster.store.remove(&key(&name.name), &there));
            } else {
                definition["metadata"]["finalizers"] = json!(held);
                conditions::write(cluster, &there, definition);
            }
            Ok(None)
        })
    }
}

/// The objects of a definition.
fn objects(cluster: &Cluster, definition: &Value) -> Vec<Key> {
    let [plural, group] = [&definition["spec"]["names"]["plural"], &definition["spec"]["group"]];
    let resource = full(plural.as_str().unwrap_or_default(), group.as_str().unwrap_or_default());
    cluster.store.list(&resource.as_str().into(), None).1.into_iter().map(|(key, _)| key).collect()
}

async fn delete_all(tools: &Tools, definition: &Value) -> Result<(), Refusal> {
    let spec = &definition["spec"];
    let mut versions = spec["versions"].as_array().into_iter().flatten();
    let Some(served) = versions.find(|version| version["served"] == true) else { return Ok(()) };
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let api_version = format!("{}/{}", word(&spec["group"]), word(&served["name"]));
    let plural = word(&spec["names"]["plural"]);
    for key in objects(tools.client.cluster(), definition) {
        let place = Place { api_version: &api_version, resource: &plural, namespace: &key.namespace };
        match tools.client.delete(place, &key.name, &json!({})).await {
            Err(refusal) if refusal.code != 404 => return Err(refusal),
            _ => {}
        }
    }
    Ok(())
}
