//! The helm-controller: HelmReleases.
//!
//! What has to be there first is looked for here; `steps` says what is to be done next about the release itself, and `actions`
//! does it.

mod actions;
mod history;
mod hooks;
mod remedies;
mod rendering;
mod steps;
mod storage;
mod values;

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::sleep;

use self::steps::Ended;
use super::{
    super::{Name, Tools, fields::Fields, owners},
    apply,
    kinds::{self, HELM_RELEASE, Source},
    lives::{Keeper, Next},
    progress::{Work, is_fetched, is_news},
};
use crate::kubernetes::{answer::Refusal, charts::Chart, store::Change};
pub use values::text_of;

/// How often one looks whether what it waits for is there.
pub const DEPENDENCIES: Duration = Duration::from_secs(30);
/// How long it takes to look at one.
const LOOKING: Duration = Duration::from_millis(150);
/// The owner of what it applies.
const OWNER: &str = "helm-controller";

pub struct Releases;

/// A release with all that it is made from.
pub struct Wanted {
    pub chart: Arc<Chart>,
    /// The version as the release says it: that of the chart, with its digest if it came from a registry as it is.
    pub version: String,
    pub digest: Option<String>,
    /// What the release itself says.
    pub values: Value,
    /// The sum of them.
    pub sum: String,
}

impl Keeper for Releases {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        let kind = match &*change.key.resource {
            stored if stored == HELM_RELEASE.stored => {
                return if is_news(change) { vec![Name::changed(change)] } else { Vec::new() };
            }
            stored if stored == kinds::HELM_CHART.stored => &kinds::HELM_CHART,
            stored if stored == kinds::OCI_REPOSITORY.stored => &kinds::OCI_REPOSITORY,
            _ => return Vec::new(),
        };
        if !is_fetched(change) {
            return Vec::new();
        }
        apply::those(tools, HELM_RELEASE.stored, |release| {
            let source = source(release);
            source.kind == kind.name && source.name == change.key.name && source.namespace == change.key.namespace
        })
    }

    fn keep<'k>(&'k self, tools: &'k Tools, name: &'k Name) -> BoxFuture<'k, Result<Next, Refusal>> {
        Box::pin(async move {
            let Some(mut work) = Work::begin(tools, &HELM_RELEASE, name).await? else { return Ok(Next::Gone) };
            if work.object.is_going() {
                return deleted(&mut work).await;
            }
            if work.is_suspended() {
                work.observe();
                work.save().await?;
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
    work.doing("Fulfilling prerequisites");
    if !work.object.is("Ready") && work.object.condition("Ready").is_none() {
        work.mark("Ready", "Unknown", "Progressing", "Fulfilling prerequisites");
    }
    work.save().await?;
    sleep(LOOKING).await;
    if work.object.has("/spec/chart") {
        shape_chart(work).await?;
    }
    if let Some(why) = missing_dependency(work) {
        work.mark("Ready", "False", "DependencyNotReady", &why);
        work.tell("Normal", "DependencyNotReady", &why, &Value::Null).await;
        return Ok(Next::After(DEPENDENCIES));
    }
    let source = source(&work.object);
    let wanted = match find(work, &source) {
        Ok(wanted) => wanted,
        Err((reason, message)) => {
            work.mark("Ready", "False", reason, &message);
            if reason == "ValuesError" {
                work.tell("Warning", reason, &message, &Value::Null).await;
            }
            // Its source calls it when it has something.
            return Ok(if reason == "SourceNotReady" { Next::After(DEPENDENCIES) } else { Next::Retry });
        }
    };
    let secret = work.object.text("/spec/kubeConfig/secretRef/name").to_owned();
    if !secret.is_empty() {
        let (namespace, _) = work.place();
        if work.tools.there("secrets", &Name { namespace: namespace.clone(), name: secret.clone() }).is_some() {
            work.not_modelled("releases in other clusters");
            return Ok(Next::Never);
        }
        let message = format!("could not get KubeConfig secret '{namespace}/{secret}': secrets {secret:?} not found");
        work.mark("Ready", "False", "RESTClientError", &message);
        return Ok(Next::Retry);
    }
    note_attempt(work, &wanted);
    let ended = steps::go(work, &wanted).await?;
    if ended != Ended::Again && ended != Ended::Failed {
        work.observe();
    }
    Ok(match ended {
        Ended::Done => Next::After(work.interval()),
        Ended::Stalled => Next::Never,
        Ended::Again | Ended::Failed => Next::Retry,
    })
}

/// What a release asks for that there is no model of.
fn strange(release: &Value) -> Option<&'static str> {
    const PATHS: [(&str, &str); 6] = [
        ("/spec/postRenderers", "post renderers"),
        ("/spec/install/strategy", "strategies of installs"),
        ("/spec/upgrade/strategy", "strategies of upgrades"),
        ("/spec/driftDetection/ignore", "drift that is ignored"),
        ("/spec/chart/spec/valuesFiles", "files of values in charts"),
        ("/spec/healthCheckExprs", "expressions for health checks"),
    ];
    PATHS.iter().find(|(path, _)| release.has(path)).map(|(_, what)| *what)
}

/// Takes note of what is attempted; what failed of something else counts no more.
fn note_attempt(work: &mut Work<'_>, wanted: &Wanted) {
    let status = work.object.at("/status").clone();
    let reset = work.takes("reconcile.fluxcd.io/resetAt", "lastHandledResetAt");
    let attempted = status.has("/lastAttemptedGeneration");
    let other = status["lastAttemptedGeneration"] != work.object["metadata"]["generation"]
        || status["lastAttemptedRevision"] != wanted.version.as_str()
        || status["lastAttemptedConfigDigest"] != wanted.sum.as_str();
    if reset || (attempted && other) {
        for count in ["failures", "installFailures", "upgradeFailures"] {
            work.status().remove(count);
        }
    }
    let generation = work.object["metadata"]["generation"].clone();
    let storage = storage_of(&work.object);
    let status = work.status();
    status.insert("lastAttemptedGeneration".to_owned(), generation);
    status.insert("lastAttemptedRevision".to_owned(), json!(wanted.version));
    status.insert("lastAttemptedConfigDigest".to_owned(), json!(wanted.sum));
    status.insert("storageNamespace".to_owned(), json!(storage));
    match &wanted.digest {
        Some(digest) => drop(status.insert("lastAttemptedRevisionDigest".to_owned(), json!(digest))),
        None => drop(status.remove("lastAttemptedRevisionDigest")),
    }
}

/// The name of the release itself.
fn name_of(release: &Value) -> String {
    match (release.text("/spec/releaseName"), release.text("/spec/targetNamespace")) {
        ("", "") => release.name().to_owned(),
        ("", target) => format!("{target}-{}", release.name()),
        (name, _) => name.to_owned(),
    }
}

fn target_of(release: &Value) -> String {
    let target = release.text("/spec/targetNamespace");
    if target.is_empty() { release.namespace() } else { target }.to_owned()
}

fn storage_of(release: &Value) -> String {
    let storage = release.text("/spec/storageNamespace");
    if storage.is_empty() { release.namespace() } else { storage }.to_owned()
}

/// What the chart comes from: the HelmChart of its own, or what it refers to.
fn source(release: &Value) -> Source {
    Source::of(release, release.at("/spec/chartRef")).unwrap_or_else(|| {
        let reference = release.at("/spec/chart/spec/sourceRef");
        let namespace =
            if reference.has("/namespace") { reference.text("/namespace") } else { release.namespace() }.to_owned();
        let name = format!("{}-{}", release.namespace(), release.name());
        Source { kind: kinds::HELM_CHART.name.to_owned(), namespace, name }
    })
}

/// Makes the HelmChart what the release says.
async fn shape_chart(work: &mut Work<'_>) -> Result<(), Refusal> {
    let release = &work.object;
    let source = source(release);
    let given = release.at("/spec/chart/spec");
    let mut spec = json!({
        "chart": given["chart"],
        "version": if given["version"].is_null() { json!("*") } else { given["version"].clone() },
        "interval": super::progress::shown(work.length("/spec/chart/spec/interval", work.interval())),
        "reconcileStrategy": if given["reconcileStrategy"].is_null() { json!("ChartVersion") } else { given["reconcileStrategy"].clone() },
        "sourceRef": {"kind": given["sourceRef"]["kind"], "name": given["sourceRef"]["name"]},
    });
    if !given["verify"].is_null() {
        spec["verify"] = given["verify"].clone();
    }
    let chart = json!({
        "apiVersion": kinds::HELM_CHART.api_version,
        "kind": kinds::HELM_CHART.name,
        "metadata": {"name": source.name, "namespace": source.namespace, "labels": {
            "helm.toolkit.fluxcd.io/name": release.name(), "helm.toolkit.fluxcd.io/namespace": release.namespace(),
        }},
        "spec": spec,
    });
    let there = Name { namespace: source.namespace.clone(), name: source.name.clone() };
    let before = work.tools.there(kinds::HELM_CHART.stored, &there);
    let place = kinds::HELM_CHART.place(&source.namespace);
    let after = work.tools.client.apply(place, &source.name, OWNER, &chart).await?;
    let word = match before {
        None => Some("Created"),
        Some(before) if before["spec"] != after["spec"] => Some("Configured"),
        Some(_) => None,
    };
    if let Some(word) = word {
        let from = format!("{}/{}/{}", spec.text("/sourceRef/kind"), source.namespace, spec.text("/sourceRef/name"));
        let message = format!("{word} HelmChart/{}/{} with SourceRef '{from}'", source.namespace, source.name);
        work.tell("Normal", &format!("HelmChart{word}"), &message, &Value::Null).await;
    }
    work.status().insert("helmChart".to_owned(), json!(format!("{}/{}", source.namespace, source.name)));
    Ok(())
}

fn missing_dependency(work: &Work<'_>) -> Option<String> {
    work.object.list("/spec/dependsOn").iter().find_map(|reference| {
        let Source { namespace, name, .. } = Source::of(&work.object, reference)?;
        let shown = format!("{namespace}/{name}");
        match work.tools.there(HELM_RELEASE.stored, &Name { namespace, name: name.clone() }) {
            None => {
                let missing = format!("helmreleases.helm.toolkit.fluxcd.io {name:?} not found");
                Some(format!("unable to get '{shown}' dependency: {missing}"))
            }
            Some(there) if is_ready(&there) => None,
            Some(_) => Some(format!("dependency '{shown}' is not ready")),
        }
    })
}

/// True for one that is ready as it is now.
pub fn is_ready(object: &Value) -> bool {
    object.at("/status/observedGeneration") == object.at("/metadata/generation") && object.is("Ready")
}

/// Finds the chart and the values.
fn find(work: &Work<'_>, source: &Source) -> Result<Wanted, (&'static str, String)> {
    let tools = work.tools;
    let kind = kinds::Kind::of(&source.kind).ok_or_else(|| {
        ("ArtifactFailed", format!("could not get Source object: unsupported chartRef kind '{}'", source.kind))
    })?;
    let there = tools.there(kind.stored, &Name { namespace: source.namespace.clone(), name: source.name.clone() });
    let Some(there) = there else {
        let missing = format!("{}.{} {:?} not found", kind.name, kind.group(), source.name);
        return Err(("ArtifactFailed", format!("could not get Source object: {missing}")));
    };
    let unready = |why: &str| {
        let message = format!("{} '{}/{}' is not ready: {why}", kind.name, source.namespace, source.name);
        Err(("SourceNotReady", message))
    };
    if there.condition("Ready").is_some_and(|ready| ready["status"] == "False") {
        return unready(there.condition("Ready").unwrap_or(&Value::Null).text("/message"));
    }
    if there.at("/status/observedGeneration") != there.at("/metadata/generation") {
        return unready("latest generation of object has not been reconciled");
    }
    let revision = there.text("/status/artifact/revision");
    if revision.is_empty() {
        return unready("does not have an artifact");
    }
    let values = values::of(tools, &work.object).map_err(|why| ("ValuesError", why))?;
    let (version, image) = revision.split_once('@').unwrap_or((revision, ""));
    let name = match kind {
        kind if *kind == kinds::HELM_CHART => there.text("/status/observedChartName"),
        _ => there.text("/spec/url").rsplit('/').next().unwrap_or_default(),
    };
    let chart = tools.client.cluster().charts.find(name, Some(version)).map_err(|_| {
        (
            "ArtifactFailed",
            format!("could not load chart: the artifact of '{}/{}' holds no chart", source.namespace, source.name),
        )
    })?;
    let digest = (!image.is_empty()).then(|| image.to_owned());
    let version = match &digest {
        Some(digest) => format!("{version}+{}", digest.trim_start_matches("sha256:").get(..12).unwrap_or_default()),
        None => version.to_owned(),
    };
    Ok(Wanted { chart, version, digest, sum: values::sum(&values), values })
}

/// The release goes with its object, unless that is suspended; then it stays, and is nobody's.
async fn deleted(work: &mut Work<'_>) -> Result<Next, Refusal> {
    if !work.is_suspended()
        && let Some(why) = remedies::removed(work).await?
    {
        work.failed("UninstallFailed", &why);
        work.tell("Warning", "UninstallFailed", &why, &Value::Null).await;
        work.save().await?;
        return Ok(Next::Retry);
    }
    if work.object.has("/spec/chart") {
        let Source { namespace, name, .. } = source(&work.object);
        let gone = work.tools.client.delete(kinds::HELM_CHART.place(&namespace), &name, &Value::Null).await;
        owners::gone_is_fine(gone)?;
    }
    work.let_go().await?;
    Ok(Next::Gone)
}
