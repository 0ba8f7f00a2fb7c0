//! What the last attempt to apply an object came to, as its controller and the API server said.

use super::{Blocker, Checked, Remedy, Scene};
use crate::{
    bindings::flux::{kind::HELM_RELEASE, standing::current},
    kubernetes::object::{integer, text},
    script::fault::Kind,
};

/// Objects are of a kind that the cluster doesn't have.
pub fn kind_missing(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        let said = scene.complaints();
        let named = between(&said, "no matches for kind \"", "\"").zip(between(&said, "in version \"", "\""));
        let Some((kind, version)) = named else { return Ok(None) };
        scene.cluster.kinds().forget();
        match scene.cluster.resolve(&format!("{version}/{kind}")).await {
            Ok(_) => Ok(Some(mended(scene, &format!("there is a kind `{kind}` of {version} now")).on(scene))),
            Err(fault) if fault.kind == Kind::Unsupported => {
                let sentence = format!("{} brings a `{kind}` of {version}, a kind that is not there", scene.reference);
                let remedy = Remedy::Mend("install its CustomResourceDefinition first".to_owned());
                Ok(Some(Blocker::new("kind_missing", sentence, remedy).on(scene)))
            }
            Err(fault) => Err(fault),
        }
    })
}

/// The API server refused what was applied.
pub fn refused(scene: &Scene) -> Checked<'_> {
    Box::pin(async move { Ok(of_refusal(scene, &scene.complaints()).map(|blocker| blocker.on(scene))) })
}

/// What a server's refusal says, wherever it is told.
pub fn of_refusal(scene: &Scene, said: &str) -> Option<Blocker> {
    said.lines().find_map(|line| {
        let target = Target::of(line);
        let what = target.as_ref().map_or_else(|| "its objects".to_owned(), Target::shown);
        let again = Remedy::again(&scene.reference, &scene.object);
        let is = |kind, sentence| Some(Blocker::new(kind, sentence, again.clone()));
        if let Some((policy, why)) =
            between(line, "ValidatingAdmissionPolicy '", "'").zip(after(line, "denied request: "))
        {
            return is("policy_refused", format!("policy `{policy}` refuses {what}: {why}"));
        }
        if let Some((webhook, why)) =
            between(line, "admission webhook \"", "\"").zip(after(line, "denied the request: "))
        {
            return is("webhook_refused", format!("webhook `{webhook}` refuses {what}: {why}"));
        }
        if let Some((webhook, why)) = between(line, "failed calling webhook \"", "\"").zip(line.rsplit(": ").next()) {
            return is(
                "webhook_down",
                format!("webhook `{webhook}`, which is asked about {what}, can't be reached: {why}"),
            );
        }
        if let Some(why) = after(line, "exceeded quota: ") {
            let (quota, why) = why.split_once(", ").unwrap_or((why, ""));
            return is("quota", format!("quota `{quota}` leaves no room for {what}: {why}"));
        }
        if line.contains("field is immutable") {
            let remedy = match target {
                Some(Target { kind, namespace, name }) => {
                    Remedy::Replace { release: scene.reference.clone(), kind, namespace, name }
                }
                None => again.clone(),
            };
            return Some(Blocker::new(
                "immutable",
                format!("{what} has a field that can't be changed any more"),
                remedy,
            ));
        }
        if line.contains("exists and cannot be imported into the current release") {
            return Some(owned(scene, line, &what));
        }
        if let Some(user) = between(line, "User \"", "\" cannot") {
            return is("not_allowed", format!("`{user}` may not do what {} needs", scene.reference));
        }
        if line.contains("kustomization path not found") {
            let path = text(&scene.object, &["spec", "path"]).unwrap_or("./");
            return is("path_missing", format!("the source of {} has no folder `{path}`", scene.reference));
        }
        None
    })
}

/// An object is there already, and not of this release.
fn owned(scene: &Scene, line: &str, what: &str) -> Blocker {
    let owner = after(line, "\"meta.helm.sh/release-name\" must equal")
        .and_then(|rest| between(rest, "current value is \"", "\""));
    let target = Target::of(line);
    match (owner, target) {
        (Some(owner), _) => {
            let sentence = format!("{what} is there already, and is of release `{owner}`");
            Blocker::new(
                "ownership",
                sentence,
                Remedy::Mend("name one of the two otherwise, or take one away".to_owned()),
            )
        }
        (None, Some(Target { kind, namespace, name })) => {
            let sentence = format!("{what} is there already, and is of no release");
            let remedy = Remedy::Adopt { release: scene.reference.clone(), kind, namespace, name };
            Blocker::new("ownership", sentence, remedy)
        }
        (None, None) => {
            let sentence = format!("some of {what} are there already, and are of no release");
            Blocker::new("ownership", sentence, Remedy::Mend("take them away, or give them to the release".to_owned()))
        }
    }
}

/// An upgrade failed, and was taken back.
pub fn rolled_back(scene: &Scene) -> Checked<'_> {
    let took_back = current(&scene.object, "Remediated").filter(|found| text(found, &["status"]) == Some("True"));
    let found = took_back.filter(|found| text(found, &["reason"]) == Some("RollbackSucceeded")).map(|_| {
        let why = current(&scene.object, "Released").and_then(|released| text(released, &["message"]));
        let why = why.and_then(|why| why.lines().next()).unwrap_or("its controller does not say why");
        let sentence = format!("an upgrade of {} failed and was taken back: {why}", scene.reference);
        Blocker::new("rolled_back", sentence, Remedy::Reset(scene.reference.clone())).on(scene)
    });
    Box::pin(async move { Ok(found) })
}

/// A release has no attempts left, and nothing stands in its way any more.
pub fn used_up(scene: &Scene) -> Checked<'_> {
    let stalled = current(&scene.object, "Stalled").filter(|found| text(found, &["status"]) == Some("True"));
    let found = stalled.filter(|_| *scene.reference.kind == HELM_RELEASE).map(|stalled| {
        let (reference, action) = (&scene.reference, text(&scene.object, &["status", "lastAttemptedReleaseAction"]));
        match text(stalled, &["reason"]) {
            Some("MissingRollbackTarget") => {
                let sentence = format!("{reference} failed, and has no good revision to go back to");
                Blocker::new("no_way_back", sentence, Remedy::Force(reference.clone()))
            }
            _ => {
                let failures = integer(&scene.object, &["status", "failures"]).unwrap_or(1);
                let times = if failures == 1 { "once".to_owned() } else { format!("{failures} times") };
                let action = action.unwrap_or("release");
                let sentence = format!(
                    "{reference} failed to {action} {times} and tries no more, though nothing is in its way now"
                );
                Blocker::new("attempts_used_up", sentence, Remedy::Reset(reference.clone()))
            }
        }
        .on(scene)
    });
    Box::pin(async move { Ok(found) })
}

/// What kept it is as it should be, and it has not looked since.
pub fn outdated(scene: &Scene) -> Checked<'_> {
    const LOOKED_AT: [&str; 6] =
        ["ValuesError", "SourceNotReady", "DependencyNotReady", "RESTClientError", "ArtifactFailed", "BuildFailed"];
    let found = scene.reason().filter(|reason| LOOKED_AT.contains(reason));
    let found = found.map(|_| mended(scene, "what it waited for is there now").on(scene));
    Box::pin(async move { Ok(found) })
}

/// Nobody has looked at its latest change.
pub fn not_looked_at(scene: &Scene) -> Checked<'_> {
    let looked = ["Ready", "Reconciling"].into_iter().any(|name| current(&scene.object, name).is_some());
    let found = (!looked).then(|| {
        let sentence = format!("the controller of {} has not looked at its latest change", scene.reference);
        let remedy = Remedy::Reconcile(scene.reference.clone());
        Blocker::new("not_looked_at", sentence, remedy).on(scene)
    });
    Box::pin(async move { Ok(found) })
}

/// Another attempt is under way.
pub fn going_on(scene: &Scene) -> Checked<'_> {
    let busy = current(&scene.object, "Reconciling").filter(|busy| text(busy, &["reason"]) == Some("Progressing"));
    let found = busy.map(|busy| {
        let how = text(busy, &["message"]).unwrap_or_default().trim();
        let sentence = format!("{} is still at it: {how}", scene.reference);
        Blocker::new("going_on", sentence, Remedy::Wait).on(scene)
    });
    Box::pin(async move { Ok(found) })
}

/// What nothing better is known of.
pub fn failed(scene: &Scene) -> Checked<'_> {
    let said = scene.complaints();
    let why = said.trim().lines().next().unwrap_or("its controller does not say why").to_owned();
    let sentence = format!("{} failed: {why}", scene.reference);
    let found = Blocker::new("failed", sentence, Remedy::again(&scene.reference, &scene.object)).on(scene);
    Box::pin(async move { Ok(Some(found)) })
}

fn mended(scene: &Scene, how: &str) -> Blocker {
    let sentence = format!("{} has not tried again, though {how}", scene.reference);
    Blocker::new("outdated", sentence, Remedy::again(&scene.reference, &scene.object))
}

/// The object that a line is about.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    kind: String,
    namespace: String,
    name: String,
}

impl Target {
    /// As helm-controller writes it (`failed for object shop/web apps/v1, Kind=Deployment: …`, `Deployment "web" in namespace
    /// "shop" exists …`), or kustomize-controller (`Deployment/shop/web dry-run failed: …`).
    fn of(line: &str) -> Option<Self> {
        if let Some((place, kind)) = between(line, "for object ", " ").zip(between(line, "Kind=", ":")) {
            let (namespace, name) = place.split_once('/')?;
            return Some(Self { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() });
        }
        if let Some((before, rest)) = line.split_once("\" in namespace \"") {
            let (before, name) = before.rsplit_once(" \"")?;
            let kind = before.split_whitespace().last()?.to_owned();
            return Some(Self { kind, namespace: rest.split('"').next()?.to_owned(), name: name.to_owned() });
        }
        let mut parts = line.split_once(" dry-run failed")?.0.split_whitespace().last()?.split('/');
        let (kind, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() })
    }

    fn shown(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }
}

fn between<'t>(text: &'t str, before: &str, behind: &str) -> Option<&'t str> {
    let rest = after(text, before)?;
    rest.find(behind).map(|end| &rest[..end])
}

fn after<'t>(text: &'t str, before: &str) -> Option<&'t str> {
    text.find(before).map(|at| text[at + before.len()..].trim_end())
}
