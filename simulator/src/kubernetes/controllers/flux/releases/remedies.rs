//! What puts a release right again or away: a rollback, an uninstall, unlocking, correcting what drifted.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    super::{
        super::fields::Fields,
        apply::{self, Target},
        progress::Work,
    },
    OWNER, Wanted,
    actions::{Failed, PREPARING, count, make},
    history, hooks, name_of,
    rendering::{Rendered, owned, targets},
    steps::{Step, chart_name, full_name},
    storage::{self, Stored},
    storage_of, target_of,
};
use crate::kubernetes::answer::Refusal;

/// Goes back to the last good revision, as a new one.
pub async fn rollback(work: &mut Work<'_>, wanted: &Wanted) -> Result<(), Failed> {
    let all = storage::all(work.tools, &storage_of(&work.object), &name_of(&work.object));
    let good = history::previous(work).map_or(0, |snapshot| snapshot.number("/version"));
    let Some(target) = all.iter().find(|stored| stored.version == good) else { return Err(Failed::Unstored) };
    sleep(PREPARING).await;
    let mut stored = Stored {
        version: all.last().map_or(0, |last| last.version) + 1,
        status: "pending-rollback".to_owned(),
        last_deployed: work.tools.now().to_string(),
        description: format!("Rollback to {good}"),
        ..target.clone()
    };
    stored.store(work.tools).await?;
    let objects: Vec<Value> = stored.objects.iter().map(|object| owned(work, object.clone())).collect();
    let placed = targets(work.tools, &objects, &stored.namespace).unwrap_or_default();
    let rendered = Rendered { definitions: Vec::new(), parts: vec![(Duration::ZERO, placed)], hooks: Vec::new() };
    let until = Instant::now() + Step::Rollback.timeout(work);
    let (_, outcome) = make(work, &mut stored, &rendered, Step::Rollback, until, all.last()).await;
    let chart = format!("{}@{}", target.chart_name(), target.chart_version());
    let text = format!("Helm rollback to previous release {} with chart {chart}", full_name(work, good));
    stored.status = if outcome.is_ok() { "deployed" } else { "failed" }.to_owned();
    stored.store(work.tools).await?;
    history::note(work, &stored, "rollback", None);
    match outcome {
        Ok(()) => {
            for old in all.iter().filter(|old| old.status == "deployed") {
                let old = Stored { status: "superseded".to_owned(), ..old.clone() };
                old.store(work.tools).await?;
                history::note(work, &old, "rollback", None);
            }
            let message = format!("{text} succeeded");
            work.mark("Remediated", "True", "RollbackSucceeded", &message);
            work.tell("Normal", "RollbackSucceeded", &message, &history::marks(wanted)).await;
        }
        Err(why) => {
            if let Some(current) = all.last() {
                current.store(work.tools).await?;
                history::note(work, current, "rollback", None);
            }
            let message = format!("{text} failed: release {} failed: {why}", stored.name);
            work.mark("Remediated", "False", "RollbackFailed", &message);
            count(work, "failures");
            work.tell("Warning", "RollbackFailed", &message, &history::marks(wanted)).await;
        }
    }
    Ok(())
}

/// Takes a release that failed away again, so that the next attempt begins anew.
pub async fn uninstall(work: &mut Work<'_>, wanted: &Wanted) -> Result<(), Failed> {
    let version = history::latest(work).map_or(1, |known| known.number("/version"));
    let text = format!(
        "Helm uninstall remediation for release {} with chart {}",
        full_name(work, version),
        chart_name(wanted)
    );
    match remove(work).await? {
        None => {
            let message = format!("{text} succeeded");
            if let Some(latest) = work.object["status"]["history"].get_mut(0) {
                latest["status"] = json!("uninstalled");
                latest["deleted"] = json!(work.tools.client.cluster().now());
            }
            work.mark("Remediated", "True", "UninstallSucceeded", &message);
            work.tell("Normal", "UninstallSucceeded", &message, &history::marks(wanted)).await;
        }
        Some(why) => {
            let message = format!("{text} failed: {why}");
            work.mark("Remediated", "False", "UninstallFailed", &message);
            count(work, "failures");
            work.tell("Warning", "UninstallFailed", &message, &history::marks(wanted)).await;
        }
    }
    Ok(())
}

/// Uninstalls the release of an object that is on its way out; why it can't be.
///
/// # Errors
/// What the server refused.
pub async fn removed(work: &mut Work<'_>) -> Result<Option<String>, Refusal> {
    let Some(version) = history::latest(work).map(|known| known.number("/version")) else { return Ok(None) };
    match remove(work).await? {
        None => {
            let chart = history::latest(work).map_or_else(String::new, |known| {
                format!("{}@{}", known.text("/chartName"), known.text("/chartVersion"))
            });
            let message =
                format!("Helm uninstall succeeded for release {} with chart {chart}", full_name(work, version));
            work.tell("Normal", "UninstallSucceeded", &message, &Value::Null).await;
            Ok(None)
        }
        why => Ok(why),
    }
}

async fn remove(work: &Work<'_>) -> Result<Option<String>, Refusal> {
    let tools = work.tools;
    let all = storage::all(tools, &storage_of(&work.object), &name_of(&work.object));
    let Some(mut last) = all.last().cloned() else { return Ok(None) };
    let until = Instant::now() + Step::Uninstall.timeout(work);
    let hooked = !work.object.flag("/spec/uninstall/disableHooks");
    if hooked && let Err(why) = hooks::run(work, &mut last, "pre-delete", until).await {
        return Ok(Some(why));
    }
    let placed: Vec<(Target, Value)> = last
        .objects
        .iter()
        .filter_map(|object| Some((Target::of(tools, object, &last.namespace)?, object.clone())))
        .collect();
    let mut gone = Vec::new();
    for (target, object) in placed.into_iter().rev() {
        if object.annotation("helm.sh/resource-policy") == Some("keep") {
            continue;
        }
        if let Err(refusal) = target.delete(tools).await {
            return Ok(Some(refusal.message));
        }
        gone.push(target);
    }
    if !work.object.flag("/spec/uninstall/disableWait") {
        let left = apply::gone(tools, &gone, until.saturating_duration_since(Instant::now())).await;
        if !left.is_empty() {
            return Ok(Some(format!("timeout waiting for: [{}]", left.join(", "))));
        }
    }
    if hooked && let Err(why) = hooks::run(work, &mut last, "post-delete", until).await {
        return Ok(Some(why));
    }
    for stored in &all {
        stored.forget(tools).await?;
    }
    Ok(None)
}

/// A revision that somebody left in the middle of something is one that failed.
pub async fn unlock(work: &mut Work<'_>, wanted: &Wanted) -> Result<(), Failed> {
    let all = storage::all(work.tools, &storage_of(&work.object), &name_of(&work.object));
    let Some(last) = all.last() else { return Err(Failed::Unstored) };
    let was = last.status.clone();
    let description = format!("Release unlocked from stale '{was}' state");
    let unlocked = Stored { status: "failed".to_owned(), description, ..last.clone() };
    unlocked.store(work.tools).await?;
    history::note(work, &unlocked, "unlock", wanted.digest.as_deref());
    let message = format!(
        "Unlocked Helm release {} with chart {} from stale '{was}' state",
        full_name(work, last.version),
        chart_name(wanted)
    );
    work.mark("Released", "False", "PendingRelease", &message);
    work.tell("Normal", "PendingRelease", &message, &history::marks(wanted)).await;
    Ok(())
}

/// Writes what drifted as the release has it.
pub async fn correct(work: &mut Work<'_>, wanted: &Wanted) -> Result<(), Failed> {
    let all = storage::all(work.tools, &storage_of(&work.object), &name_of(&work.object));
    let objects = all.last().map(|last| last.objects.clone()).unwrap_or_default();
    let objects: Vec<Value> = objects.into_iter().map(|object| owned(work, object)).collect();
    let placed = targets(work.tools, &objects, &target_of(&work.object)).unwrap_or_default();
    let mut lines = Vec::new();
    for (target, live, _) in apply::differences(work.tools, &placed, OWNER).await {
        let Some((_, object)) = placed.iter().find(|(placed, _)| placed.entry() == target.entry()) else { continue };
        target.apply(work.tools, &format!("fieldManager={OWNER}&force=true"), object).await?;
        lines.push(format!("{} {}", target.shown(), if live.is_null() { "created" } else { "configured" }));
    }
    let version = all.last().map_or(1, |last| last.version);
    let message =
        format!("Cluster state of release {} has been corrected:\n{}", full_name(work, version), lines.join("\n"));
    work.tell("Normal", "DriftCorrected", &message, &history::marks(wanted)).await;
    Ok(())
}
