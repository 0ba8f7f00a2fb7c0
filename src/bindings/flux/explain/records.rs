//! What Helm has stored of a release, and can't go on from.

use std::time::Duration;

use super::{Blocker, Checked, Remedy, Scene};
use crate::{
    bindings::flux::{
        kind::HELM_RELEASE,
        release::{self, Hook},
        standing::current,
    },
    duration,
    kubernetes::object::{integer, items, text},
};

/// How long an attempt may take that says nothing else.
const ATTEMPT: Duration = Duration::from_secs(5 * 60);

/// What a controller says that does not free a release by itself.
const LOCKED: &str = "another operation (install/upgrade/rollback) is in progress";

/// Somebody began a revision, and died.
pub fn locked(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        if *scene.reference.kind != HELM_RELEASE {
            return Ok(None);
        }
        let Some(pending) = release::pending(&scene.cluster, &scene.reference, &scene.object).await? else {
            return Ok(None);
        };
        let given = text(&scene.object, &["spec", "timeout"]).and_then(|text| duration::parse(text).ok());
        let given = i64::try_from(given.unwrap_or(ATTEMPT).as_secs()).unwrap_or(i64::MAX);
        let now = scene.cluster.host().clock.now().as_second();
        let Some(gone_by) = pending.since.map(|since| now.saturating_sub(since)).filter(|gone_by| *gone_by > given)
        else {
            // Whoever began it may still be at it.
            return Ok(None);
        };
        let begun = duration::show(Duration::from_secs(gone_by.unsigned_abs()));
        let name = release::name_of(&scene.reference, &scene.object);
        let sentence = format!(
            "revision {} of release `{name}` is {} for {begun}, and nobody is at it",
            pending.version, pending.state
        );
        let remedy = match scene.complaints().contains(LOCKED) {
            true => Remedy::Forget { release: scene.reference.clone(), record: pending.record },
            false => Remedy::again(&scene.reference, &scene.object),
        };
        Ok(Some(Blocker::new("locked", sentence, remedy).on(scene)))
    })
}

/// The first install failed, and what runs only before or after an install would be left out of an upgrade.
pub fn first_failed(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        let stalled = current(&scene.object, "Stalled").filter(|found| text(found, &["status"]) == Some("True"));
        if *scene.reference.kind != HELM_RELEASE || stalled.is_none() {
            return Ok(None);
        }
        let [first] = items(&scene.object, &["status", "history"]) else { return Ok(None) };
        if integer(first, &["version"]) != Some(1) || text(first, &["status"]) != Some("failed") {
            return Ok(None);
        }
        let stored = release::newest(&scene.cluster, &scene.reference, &scene.object).await?;
        let Some(stored) = stored else { return Ok(None) };
        let no_upgrade = scene.complaints().contains("has no deployed releases");
        let Some(left_out) = stored.hooks.iter().find(|hook| is_left_out(hook)).map(Hook::to_string) else {
            return Ok(no_upgrade.then(|| {
                let sentence =
                    format!("the first install of {} failed, and there is nothing to upgrade", scene.reference);
                Blocker::new("first_failed", sentence, forget(scene, stored.record)).on(scene)
            }));
        };
        let sentence = format!(
            "the first install of {} failed, and {left_out} would not run in an upgrade of what it left",
            scene.reference
        );
        Ok(Some(Blocker::new("first_failed", sentence, forget(scene, stored.record)).on(scene)))
    })
}

fn forget(scene: &Scene, record: release::Record) -> Remedy {
    Remedy::Forget { release: scene.reference.clone(), record }
}

fn is_left_out(hook: &Hook) -> bool {
    let is = |moment: &str| hook.events.iter().any(|event| event.ends_with(moment));
    !hook.succeeded && is("-install") && !is("-upgrade")
}
