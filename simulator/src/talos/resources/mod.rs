//! Resources: what a node shows of itself. They follow from what it is, and are worked out when somebody looks.

mod definitions;
mod shown;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;

pub use self::definitions::{NAMESPACES, definition};
use super::{feed::Feed, node::Node};

/// Which resource is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub namespace: String,
    pub kind: String,
    pub id: String,
}

impl Key {
    pub fn new(namespace: &str, kind: &str, id: &str) -> Self {
        Self { namespace: namespace.to_owned(), kind: kind.to_owned(), id: id.to_owned() }
    }
}

/// What a resource is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub owner: &'static str,
    pub yaml: String,
    /// The same as a message, for the types that clients read so.
    pub message: Vec<u8>,
    pub annotations: &'static [(&'static str, &'static str)],
}

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub version: u64,
    pub created: Timestamp,
    pub updated: Timestamp,
    content: Content,
}

impl std::ops::Deref for Kept {
    type Target = Content;

    fn deref(&self) -> &Content {
        &self.content
    }
}

/// What became of a resource.
#[derive(Debug, Clone)]
pub struct Change {
    pub key: Key,
    pub before: Option<Kept>,
    pub after: Option<Kept>,
}

/// The resources of a node, for one of its lives.
#[derive(Default)]
pub struct Store {
    all: Mutex<BTreeMap<Key, Kept>>,
    changes: Feed<Change>,
    watchers: Arc<AtomicUsize>,
}

/// Somebody looks for as long as it is there.
pub struct Watching(Arc<AtomicUsize>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Store {
    pub fn get(&self, key: &Key) -> Option<Kept> {
        self.lock().get(key).cloned()
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// All of a type, by their names.
    pub fn list(&self, namespace: &str, kind: &str) -> Vec<(Key, Kept)> {
        let all = self.lock();
        let fits = all.iter().filter(|(key, _)| key.namespace == namespace && key.kind == kind);
        fits.map(|(key, kept)| (key.clone(), kept.clone())).collect()
    }

    /// From where on changes are to be followed.
    pub fn watch(&self) -> (usize, Watching) {
        self.watchers.fetch_add(1, Ordering::AcqRel);
        (self.changes.len(), Watching(self.watchers.clone()))
    }

    pub fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Acquire) > 0
    }

    pub fn changes(&self) -> &Feed<Change> {
        &self.changes
    }

    /// Nothing will change any more.
    pub fn end(&self) {
        self.changes.end();
    }

    /// From now on it is so.
    fn become_so(&self, mut now: BTreeMap<Key, Content>, at: Timestamp) {
        let mut all = self.lock();
        let goes = |key: &&Key| key.namespace != definitions::NAMESPACE && !now.contains_key(key);
        let gone: Vec<Key> = all.keys().filter(goes).cloned().collect();
        for key in gone {
            let before = all.remove(&key);
            self.changes.tell(Change { key, before, after: None });
        }
        for (key, kept) in &mut *all {
            let Some(content) = now.remove(key).filter(|content| *content != kept.content) else { continue };
            let before = kept.clone();
            *kept = Kept { version: before.version + 1, created: before.created, updated: at, content };
            self.changes.tell(Change { key: key.clone(), before: Some(before), after: Some(kept.clone()) });
        }
        for (key, content) in now {
            let kept = Kept { version: 1, created: at, updated: at, content };
            self.changes.tell(Change { key: key.clone(), before: None, after: Some(kept.clone()) });
            all.insert(key, kept);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Kept>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings what a node shows up to what it is.
pub fn settle(node: &Node) {
    let store = node.state().store.clone();
    // The types stay the same for as long as the node lives.
    let mut now = if store.is_empty() { definitions::shown(node.minor()) } else { BTreeMap::new() };
    now.extend(shown::all(node));
    store.become_so(now, node.calendar.now());
}
