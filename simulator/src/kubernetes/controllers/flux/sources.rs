//! The source-controller's repositories: Git repositories, those in registries, and Helm's indexes.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::{
    super::{Name, Tools, fields::Fields, owners},
    Kind, NAMESPACE,
    fetch::{self, Artifact, Failed},
    kinds,
    lives::{Keeper, Next},
    progress::{Work, is_news},
};
use crate::kubernetes::{answer::Refusal, store::Change};

/// How long it takes to fetch something.
const FETCHING: Duration = Duration::from_millis(400);

/// The sources of one kind.
pub struct Sources(pub &'static Kind);

impl Keeper for Sources {
    fn concerned(&self, _: &Tools, change: &Change) -> Vec<Name> {
        let is_own = &*change.key.resource == self.0.stored && is_news(change);
        is_own.then(|| Name::changed(change)).into_iter().collect()
    }

    fn keep<'k>(&'k self, tools: &'k Tools, name: &'k Name) -> BoxFuture<'k, Result<Next, Refusal>> {
        Box::pin(async move {
            // Repositories of charts in registries are asked by whoever wants a chart, and have no life of their own.
            if let Some(there) = tools.there(self.0.stored, name)
                && there.text("/spec/type") == "oci"
            {
                return be_static(tools, self.0, &there).await;
            }
            let Some(mut work) = Work::begin(tools, self.0, name).await? else { return Ok(Next::Gone) };
            if work.object.is_going() {
                work.let_go().await?;
                return Ok(Next::Gone);
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

/// Nothing is said of what is never looked at.
async fn be_static(tools: &Tools, kind: &Kind, object: &Value) -> Result<Next, Refusal> {
    let said = object.at("/status");
    if *said != json!({}) {
        let fields = said.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
        // What is filled in where there is no status would come back.
        let nothing: Map<String, Value> =
            fields.chain(["observedGeneration"]).map(|field| (field.to_owned(), Value::Null)).collect();
        let place = kind.place(object.namespace());
        let patched =
            tools.client.patch(place, (object.name(), "status"), "merge", &json!({ "status": nothing })).await;
        owners::gone_is_fine(patched)?;
    }
    Ok(Next::Never)
}

async fn keep(work: &mut Work<'_>) -> Result<Next, Refusal> {
    for (path, what) in
        [("/spec/verify", "signatures of artifacts"), ("/spec/include", "repositories within repositories")]
    {
        if work.object.has(path) {
            work.not_modelled(what);
            return Ok(Next::Never);
        }
    }
    if *work.kind == kinds::BUCKET {
        work.not_modelled("buckets");
        return Ok(Next::Never);
    }
    if !work.object.has("/status/artifact") {
        work.doing("building artifact");
        work.mark("Ready", "Unknown", "Progressing", "building artifact");
        work.save().await?;
    }
    tokio::time::sleep(FETCHING).await;
    match fetch::fetch(work.tools, work.kind, &work.object) {
        Ok(artifact) => {
            let message = match work.kind {
                kind if *kind == kinds::GIT_REPOSITORY => {
                    format!("stored artifact for revision '{}'", artifact.revision)
                }
                kind if *kind == kinds::OCI_REPOSITORY => format!("stored artifact for digest '{}'", artifact.revision),
                _ => format!("stored artifact: revision '{}'", artifact.revision),
            };
            stored(work, &artifact, ("Succeeded", &message)).await;
            Ok(Next::After(work.interval()))
        }
        Err(why) => Ok(not_fetched(work, &why, "Warning").await),
    }
}

/// Takes an artifact in, and tells of it by this reason in these words.
pub async fn stored(work: &mut Work<'_>, artifact: &Artifact, (reason, message): (&str, &str)) {
    let (namespace, name) = work.place();
    let folder = format!("{}/{namespace}/{name}", work.kind.name.to_lowercase());
    let host = format!("http://source-controller.{NAMESPACE}.svc.cluster.local.");
    let is_new = work.object.text("/status/artifact/revision") != artifact.revision;
    let kept = work.object.text("/status/artifact/lastUpdateTime").to_owned();
    let mut whole = json!({
        "digest": format!("sha256:{}", artifact.digest),
        "lastUpdateTime": if is_new { work.tools.client.cluster().now() } else { kept },
        "path": format!("{folder}/{}", artifact.file),
        "revision": artifact.revision,
        "size": artifact.size,
        "url": format!("{host}/{folder}/{}", artifact.file),
    });
    if !artifact.metadata.is_null() {
        whole["metadata"] = artifact.metadata.clone();
    }
    let latest = match work.kind {
        kind if *kind == kinds::GIT_REPOSITORY => None,
        kind if *kind == kinds::HELM_REPOSITORY => Some("index.yaml"),
        _ => Some("latest.tar.gz"),
    };
    work.status().insert("artifact".to_owned(), whole);
    if let Some(latest) = latest {
        work.status().insert("url".to_owned(), json!(format!("{host}/{folder}/{latest}")));
    }
    if work.object.has("/spec/layerSelector") {
        let observed = work.object["spec"]["layerSelector"].clone();
        work.status().insert("observedLayerSelector".to_owned(), observed);
    }
    work.unmark(&["Reconciling", "Stalled", "FetchFailed"]);
    work.mark("Ready", "True", reason, message);
    work.mark("ArtifactInStorage", "True", reason, message);
    work.observe();
    if is_new {
        let marks = json!({
            "source.toolkit.fluxcd.io/digest": format!("sha256:{}", artifact.digest),
            "source.toolkit.fluxcd.io/revision": artifact.revision,
        });
        let reason = if *work.kind == kinds::HELM_CHART { reason } else { "NewArtifact" };
        work.tell("Normal", reason, &artifact.told, &marks).await;
    } else {
        let message = format!("artifact up-to-date with remote revision: '{}'", artifact.revision);
        work.tell("Normal", "ArtifactUpToDate", &message, &Value::Null).await;
    }
}

/// Says why nothing was fetched.
pub async fn not_fetched(work: &mut Work<'_>, why: &Failed, weight: &'static str) -> Next {
    let Failed { reason, message, stalls } = why;
    work.mark("Reconciling", "True", "ProgressingWithRetry", "building artifact");
    work.mark("Ready", "False", reason, message);
    work.mark("FetchFailed", "True", reason, message);
    work.tell(weight, reason, message, &Value::Null).await;
    if *stalls {
        work.stalled(reason, message);
        work.observe();
        return Next::Never;
    }
    Next::Retry
}
