//! The kinds of a cluster that definitions have made.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use super::{DEFINITIONS, Served, conditions::holds};
use crate::kubernetes::{
    kinds::Kind,
    store::{Key, Store},
};

/// The kinds that a cluster's definitions make, by the names of the definitions.
///
/// The definitions in the store are the truth; this only remembers what was read from them.
#[derive(Default)]
pub struct Registry {
    read: Mutex<BTreeMap<String, Read>>,
}

/// What may still be done with objects of a definition that is to go.
const VERBS_OF_ENDING: [&str; 5] = ["delete", "deletecollection", "get", "list", "watch"];

/// What was read from a definition.
struct Read {
    definition: Arc<Value>,
    /// By version, in the order of the definition.
    kinds: Vec<Arc<Kind>>,
}

impl Registry {
    /// The kind of a group, version and plural, if a definition that has its names makes it.
    pub fn kind(&self, store: &Store, group: &str, version: &str, resource: &str) -> Option<Arc<Kind>> {
        let key = key(&format!("{resource}.{group}"));
        let definition = store.get(&key)?;
        // Whoever had its names once keeps them until they are given to another.
        if !holds(&definition, "NamesAccepted") && !holds(&definition, "Established") {
            return None;
        }
        let kinds = self.kinds(&key.name, &definition);
        kinds
            .into_iter()
            .find(|kind| kind.version == version && kind.defined.as_ref().is_some_and(|defined| defined.is_served))
    }

    /// The groups of established definitions in the order of their names, each as aggregated discovery has it.
    pub fn groups(&self, store: &Store) -> Vec<Value> {
        // Versions rank as clients prefer them.
        let mut groups: BTreeMap<String, BTreeMap<Rank, Vec<Value>>> = BTreeMap::new();
        for (key, definition) in store.list(&DEFINITIONS.into(), None).1 {
            if !holds(&definition, "Established") {
                continue;
            }
            for kind in self.kinds(&key.name, &definition) {
                let Some(defined) = kind.defined.as_ref().filter(|defined| defined.is_served) else { continue };
                let versions = groups.entry(kind.group.clone()).or_default();
                let mut discovered = defined.discovered(&kind);
                if holds(&definition, "Terminating") {
                    discovered["verbs"] = json!(VERBS_OF_ENDING);
                }
                versions.entry(Rank::of(&kind.version)).or_default().push(discovered);
            }
        }
        let versions = |versions: BTreeMap<Rank, Vec<Value>>| -> Vec<Value> {
            versions
                .into_iter()
                .map(|(rank, resources)| json!({"version": rank.name, "resources": resources, "freshness": "Current"}))
                .collect()
        };
        groups.into_iter().map(|(name, of)| json!({"metadata": {"name": name}, "versions": versions(of)})).collect()
    }

    /// Every kind that is served.
    pub fn all(&self, store: &Store) -> Vec<Arc<Kind>> {
        let (_, definitions) = store.list(&DEFINITIONS.into(), None);
        let established = definitions.iter().filter(|(_, definition)| holds(definition, "Established"));
        let kinds = established.flat_map(|(key, definition)| self.kinds(&key.name, definition));
        kinds.filter(|kind| kind.defined.as_ref().is_some_and(|defined| defined.is_served)).collect()
    }

    /// The kinds that a definition makes, one a version, also those that are not served.
    pub fn kinds(&self, name: &str, definition: &Arc<Value>) -> Vec<Arc<Kind>> {
        let mut read = self.lock();
        if let Some(known) = read.get_mut(name) {
            if Arc::ptr_eq(&known.definition, definition) {
                return known.kinds.clone();
            }
            // Most changes are of its status.
            let same = |field: &str| known.definition.get(field) == definition.get(field);
            if same("spec") && known.definition["metadata"]["uid"] == definition["metadata"]["uid"] {
                known.definition = definition.clone();
                return known.kinds.clone();
            }
        }
        let kinds: Vec<Arc<Kind>> = Served::all(definition).into_iter().map(Arc::new).collect();
        read.insert(name.to_owned(), Read { definition: definition.clone(), kinds: kinds.clone() });
        kinds
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Read>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub fn key(name: &str) -> Key {
    Key { resource: DEFINITIONS.into(), namespace: String::new(), name: name.to_owned() }
}

/// The place of a version among others: `v2`, `v1`, `v1beta2`, `v1alpha1`, then whatever is no such number, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// Greater ones come first.
    order: (bool, std::cmp::Reverse<(Stage, u64, u64)>),
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    None,
    Alpha,
    Beta,
    Stable,
}

impl Rank {
    fn of(name: &str) -> Self {
        let number = number(name);
        let order = (number.is_none(), std::cmp::Reverse(number.unwrap_or((Stage::None, 0, 0))));
        Self { order, name: name.to_owned() }
    }
}

fn number(name: &str) -> Option<(Stage, u64, u64)> {
    let rest = name.strip_prefix('v')?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (major, rest) = rest.split_at(end);
    let major = major.parse().ok()?;
    if rest.is_empty() {
        return Some((Stage::Stable, major, 0));
    }
    let (stage, minor) = match rest.strip_prefix("alpha") {
        Some(minor) => (Stage::Alpha, minor),
        None => (Stage::Beta, rest.strip_prefix("beta")?),
    };
    Some((stage, major, minor.parse().ok()?))
}
