//! Why an object of Flux is not as it should be: from the object down to what keeps it, by what stands on the cluster now.
//!
//! Each reason is a small function that looks at one object and says what it found: what keeps the object itself, or what
//! else has to be looked at. The first that finds something is believed, so they stand in the order in which controllers
//! come upon them.

mod attempt;
mod blocker;
mod fetch;
mod hooks;
mod links;
mod objects;
mod records;
mod references;

use futures::future::BoxFuture;
use serde_json::json;

pub use self::blocker::{Blocker, Remedy};
use super::{
    kind::Reference,
    standing::{current, is_ready, is_suspended},
};
use crate::{
    kubernetes::{client::Cluster, object::text},
    script::{fault::Fault, values::tree::Tree},
};

/// What a reason comes to.
enum Found {
    /// This is what keeps it.
    Blocked(Blocker),
    /// It waits for another object, and in which way.
    Behind { next: Reference, how: &'static str },
}

type Checked<'s> = BoxFuture<'s, Result<Option<Found>, Fault>>;
type Check = for<'s> fn(&'s Scene) -> Checked<'s>;

const CHECKS: &[Check] = &[
    links::suspended,
    links::dependencies,
    links::source,
    references::values,
    references::substitutes,
    references::kubeconfig,
    references::credentials,
    references::namespace,
    records::locked,
    attempt::not_looked_at,
    fetch::failed,
    attempt::kind_missing,
    attempt::refused,
    hooks::unfinished,
    objects::unready,
    attempt::rolled_back,
    records::first_failed,
    attempt::used_up,
    attempt::outdated,
    attempt::going_on,
    attempt::failed,
];

/// One object, looked at.
struct Scene {
    cluster: Cluster,
    reference: Reference,
    object: Tree,
    /// What was looked at before, the object that was asked about first.
    path: Vec<Reference>,
}

impl Scene {
    /// What its conditions say of a failure.
    fn complaints(&self) -> String {
        let said = ["Released", "Ready", "Healthy", "TestSuccess"].into_iter().filter_map(|name| {
            let found = current(&self.object, name).filter(|found| text(found, &["status"]) == Some("False"))?;
            text(found, &["message"])
        });
        said.collect::<Vec<_>>().join("\n")
    }

    /// The reason of its condition Ready, if that is false.
    fn reason(&self) -> Option<&str> {
        let ready = current(&self.object, "Ready").filter(|found| text(found, &["status"]) == Some("False"))?;
        text(ready, &["reason"])
    }
}

/// Why an object is not as it should be.
#[derive(Debug, Clone)]
pub struct Explanation {
    pub blocker: Blocker,
    /// From the object that was asked about to the one that is kept.
    pub path: Vec<Reference>,
    /// The same with how each waits for the next.
    pub chain: Vec<String>,
}

/// Finds what keeps an object; none if it, its source and what it brought are as they should be.
///
/// # Errors
/// `not_found`, if the object itself is not there; or the fault of reading what it needs.
pub async fn explain(cluster: &Cluster, asked: &Reference) -> Result<Option<Explanation>, Fault> {
    let mut reference = asked.clone();
    let (mut path, mut chain) = (Vec::new(), Vec::new());
    loop {
        let object = reference.read(cluster).await?;
        let scene = Scene { cluster: cluster.clone(), reference: reference.clone(), object, path: path.clone() };
        path.push(reference.clone());
        match look(&scene).await? {
            None => return Ok(None),
            Some(Found::Blocked(blocker)) => return Ok(Some(Explanation { blocker, path, chain })),
            Some(Found::Behind { next, how }) => {
                chain.push(format!("{reference} waits for {how} {next}"));
                reference = next;
            }
        }
    }
}

async fn look(scene: &Scene) -> Result<Option<Found>, Fault> {
    if is_ready(&scene.object) && !is_suspended(&scene.object) {
        // What has been applied stays so, but a source that fails brings nothing new.
        return match objects::unready(scene).await? {
            None => links::source(scene).await,
            found => Ok(found),
        };
    }
    for check in CHECKS {
        if let Some(found) = check(scene).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What was found, as scripts see it.
pub fn shown(asked: &Reference, explained: Option<&Explanation>) -> Tree {
    let Some(Explanation { blocker, path, chain }) = explained else {
        return Tree::from_json(json!({ "object": asked.to_string(), "healthy": true }));
    };
    Tree::from_json(json!({
        "object": asked.to_string(),
        "healthy": false,
        "blocker": blocker.kind,
        "sentence": blocker.sentence,
        "at": path.last().map(ToString::to_string),
        "chain": chain,
        "evidence": blocker.evidence,
        "remedy": blocker.remedy.word(),
        "advice": blocker.remedy.to_string(),
    }))
}
