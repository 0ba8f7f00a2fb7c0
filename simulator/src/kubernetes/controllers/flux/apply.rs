//! Objects as Flux's controllers put them into a cluster, look after them, and take them away again.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    super::{Name, Tools, fields::Fields},
    health,
};
use crate::kubernetes::{
    answer::{self, Refusal},
    client::Place,
    manifests,
};

/// How often objects are looked at that are waited for.
const LOOK: Duration = Duration::from_millis(500);

/// An object, and where it is.
#[derive(Debug, Clone)]
pub struct Target {
    pub api_version: String,
    pub kind: String,
    resource: String,
    pub namespace: String,
    pub name: String,
}

impl Target {
    /// None, if the cluster has no such kind.
    pub fn of(tools: &Tools, object: &Value, namespace: &str) -> Option<Self> {
        let kind = manifests::kind(tools.client.cluster(), object)?;
        let own = object.namespace();
        let namespace = match own {
            _ if !kind.namespaced => "",
            "" => namespace,
            own => own,
        };
        Some(Self {
            api_version: object.text("/apiVersion").to_owned(),
            kind: object.text("/kind").to_owned(),
            resource: kind.resource.to_string(),
            namespace: namespace.to_owned(),
            name: object.name().to_owned(),
        })
    }

    /// What an entry of an inventory means; none, if it is of no kind any more.
    pub fn of_entry(tools: &Tools, entry: &Value) -> Option<Self> {
        let (namespace, rest) = entry.text("/id").split_once('_')?;
        let (rest, kind) = rest.rsplit_once('_')?;
        let (name, group) = rest.rsplit_once('_')?;
        let version = entry.text("/v");
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        let name = name.replace("__", ":");
        let object =
            json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}});
        Self::of(tools, &object, namespace)
    }

    fn place(&self) -> Place<'_> {
        Place { api_version: &self.api_version, resource: &self.resource, namespace: &self.namespace }
    }

    pub fn live(&self, tools: &Tools) -> Option<Arc<Value>> {
        let stored = answer::full(&self.resource, self.place().group());
        tools.there(&stored, &Name { namespace: self.namespace.clone(), name: self.name.clone() })
    }

    /// Its line in an inventory.
    pub fn entry(&self) -> Value {
        let (group, version) = self.api_version.split_once('/').unwrap_or(("", &self.api_version));
        let name = self.name.replace(':', "__");
        json!({"id": format!("{}_{name}_{group}_{}", self.namespace, self.kind), "v": version})
    }

    /// `Deployment/shop/web`.
    pub fn shown(&self) -> String {
        match self.namespace.as_str() {
            "" => format!("{}/{}", self.kind, self.name),
            namespace => format!("{}/{namespace}/{}", self.kind, self.name),
        }
    }

    /// `apps/v1, Kind=Deployment`, and `/v1, Kind=ConfigMap`.
    pub fn full_kind(&self) -> String {
        let slash = if self.api_version.contains('/') { "" } else { "/" };
        format!("{slash}{}, Kind={}", self.api_version, self.kind)
    }

    /// Applies it by these parameters.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn apply(&self, tools: &Tools, query: &str, object: &Value) -> Result<Value, Refusal> {
        let mut object = object.clone();
        match (self.namespace.as_str(), object["metadata"].as_object_mut()) {
            ("", Some(metadata)) => drop(metadata.remove("namespace")),
            (namespace, _) => object["metadata"]["namespace"] = json!(namespace),
        }
        tools.client.apply_with(self.place(), &self.name, query, &object).await
    }

    /// Deletes it with what belongs to it; true if it was there.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn delete(&self, tools: &Tools) -> Result<bool, Refusal> {
        match tools.client.delete(self.place(), &self.name, &json!({"propagationPolicy": "Background"})).await {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.code == 404 => Ok(false),
            Err(refusal) => Err(refusal),
        }
    }
}

/// Waits until objects are as they should be.
///
/// # Errors
/// Those that are not, in the words of whoever waits.
pub async fn ready(tools: &Tools, targets: &[Target], timeout: Duration) -> Result<(), String> {
    let until = Instant::now() + timeout;
    loop {
        let states: Vec<(String, &str)> = targets
            .iter()
            .map(|target| (target.shown(), target.live(tools).map_or("NotFound", |live| health::of(&live))))
            .filter(|(_, state)| *state != "Current")
            .collect();
        let told = |wanted: Option<&str>| -> Vec<String> {
            let those = states.iter().filter(|(_, state)| wanted.is_none_or(|wanted| *state == wanted));
            those.map(|(shown, state)| format!("{shown} status: '{state}'")).collect()
        };
        if states.is_empty() {
            return Ok(());
        }
        let failed = told(Some("Failed"));
        if !failed.is_empty() {
            return Err(format!("failed early due to stalled resources: [{}]", failed.join(", ")));
        }
        if Instant::now() >= until {
            return Err(format!("timeout waiting for: [{}]", told(None).join(", ")));
        }
        sleep(LOOK.min(until - Instant::now())).await;
    }
}

/// Waits until objects are gone, and no longer than that; those that stay.
pub async fn gone(tools: &Tools, targets: &[Target], timeout: Duration) -> Vec<String> {
    let until = Instant::now() + timeout;
    loop {
        let left: Vec<String> =
            targets.iter().filter(|target| target.live(tools).is_some()).map(Target::shown).collect();
        if left.is_empty() || Instant::now() >= until {
            return left;
        }
        sleep(LOOK).await;
    }
}

/// Those of these objects that an apply would make different, each with its live state and what it would become; a state of null
/// stands for one that is not there.
pub async fn differences(tools: &Tools, targets: &[(Target, Value)], owner: &str) -> Vec<(Target, Arc<Value>, Value)> {
    let mut differences = Vec::new();
    for (target, object) in targets {
        let Some(live) = target.live(tools) else {
            differences.push((target.clone(), Arc::new(Value::Null), object.clone()));
            continue;
        };
        let query = format!("fieldManager={owner}&force=true&dryRun=All");
        if let Ok(applied) = target.apply(tools, &query, object).await
            && plain(&live) != plain(&applied)
        {
            differences.push((target.clone(), live, applied));
        }
    }
    differences
}

/// An object without what changes by itself.
pub fn plain(object: &Value) -> Value {
    let mut plain = object.clone();
    if let Some(map) = plain.as_object_mut() {
        map.remove("status");
    }
    if let Some(map) = plain["metadata"].as_object_mut() {
        for field in ["managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"] {
            map.remove(field);
        }
    }
    plain
}

/// The objects of one kind of which this is true.
pub fn those(tools: &Tools, stored: &str, is_meant: impl Fn(&Value) -> bool) -> Vec<Name> {
    let all = tools.client.cluster().store.list(&stored.into(), None).1;
    let those = all.into_iter().filter(|(_, object)| is_meant(object));
    those.map(|(key, _)| Name { namespace: key.namespace, name: key.name }).collect()
}
