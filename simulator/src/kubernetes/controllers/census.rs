//! What is where: the objects of a cluster by owner, by node, and by label, so that nobody has to look at all of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

use super::{fields::Fields, owners};
use crate::kubernetes::{
    cluster::Cluster,
    store::{Change, Key},
};

/// Keeps up with the store whenever it is asked.
pub struct Census {
    cluster: Arc<Cluster>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    revision: Option<u64>,
    by: BTreeMap<Mark, BTreeSet<Key>>,
}

/// What an object is found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// Its own uid.
    Own(String),
    /// Each of its owners, by uid.
    Owner(String),
    /// It has no controller, in this namespace.
    Orphan(Arc<str>, String),
    /// The node of a pod.
    Node(String),
    /// A label of a pod: namespace, key, value.
    Label(String, String, String),
    /// The namespace that it is in.
    Namespace(String),
}

impl Census {
    pub fn new(cluster: &Arc<Cluster>) -> Self {
        Self { cluster: cluster.clone(), known: Mutex::default() }
    }

    /// The objects of a resource that refer to this owner.
    pub fn owned(&self, resource: &str, uid: &str) -> Vec<Arc<Value>> {
        let mut keys = self.keys(&Mark::Owner(uid.to_owned()));
        keys.retain(|key| &*key.resource == resource);
        self.objects(keys)
    }

    /// Everything that refers to this owner.
    pub fn dependents(&self, uid: &str) -> Vec<(Key, Arc<Value>)> {
        let keys = self.keys(&Mark::Owner(uid.to_owned()));
        keys.into_iter().filter_map(|key| self.cluster.store.get(&key).map(|object| (key, object))).collect()
    }

    /// Where the object of this uid is.
    pub fn whereabouts(&self, uid: &str) -> Option<Key> {
        self.keys(&Mark::Own(uid.to_owned())).pop()
    }

    /// The objects of a resource in a namespace that have no controller.
    pub fn orphans(&self, resource: &str, namespace: &str) -> Vec<Arc<Value>> {
        self.objects(self.keys(&Mark::Orphan(resource.into(), namespace.to_owned())))
    }

    /// The pods on a node.
    pub fn on_node(&self, node: &str) -> Vec<Arc<Value>> {
        self.objects(self.keys(&Mark::Node(node.to_owned())))
    }

    /// The pods of a namespace that have all of these labels, of which there must be one.
    pub fn labelled(&self, namespace: &str, labels: &Value) -> Vec<Arc<Value>> {
        let pairs = labels.as_object().into_iter().flatten();
        let pairs: Vec<(&str, &str)> =
            pairs.map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default())).collect();
        let mark =
            |(key, value): &(&str, &str)| Mark::Label(namespace.to_owned(), (*key).to_owned(), (*value).to_owned());
        let keys = pairs.iter().map(|pair| self.keys(&mark(pair))).min_by_key(Vec::len).unwrap_or_default();
        let mut pods = self.objects(keys);
        pods.retain(|pod| pairs.iter().all(|(key, value)| pod.label(key) == Some(value)));
        pods
    }

    /// Everything in a namespace.
    pub fn inside(&self, namespace: &str) -> Vec<Key> {
        self.keys(&Mark::Namespace(namespace.to_owned()))
    }

    fn keys(&self, mark: &Mark) -> Vec<Key> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.keep_up(&self.cluster);
        known.by.get(mark).map(|keys| keys.iter().cloned().collect()).unwrap_or_default()
    }

    fn objects(&self, keys: Vec<Key>) -> Vec<Arc<Value>> {
        keys.iter().filter_map(|key| self.cluster.store.get(key)).collect()
    }
}

impl Known {
    fn keep_up(&mut self, cluster: &Cluster) {
        let latest = cluster.store.revision();
        if self.revision == Some(latest) {
            return;
        }
        let changes = self.revision.and_then(|revision| cluster.store.all_since(revision).ok());
        let changes = changes.unwrap_or_else(|| {
            self.by.clear();
            cluster.store.everything()
        });
        for change in &changes {
            self.note(change);
        }
        self.revision = Some(latest);
    }

    fn note(&mut self, Change { key, before, after, .. }: &Change) {
        let before = before.as_deref().map(|object| marks(key, object)).unwrap_or_default();
        let after = after.as_deref().map(|object| marks(key, object)).unwrap_or_default();
        for mark in before.difference(&after) {
            if let Some(keys) = self.by.get_mut(mark) {
                keys.remove(key);
                if keys.is_empty() {
                    self.by.remove(mark);
                }
            }
        }
        for mark in after.difference(&before) {
            self.by.entry(mark.clone()).or_default().insert(key.clone());
        }
        // What it is told anew may be known already.
        for mark in after.intersection(&before) {
            if !self.by.get(mark).is_some_and(|keys| keys.contains(key)) {
                self.by.entry(mark.clone()).or_default().insert(key.clone());
            }
        }
    }
}

fn marks(key: &Key, object: &Value) -> BTreeSet<Mark> {
    let mut marks = BTreeSet::from([Mark::Own(object.uid().to_owned())]);
    for owner in object.list("/metadata/ownerReferences") {
        marks.insert(Mark::Owner(owner.text("/uid").to_owned()));
    }
    if !key.namespace.is_empty() {
        marks.insert(Mark::Namespace(key.namespace.clone()));
    }
    match &*key.resource {
        "pods" => {
            marks.insert(Mark::Node(object.text("/spec/nodeName").to_owned()));
            for (label, value) in object.at("/metadata/labels").as_object().into_iter().flatten() {
                let value = value.as_str().unwrap_or_default();
                marks.insert(Mark::Label(key.namespace.clone(), label.clone(), value.to_owned()));
            }
        }
        "replicasets.apps" | "controllerrevisions.apps" => {}
        _ => return marks,
    }
    if owners::controller_of(object).is_none() {
        marks.insert(Mark::Orphan(key.resource.clone(), key.namespace.clone()));
    }
    marks
}
