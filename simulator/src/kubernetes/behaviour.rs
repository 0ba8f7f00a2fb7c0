//! How the programs in containers behave, as the world says: how long images take to be pulled, when programs are ready, what
//! they write, what they answer, and how they end. And which machines are off.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Deserializer, de::Error as _};

use crate::duration;

/// How a container behaves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Behaviour {
    /// How long its image takes to be pulled to a machine that doesn't have it.
    #[serde(deserialize_with = "duration::read")]
    pub pull: Duration,
    /// Why its image can't be pulled.
    pub pull_fails: Option<String>,
    /// From its creation to its start.
    #[serde(deserialize_with = "duration::read")]
    pub start: Duration,
    pub readiness: Readiness,
    /// How it ends by itself.
    pub end: Option<End>,
    /// From being asked to stop to its end.
    #[serde(deserialize_with = "duration::read")]
    pub stop: Duration,
    /// What it writes.
    pub log: Vec<Line>,
    /// What becomes of commands that are run in it, the first that fits. One that is not among them has no model.
    pub commands: Vec<Command>,
    /// Where it listens. A port that is not among them has no model.
    #[serde(deserialize_with = "by_number")]
    pub ports: BTreeMap<u16, Listener>,
}

/// When a running program is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readiness {
    /// As soon as its probes can find out; at once, if it has none.
    Probed,
    After(#[serde(deserialize_with = "duration::read")] Duration),
    Never,
}

/// How a program ends by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct End {
    /// Since its start.
    #[serde(deserialize_with = "duration::read")]
    pub after: Duration,
    pub code: i32,
    /// `OOMKilled`, if not as the code says.
    pub reason: Option<String>,
    /// How many times, until it keeps running; always, if not said.
    pub times: Option<u32>,
}

/// Something that a program writes while it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Line {
    /// Since its start.
    #[serde(deserialize_with = "duration::read")]
    pub after: Duration,
    /// One line, or several.
    pub says: String,
    /// Again and again, with so much time in between.
    #[serde(deserialize_with = "duration::read_if_given")]
    pub every: Option<Duration>,
    /// To its standard error.
    pub error: bool,
}

/// What a command does that somebody runs in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Command {
    /// Its words with a space in between; a pattern, as those of a [`Rule`].
    pub line: String,
    /// It does so only once another command was run in the cluster, by a pattern.
    pub once: Option<String>,
    /// How long it takes.
    #[serde(deserialize_with = "duration::read")]
    pub after: Duration,
    pub stdout: String,
    pub stderr: String,
    pub code: i32,
    /// It writes what it is given, as `cat` does, and ends where that ends. All others let it go.
    pub echoes: bool,
}

/// What is behind a port of a container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listener {
    /// Says this to whoever connects, and nothing more.
    Says(String),
    /// Sends back what it gets.
    Echoes,
    /// A server of the world, by its address: `host:port`.
    LeadsTo(String),
    /// Nobody: connections are refused.
    Nobody,
}

/// A behaviour, and which containers have it. A pattern is a text in which `*` stands for anything; none stands for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Rule {
    pub image: Option<String>,
    pub namespace: Option<String>,
    pub pod: Option<String>,
    pub container: Option<String>,
    #[serde(flatten)]
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
    /// The commands that were run.
    ran: Mutex<BTreeSet<String>>,
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
            log: Vec::new(),
            commands: Vec::new(),
            ports: BTreeMap::new(),
        }
    }
}

impl Command {
    /// True if it is one that these words run.
    fn is(&self, words: &[String]) -> bool {
        fits(&self.line, &words.join(" "))
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

    /// What a command does that somebody runs now, the first of these that fits; from then on it was run.
    pub fn run(&self, commands: Vec<Command>, words: &[String]) -> Option<Command> {
        let mut ran = lock(&self.ran);
        let is_time = |once: &String| ran.iter().any(|line| fits(once, line));
        let found = commands.into_iter().find(|command| command.is(words) && command.once.as_ref().is_none_or(is_time));
        if found.is_some() {
            ran.insert(words.join(" "));
        }
        found
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

/// Numbers as keys are texts in their written form.
fn by_number<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<u16, Listener>, D::Error> {
    let ports = BTreeMap::<String, Listener>::deserialize(from)?.into_iter();
    let numbered = |(port, listener): (String, Listener)| {
        let number = port.parse().map_err(|_| D::Error::custom(format!("`{port}` is no number of a port")))?;
        Ok((number, listener))
    };
    ports.map(numbered).collect()
}

/// True if a text is as a pattern says, in which `*` stands for anything.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
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
