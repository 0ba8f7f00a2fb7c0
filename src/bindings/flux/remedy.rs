//! What is to be done about a blocker, step by step: first about itself, then about all that waited for it.

use super::{
    explain::{Explanation, Remedy},
    kind::Reference,
    release::Record,
};
use crate::{
    kubernetes::object::{condition, items, text},
    script::values::tree::Tree,
};

/// A plan that helps, or why there is none.
pub enum Plan {
    Do(Vec<Step>),
    /// Somebody has to do something first.
    ByHand(String),
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Resume(Reference),
    /// Delete an object, so that it is made anew.
    Delete {
        kind: String,
        namespace: String,
        name: String,
    },
    /// Make an object one that a release brought.
    Adopt {
        release: Reference,
        kind: String,
        namespace: String,
        name: String,
    },
    /// What it is made from, the deepest first.
    ReconcileSources(Reference),
    Reconcile(Reference),
    Reset(Reference),
    Force(Reference),
    /// Have its controller take a failed upgrade back.
    TakeBack(Reference),
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Resume(reference) => write!(f, "resume {reference}"),
            Self::Delete { kind, namespace, name } => write!(f, "delete {}/{name} in {namespace}", kind.to_lowercase()),
            Self::Adopt { release, kind, namespace, name } => {
                write!(f, "give {}/{name} in {namespace} to {release}", kind.to_lowercase())
            }
            Self::ReconcileSources(reference) => write!(f, "reconcile the source of {reference}"),
            Self::Reconcile(reference) => write!(f, "reconcile {reference}"),
            Self::Reset(reference) => write!(f, "reset and reconcile {reference}"),
            Self::Force(reference) => write!(f, "force {reference}"),
            Self::TakeBack(reference) => write!(f, "upgrade {reference} once more, and take it back when that fails"),
        }
    }
}

/// The least that helps.
pub fn plan(explanation: &Explanation) -> Plan {
    let blocked = explanation.path.last().expect("an explanation begins with the object that was asked about");
    let mut steps = match &explanation.blocker.remedy {
        Remedy::Mend(what) => return Plan::ByHand(what.clone()),
        Remedy::Wait => Vec::new(),
        Remedy::Resume(reference) => vec![Step::Resume(reference.clone())],
        Remedy::Reconcile(reference) => {
            vec![Step::ReconcileSources(reference.clone()), Step::Reconcile(reference.clone())]
        }
        Remedy::Reset(reference) => vec![Step::Reset(reference.clone())],
        Remedy::Force(reference) => vec![Step::Force(reference.clone())],
        Remedy::Replace { release, kind, namespace, name } => {
            let delete = Step::Delete { kind: kind.clone(), namespace: namespace.clone(), name: name.clone() };
            let again = if release.kind.is_release() { Step::Reset } else { Step::Reconcile };
            vec![delete, again(release.clone())]
        }
        Remedy::Adopt { release, kind, namespace, name } => {
            let (kind, namespace, name) = (kind.clone(), namespace.clone(), name.clone());
            vec![Step::Adopt { release: release.clone(), kind, namespace, name }, Step::Reset(release.clone())]
        }
        Remedy::Forget { release, record: Record { namespace, secret } } => {
            let kind = "Secret".to_owned();
            let delete = Step::Delete { kind, namespace: namespace.clone(), name: secret.clone() };
            vec![delete, Step::Reset(release.clone())]
        }
    };
    let waiting = explanation.path.iter().rev().filter(|reference| *reference != blocked);
    // A release that waited for another may have failed meanwhile, and used up its attempts on that.
    steps.extend(waiting.map(|reference| match reference.kind.is_release() {
        true => Step::Reset(reference.clone()),
        false => Step::Reconcile(reference.clone()),
    }));
    Plan::Do(steps)
}

/// Whether what keeps a release came with its last upgrade, before which there was one that worked.
pub fn can_be_taken_back(release: &Tree) -> bool {
    let upgraded = text(release, &["status", "lastAttemptedReleaseAction"]) == Some("upgrade");
    let failed = condition(release, "Released").is_some_and(|found| text(found, &["status"]) == Some("False"));
    let is_good = |revision: &Tree| matches!(text(revision, &["status"]), Some("deployed" | "superseded"));
    upgraded && failed && items(release, &["status", "history"]).iter().skip(1).any(is_good)
}
