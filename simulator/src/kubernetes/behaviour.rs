//! How the programs in containers behave, as the world says: how long images take to be pulled, when programs are ready, and
//! how they end. And which machines are off.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How a container behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// How long its image takes to be pulled to a machine that doesn't have it.
    pub pull: Duration,
    /// Why its image can't be pulled.
    pub pull_fails: Option<String>,
    /// From its creation to its start.
    pub start: Duration,
    pub readiness: Readiness,
    /// How it ends by itself.
    pub end: Option<End>,
    /// From being asked to stop to its end.
    pub stop: Duration,
}

/// When a running program is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// As soon as its probes can find out; at once, if it has none.
    Probed,
    After(Duration),
    Never,
}

/// How a program ends by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Since its start.
    pub after: Duration,
    pub code: i32,
    /// `OOMKilled`, if not as the code says.
    pub reason: Option<String>,
    /// How many times, until it keeps running; always, if not said.
    pub times: Option<u32>,
}

/// A behaviour, and which containers have it. A pattern is a name in which `*` stands for anything; none stands for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub image: Option<String>,
    pub namespace: Option<String>,
    pub pod: Option<String>,
    pub container: Option<String>,
    pub behaviour: Behaviour,
}

/// A container as rules look at it.
#[derive(Debug, Clone, Copy)]
pub struct Looked<'l> {
    pub image: &'l str,
    pub namespace: &'l str,
    pub pod: &'l str,
    pub container: &'l str,
}

/// The machines of a cluster and what runs on them, as far as the world decides that.
#[derive(Default)]
pub struct Machines {
    rules: Mutex<Vec<Rule>>,
    off: Mutex<BTreeSet<String>>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            pull: Duration::from_millis(1500),
            pull_fails: None,
            start: Duration::from_millis(200),
            readiness: Readiness::Probed,
            end: None,
            stop: Duration::from_millis(500),
        }
    }
}

impl Machines {
    /// From now on containers behave by the first of these rules that is about them.
    pub fn behave(&self, rules: Vec<Rule>) {
        *lock(&self.rules) = rules;
    }

    /// What is said of a container, if anything is.
    pub fn behaviour(&self, container: Looked<'_>) -> Option<Behaviour> {
        let rules = lock(&self.rules);
        rules.iter().find(|rule| rule.is_about(container)).map(|rule| rule.behaviour.clone())
    }

    /// Turns a machine off, as if its power had failed.
    pub fn turn_off(&self, node: &str) {
        lock(&self.off).insert(node.to_owned());
    }

    pub fn turn_on(&self, node: &str) {
        lock(&self.off).remove(node);
    }

    pub fn is_off(&self, node: &str) -> bool {
        lock(&self.off).contains(node)
    }
}

impl Rule {
    fn is_about(&self, container: Looked<'_>) -> bool {
        [
            (&self.image, container.image),
            (&self.namespace, container.namespace),
            (&self.pod, container.pod),
            (&self.container, container.container),
        ]
        .into_iter()
        .all(|(pattern, name)| pattern.as_deref().is_none_or(|pattern| fits(pattern, name)))
    }
}

/// True if a name is as a pattern says, in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
