//! What Helm does: install, upgrade, roll back, test, uninstall.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    super::{
        super::{
            Tools,
            fields::{self, Fields},
        },
        apply::{self, Target},
        progress::{Work, shown},
    },
    OWNER, Wanted, history, name_of,
    steps::{Step, chart_name, full_name},
    storage::{self, Stored},
    storage_of, target_of,
};
use crate::kubernetes::{
    answer::Refusal,
    charts::fill::{Release, merged},
    client::Place,
};

/// How long Helm takes to look and to store.
const PREPARING: Duration = Duration::from_millis(300);
/// The order in which kinds are installed; those that are not here come last.
const ORDER: [&str; 26] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "Ingress",
];
/// What marks a hook, and says when it is run.
const HOOK: &str = "helm.sh/hook";

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

/// What a chart comes to for one release.
struct Rendered {
    definitions: Vec<Value>,
    /// Objects, one part after the other, with how long each takes.
    parts: Vec<(Duration, Vec<(Target, Value)>)>,
    hooks: Vec<Value>,
}

impl Rendered {
    fn targets(&self) -> Vec<(Target, Value)> {
        let mut all: Vec<_> = self.parts.iter().flat_map(|(_, part)| part.iter().cloned()).collect();
        all.sort_by_key(|(target, _)| rank(&target.kind));
        all
    }
}

/// Does a step. What comes of it is said in conditions, counts and the history; that a release failed is no error here.
///
/// # Errors
/// If nothing was stored, or the server refused what is stored.
pub async fn run(work: &mut Work<'_>, wanted: &Wanted, step: Step) -> Result<(), Failed> {
    match step {
        Step::Install | Step::Upgrade => release(work, wanted, step).await,
        Step::Rollback => rollback(work, wanted).await,
        Step::Uninstall => uninstall(work, wanted).await,
        Step::Test => test(work, wanted).await,
        Step::Unlock => unlock(work, wanted).await,
        Step::Correct => correct(work, wanted).await,
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

fn count(work: &mut Work<'_>, field: &str) {
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
    let rendered = render(work, wanted, &stored).await.map_err(Unmade::Because)?;
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

async fn render(work: &Work<'_>, wanted: &Wanted, stored: &Stored) -> Result<Rendered, String> {
    let values = merged(wanted.chart.values.clone(), &wanted.values);
    let release = Release { name: &stored.name, namespace: &stored.namespace, chart: &wanted.chart, values: &values };
    let mut rendered = Rendered { definitions: Vec::new(), parts: Vec::new(), hooks: Vec::new() };
    let mut parts = release.parts();
    for (_, objects) in &mut parts {
        rendered.definitions.extend(objects.extract_if(.., |object| object["kind"] == "CustomResourceDefinition"));
        rendered
            .hooks
            .extend(objects.extract_if(.., |object| object.annotation(HOOK).is_some()).map(|object| hook(&object)));
    }
    define(work, stored.version == 1, &rendered.definitions).await?;
    for (takes, objects) in parts {
        let objects: Vec<Value> = objects.into_iter().map(|object| owned(work, object)).collect();
        rendered.parts.push((takes, targets(work.tools, &objects, &stored.namespace)?));
    }
    Ok(rendered)
}

/// Objects with where they go.
///
/// # Errors
/// In Helm's words, if one is of a kind that is not there.
pub fn targets(tools: &Tools, objects: &[Value], namespace: &str) -> Result<Vec<(Target, Value)>, String> {
    let placed = objects.iter().map(|object| {
        let target = Target::of(tools, object, namespace).ok_or_else(|| {
            format!(
                "unable to build kubernetes objects from release manifest: resource mapping not found for name: {:?} namespace: \
                 {:?} from \"\": no matches for kind {:?} in version {:?}\nensure CRDs are installed first",
                object.name(), object.namespace(), object.text("/kind"), object.text("/apiVersion"),
            )
        })?;
        Ok((target, object.clone()))
    });
    placed.collect()
}

/// Makes the kinds that a chart brings along, as the release says: at an install, else only if it wants that.
async fn define(work: &Work<'_>, first: bool, definitions: &[Value]) -> Result<(), String> {
    let policy = match first {
        true => work.object.at("/spec/install/crds").as_str().unwrap_or("Create"),
        false => work.object.at("/spec/upgrade/crds").as_str().unwrap_or("Skip"),
    };
    if policy == "Skip" || definitions.is_empty() {
        return Ok(());
    }
    let targets = targets(work.tools, definitions, "")?;
    for (target, object) in &targets {
        if policy == "Create" && target.live(work.tools).is_some() {
            continue;
        }
        let query = format!("fieldManager={OWNER}&force=true");
        target.apply(work.tools, &query, object).await.map_err(|refusal| refusal.message)?;
    }
    let targets: Vec<Target> = targets.into_iter().map(|(target, _)| target).collect();
    apply::ready(work.tools, &targets, Duration::from_secs(60)).await
}

/// Makes the objects and runs the hooks; whether it came as far as changing objects, and how it went.
async fn make(
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
    if let Err(why) = hooks(work, stored, &format!("pre-{word}"), until).await {
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
    if let Err(why) = hooks(work, stored, &format!("post-{word}"), until).await {
        return (true, Err(failing("post", why)));
    }
    (true, Ok(()))
}

/// Runs the hooks of a moment, one after the other by their weights.
async fn hooks(work: &Work<'_>, stored: &mut Stored, when: &str, until: Instant) -> Result<(), String> {
    let tools = work.tools;
    let mut due: Vec<usize> = (0..stored.hooks.len())
        .filter(|at| stored.hooks[*at].list("/events").iter().any(|event| event == when))
        .collect();
    due.sort_by_key(|at| stored.hooks[*at].number("/weight"));
    for at in due {
        let object = serde_saphyr::from_str::<Value>(stored.hooks[at].text("/manifest")).unwrap_or_default();
        let (target, object) = targets(tools, &[object], &stored.namespace)?.remove(0);
        target.delete(tools).await.map_err(|refusal| refusal.message)?;
        apply::gone(tools, std::slice::from_ref(&target), until.saturating_duration_since(Instant::now())).await;
        let began = tools.now().to_string();
        let result = match target.apply(tools, &format!("fieldManager={OWNER}"), &object).await {
            Ok(_) => {
                apply::ready(tools, std::slice::from_ref(&target), until.saturating_duration_since(Instant::now()))
                    .await
            }
            Err(refusal) => {
                let place = format!("{}/{} {}", target.namespace, target.name, target.full_kind());
                Err(format!("server-side apply failed for object {place}: {}", refusal.message))
            }
        };
        let phase = if result.is_ok() { "Succeeded" } else { "Failed" };
        let ended = tools.now().to_string();
        stored.hooks[at]["last_run"] = json!({"started_at": began, "completed_at": ended, "phase": phase});
        let policy = object.annotation("helm.sh/hook-delete-policy").unwrap_or_default();
        let spent = if result.is_ok() { "hook-succeeded" } else { "hook-failed" };
        if policy.contains(spent) {
            target.delete(tools).await.map_err(|refusal| refusal.message)?;
        }
        result?;
    }
    Ok(())
}

/// A hook, as Helm keeps it.
fn hook(object: &Value) -> Value {
    let events: Vec<&str> = object.annotation(HOOK).unwrap_or_default().split(',').map(str::trim).collect();
    let weight: i64 =
        object.annotation("helm.sh/hook-weight").and_then(|weight| weight.parse().ok()).unwrap_or_default();
    json!({
        "name": object.name(), "kind": object["kind"], "path": "templates/objects.yaml", "events": events, "weight": weight,
        "manifest": crate::kubernetes::representation::yaml::written(object), "last_run": {"phase": ""},
    })
}

/// Goes back to the last good revision, as a new one.
async fn rollback(work: &mut Work<'_>, wanted: &Wanted) -> Result<(), Failed> {
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
async fn uninstall(work: &mut Work<'_>, wanted: &Wanted) -> Result<(), Failed> {
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
    if hooked && let Err(why) = hooks(work, &mut last, "pre-delete", until).await {
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
    if hooked && let Err(why) = hooks(work, &mut last, "post-delete", until).await {
        return Ok(Some(why));
    }
    for stored in &all {
        stored.forget(tools).await?;
    }
    Ok(None)
}

async fn test(work: &mut Work<'_>, wanted: &Wanted) -> Result<(), Failed> {
    let all = storage::all(work.tools, &storage_of(&work.object), &name_of(&work.object));
    let Some(mut last) = all.last().cloned() else { return Err(Failed::Unstored) };
    let until = Instant::now() + Step::Test.timeout(work);
    let outcome = hooks(work, &mut last, "test", until).await;
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

/// A revision that somebody left in the middle of something is one that failed.
async fn unlock(work: &mut Work<'_>, wanted: &Wanted) -> Result<(), Failed> {
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

async fn correct(work: &mut Work<'_>, wanted: &Wanted) -> Result<(), Failed> {
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

/// An object with whose it is.
pub fn owned(work: &Work<'_>, mut object: Value) -> Value {
    let labels = fields::map(&mut object["metadata"], "labels");
    for (key, value) in [
        ("app.kubernetes.io/managed-by", "Helm"),
        ("helm.toolkit.fluxcd.io/name", work.object.name()),
        ("helm.toolkit.fluxcd.io/namespace", work.object.namespace()),
    ] {
        labels.insert(key.to_owned(), json!(value));
    }
    let annotations = fields::map(&mut object["metadata"], "annotations");
    annotations.insert("meta.helm.sh/release-name".to_owned(), json!(name_of(&work.object)));
    annotations.insert("meta.helm.sh/release-namespace".to_owned(), json!(target_of(&work.object)));
    object
}

/// The same as it stands in the manifest that is stored.
fn unowned(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(labels) = object["metadata"]["labels"].as_object_mut() {
        labels.remove("app.kubernetes.io/managed-by");
    }
    let metadata = fields::map(&mut object, "metadata");
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !key.starts_with("meta.helm.sh/"));
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    object
}

fn rank(kind: &str) -> usize {
    ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len())
}
