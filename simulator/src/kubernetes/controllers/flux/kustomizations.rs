//! The kustomize-controller: Kustomizations, each the manifests of a folder of a source.

use std::{collections::BTreeMap, time::Duration};

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
    releases::{is_ready, text_of},
    substitute,
};
use crate::kubernetes::{answer::Refusal, repositories::digest, store::Change};

/// How often one looks whether what it waits for is there.
const DEPENDENCIES: Duration = Duration::from_secs(30);
/// How long it takes to fetch, and to build.
const PREPARING: Duration = Duration::from_millis(300);
/// The least that an attempt may take.
const LEAST: Duration = Duration::from_secs(30);
const OWNER: &str = "kustomize-controller";
/// The order in which kinds are applied, all others between the last two of these groups.
const EARLY: [&str; 23] = [
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LATE: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

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
    const PATHS: [(&str, &str); 5] = [
        ("/spec/patches", "patches of Kustomizations"),
        ("/spec/images", "images of Kustomizations"),
        ("/spec/components", "components of Kustomizations"),
        ("/spec/healthCheckExprs", "expressions for health checks"),
        ("/spec/commonMetadata", "metadata that all objects share"),
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
    let found = revision_of(work.tools, kind, source).and_then(|revision| revision.folder(&path));
    let Some(objects) = found else {
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
    if let Some(failed) = key_missing(work) {
        return Ok(Err(failed));
    }
    match variables(work, &objects) {
        Ok(None) => build.objects = objects,
        Ok(Some(variables)) => {
            build.objects = objects.iter().map(|object| substitute::filled(object, &variables)).collect();
        }
        Err(failed) => return Ok(Err(failed)),
    }
    build.objects.iter_mut().for_each(|object| owned(work, object));
    build.objects.sort_by_key(|object| rank(object.text("/kind")));
    work.doing(&step("Detecting drift", build));
    work.save().await?;
    let applied = applied(work, build).await;
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

/// Says why what it needs to read secrets, or to reach another cluster, is not there.
fn key_missing(work: &Work<'_>) -> Option<Failed> {
    let secret = |path: &str| {
        let name = work.object.text(path).to_owned();
        let there = Name { namespace: work.object.namespace().to_owned(), name: name.clone() };
        (!name.is_empty()).then(|| (work.tools.there("secrets", &there).is_some(), name))
    };
    match secret("/spec/decryption/secretRef/name") {
        Some((false, name)) => return Some(("BuildFailed", format!("secrets {name:?} not found"))),
        Some((true, _)) => return Some(("BuildFailed", "a rehearsal has no model of decryption".to_owned())),
        None => {}
    }
    let (is_there, name) = secret("/spec/kubeConfig/secretRef/name")?;
    let why = format!(
        "unable to read KubeConfig secret '{}/{name}' error: secrets {name:?} not found",
        work.object.namespace()
    );
    let nowhere = "a rehearsal has no model of Kustomizations in other clusters".to_owned();
    Some(("ReconciliationFailed", if is_there { nowhere } else { why }))
}

/// What is filled in; nothing, if nothing is to be.
fn variables(work: &Work<'_>, objects: &[Value]) -> Result<Option<BTreeMap<String, String>>, Failed> {
    let given = work.object.at("/spec/postBuild");
    if given.is_null() {
        return Ok(None);
    }
    let mut variables = BTreeMap::new();
    for reference in given.list("/substituteFrom") {
        let (kind, name) = (reference.text("/kind"), reference.text("/name"));
        let plural = format!("{}s", kind.to_lowercase());
        let there = Name { namespace: work.object.namespace().to_owned(), name: name.to_owned() };
        match work.tools.there(&plural, &there) {
            Some(there) => {
                let keys = there.at("/data").as_object().into_iter().flatten();
                variables.extend(keys.filter_map(|(key, _)| Some((key.clone(), text_of(&there, key)?))));
            }
            None if reference.flag("/optional") => {}
            None => {
                let first = objects.first().map_or_else(String::new, |object| {
                    let (group, version) =
                        object.text("/apiVersion").split_once('/').unwrap_or(("[noGrp]", object.text("/apiVersion")));
                    format!("{}.{version}.{group}/{}", object.text("/kind"), object.name())
                });
                let why = format!("substitute from '{kind}/{name}' error: {plural} {name:?} not found");
                return Err(("BuildFailed", format!("post build failed for '{first}': {why}")));
            }
        }
    }
    for (key, value) in given.at("/substitute").as_object().into_iter().flatten() {
        variables.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    Ok(Some(variables))
}

/// Puts it where the Kustomization wants it, and says whose it is.
fn owned(work: &Work<'_>, object: &mut Value) {
    let target = work.object.text("/spec/targetNamespace");
    let placed = Target::of(work.tools, object, target);
    if !target.is_empty() && placed.is_none_or(|placed| !placed.namespace.is_empty()) {
        object["metadata"]["namespace"] = json!(target);
    }
    let (prefix, suffix) = (work.object.text("/spec/namePrefix"), work.object.text("/spec/nameSuffix"));
    if !prefix.is_empty() || !suffix.is_empty() {
        object["metadata"]["name"] = json!(format!("{prefix}{}{suffix}", object.name()));
    }
    let labels = fields::map(&mut object["metadata"], "labels");
    labels.insert("kustomize.toolkit.fluxcd.io/name".to_owned(), work.object["metadata"]["name"].clone());
    labels.insert("kustomize.toolkit.fluxcd.io/namespace".to_owned(), work.object["metadata"]["namespace"].clone());
}

/// Applies it all, and takes away what was there before and is no more.
async fn applied(work: &mut Work<'_>, build: &Build) -> Result<Vec<Target>, Failed> {
    let tools = work.tools;
    let wrong = |what: String| ("ReconciliationFailed", format!("{what}\n"));
    let default = work.object.namespace().to_owned();
    let (mut targets, mut lines) = (Vec::new(), Vec::new());
    for object in &build.objects {
        let shown_as = match object.namespace() {
            "" => format!("{}/{}", object.text("/kind"), object.name()),
            namespace => format!("{}/{namespace}/{}", object.text("/kind"), object.name()),
        };
        let Some(target) = Target::of(tools, object, &default) else {
            let missing =
                format!("no matches for kind {:?} in version {:?}", object.text("/kind"), object.text("/apiVersion"));
            return Err(wrong(format!("{shown_as} dry-run failed: {missing}")));
        };
        targets.push(target.clone());
        if let Some(line) = apply_one(work, &target, object).await.map_err(wrong)? {
            lines.push(line);
        }
        // What is of a kind that was only just made waits for it.
        if target.kind == "CustomResourceDefinition" {
            apply::ready(tools, std::slice::from_ref(&target), LEAST).await.map_err(wrong)?;
        }
    }
    if !lines.is_empty() {
        work.tell("Normal", "Progressing", &lines.join("\n"), &build.marks()).await;
    }
    let entries: Vec<Value> = targets.iter().map(Target::entry).collect();
    let old = work.object.list("/status/inventory/entries").to_vec();
    work.status().insert("inventory".to_owned(), json!({ "entries": entries }));
    if work.object.flag("/spec/prune") {
        let left: Vec<&Value> =
            old.iter().filter(|entry| !entries.iter().any(|new| new["id"] == entry["id"])).collect();
        let lines = pruned(work, &left).await.map_err(|refusal| ("PruneFailed", refusal.message))?;
        if !lines.is_empty() {
            work.tell("Normal", "Progressing", &lines.join("\n"), &build.marks()).await;
        }
    }
    Ok(targets)
}

/// Applies one object; what that did, if anything.
async fn apply_one(work: &Work<'_>, target: &Target, object: &Value) -> Result<Option<String>, String> {
    let tools = work.tools;
    let annotation =
        |key: &str| object.annotation(&format!("kustomize.toolkit.fluxcd.io/{key}")).unwrap_or_default().to_lowercase();
    let live = target.live(tools);
    let ssa = annotation("ssa");
    let off =
        live.as_deref().and_then(|live| live.annotation("kustomize.toolkit.fluxcd.io/reconcile")) == Some("disabled");
    if off || ssa == "ignore" || (ssa == "ifnotpresent" && live.is_some()) {
        return Ok(None);
    }
    let shown = target.shown();
    let query = format!("fieldManager={OWNER}&force=true");
    let refused = |refusal: &Refusal| match refusal.reason {
        "NotFound" => format!("{shown} not found: {}", refusal.message),
        reason => format!("{shown} dry-run failed ({reason}): {}", refusal.message),
    };
    let changed = match target.apply(tools, &format!("{query}&dryRun=All"), object).await {
        Ok(dry) => live.as_deref().is_none_or(|live| apply::plain(live) != apply::plain(&dry)),
        Err(refusal)
            if refusal.message.contains("immutable")
                && (work.object.flag("/spec/force") || annotation("force") == "enabled") =>
        {
            target.delete(tools).await.map_err(|refusal| refused(&refusal))?;
            apply::gone(tools, std::slice::from_ref(target), LEAST).await;
            target.apply(tools, &query, object).await.map_err(|refusal| refused(&refusal))?;
            return Ok(Some(format!("{shown} created")));
        }
        Err(refusal) => return Err(refused(&refusal)),
    };
    if !changed {
        return Ok(None);
    }
    target.apply(tools, &query, object).await.map_err(|refusal| refused(&refusal))?;
    Ok(Some(format!("{shown} {}", if live.is_some() { "configured" } else { "created" })))
}

async fn pruned(work: &Work<'_>, entries: &[&Value]) -> Result<Vec<String>, Refusal> {
    let mut lines = Vec::new();
    for entry in entries {
        let Some(target) = Target::of_entry(work.tools, entry) else { continue };
        let Some(live) = target.live(work.tools) else { continue };
        let own = live.label("kustomize.toolkit.fluxcd.io/name") == Some(work.object.name());
        let kept = ["prune", "reconcile"].iter().any(|key| {
            live.annotation(&format!("kustomize.toolkit.fluxcd.io/{key}"))
                .is_some_and(|set| set.eq_ignore_ascii_case("disabled"))
        });
        if own && !kept && target.delete(work.tools).await? {
            lines.push(format!("{} deleted", target.shown()));
        }
    }
    Ok(lines)
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
        let lines = pruned(work, &entries.iter().rev().collect::<Vec<_>>()).await?;
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

fn rank(kind: &str) -> usize {
    let late = LATE.iter().position(|known| *known == kind).map(|at| EARLY.len() + 1 + at);
    late.or_else(|| EARLY.iter().position(|known| *known == kind)).unwrap_or(EARLY.len())
}
