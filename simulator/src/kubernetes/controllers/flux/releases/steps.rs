//! What is to be done next about a release, one step after the other, until nothing is left or a step has failed.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{
        super::fields::Fields,
        apply,
        progress::{Work, shown},
    },
    OWNER, Wanted,
    actions::{self, Failed},
    history, name_of, rendering, storage, storage_of, target_of,
};
use crate::kubernetes::answer::Refusal;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The release is as it should be.
    Done,
    /// There is another attempt.
    Again,
    /// It failed before anything was stored, and is tried as long as it takes.
    Failed,
    /// There are no attempts left.
    Stalled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Install,
    Upgrade,
    Rollback,
    Uninstall,
    Test,
    /// A release that somebody left in the middle of something is one that failed.
    Unlock,
    Correct,
}

/// Why there is no step.
enum Never {
    NothingLeft,
    AttemptsUsedUp,
    NoWayBack,
}

impl Step {
    pub fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Rollback => "rollback",
            Self::Uninstall => "uninstall",
            Self::Test => "test",
            Self::Unlock => "unlock",
            Self::Correct => "correct cluster drift",
        }
    }

    fn is_release(self) -> bool {
        matches!(self, Self::Install | Self::Upgrade)
    }

    fn is_remedy(self) -> bool {
        matches!(self, Self::Rollback | Self::Uninstall)
    }

    /// How long it may take.
    pub fn timeout(self, work: &Work<'_>) -> Duration {
        let whole = work.length("/spec/timeout", Duration::from_secs(300));
        work.length(&format!("/spec/{}/timeout", self.word()), whole)
    }
}

/// # Errors
/// What the server refused of its status.
pub async fn go(work: &mut Work<'_>, wanted: &Wanted) -> Result<Ended, Refusal> {
    let mut done = Vec::new();
    let forced = work.takes("reconcile.fluxcd.io/forceAt", "lastHandledForceAt");
    loop {
        let step = match next(work, wanted, forced && done.is_empty()).await {
            Ok(step) => step,
            Err(Never::NothingLeft) => {
                work.unmark(&["Reconciling", "Stalled"]);
                summarize(work);
                return Ok(Ended::Done);
            }
            Err(Never::AttemptsUsedUp) => return Ok(used_up(work)),
            Err(Never::NoWayBack) => {
                let why = "Failed to perform remediation: missing target release for rollback: cannot remediate failed release";
                work.stalled("MissingRollbackTarget", why);
                return Ok(Ended::Stalled);
            }
        };
        if done.contains(&step) || (step.is_release() && done.iter().any(|done: &Step| done.is_release())) {
            return Ok(again(work));
        }
        let doing = format!("Running '{}' action with timeout of {}", step.word(), shown(step.timeout(work)));
        work.doing(&doing);
        if step.is_release() {
            work.mark("Ready", "Unknown", "Progressing", &doing);
        }
        work.save().await?;
        match actions::run(work, wanted, step).await {
            Ok(()) => {}
            Err(Failed::Unstored) => {
                summarize(work);
                return Ok(Ended::Failed);
            }
            Err(Failed::Refused(refusal)) => return Err(refusal),
        }
        summarize(work);
        if step.is_remedy() {
            return Ok(match attempts(work) {
                Some(attempts) if attempts.are_used_up(work) => used_up(work),
                _ => again(work),
            });
        }
        done.push(step);
        work.save().await?;
    }
}

fn again(work: &mut Work<'_>) -> Ended {
    let (_, message) = work.said("Ready");
    work.mark("Reconciling", "True", "ProgressingWithRetry", &message);
    Ended::Again
}

fn used_up(work: &mut Work<'_>) -> Ended {
    let action = work.object.text("/status/lastAttemptedReleaseAction").to_owned();
    let count = attempts(work).map_or(0, |attempts| attempts.failures(work));
    work.stalled("RetriesExceeded", &format!("Failed to {action} after {count} attempt(s)"));
    summarize(work);
    Ended::Stalled
}

/// How often an action may fail, and what becomes of it then.
struct Attempts {
    action: &'static str,
}

fn attempts(work: &Work<'_>) -> Option<Attempts> {
    match work.object.text("/status/lastAttemptedReleaseAction") {
        "install" => Some(Attempts { action: "install" }),
        "upgrade" => Some(Attempts { action: "upgrade" }),
        _ => None,
    }
}

impl Attempts {
    fn set<'w>(&self, work: &'w Work<'_>, field: &str) -> &'w Value {
        work.object.at(&format!("/spec/{}/remediation/{field}", self.action))
    }

    fn failures(&self, work: &Work<'_>) -> i64 {
        work.object.number(&format!("/status/{}Failures", self.action))
    }

    fn are_used_up(&self, work: &Work<'_>) -> bool {
        let retries = self.set(work, "retries").as_i64().unwrap_or_default();
        retries >= 0 && self.failures(work) > retries
    }

    /// Whether the last failure is mended, too.
    fn mends_last(&self, work: &Work<'_>) -> bool {
        let retries = self.set(work, "retries").as_i64().unwrap_or_default();
        self.set(work, "remediateLastFailure").as_bool().unwrap_or(self.action == "upgrade" && retries > 0)
    }

    fn ignores_tests(&self, work: &Work<'_>) -> bool {
        let all = work.object.flag("/spec/test/ignoreFailures");
        self.set(work, "ignoreTestFailures").as_bool().unwrap_or(all)
    }
}

async fn next(work: &mut Work<'_>, wanted: &Wanted, forced: bool) -> Result<Step, Never> {
    let all = storage::all(work.tools, &storage_of(&work.object), &name_of(&work.object));
    let of = |action| Attempts { action };
    let Some(last) = all.last().filter(|last| last.status != "uninstalled") else {
        return match of("install").are_used_up(work) && !forced {
            true => Err(Never::AttemptsUsedUp),
            false => Ok(Step::Install),
        };
    };
    if last.status.starts_with("pending-") {
        return Ok(Step::Unlock);
    }
    let known =
        history::latest(work).is_some_and(|known| known["version"] == last.version && known["digest"] == last.digest());
    if !known {
        work.status().remove("history");
        return Ok(Step::Upgrade);
    }
    let failed_test = history::latest(work).is_some_and(history::has_failed_test);
    let tests = work.object.flag("/spec/test/enable");
    let ignores = attempts(work).is_none_or(|attempts| attempts.ignores_tests(work));
    if last.status == "failed" {
        return remedy(work, forced);
    }
    if last.chart_name() != wanted.chart.name || last.chart_version() != wanted.version || last.config != wanted.values
    {
        return match of("upgrade").are_used_up(work) && !forced {
            true => Err(Never::AttemptsUsedUp),
            false => Ok(Step::Upgrade),
        };
    }
    if tests && !history::latest(work).is_some_and(|known| known.has("/testHooks")) {
        return Ok(Step::Test);
    }
    if tests && failed_test && !ignores {
        return remedy(work, forced);
    }
    if let Some(mode @ ("enabled" | "warn")) = work.object.at("/spec/driftDetection/mode").as_str() {
        let mode = mode.to_owned();
        if has_drifted(work, &last.objects).await && mode == "enabled" {
            return Ok(Step::Correct);
        }
    }
    history::truncate(work);
    if forced {
        return Ok(Step::Upgrade);
    }
    // A release that was taken back is as it should be, if that is what is wanted now.
    if work.object.is("Remediated") {
        let message = format!(
            "Helm upgrade succeeded for release {} with chart {}",
            full_name(work, last.version),
            chart_name(wanted)
        );
        work.unmark(&["Remediated", "Released"]);
        work.mark("Released", "True", "UpgradeSucceeded", &message);
    }
    Err(Never::NothingLeft)
}

fn remedy(work: &mut Work<'_>, forced: bool) -> Result<Step, Never> {
    let Some(attempts) = attempts(work) else { return Ok(Step::Upgrade) };
    if attempts.failures(work) <= 0 || forced {
        return Ok(Step::Upgrade);
    }
    if attempts.are_used_up(work) && !attempts.mends_last(work) {
        return Err(Never::AttemptsUsedUp);
    }
    let strategy = attempts.set(work, "strategy").as_str().unwrap_or(if attempts.action == "install" {
        "uninstall"
    } else {
        "rollback"
    });
    if attempts.action == "install" || strategy == "uninstall" {
        return Ok(Step::Uninstall);
    }
    history::previous(work).map(|_| Step::Rollback).ok_or(Never::NoWayBack)
}

/// Whether the objects of a release are not as it brought them; told, and said.
async fn has_drifted(work: &mut Work<'_>, objects: &[Value]) -> bool {
    let objects: Vec<Value> = objects.iter().map(|object| rendering::owned(work, object.clone())).collect();
    let targets = rendering::targets(work.tools, &objects, &target_of(&work.object)).unwrap_or_default();
    let differences = apply::differences(work.tools, &targets, OWNER).await;
    if differences.is_empty() {
        work.mark("Drifted", "False", "NoDriftDetected", "No drift detected against the cluster state");
        return false;
    }
    let lines = differences.iter().map(|(target, live, wanted)| match live.is_null() {
        true => format!("{} removed", target.shown()),
        false => {
            let counts = changes(&apply::plain(live), &apply::plain(wanted));
            format!(
                "{} changed ({} additions, {} changes, {} removals)",
                target.shown(),
                counts[0],
                counts[1],
                counts[2]
            )
        }
    });
    let version = history::latest(work).map_or(0, |known| known.number("/version"));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let message =
        format!("Cluster state of release {} has drifted from the desired state:\n{lines}", full_name(work, version));
    work.mark("Drifted", "True", "DriftDetected", &message);
    work.tell("Warning", "DriftDetected", &message, &Value::Null).await;
    true
}

/// How many fields are more, other, and less in what is wanted.
fn changes(live: &Value, wanted: &Value) -> [usize; 3] {
    let mut counts = [0; 3];
    let mut add = |more: [usize; 3]| counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            live.keys().filter(|key| !wanted.contains_key(*key)).for_each(|_| add([0, 0, 1]));
            for (key, wanted) in wanted {
                add(live.get(key).map_or([1, 0, 0], |live| changes(live, wanted)));
            }
        }
        (Value::Array(live), Value::Array(wanted)) if live.len() == wanted.len() => {
            live.iter().zip(wanted).for_each(|(live, wanted)| add(changes(live, wanted)));
        }
        (live, wanted) if live != wanted => add([0, 1, 0]),
        _ => {}
    }
    counts
}

/// `shop/web.v1`.
pub fn full_name(work: &Work<'_>, version: i64) -> String {
    format!("{}/{}.v{version}", target_of(&work.object), name_of(&work.object))
}

/// `app@1.0.0`.
pub fn chart_name(wanted: &Wanted) -> String {
    format!("{}@{}", wanted.chart.name, wanted.version)
}

/// What the other conditions come to: the remedy before the test before the release itself.
fn summarize(work: &mut Work<'_>) {
    let tests = work.object.flag("/spec/test/enable") && !work.object.flag("/spec/test/ignoreFailures");
    if !work.object.flag("/spec/test/enable") {
        work.unmark(&["TestSuccess"]);
    }
    if work.object.is("Released") && (!tests || work.object.is("TestSuccess")) {
        work.unmark(&["Remediated"]);
    }
    let kinds: &[&str] = if tests { &["Remediated", "TestSuccess", "Released"] } else { &["Remediated", "Released"] };
    let Some(found) = kinds.iter().find_map(|kind| work.object.condition(kind)).cloned() else { return };
    // What was taken back is not what was wanted.
    let status = if found["type"] == "Remediated" { json!("False") } else { found["status"].clone() };
    work.mark("Ready", status.as_str().unwrap_or("Unknown"), found.text("/reason"), found.text("/message"));
}
