//! The objects of a cluster, every change of them in order, and who is told of it.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::latest::{Follower, Latest};

/// How many changes are remembered for those who watch from an earlier revision on.
const REMEMBERED: usize = 10_000;

/// Where an object is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The plural with its group: `deployments.apps`, `pods`.
    pub resource: Arc<str>,
    /// Empty for what belongs to no namespace.
    pub namespace: String,
    pub name: String,
}

/// What became of an object.
#[derive(Debug, Clone)]
pub struct Change {
    pub revision: u64,
    pub key: Key,
    /// As it was before; nothing, if it was created.
    pub before: Option<Arc<Value>>,
    /// As it is now; nothing, if it was deleted.
    pub after: Option<Arc<Value>>,
}

/// The objects of one cluster.
pub struct Store {
    state: Mutex<State>,
    latest: Arc<Latest>,
}

struct State {
    revision: u64,
    objects: BTreeMap<Key, Arc<Value>>,
    changes: VecDeque<Change>,
    /// Changes up to this revision are forgotten.
    forgotten: u64,
}

/// What is asked for is no longer remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten;

impl Default for Store {
    fn default() -> Self {
        // Revision 0 means "any" to clients, and the first is taken by the store's own making.
        let state = State { revision: 1, objects: BTreeMap::new(), changes: VecDeque::new(), forgotten: 1 };
        Self { state: Mutex::new(state), latest: Latest::beginning(1) }
    }
}

impl Store {
    /// The revision of the latest change.
    pub fn revision(&self) -> u64 {
        self.lock().revision
    }

    pub fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.lock().objects.get(key).cloned()
    }

    /// The objects of a resource, in one namespace or in all, in order, with the revision that they are of.
    pub fn list(&self, resource: &Arc<str>, namespace: Option<&str>) -> (u64, Vec<(Key, Arc<Value>)>) {
        let state = self.lock();
        let first = Key {
            resource: resource.clone(),
            namespace: namespace.unwrap_or_default().to_owned(),
            name: String::new(),
        };
        let found = state.objects.range((Bound::Included(first), Bound::Unbounded)).take_while(|(key, _)| {
            key.resource == *resource && namespace.is_none_or(|namespace| key.namespace == namespace)
        });
        (state.revision, found.map(|(key, object)| (key.clone(), object.clone())).collect())
    }

    /// Puts an object in place of what is there, numbered with the new revision, if `expected` is still what is there.
    ///
    /// # Errors
    /// What is there now, if it is something else.
    pub fn put(
        &self,
        key: &Key,
        expected: Option<&Arc<Value>>,
        mut object: Value,
    ) -> Result<Arc<Value>, Option<Arc<Value>>> {
        let mut state = self.lock();
        let before = state.expect(key, expected)?;
        let revision = state.revision + 1;
        object["metadata"]["resourceVersion"] = Value::String(revision.to_string());
        let object = Arc::new(object);
        state.objects.insert(key.clone(), object.clone());
        self.note(&mut state, Change { revision, key: key.clone(), before, after: Some(object.clone()) });
        Ok(object)
    }

    /// Takes an object away, if it is still what is there.
    ///
    /// # Errors
    /// What is there now, if it is something else.
    pub fn remove(&self, key: &Key, expected: &Arc<Value>) -> Result<u64, Option<Arc<Value>>> {
        let mut state = self.lock();
        let before = state.expect(key, Some(expected))?;
        let revision = state.revision + 1;
        state.objects.remove(key);
        self.note(&mut state, Change { revision, key: key.clone(), before, after: None });
        Ok(revision)
    }

    /// The changes after a revision.
    ///
    /// # Errors
    /// [`Forgotten`], if some of them are.
    pub fn since(&self, revision: u64) -> Result<Vec<Change>, Forgotten> {
        let state = self.lock();
        if revision < state.forgotten {
            return Err(Forgotten);
        }
        let known = state.changes.partition_point(|change| change.revision <= revision);
        Ok(state.changes.range(known..).cloned().collect())
    }

    /// Everything that is there, as if it had just been created.
    pub fn everything(&self) -> Vec<Change> {
        let state = self.lock();
        let created = |(key, object): (&Key, &Arc<Value>)| Change {
            revision: state.revision,
            key: key.clone(),
            before: None,
            after: Some(object.clone()),
        };
        state.objects.iter().map(created).collect()
    }

    /// Forgets all changes up to now, as a store does when it is compacted.
    pub fn forget(&self) {
        let mut state = self.lock();
        state.changes.clear();
        state.forgotten = state.revision;
    }

    /// Tells the revision of the latest change, again and again.
    pub fn follow(&self) -> Follower {
        self.latest.follow()
    }

    fn note(&self, state: &mut State, change: Change) {
        state.revision = change.revision;
        state.changes.push_back(change);
        if state.changes.len() > REMEMBERED
            && let Some(oldest) = state.changes.pop_front()
        {
            state.forgotten = oldest.revision;
        }
        self.latest.tell(state.revision);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn expect(&self, key: &Key, expected: Option<&Arc<Value>>) -> Result<Option<Arc<Value>>, Option<Arc<Value>>> {
        let there = self.objects.get(key);
        let same = match (there, expected) {
            (None, None) => true,
            (Some(there), Some(expected)) => Arc::ptr_eq(there, expected),
            _ => false,
        };
        if same { Ok(there.cloned()) } else { Err(there.cloned()) }
    }
}
