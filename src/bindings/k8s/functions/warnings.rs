//! Warnings that the cluster has about what is waited for, told while the wait goes on, each once. They never end a wait.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;

use crate::{
    kubernetes::{
        client::{Cluster, Selection},
        explain::{seen_at, shown_warning},
        object::{self, items, kind, name, text, uid},
    },
    script::values::tree::Tree,
};

/// In how many namespaces is looked.
const NAMESPACES: usize = 3;

/// At which looks at the pods the events are looked at, too.
const EVERY: usize = 3;

/// What was said so shortly before the wait is about what led to it.
const BEFORE: Duration = Duration::from_secs(10);

/// What has been told, and since when it matters.
pub struct Warnings {
    since: Timestamp,
    looks: usize,
    told: BTreeSet<String>,
}

impl Warnings {
    pub fn new(cluster: &Cluster) -> Self {
        let now = cluster.host().clock.now();
        Self { since: now.checked_sub(BEFORE).unwrap_or(now), looks: 0, told: BTreeSet::new() }
    }

    /// True if it is their turn.
    pub fn are_due(&mut self) -> bool {
        self.looks += 1;
        self.looks % EVERY == 1
    }

    /// Takes in what was found, and gives what nobody has been told yet, oldest first.
    pub fn take_in(&mut self, mut found: Vec<Tree>) -> Vec<String> {
        let since = self.since;
        found.retain(|event| seen_at(event).parse().is_ok_and(|seen: Timestamp| seen >= since));
        found.sort_by(|a, b| seen_at(a).cmp(seen_at(b)));
        found.iter().map(shown_warning).filter(|text| self.told.insert(text.clone())).collect()
    }
}

/// What warnings may be about: objects, and what they are made of.
#[derive(Debug, Default)]
pub struct Concerned {
    uids: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    /// Namespace and name of deployments, whose replica sets have their name in front.
    deployments: Vec<(String, String)>,
}

impl Concerned {
    /// An object, its pods, and what stands between the two.
    pub fn add(&mut self, owner: &Tree, pods: &[Tree]) {
        self.uids.extend(uid(owner).map(str::to_owned));
        for pod in pods {
            let between = items(pod, &["metadata", "ownerReferences"]).iter().filter_map(|owner| text(owner, &["uid"]));
            self.uids.extend(uid(pod).into_iter().chain(between).map(str::to_owned));
        }
        let namespace = object::namespace(owner).unwrap_or("default").to_owned();
        if kind(owner) == "Deployment" {
            self.deployments.push((namespace.clone(), name(owner).to_owned()));
        }
        self.namespaces.insert(namespace);
    }

    /// The warnings about them that the cluster has. Whoever may not read them, or can't for now, waits without them.
    pub async fn warnings(&self, cluster: &Cluster) -> Vec<Tree> {
        let mut found = Vec::new();
        let Ok(events) = cluster.resolve("events").await else { return found };
        for namespace in self.namespaces.iter().take(NAMESPACES) {
            let selection = Selection {
                namespace: Some(namespace.clone()),
                fields: Some("type=Warning".to_owned()),
                ..Selection::default()
            };
            if let Ok(listed) = cluster.list(&events, &selection).await {
                found.extend(listed.objects.into_iter().filter(|event| self.has(event)));
            }
        }
        found
    }

    fn has(&self, event: &Tree) -> bool {
        let about = |field: &str| text(event, &["involvedObject", field]).unwrap_or_default();
        // A replica set that can't make its first pod is known by its name alone.
        let is_replica_set = |namespace: &str, deployment: &str| {
            let rest = about("name").strip_prefix(deployment).and_then(|rest| rest.strip_prefix('-'));
            about("namespace") == namespace && rest.is_some_and(|hash| !hash.contains('-'))
        };
        let mut deployments = self.deployments.iter();
        self.uids.contains(about("uid"))
            || about("kind") == "ReplicaSet"
                && deployments.any(|(namespace, deployment)| is_replica_set(namespace, deployment))
    }
}
