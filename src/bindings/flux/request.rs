//! Asking a controller to look at an object now, and seeing what it made of it.

use futures::future::BoxFuture;
use serde_json::json;

use super::{
    kind::Reference,
    source,
    standing::{self, is_suspended},
};
use crate::{
    host::wait::Progress,
    kubernetes::{
        client::{Cluster, Selection},
        wait::Verdict,
        watch::{Observer, Seen},
    },
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// How an object is to be reconciled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// One install or upgrade, even if everything is as it should be.
    pub force: bool,
    /// Failed attempts are forgotten.
    pub reset: bool,
}

impl Manner {
    pub fn verb(self) -> &'static str {
        match (self.force, self.reset) {
            (false, false) => "reconcile",
            (false, true) => "reset and reconcile",
            (true, false) => "force",
            (true, true) => "reset and force",
        }
    }
}

/// Asks for it, in one patch: what a release is to be reset or forced by counts only with the request that it came with.
/// Gives the token by which the controller says that it has come to it.
///
/// # Errors
/// `not_found`, `failed` if it is suspended, and the like.
pub async fn ask(cluster: &Cluster, reference: &Reference, manner: Manner) -> Result<String, Fault> {
    let resource = reference.kind.resolve(cluster).await?;
    let object = cluster.read(&resource, &reference.namespace, &reference.name).await?;
    if is_suspended(&object) {
        let fault = Fault::new(Kind::Failed, format!("{reference} is suspended"));
        return Err(fault.hint("`flux::resume` it first"));
    }
    if standing::is_static(&object) {
        let fault = Fault::new(Kind::Unsupported, format!("{reference} is of the type `oci`, and is never reconciled"));
        return Err(fault.hint("reconcile the chart or the release that comes from it"));
    }
    let token = cluster.host().clock.now().to_string();
    let mut annotations = json!({ "reconcile.fluxcd.io/requestedAt": token });
    for (wanted, name) in [(manner.force, "reconcile.fluxcd.io/forceAt"), (manner.reset, "reconcile.fluxcd.io/resetAt")]
    {
        if wanted {
            annotations[name] = json!(token);
        }
    }
    let change = json!({ "metadata": { "annotations": annotations } });
    cluster.merge_patch(&resource, &reference.namespace, &reference.name, None, &change).await?;
    Ok(token)
}

/// What has to be reconciled before an object, the deepest first: its source, and that of its chart.
pub fn sources<'f>(cluster: &'f Cluster, reference: &'f Reference) -> BoxFuture<'f, Result<Vec<Reference>, Fault>> {
    Box::pin(async move {
        let object = reference.read(cluster).await?;
        let Some(named) = source::of(reference, &object) else { return Ok(Vec::new()) };
        let Some(found) = named.find(cluster).await? else { return Ok(Vec::new()) };
        if standing::is_static(&found) {
            return Ok(Vec::new());
        }
        let mut all = sources(cluster, &named).await?;
        all.push(named);
        Ok(all)
    })
}

/// Watches one object until it is as it should be.
///
/// # Errors
/// `failed`, if it can't become so; or the fault of watching it.
pub async fn watched(
    cluster: &Cluster,
    reference: &Reference,
    progress: &Progress,
    judge: impl Fn(&Tree) -> Verdict,
) -> Result<Tree, Fault> {
    let selection = Selection {
        namespace: Some(reference.namespace.clone()),
        fields: Some(format!("metadata.name={}", reference.name)),
        ..Selection::default()
    };
    let mut observer = Observer::new(cluster.clone(), reference.kind.full_name(), selection);
    loop {
        match observer.next().await? {
            Seen::Object(object) => match judge(&object) {
                Verdict::Met => return Ok(object),
                Verdict::Waiting(because) => progress.because(because),
                Verdict::Hopeless(because) => {
                    return Err(Fault::new(Kind::Failed, format!("{reference} is not ready: {because}")));
                }
            },
            Seen::Gone(_) | Seen::Absent => progress.because("it is not there"),
            Seen::NoKind(because) | Seen::NotYet(because) => progress.because(because),
            Seen::Current => {}
        }
    }
}

/// Watches one until it is ready.
///
/// # Errors
/// As for [`watched`].
pub async fn ready(cluster: &Cluster, reference: &Reference, progress: &Progress) -> Result<Tree, Fault> {
    watched(cluster, reference, progress, standing::judge).await
}
