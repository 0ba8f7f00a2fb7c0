//! What is to be done about a blocker, step by step: first about itself, then about all that waited for it.

use super::{
    explain::{Explanation, Remedy},
    kind::Reference,
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
    /// What it is made from, the deepest first.
    ReconcileSources(Reference),
    Reconcile(Reference),
    Reset(Reference),
    Force(Reference),
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Resume(reference) => write!(f, "resume {reference}"),
            Self::Delete { kind, namespace, name } => write!(f, "delete {}/{name} in {namespace}", kind.to_lowercase()),
            Self::ReconcileSources(reference) => write!(f, "reconcile the source of {reference}"),
            Self::Reconcile(reference) => write!(f, "reconcile {reference}"),
            Self::Reset(reference) => write!(f, "reset and reconcile {reference}"),
            Self::Force(reference) => write!(f, "force {reference}"),
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
    };
    let waiting = explanation.path.iter().rev().filter(|reference| *reference != blocked);
    // A release that waited for another may have failed meanwhile, and used up its attempts on that.
    steps.extend(waiting.map(|reference| match reference.kind.is_release() {
        true => Step::Reset(reference.clone()),
        false => Step::Reconcile(reference.clone()),
    }));
    Plan::Do(steps)
}
