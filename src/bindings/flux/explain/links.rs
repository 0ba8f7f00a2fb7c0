//! What an object waits for: other objects of Flux, and somebody who suspended it.

use super::{Blocker, Checked, Found, Remedy, Scene};
use crate::{
    bindings::flux::{
        kind::{HELM_CHART, Reference},
        source,
        standing::{is_ready, is_suspended},
    },
    kubernetes::object::{items, text},
};

/// Somebody told Flux to leave it alone.
pub fn suspended(scene: &Scene) -> Checked<'_> {
    let found = is_suspended(&scene.object).then(|| {
        let remedy = Remedy::Resume(scene.reference.clone());
        Blocker::new("suspended", format!("{} is suspended", scene.reference), remedy).on(scene)
    });
    Box::pin(async move { Ok(found) })
}

/// What `dependsOn` names is not there, not ready, or waits for this one in turn.
pub fn dependencies(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        let mine = &scene.reference;
        for named in items(&scene.object, &["spec", "dependsOn"]) {
            let Some(name) = text(named, &["name"]) else { continue };
            let namespace = text(named, &["namespace"]).unwrap_or(&mine.namespace);
            let next = Reference::new(mine.kind, namespace, name);
            if let Some(begin) = scene.path.iter().chain([mine]).position(|earlier| *earlier == next) {
                let round: Vec<&Reference> = scene.path.iter().chain([mine]).skip(begin).collect();
                return Ok(Some(in_a_circle(&round).on(scene)));
            }
            let Some(found) = next.find(&scene.cluster).await? else {
                let sentence = format!("{mine} depends on {next}, which is not there");
                let remedy = Remedy::Mend(format!("create {next}, or take it out of `dependsOn`"));
                return Ok(Some(Blocker::new("dependency_missing", sentence, remedy).on(scene)));
            };
            if !is_ready(&found) {
                return Ok(Some(Found::Behind { next, how: "its dependency" }));
            }
        }
        Ok(None)
    })
}

fn in_a_circle(round: &[&Reference]) -> Blocker {
    let remedy = Remedy::Mend("take one of them out of the other's `dependsOn`".to_owned());
    let sentence = match round {
        [one] => format!("{one} depends on itself"),
        [first, others @ ..] => {
            let others: Vec<String> = others.iter().map(ToString::to_string).collect();
            format!("{first} depends on {}, which depends on it in turn", others.join(", which depends on "))
        }
        [] => unreachable!("a circle has at least the object that closes it"),
    };
    Blocker::new("dependency_cycle", sentence, remedy)
}

/// What it is made from is not there, or not ready.
pub fn source(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        let Some(next) = source::of(&scene.reference, &scene.object) else { return Ok(None) };
        match next.find(&scene.cluster).await? {
            // Its controller makes that.
            None if *next.kind == HELM_CHART => Ok(None),
            None => {
                let sentence = format!("{} is made from {next}, which is not there", scene.reference);
                let remedy = Remedy::Mend(format!("create {next}, or name another source"));
                Ok(Some(Blocker::new("source_missing", sentence, remedy).on(scene)))
            }
            Some(found) if is_ready(&found) => Ok(None),
            Some(_) => Ok(Some(Found::Behind { next, how: "its source" })),
        }
    })
}
