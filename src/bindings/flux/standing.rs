//! How an object of Flux stands, as its own conditions say.

use serde_json::json;

use super::kind::{HELM_REPOSITORY, Reference};
use crate::{
    kubernetes::{
        object::{condition, flag, kind, text},
        wait::{Until, Verdict, shown_condition, unobserved},
    },
    script::values::tree::Tree,
};

/// True if it is told to do nothing.
pub fn is_suspended(object: &Tree) -> bool {
    flag(object, &["spec", "suspend"])
}

/// True if it is Ready, as the change that was made last has it.
pub fn is_ready(object: &Tree) -> bool {
    plainly(object) == Verdict::Met
}

/// Whether it is ready at its latest generation, and why not.
pub fn judge(object: &Tree) -> Verdict {
    match plainly(object) {
        Verdict::Waiting(_) if is_suspended(object) => Verdict::Hopeless("it is suspended".to_owned()),
        // A controller writes -1 for a generation until it has come through with it once; its reasons come sooner.
        Verdict::Waiting(because) => Verdict::Waiting(current(object, "Ready").map_or(because, shown_condition)),
        Verdict::Hopeless(because) => Verdict::Hopeless(match current(object, "Ready") {
            Some(ready) if text(ready, &["status"]) != Some("True") => format!("{because}; {}", shown_condition(ready)),
            _ => because,
        }),
        Verdict::Met => Verdict::Met,
    }
}

/// By the rules for all kinds, but that of which nobody has said anything is not ready.
fn plainly(object: &Tree) -> Verdict {
    match Until::Ready.judge(object) {
        Verdict::Met if condition(object, "Ready").is_none() && !is_static(object) => {
            Verdict::Waiting("its controller has not said anything of it yet".to_owned())
        }
        verdict => verdict,
    }
}

/// True for repositories that nothing is fetched from by themselves: they have no status, and take no requests.
pub fn is_static(object: &Tree) -> bool {
    kind(object) == HELM_REPOSITORY.name && text(object, &["spec", "type"]) == Some("oci")
}

/// The same once a request was made of its controller: an attempt that has failed is not waited beyond.
pub fn judge_after(object: &Tree, token: &str) -> Verdict {
    if text(object, &["status", "lastHandledReconcileAt"]) != Some(token) {
        return match is_suspended(object) {
            true => Verdict::Hopeless("it is suspended".to_owned()),
            false => Verdict::Waiting("its controller has not come to the request yet".to_owned()),
        };
    }
    match judge(object) {
        Verdict::Waiting(because) if has_failed(object) => Verdict::Hopeless(because),
        verdict => verdict,
    }
}

/// How a release stands that was asked to take back its upgrade, if that fails once more.
pub fn judge_taking_back(object: &Tree, token: &str) -> Verdict {
    let taken_back = current(object, "Remediated");
    match judge_after(object, token) {
        verdict if text(object, &["status", "lastHandledReconcileAt"]) != Some(token) => verdict,
        Verdict::Waiting(because) | Verdict::Hopeless(because) => match taken_back {
            Some(found) if text(found, &["status"]) == Some("True") => Verdict::Met,
            Some(found) => Verdict::Hopeless(shown_condition(found)),
            None => match current(object, "Stalled").filter(|found| text(found, &["status"]) == Some("True")) {
                Some(stalled) => Verdict::Hopeless(shown_condition(stalled)),
                None => Verdict::Waiting(because),
            },
        },
        Verdict::Met => Verdict::Met,
    }
}

/// True if the last attempt failed, and nothing but another attempt will change that.
fn has_failed(object: &Tree) -> bool {
    // What these wait for makes their controllers come again by themselves; so do some that say it in words only.
    const TRIED_AGAIN: [&str; 2] = ["DependencyNotReady", "SourceNotReady"];
    let comes_again = |found: &Tree| {
        TRIED_AGAIN.contains(&text(found, &["reason"]).unwrap_or_default())
            || text(found, &["message"]).is_some_and(|message| message.contains("retrying in"))
    };
    let is = |name: &str, status: &str| current(object, name).filter(|found| text(found, &["status"]) == Some(status));
    let goes_on =
        is("Reconciling", "True").is_some_and(|found| text(found, &["reason"]) != Some("ProgressingWithRetry"));
    is("Ready", "False").is_some_and(|failed| !comes_again(failed)) && !goes_on
}

/// A condition that speaks of the object as it is now.
pub fn current<'t>(object: &'t Tree, name: &str) -> Option<&'t Tree> {
    condition(object, name).filter(|found| unobserved(object, Some(found)).is_none())
}

/// What it was made from, or what it applied: `main@sha1:…`, `1.2.3`.
pub fn revision(object: &Tree) -> Option<&str> {
    [&["status", "lastAppliedRevision"][..], &["status", "artifact", "revision"], &["status", "lastAttemptedRevision"]]
        .into_iter()
        .find_map(|path| text(object, path))
}

/// How it stands, in a word.
fn word(object: &Tree) -> &'static str {
    match plainly(object) {
        _ if is_suspended(object) => "suspended",
        Verdict::Met => "ready",
        Verdict::Hopeless(_) => "stalled",
        Verdict::Waiting(_) if has_failed(object) => "failing",
        Verdict::Waiting(_) => "working",
    }
}

/// How it stands, as scripts see it.
pub fn shown(reference: &Reference, object: &Tree) -> Tree {
    let ready = condition(object, "Ready");
    let part = |name: &str| ready.and_then(|ready| text(ready, &[name])).unwrap_or_default().trim().to_owned();
    Tree::from_json(json!({
        "kind": reference.kind.name,
        "namespace": reference.namespace,
        "name": reference.name,
        "state": word(object),
        "ready": is_ready(object),
        "suspended": is_suspended(object),
        "reason": part("reason"),
        "message": part("message"),
        "revision": revision(object),
    }))
}
