//! Which ReplicaSet is of which revision of a deployment.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Rollout, fences};
use crate::kubernetes::{
    answer::Refusal,
    client::Place,
    controllers::{
        conditions::{self, Condition},
        fields::{Fields, map, take},
        owners,
    },
};

pub const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub const MOST: &str = "deployment.kubernetes.io/max-replicas";
const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// What is a deployment's own and never copied to its sets.
const OWN: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MOST,
    "deprecated.deployment.rollback.to",
];
pub const HASH: &str = "pod-template-hash";

/// The sets of a deployment.
pub struct Sets {
    /// The one that makes pods as they are wanted now.
    pub new: Option<Arc<Value>>,
    pub old: Vec<Arc<Value>>,
}

impl Sets {
    pub fn sort(deployment: &Value, mut all: Vec<Arc<Value>>) -> Self {
        all.sort_by_cached_key(|set| (set.text("/metadata/creationTimestamp").to_owned(), set.name().to_owned()));
        let wanted = without_hash(&deployment["spec"]["template"]);
        let new = all.iter().position(|set| without_hash(&set["spec"]["template"]) == wanted);
        let new = new.map(|at| all.remove(at));
        Self { new, old: all }
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.old.iter().chain(&self.new)
    }

    /// How many pods they are to have together.
    pub fn wanted(&self) -> i64 {
        self.all().map(|set| set.number("/spec/replicas")).sum()
    }

    /// How many pods of them are, by a count of their status.
    pub fn counted(&self, count: &str) -> i64 {
        self.all().map(|set| set.number(&format!("/status/{count}"))).sum()
    }

    /// Puts a set in place of what it was.
    pub fn renew(&mut self, set: Value) {
        let set = Arc::new(set);
        let places = self.old.iter_mut().chain(&mut self.new);
        for place in places.filter(|place| place.uid() == set.uid()) {
            *place = set.clone();
        }
    }
}

fn without_hash(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove(HASH);
    }
    template
}

pub fn revision(object: &Value) -> i64 {
    object.annotation(REVISION).and_then(|revision| revision.parse().ok()).unwrap_or_default()
}

/// What tells a template from others: a number in letters that make no words.
pub fn hash(template: &Value, collisions: Option<i64>) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let text = format!("{template}{}", collisions.map(|count| count.to_string()).unwrap_or_default());
    let sum = text.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let digits = sum.to_string();
    digits.bytes().map(|digit| char::from(LETTERS[usize::from(digit) % LETTERS.len()])).collect()
}

/// What a set has to know of how many pods its deployment wants; true if it knew something else.
pub fn note_replicas(set: &mut Value, deployment: &Value) -> bool {
    let replicas = deployment.number("/spec/replicas");
    let most = replicas + fences(deployment).0;
    let annotations = map(&mut set["metadata"], "annotations");
    let mut changed = false;
    for (key, count) in [(DESIRED, replicas), (MOST, most)] {
        let count = json!(count.to_string());
        changed |= annotations.insert(key.to_owned(), count.clone()) != Some(count);
    }
    changed
}

/// What a set has of its deployment's annotations and of its own history; true if something is new.
fn annotate(set: &mut Value, deployment: &Value, newest: i64, is_there: bool) -> bool {
    let known = set["metadata"]["annotations"].clone();
    let old = revision(set);
    let annotations = map(&mut set["metadata"], "annotations");
    for (key, value) in deployment.at("/metadata/annotations").as_object().into_iter().flatten() {
        if !OWN.contains(&key.as_str()) {
            annotations.insert(key.clone(), value.clone());
        }
    }
    if old < newest {
        if is_there && old > 0 {
            let history = annotations.get(HISTORY).and_then(Value::as_str).unwrap_or_default();
            let history = if history.is_empty() { old.to_string() } else { format!("{history},{old}") };
            annotations.insert(HISTORY.to_owned(), json!(history));
        }
        annotations.insert(REVISION.to_owned(), json!(newest.to_string()));
    }
    if !is_there {
        note_replicas(set, deployment);
    }
    if set["metadata"]["annotations"].as_object().is_some_and(serde_json::Map::is_empty) {
        take(&mut set["metadata"], "annotations");
    }
    set["metadata"]["annotations"] != known
}

impl Rollout<'_> {
    pub(super) fn place(&self) -> Place<'_> {
        Place { api_version: "apps/v1", resource: "replicasets", namespace: self.deployment.namespace() }
    }

    /// The sets, with the new one as it has to be; made, if it is not there and `make` says so.
    pub(super) async fn sets(&mut self, all: Vec<Arc<Value>>, make: bool) -> Result<Sets, Refusal> {
        let mut sets = Sets::sort(&self.deployment, all);
        let newest = sets.old.iter().map(|set| revision(set)).max().unwrap_or_default() + 1;
        if let Some(new) = sets.new.clone() {
            let mut set = (*new).clone();
            let mut changed = annotate(&mut set, &self.deployment, newest, true);
            let seconds = self.deployment.number("/spec/minReadySeconds");
            if set.number("/spec/minReadySeconds") != seconds {
                set["spec"]["minReadySeconds"] = json!(seconds);
                changed = true;
            }
            if changed {
                let set = self.tools.client.update(self.place(), "", &set).await?;
                sets.new = Some(Arc::new(set));
                return Ok(sets);
            }
            let name = new.name().to_owned();
            let message = format!("Found new replica set \"{name}\"");
            self.say_new(&new, &message, "FoundNewReplicaSet", false).await?;
            return Ok(sets);
        }
        if make {
            self.make_new(&mut sets, newest).await?;
        }
        Ok(sets)
    }

    async fn make_new(&mut self, sets: &mut Sets, newest: i64) -> Result<(), Refusal> {
        let mut template = self.deployment["spec"]["template"].clone();
        let hash = hash(&template, self.deployment.at("/status/collisionCount").as_i64());
        map(&mut template["metadata"], "labels").insert(HASH.to_owned(), json!(hash));
        let mut selector = self.deployment["spec"]["selector"].clone();
        map(&mut selector, "matchLabels").insert(HASH.to_owned(), json!(hash));
        let mut set = json!({
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": format!("{}-{hash}", self.deployment.name()),
                "namespace": self.deployment.namespace(),
                "ownerReferences": [owners::reference(&self.deployment)],
                "labels": template["metadata"]["labels"],
            },
            "spec": {
                "replicas": self.room(sets, 0),
                "selector": selector,
                "template": template,
            },
        });
        let seconds = self.deployment.number("/spec/minReadySeconds");
        if seconds > 0 {
            set["spec"]["minReadySeconds"] = json!(seconds);
        }
        annotate(&mut set, &self.deployment, newest, false);
        let name = set.name().to_owned();
        let created = match self.tools.client.create(self.place(), &set).await {
            Ok(created) => created,
            Err(refusal) if refusal.reason == "AlreadyExists" => return self.collide(refusal).await,
            Err(refusal) => {
                if self.has_deadline() {
                    let message = format!("Failed to create new replica set \"{name}\": {}", refusal.message);
                    let condition = Condition {
                        kind: "Progressing",
                        status: "False",
                        reason: "ReplicaSetCreateError",
                        message: &message,
                    };
                    self.set_condition(condition);
                    self.save_status().await?;
                }
                return Err(refusal);
            }
        };
        let count = created.number("/spec/replicas");
        if count > 0 {
            let message = format!("Scaled up replica set {name} from 0 to {count}");
            self.tools.normal(&self.deployment, "ScalingReplicaSet", &message).await;
        }
        self.say_new(&created, &format!("Created new replica set \"{name}\""), "NewReplicaSetCreated", true).await?;
        sets.new = Some(Arc::new(created));
        Ok(())
    }

    /// Somebody else's set has the name: the next one is made of another number.
    async fn collide(&mut self, refusal: Refusal) -> Result<(), Refusal> {
        let known = self.deployment.number("/status/collisionCount");
        self.deployment["status"]["collisionCount"] = json!(known + 1);
        self.save_status().await?;
        Err(refusal)
    }

    /// Notes which set is the new one.
    async fn say_new(&mut self, set: &Value, message: &str, reason: &str, made: bool) -> Result<(), Refusal> {
        let mut changed = false;
        let newest = set.annotation(REVISION).unwrap_or_default().to_owned();
        if self.deployment.annotation(REVISION) != Some(newest.as_str()) {
            map(&mut self.deployment["metadata"], "annotations").insert(REVISION.to_owned(), json!(newest));
            changed = true;
        }
        if self.has_deadline() && (made || self.deployment.condition("Progressing").is_none()) {
            self.set_condition(Condition { kind: "Progressing", status: "True", reason, message });
            changed = true;
        }
        if changed { self.save_status().await } else { Ok(()) }
    }

    pub(super) fn set_condition(&mut self, condition: Condition<'_>) {
        let now = self.tools.client.cluster().now();
        conditions::set(map_status(&mut self.deployment), condition, &now, &json!({"lastUpdateTime": now}));
    }

    /// Writes what was noted of the deployment so far.
    pub(super) async fn save_status(&mut self) -> Result<(), Refusal> {
        let namespace = self.deployment.namespace().to_owned();
        let place = Place { api_version: "apps/v1", resource: "deployments", namespace: &namespace };
        self.deployment = self.tools.client.update(place, "status", &self.deployment).await?;
        Ok(())
    }

    /// Takes old sets away that are of no use any more, beyond as many as are to be kept.
    pub(super) async fn clean_up(&self, sets: &Sets) -> Result<(), Refusal> {
        let Some(limit) = self.deployment.at("/spec/revisionHistoryLimit").as_u64() else { return Ok(()) };
        let mut old: Vec<&Arc<Value>> = sets.old.iter().filter(|set| !set.is_going()).collect();
        let Some(surplus) = old.len().checked_sub(usize::try_from(limit).unwrap_or(usize::MAX)) else { return Ok(()) };
        old.sort_by_key(|set| revision(set));
        for set in old.into_iter().take(surplus) {
            let is_empty = set.number("/status/replicas") == 0 && set.number("/spec/replicas") == 0;
            if is_empty && set.number("/metadata/generation") <= set.number("/status/observedGeneration") {
                owners::gone_is_fine(self.tools.client.delete(self.place(), set.name(), &Value::Null).await)?;
            }
        }
        Ok(())
    }
}

fn map_status(deployment: &mut Value) -> &mut Value {
    if !deployment["status"].is_object() {
        deployment["status"] = json!({});
    }
    &mut deployment["status"]
}
