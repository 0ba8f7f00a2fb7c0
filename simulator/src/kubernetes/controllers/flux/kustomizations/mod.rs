//! The kustomize-controller: Kustomizations, each the manifests of a folder of a source.
//!
//! `building` is what they add up to, `applying` what is done with that.

mod applying;
mod building;

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    super::{
        Name, Tools,
        fields::{self, Fields},
    },
    apply::{self, Target},
    fetch::revision_of,
    kinds::{self, KUSTOMIZATION, Kind, Source},
    lives::{Keeper, Next},
    progress::{Work, is_fetched, is_news, shown},
    releases::is_ready,
};
use crate::kubernetes::{answer::Refusal, repositories::digest, store::Change};

/// How often one looks whether what it waits for is there.
const DEPENDENCIES: Duration = Duration::from_secs(30);
/// How long it takes to fetch, and to build.
const PREPARING: Duration = Duration::from_millis(300);
/// The least that an attempt may take.
const LEAST: Duration = Duration::from_secs(30);
pub struct Kustomizations;

/// What is applied, of which revision.
struct Build {
    revision: String,
    origin: String,
    objects: Vec<Value>,
}

/// Why it came to nothing: the reason, and the message.
type Failed = (&'static str, String);

impl Keeper for Kustomizations {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        if &*change.key.resource == KUSTOMIZATION.stored {
            return if is_news(change) { vec![Name::changed(change)] } else { Vec::new() };
        }
        let kinds = [&kinds::GIT_REPOSITORY, &kinds::OCI_REPOSITORY];
        let Some(kind) = kinds.into_iter().find(|kind| kind.stored == &*change.key.resource) else { return Vec::new() };
        if !is_fetched(change) {
            return Vec::new();
        }
        apply::those(tools, KUSTOMIZATION.stored, |object| {
            Source::of(object, object.at("/spec/sourceRef")).is_some_and(|source| {
                source.kind == kind.name && source.name == change.key.name && source.namespace == change.key.namespace
            })
        })
    }

    fn keep<'k>(&'k self, tools: &'k Tools, name: &'k Name) -> BoxFuture<'k, Result<Next, Refusal>> {
        Box::pin(async move {
            let Some(mut work) = Work::begin(tools, &KUSTOMIZATION, name).await? else { return Ok(Next::Gone) };
            if work.object.is_going() {
                return deleted(&mut work).await;
            }
            if work.is_suspended() {
                return Ok(Next::Never);
            }
            let next = keep(&mut work).await?;
            work.handled();
            work.save().await?;
            Ok(next)
        })
    }
}

async fn keep(work: &mut Work<'_>) -> Result<Next, Refusal> {
    if let Some(what) = strange(&work.object) {
        work.not_modelled(what);
        return Ok(Next::Never);
    }
    if !work.object.is("Ready") {
        work.doing("Reconciliation in progress");
        work.mark("Ready", "Unknown", "Progressing", "Reconciliation in progress");
        work.save().await?;
    }
    let Some(source) = Source::of(&work.object, work.object.at("/spec/sourceRef")) else { return Ok(Next::Never) };
    let kind = match source.kind.as_str() {
        "GitRepository" => &kinds::GIT_REPOSITORY,
        "OCIRepository" => &kinds::OCI_REPOSITORY,
        _ => {
            work.not_modelled("manifests from this kind of source");
            return Ok(Next::Never);
        }
    };
    let there = work.tools.there(kind.stored, &Name { namespace: source.namespace.clone(), name: source.name.clone() });
    let Some(there) = there else {
        let message = format!("{}.{} {:?} not found", kind.name, kind.group(), source.name);
        return Ok(waits(work, "ArtifactFailed", &message));
    };
    if !there.has("/status/artifact") {
        let message = format!("Source artifact not found, retrying in {}", shown(DEPENDENCIES));
        return Ok(waits(work, "ArtifactFailed", &message));
    }
    let revision = there.text("/status/artifact/revision").to_owned();
    let origin = there.text("/status/artifact/metadata/org.opencontainers.image.revision").to_owned();
    let mut build = Build { revision, origin, objects: Vec::new() };
    if let Some(why) = missing_dependency(work, &there) {
        let message = format!("Dependencies do not meet ready condition, retrying in {}", shown(DEPENDENCIES));
        work.tell("Normal", "DependencyNotReady", &message, &build.marks()).await;
        return Ok(waits(work, "DependencyNotReady", &why));
    }
    match reconcile(work, kind, &there, &mut build).await? {
        Ok(()) => {
            let interval = work.interval();
            let message =
                format!("Reconciliation finished in {}, next run in {}", shown(work.begun.elapsed()), shown(interval));
            let mut marks = build.marks();
            marks["kustomize.toolkit.fluxcd.io/commit_status"] = json!("update");
            work.tell("Normal", "ReconciliationSucceeded", &message, &marks).await;
            Ok(Next::After(interval))
        }
        Err((reason, message)) => {
            work.failed(reason, &message);
            work.tell("Warning", reason, &message, &build.marks()).await;
            Ok(Next::After(work.length("/spec/retryInterval", work.interval())))
        }
    }
}

/// What a Kustomization asks for that there is no model of.
fn strange(object: &Value) -> Option<&'static str> {
    const PATHS: [(&str, &str); 2] = [
        ("/spec/healthCheckExprs", "expressions for health checks"),
        ("/spec/ignoreMissingComponents", "components that may be missing"),
    ];
    PATHS.iter().find(|(path, _)| object.has(path)).map(|(_, what)| *what)
}

/// It can't begin yet.
fn waits(work: &mut Work<'_>, reason: &str, message: &str) -> Next {
    work.unmark(&["Reconciling"]);
    work.mark("Ready", "False", reason, message);
    Next::After(DEPENDENCIES)
}

fn missing_dependency(work: &Work<'_>, source: &Value) -> Option<String> {
    let own = Source::of(&work.object, work.object.at("/spec/sourceRef"))?;
    work.object.list("/spec/dependsOn").iter().find_map(|reference| {
        let Source { namespace, name, .. } = Source::of(&work.object, reference)?;
        let shown = format!("{namespace}/{name}");
        let Some(there) = work.tools.there(KUSTOMIZATION.stored, &Name { namespace, name: name.clone() }) else {
            let missing = format!("kustomizations.kustomize.toolkit.fluxcd.io {name:?} not found");
            return Some(format!("dependency '{shown}' not found: {missing}"));
        };
        let theirs = Source::of(&there, there.at("/spec/sourceRef"))?;
        let same = theirs.kind == own.kind && theirs.name == own.name && theirs.namespace == own.namespace;
        if !is_ready(&there) {
            return Some(format!("dependency '{shown}' is not ready"));
        }
        let late = same && there["status"]["lastAppliedRevision"] != *source.at("/status/artifact/revision");
        late.then(|| format!("dependency '{shown}' revision is not up to date"))
    })
}

async fn reconcile(
    work: &mut Work<'_>,
    kind: &Kind,
    source: &Value,
    build: &mut Build,
) -> Result<Result<(), Failed>, Refusal> {
    let timeout = timeout(work);
    let step = |what: &str, build: &Build| {
        format!("{what} for revision {} with a timeout of {}", build.revision, shown(timeout))
    };
    work.doing(&step("Fetching manifests", build));
    work.save().await?;
    sleep(PREPARING).await;
    let path = work.object.text("/spec/path").to_owned();
    let found = revision_of(work.tools, kind, source).filter(|revision| revision.has_folder(&path));
    let Some(revision) = found else {
        let path = path.trim_start_matches("./");
        let message = format!(
            "kustomization path not found: stat /tmp/kustomization-{}/{path}: no such file or directory",
            work.object.uid()
        );
        return Ok(Err(("ArtifactFailed", message)));
    };
    work.doing(&step("Building manifests", build));
    work.status().insert("lastAttemptedRevision".to_owned(), json!(build.revision));
    work.save().await?;
    match building::build(work, &revision) {
        Ok(objects) => build.objects = objects,
        Err(failed) => return Ok(Err(failed)),
    }
    if let Some(failed) = elsewhere(work) {
        return Ok(Err(failed));
    }
    build.objects.sort_by_key(|object| applying::rank(object.text("/kind")));
    work.doing(&step("Detecting drift", build));
    work.save().await?;
    let applied = applying::applied(work, build).await;
    remember(work, build, &applied);
    let targets = match applied {
        Ok(targets) => targets,
        Err(failed) => return Ok(Err(failed)),
    };
    work.doing(&step("Running health checks", build));
    work.save().await?;
    if let Err(failed) = healthy(work, build, &targets, timeout).await {
        remember(work, build, &Err(failed.clone()));
        return Ok(Err(failed));
    }
    work.unmark(&["Reconciling", "Stalled"]);
    let message = format!("Applied revision: {}", build.revision);
    work.mark("Ready", "True", "ReconciliationSucceeded", &message);
    work.observe();
    let (revision, origin) = (build.revision.clone(), build.origin.clone());
    work.status().insert("lastAppliedRevision".to_owned(), json!(revision));
    match origin.as_str() {
        "" => drop(work.status().remove("lastAppliedOriginRevision")),
        origin => drop(work.status().insert("lastAppliedOriginRevision".to_owned(), json!(origin))),
    }
    Ok(Ok(()))
}

fn timeout(work: &Work<'_>) -> Duration {
    let usual = work.interval().saturating_sub(LEAST);
    work.length("/spec/timeout", usual).max(LEAST)
}

/// Says why it can't reach another cluster.
fn elsewhere(work: &Work<'_>) -> Option<Failed> {
    let (namespace, name) = (work.object.namespace(), work.object.text("/spec/kubeConfig/secretRef/name"));
    if name.is_empty() {
        return None;
    }
    let there = Name { namespace: namespace.to_owned(), name: name.to_owned() };
    let why = match work.tools.there("secrets", &there) {
        Some(_) => "a rehearsal has no model of Kustomizations in other clusters".to_owned(),
        None => format!("unable to read KubeConfig secret '{namespace}/{name}' error: secrets {name:?} not found"),
    };
    Some(("ReconciliationFailed", why))
}

async fn healthy(work: &mut Work<'_>, build: &Build, targets: &[Target], timeout: Duration) -> Result<(), Failed> {
    let named: Vec<Target> = match work.object.flag("/spec/wait") {
        true => targets.to_vec(),
        false => work
            .object
            .list("/spec/healthChecks")
            .iter()
            .filter_map(|check| {
                let object = json!({
                    "apiVersion": check["apiVersion"], "kind": check["kind"], "metadata": {"name": check["name"]},
                });
                Target::of(work.tools, &object, check.text("/namespace"))
            })
            .collect(),
    };
    if named.is_empty() {
        work.unmark(&["Healthy"]);
        return Ok(());
    }
    let before = work.object.is("Healthy");
    let begun = tokio::time::Instant::now();
    let found = apply::ready(work.tools, &named, timeout).await;
    let took = shown(begun.elapsed());
    match found {
        Ok(()) => {
            let message = format!("Health check passed in {took}");
            work.mark("Healthy", "True", "Succeeded", &message);
            let is_new = work.object.text("/status/lastAppliedRevision") != build.revision;
            if !before || is_new {
                work.tell("Normal", "Progressing", &message, &build.marks()).await;
            }
            Ok(())
        }
        Err(why) => {
            work.mark("Healthy", "False", "HealthCheckFailed", &why);
            Err(("HealthCheckFailed", format!("health check failed after {took}: {why}")))
        }
    }
}

/// Takes note of how a build went, the latest first.
fn remember(work: &mut Work<'_>, build: &Build, result: &Result<Vec<Target>, Failed>) {
    const MOST: usize = 5;
    let now = work.tools.client.cluster().now();
    let word = result.as_ref().map_or_else(|(reason, _)| *reason, |_| "ReconciliationSucceeded");
    let took = shown(work.begun.elapsed());
    let sum = format!("sha256:{}", digest(&json!(build.objects).to_string()));
    let mut metadata = json!({"revision": build.revision});
    if !build.origin.is_empty() {
        metadata["originRevision"] = json!(build.origin);
    }
    let history = fields::list(&mut work.object["status"], "history");
    let mut first = now.clone();
    let mut total = 1;
    if let Some(at) = history.iter().position(|known| known["digest"] == sum.as_str()) {
        let known = history.remove(at);
        known.text("/firstReconciled").clone_into(&mut first);
        // What was noted already in this attempt counts once.
        let again = known.text("/lastReconciledStatus") == "ReconciliationSucceeded" && word == "HealthCheckFailed";
        total = known.number("/totalReconciliations") + i64::from(!again);
    }
    let snapshot = json!({
        "digest": sum, "firstReconciled": first, "lastReconciled": now, "lastReconciledDuration": took,
        "lastReconciledStatus": word, "metadata": metadata, "totalReconciliations": total,
    });
    history.insert(0, snapshot);
    history.truncate(MOST);
}

async fn deleted(work: &mut Work<'_>) -> Result<Next, Refusal> {
    let policy = work.object.at("/spec/deletionPolicy").as_str().unwrap_or("MirrorPrune").to_owned();
    let prunes = match policy.as_str() {
        "MirrorPrune" => work.object.flag("/spec/prune"),
        policy => policy != "Orphan",
    };
    if prunes && !work.is_suspended() {
        let entries = work.object.list("/status/inventory/entries").to_vec();
        let targets: Vec<Target> = entries.iter().filter_map(|entry| Target::of_entry(work.tools, entry)).collect();
        let lines = applying::pruned(work, &entries.iter().rev().collect::<Vec<_>>()).await?;
        if policy == "WaitForTermination" {
            apply::gone(work.tools, &targets, timeout(work)).await;
        }
        let build = Build {
            revision: work.object.text("/status/lastAppliedRevision").to_owned(),
            origin: work.object.text("/status/lastAppliedOriginRevision").to_owned(),
            objects: Vec::new(),
        };
        if !lines.is_empty() {
            work.tell("Normal", "ReconciliationSucceeded", &lines.join("\n"), &build.marks()).await;
        }
    }
    work.let_go().await?;
    Ok(Next::Gone)
}

impl Build {
    /// What its events are marked with.
    fn marks(&self) -> Value {
        let mut marks = json!({"kustomize.toolkit.fluxcd.io/revision": self.revision});
        if !self.origin.is_empty() {
            marks["kustomize.toolkit.fluxcd.io/originRevision"] = json!(self.origin);
        }
        marks
    }
}
