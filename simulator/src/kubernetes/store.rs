//! The objects of a cluster, every change of them in order, and who is told of it.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::latest::{Follower, Latest};

/// How many changes are remembered for those who watch from an earlier revision on.
const REMEMBERED: usize = 10_000;

/// How often the store is compacted to where it was the time before.
const COMPACTED: Duration = Duration::from_secs(5 * 60);

/// Where an object is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The plural with its group: `deployments.apps`, `pods`.
    pub resource: Arc<str>,
    /// Empty for what belongs to no namespace.
    pub namespace: String,
    pub name: String,
}

/// In the order of `namespace/name`, in which `web-2` is before `web`.
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let of_namespace = || match self.namespace == other.namespace {
            true => Ordering::Equal,
            false => self.namespace.bytes().chain([b'/']).cmp(other.namespace.bytes().chain([b'/'])),
        };
        self.resource.cmp(&other.resource).then_with(of_namespace).then_with(|| self.name.cmp(&other.name))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
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
    changes: VecDeque<Arc<Change>>,
    /// Changes up to this revision are forgotten.
    forgotten: u64,
    begun: Instant,
    /// The last revision of each interval between compactions, as far as it is not compacted.
    intervals: VecDeque<(u64, u64)>,
}

/// Objects with where they are kept, in order.
pub type Objects = Vec<(Key, Arc<Value>)>;

/// What is asked for is no longer remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten;

impl Default for Store {
    fn default() -> Self {
        // Revision 0 means "any" to clients, and the first is taken by the store's own making.
        let state = State {
            revision: 1,
            objects: BTreeMap::new(),
            changes: VecDeque::new(),
            forgotten: 1,
            begun: Instant::now(),
            intervals: VecDeque::new(),
        };
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

    /// Whether an object is as it was created, and nobody has written to it since.
    pub fn is_new(&self, key: &Key, object: &Arc<Value>) -> bool {
        let state = self.lock();
        let mut changes = state.changes.iter().rev().filter(|change| change.key == *key);
        changes.next().is_some_and(|change| {
            change.before.is_none() && change.after.as_ref().is_some_and(|after| Arc::ptr_eq(after, object))
        })
    }

    /// The objects of a resource, in one namespace or in all, in order, with the revision that they are of.
    pub fn list(&self, resource: &Arc<str>, namespace: Option<&str>) -> (u64, Objects) {
        let state = self.lock();
        (state.revision, state.found(resource, namespace).map(|(key, object)| (key.clone(), object.clone())).collect())
    }

    /// How many objects of a resource there are.
    pub fn count(&self, resource: &Arc<str>) -> u64 {
        self.lock().found(resource, None).count() as u64
    }

    /// Whether there is an object of a resource.
    pub fn has_any(&self, resource: &Arc<str>) -> bool {
        self.lock().found(resource, None).next().is_some()
    }

    /// The same as it was at an earlier revision.
    ///
    /// # Errors
    /// [`Forgotten`], if that was before the last compaction.
    pub fn list_at(&self, resource: &Arc<str>, namespace: Option<&str>, revision: u64) -> Result<Objects, Forgotten> {
        let state = self.lock();
        if revision < state.forgotten.max(state.compacted()) {
            return Err(Forgotten);
        }
        let mut objects: BTreeMap<&Key, &Arc<Value>> = state.found(resource, namespace).collect();
        let later = state.changes.partition_point(|change| change.revision <= revision);
        let is_meant = |key: &Key| key.resource == *resource && namespace.is_none_or(|wanted| key.namespace == wanted);
        for change in state.changes.range(later..).rev().filter(|change| is_meant(&change.key)) {
            match &change.before {
                Some(before) => drop(objects.insert(&change.key, before)),
                None => drop(objects.remove(&change.key)),
            }
        }
        Ok(objects.into_iter().map(|(key, object)| (key.clone(), object.clone())).collect())
    }

    /// Waits until a revision is there, and not longer than that; tells how far it came.
    pub async fn reach(&self, revision: u64, at_most: Duration) -> u64 {
        let mut latest = self.follow();
        let reached = async {
            while self.revision() < revision {
                latest.changed().await;
            }
        };
        // Whether it came or not is seen by how far it is.
        let _ = timeout(at_most, reached).await;
        self.revision()
    }

    /// Puts an object in place of what is there, numbered with the new revision, if `expected` is still what is there.
    ///
    /// # Errors
    /// What is there now, if it is something else.
    pub fn put(
        &self,
        key: &Key,
        expected: Option<&Arc<Value>>,
        object: Value,
    ) -> Result<Arc<Value>, Option<Arc<Value>>> {
        self.insert(key, expected, object, Latest::tell)
    }

    /// The same for a heartbeat: those who follow everything else are not woken by it.
    ///
    /// # Errors
    /// As for [`Store::put`].
    pub fn put_heartbeat(
        &self,
        key: &Key,
        expected: Option<&Arc<Value>>,
        object: Value,
    ) -> Result<Arc<Value>, Option<Arc<Value>>> {
        self.insert(key, expected, object, Latest::tell_of_heartbeat)
    }

    fn insert(
        &self,
        key: &Key,
        expected: Option<&Arc<Value>>,
        mut object: Value,
        tell: fn(&Latest, u64),
    ) -> Result<Arc<Value>, Option<Arc<Value>>> {
        let mut state = self.lock();
        let before = state.expect(key, expected)?;
        let revision = state.revision + 1;
        object["metadata"]["resourceVersion"] = Value::String(revision.to_string());
        let object = Arc::new(object);
        state.objects.insert(key.clone(), object.clone());
        state.note(Change { revision, key: key.clone(), before, after: Some(object.clone()) });
        tell(&self.latest, revision);
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
        state.note(Change { revision, key: key.clone(), before, after: None });
        self.latest.tell(revision);
        Ok(revision)
    }

    /// The changes of everything after a revision.
    ///
    /// # Errors
    /// [`Forgotten`], if some of them are.
    pub fn all_since(&self, revision: u64) -> Result<Vec<Arc<Change>>, Forgotten> {
        Ok(self.lock().since(revision)?.cloned().collect())
    }

    /// The changes of a resource after a revision, and how far that is.
    ///
    /// # Errors
    /// [`Forgotten`], if some of them are.
    pub fn since(&self, resource: &Arc<str>, revision: u64) -> Result<(u64, Vec<Arc<Change>>), Forgotten> {
        let state = self.lock();
        let changes = state.since(revision)?.filter(|change| change.key.resource == *resource);
        Ok((state.revision, changes.cloned().collect()))
    }

    /// Everything that is there, as if it had just been created.
    pub fn everything(&self) -> Vec<Arc<Change>> {
        let state = self.lock();
        let created = |(key, object): (&Key, &Arc<Value>)| Change {
            revision: state.revision,
            key: key.clone(),
            before: None,
            after: Some(object.clone()),
        };
        state.objects.iter().map(created).map(Arc::new).collect()
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

    /// The same but for heartbeats, which are most of what happens.
    pub fn follow_all_but_heartbeats(&self) -> Follower {
        self.latest.follow_all_but_heartbeats()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, change: Change) {
        self.revision = change.revision;
        self.count_interval();
        self.changes.push_back(Arc::new(change));
        if self.changes.len() > REMEMBERED
            && let Some(oldest) = self.changes.pop_front()
        {
            self.forgotten = oldest.revision;
        }
    }

    fn found(&self, resource: &Arc<str>, namespace: Option<&str>) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        let namespace = namespace.map(str::to_owned);
        let name = String::new();
        let first = Key { resource: resource.clone(), namespace: namespace.clone().unwrap_or_default(), name };
        self.objects.range((Bound::Included(&first), Bound::Unbounded)).take_while(move |(key, _)| {
            key.resource == first.resource && namespace.as_ref().is_none_or(|namespace| key.namespace == *namespace)
        })
    }

    fn since(&self, revision: u64) -> Result<impl Iterator<Item = &Arc<Change>>, Forgotten> {
        if revision < self.forgotten {
            return Err(Forgotten);
        }
        let known = self.changes.partition_point(|change| change.revision <= revision);
        Ok(self.changes.range(known..))
    }

    fn interval(&self) -> u64 {
        self.begun.elapsed().as_secs() / COMPACTED.as_secs()
    }

    /// What is before this revision is compacted: where the store was at the last compaction but one.
    fn compacted(&self) -> u64 {
        let past = self.interval().saturating_sub(1);
        self.intervals.iter().take_while(|(interval, _)| *interval < past).last().map_or(0, |(_, revision)| *revision)
    }

    fn count_interval(&mut self) {
        let now = self.interval();
        match self.intervals.back_mut() {
            Some((interval, revision)) if *interval == now => *revision = self.revision,
            _ => self.intervals.push_back((now, self.revision)),
        }
        while self.intervals.get(1).is_some_and(|(interval, _)| *interval + 1 < now) {
            self.intervals.pop_front();
        }
    }

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
