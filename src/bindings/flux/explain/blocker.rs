//! What keeps an object, and what helps.

use std::fmt;

use super::{Found, Scene};
use crate::{
    bindings::flux::{
        kind::{HELM_RELEASE, Reference},
        release::Record,
    },
    kubernetes::{
        object::{condition, integer, text},
        wait::shown_condition,
    },
    script::values::tree::Tree,
};

/// The root of it.
#[derive(Debug, Clone)]
pub struct Blocker {
    /// A word that never changes.
    pub kind: &'static str,
    /// What keeps it, in a sentence.
    pub sentence: String,
    /// What was seen, a line each.
    pub evidence: Vec<String>,
    pub remedy: Remedy,
}

impl Blocker {
    pub fn new(kind: &'static str, sentence: impl Into<String>, remedy: Remedy) -> Self {
        Self { kind, sentence: sentence.into(), evidence: Vec::new(), remedy }
    }

    #[must_use]
    pub fn seen(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// As what a check found on an object, with what its conditions say.
    pub(super) fn on(self, scene: &Scene) -> Found {
        let said = ["Stalled", "Ready", "Released"].into_iter().filter_map(|name| condition(&scene.object, name));
        let said: Vec<String> = said.map(|found| format!("{}: {}", scene.reference, shown_condition(found))).collect();
        Found::Blocked(self.seen(said))
    }
}

/// The least drastic thing that helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Somebody has to mend something first, and what.
    Mend(String),
    /// It will come by itself.
    Wait,
    Resume(Reference),
    /// Its source first.
    Reconcile(Reference),
    /// A release that has used up its attempts.
    Reset(Reference),
    /// A release that can go neither on nor back.
    Force(Reference),
    /// An object that can't be changed into what it should be: it is deleted, and made anew.
    Replace {
        release: Reference,
        kind: String,
        namespace: String,
        name: String,
    },
    /// An object that nobody's release brought becomes this one's.
    Adopt {
        release: Reference,
        kind: String,
        namespace: String,
        name: String,
    },
    /// A revision that Helm can't go on from is forgotten; what it brought stays, and is taken over.
    Forget {
        release: Reference,
        record: Record,
    },
}

impl Remedy {
    /// Another attempt, in the way in which the object takes one.
    pub fn again(reference: &Reference, object: &Tree) -> Self {
        let stalled = condition(object, "Stalled").is_some_and(|found| text(found, &["status"]) == Some("True"));
        let failures = integer(object, &["status", "failures"]).unwrap_or(0);
        match *reference.kind == HELM_RELEASE && (stalled || failures > 0) {
            true => Self::Reset(reference.clone()),
            false => Self::Reconcile(reference.clone()),
        }
    }

    pub fn word(&self) -> &'static str {
        match self {
            Self::Mend(_) => "mend",
            Self::Wait => "wait",
            Self::Resume(_) => "resume",
            Self::Reconcile(_) => "reconcile",
            Self::Reset(_) => "reset",
            Self::Force(_) => "force",
            Self::Replace { .. } => "replace",
            Self::Adopt { .. } => "adopt",
            Self::Forget { .. } => "forget",
        }
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mend(what) => f.write_str(what),
            Self::Wait => f.write_str("wait for it"),
            Self::Resume(reference) => write!(f, "resume {reference}"),
            Self::Reconcile(reference) => write!(f, "reconcile {reference}, its source first"),
            Self::Reset(reference) => write!(f, "reset {reference}, so that it has all its attempts again"),
            Self::Force(reference) => write!(f, "force {reference}: install or upgrade it once more"),
            Self::Replace { kind, namespace, name, .. } => {
                write!(f, "delete {}/{name} in {namespace}, so that it is made anew", kind.to_lowercase())
            }
            Self::Adopt { release, kind, namespace, name } => {
                write!(f, "give {}/{name} in {namespace} to {release}", kind.to_lowercase())
            }
            Self::Forget { release, record: Record { namespace, secret } } => {
                write!(
                    f,
                    "delete secret/{secret} in {namespace}, so that {release} is installed as if for the first time"
                )
            }
        }
    }
}
