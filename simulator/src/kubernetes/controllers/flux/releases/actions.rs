//! What Helm does: installs, upgrades and tests.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    super::{
        super::fields::Fields,
        apply::{self, Target},
        progress::{Work, shown},
    },
    OWNER, Wanted, history, hooks, name_of, remedies,
    rendering::{self, Rendered, rank, targets, unowned},
    steps::{Step, chart_name, full_name},
    storage::{self, Stored},
    storage_of, target_of,
};
use crate::kubernetes::{answer::Refusal, charts::fill::merged, client::Place};

/// How long Helm takes to look and to store.
pub const PREPARING: Duration = Duration::from_millis(300);

/// Why a step came to nothing.
pub enum Failed {
    /// It failed before anything was stored; that is said in the conditions.
    Unstored,
    Refused(Refusal),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Does a step. What comes of it is said in conditions, counts and the history; that a release failed is no error here.
///
/// # Errors
/// If nothing was stored, or the server refused what is stored.
pub async fn run(work: &mut Work<'_>, wanted: &Wanted, step: Step) -> Result<(), Failed> {
    match step {
        Step::Install | Step::Upgrade => release(work, wanted, step).await,
        Step::Rollback => remedies::rollback(work, wanted).await,
        Step::Uninstall => remedies::uninstall(work, wanted).await,
        Step::Test => test(work, wanted).await,
        Step::Unlock => remedies::unlock(work, wanted).await,
        Step::Correct => remedies::correct(work, wanted).await,
    }
}

async fn release(work: &mut Work<'_>, wanted: &Wanted, step: Step) -> Result<(), Failed> {
    let begun = Instant::now();
    let word = step.word();
    work.status().insert("lastAttemptedReleaseAction".to_owned(), json!(word));
    work.unmark(&["TestSuccess", "Remediated"]);
    let (name, namespace) = (name_of(&work.object), target_of(&work.object));
    let before = storage::all(work.tools, &storage_of(&work.object), &name);
    let result = attempt(work, wanted, step, &before).await;
    let took = shown(begun.elapsed());
    work.status().insert("lastAttemptedReleaseActionDuration".to_owned(), json!(took));
    let (stored, outcome) = match result {
        Ok((stored, outcome)) => (Some(stored), outcome),
        Err(Unmade::Refused(refusal)) => return Err(Failed::Refused(refusal)),
        Err(Unmade::Because(why)) => (None, Err(why)),
    };
    let title = if step == Step::Install { "Install" } else { "Upgrade" };
    let marks = history::marks(wanted);
    match outcome {
        Ok(()) => {
            let version = stored.map_or(1, |stored| stored.version);
            let message = format!(
                "Helm {word} succeeded for release {} with chart {}",
                full_name(work, version),
                chart_name(wanted)
            );
            work.mark("Released", "True", &format!("{title}Succeeded"), &message);
            if work.object.flag("/spec/test/enable") {
                let message = format!(
                    "Release {} with chart {} is waiting for tests",
                    full_name(work, version),
                    chart_name(wanted)
                );
                work.mark("TestSuccess", "Unknown", "AwaitingTests", &message);
            }
            work.tell("Normal", &format!("{title}Succeeded"), &message, &marks).await;
            Ok(())
        }
        Err(why) => {
            let message =
                format!("Helm {word} failed for release {namespace}/{name} with chart {}: {why}", chart_name(wanted));
            work.mark("Released", "False", &format!("{title}Failed"), &message);
            work.tell("Warning", &format!("{title}Failed"), &message, &marks).await;
            count(work, "failures");
            if stored.is_none() {
                return Err(Failed::Unstored);
            }
            count(work, &format!("{word}Failures"));
            Ok(())
        }
    }
}

/// Counts one more.
pub fn count(work: &mut Work<'_>, field: &str) {
    let before = work.object["status"][field].as_i64().unwrap_or_default();
    work.status().insert(field.to_owned(), json!(before + 1));
}

/// Why there is no revision.
enum Unmade {
    Because(String),
    Refused(Refusal),
}

impl From<Refusal> for Unmade {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// An install or an upgrade: the revision that was stored, and how it went.
async fn attempt(
    work: &mut Work<'_>,
    wanted: &Wanted,
    step: Step,
    before: &[Stored],
) -> Result<(Stored, Result<(), String>), Unmade> {
    let tools = work.tools;
    let is_install = step == Step::Install;
    let needs = tools.client.cluster().charts.missing(&wanted.chart);
    if !needs.is_empty() {
        return Err(Unmade::Because(format!("the chart needs {} first", needs.join(", "))));
    }
    sleep(PREPARING).await;
    let mut stored = begun(work, wanted, step, before);
    if is_install && work.object.flag("/spec/install/createNamespace") {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": stored.namespace}});
        let place = Place { api_version: "v1", resource: "namespaces", namespace: "" };
        let labelled = json!({"metadata": {"labels": {"name": stored.namespace}}});
        let whole = merged(namespace, &labelled);
        match tools.client.create(place, &whole).await {
            Err(refusal) if refusal.reason != "AlreadyExists" => return Err(Unmade::Because(refusal.message)),
            _ => {}
        }
    }
    let rendered = rendering::render(work, wanted, &stored).await.map_err(Unmade::Because)?;
    let targets = rendered.targets();
    stored.objects = targets.iter().map(|(_, object)| unowned(object)).collect();
    stored.hooks.clone_from(&rendered.hooks);
    stored.store(tools).await?;
    let until = Instant::now() + step.timeout(work);
    let (during, outcome) = make(work, &mut stored, &rendered, step, until, before.last()).await;
    let good = outcome.is_ok();
    stored.status = if good { "deployed" } else { "failed" }.to_owned();
    let word = if is_install { "Install" } else { "Upgrade" };
    stored.description = match &outcome {
        Ok(()) => format!("{word} complete"),
        Err(why) if is_install => format!("Release \"{}\" failed: {why}", stored.name),
        Err(why) => format!("Upgrade \"{}\" failed: {why}", stored.name),
    };
    // Helm writes the revision before anew, once it came as far as changing objects.
    if during && let Some(old) = before.last() {
        let mut old = old.clone();
        if good && old.status == "deployed" {
            "superseded".clone_into(&mut old.status);
        }
        old.store(tools).await?;
        history::note(work, &old, "", None);
    }
    stored.store(tools).await?;
    prune(work, before).await?;
    let digest = wanted.digest.clone();
    history::note(work, &stored, step.word(), digest.as_deref());
    let targets: Vec<Target> = targets.into_iter().map(|(target, _)| target).collect();
    history::list(work, &targets);
    Ok((stored, outcome))
}

/// A revision that was only begun.
fn begun(work: &Work<'_>, wanted: &Wanted, step: Step, before: &[Stored]) -> Stored {
    let now = work.tools.now().to_string();
    let first = before.first().map_or_else(|| now.clone(), |first| first.first_deployed.clone());
    Stored {
        storage: storage_of(&work.object),
        name: name_of(&work.object),
        namespace: target_of(&work.object),
        version: before.last().map_or(0, |last| last.version) + 1,
        status: format!("pending-{}", step.word()),
        description: if step == Step::Install { "Initial install underway" } else { "Preparing upgrade" }.to_owned(),
        first_deployed: first,
        last_deployed: now,
        chart: storage::chart(&wanted.chart, &wanted.version),
        config: wanted.values.clone(),
        objects: Vec::new(),
        hooks: Vec::new(),
    }
}

/// Helm keeps so many revisions.
async fn prune(work: &Work<'_>, before: &[Stored]) -> Result<(), Refusal> {
    let most = usize::try_from(work.object.at("/spec/maxHistory").as_i64().unwrap_or(5)).unwrap_or_default();
    let spare = if most == 0 { 0 } else { (before.len() + 1).saturating_sub(most) };
    for old in before.iter().take(spare) {
        old.forget(work.tools).await?;
    }
    Ok(())
}

/// Makes the objects and runs the hooks; whether it came as far as changing objects, and how it went.
pub async fn make(
    work: &Work<'_>,
    stored: &mut Stored,
    rendered: &Rendered,
    step: Step,
    until: Instant,
    before: Option<&Stored>,
) -> (bool, Result<(), String>) {
    let tools = work.tools;
    let (is_install, word) = (step == Step::Install, step.word());
    let failing = |when: &str, why: String| match is_install {
        true => format!("failed {when}-install: {why}"),
        false => format!("{when}-{word} hooks failed: {why}"),
    };
    if let Err(why) = hooks::run(work, stored, &format!("pre-{word}"), until).await {
        return (false, Err(failing("pre", why)));
    }
    let force = if is_install { "" } else { "&force=true" };
    let query = format!("fieldManager={OWNER}{force}");
    for (takes, part) in &rendered.parts {
        sleep(*takes).await;
        let mut part = part.clone();
        part.sort_by_key(|(target, _)| rank(&target.kind));
        let mut wrong = Vec::new();
        for (target, object) in &part {
            if let Err(refusal) = target.apply(tools, &query, object).await {
                let place = format!("{}/{} {}", target.namespace, target.name, target.full_kind());
                wrong.push(format!("server-side apply failed for object {place}: {}", refusal.message));
                if !is_install {
                    break;
                }
            }
        }
        if !wrong.is_empty() {
            return (true, Err(wrong.join("\n")));
        }
    }
    let all: Vec<Target> = rendered.targets().into_iter().map(|(target, _)| target).collect();
    if let Some(before) = before {
        let old = targets(tools, &before.objects, &before.namespace).unwrap_or_default();
        for (target, _) in old.iter().filter(|(old, _)| !all.iter().any(|new| new.entry() == old.entry())) {
            if let Err(refusal) = target.delete(tools).await {
                return (true, Err(refusal.message));
            }
        }
    }
    let part = format!("/spec/{word}");
    if !work.object.flag(&format!("{part}/disableWait"))
        && let Err(why) = apply::ready(tools, &all, until.saturating_duration_since(Instant::now())).await
    {
        return (true, Err(why));
    }
    if let Err(why) = hooks::run(work, stored, &format!("post-{word}"), until).await {
        return (true, Err(failing("post", why)));
    }
    (true, Ok(()))
}

async fn test(work: &mut Work<'_>, wanted: &Wanted) -> Result<(), Failed> {
    let all = storage::all(work.tools, &storage_of(&work.object), &name_of(&work.object));
    let Some(mut last) = all.last().cloned() else { return Err(Failed::Unstored) };
    let until = Instant::now() + Step::Test.timeout(work);
    let outcome = hooks::run(work, &mut last, "test", until).await;
    last.store(work.tools).await?;
    let tests: Vec<&Value> =
        last.hooks.iter().filter(|hook| hook.list("/events").iter().any(|event| event == "test")).collect();
    let said: serde_json::Map<String, Value> = tests.iter().map(|hook| {
        let run = hook.at("/last_run");
        let second = |path: &str| format!("{}Z", run.text(path).split(['.', 'Z']).next().unwrap_or_default());
        let told = json!({"lastStarted": second("/started_at"), "lastCompleted": second("/completed_at"), "phase": run["phase"]});
        (hook.text("/name").to_owned(), told)
    }).collect();
    let count_of = tests.len();
    history::note(work, &last, "", wanted.digest.as_deref());
    let action = work.object.text("/status/lastAttemptedReleaseAction").to_owned();
    if let Some(latest) = work.object["status"]["history"].get_mut(0) {
        latest["testHooks"] = Value::Object(said);
        latest["action"] = json!(action);
    }
    let text = |word: &str| {
        format!("Helm test {word} for release {} with chart {}", full_name(work, last.version), chart_name(wanted))
    };
    match outcome {
        Ok(()) => {
            let hooks = match count_of {
                0 => "no test hooks".to_owned(),
                1 => "1 test hook completed successfully".to_owned(),
                more => format!("{more} test hooks completed successfully"),
            };
            let message = format!("{}: {hooks}", text("succeeded"));
            work.mark("TestSuccess", "True", "TestSucceeded", &message);
            work.tell("Normal", "TestSucceeded", &message, &history::marks(wanted)).await;
        }
        Err(why) => {
            let message = format!("{}: {why}", text("failed"));
            work.mark("TestSuccess", "False", "TestFailed", &message);
            work.tell("Warning", "TestFailed", &message, &history::marks(wanted)).await;
            count(work, "failures");
            count(work, &format!("{action}Failures"));
        }
    }
    Ok(())
}
