//! What Helm has stored of a release: a Secret for each revision, with all of it packed inside.

use std::{fmt, io::Read};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use serde::Deserialize;

use super::kind::Reference;
use crate::{
    kubernetes::{
        client::{Cluster, Selection},
        object::{self, integer, items, text},
    },
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// A release's unpacked record may be so large.
const LIMIT: u64 = 64 << 20;

/// The newest revision of a release.
pub struct Stored {
    pub namespace: String,
    pub hooks: Vec<Hook>,
    /// The Secret that it is stored in.
    pub record: Record,
}

/// Where a revision is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub namespace: String,
    pub secret: String,
}

/// A revision that was begun, and has not ended.
pub struct Pending {
    pub record: Record,
    pub version: String,
    /// Such as `pending-upgrade`.
    pub state: String,
    /// In seconds since 1970; none if nobody wrote it down.
    pub since: Option<i64>,
}

/// A hook of a chart, and how it went last.
pub struct Hook {
    pub kind: String,
    pub name: String,
    pub events: Vec<String>,
    pub succeeded: bool,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} hook {}/{}", self.events.join(" and "), self.kind.to_lowercase(), self.name)
    }
}

#[derive(Deserialize)]
struct Packed {
    namespace: String,
    #[serde(default)]
    hooks: Vec<PackedHook>,
}

#[derive(Deserialize)]
struct PackedHook {
    kind: String,
    name: String,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    last_run: LastRun,
}

#[derive(Deserialize, Default)]
struct LastRun {
    #[serde(default)]
    phase: String,
}

/// The newest revision that is stored; none if there is none, or its Secret may not be read.
///
/// # Errors
/// The fault of reading it.
pub async fn newest(cluster: &Cluster, reference: &Reference, release: &Tree) -> Result<Option<Stored>, Fault> {
    let Some(last) = items(release, &["status", "history"]).first() else { return Ok(None) };
    let (Some(name), Some(version)) = (text(last, &["name"]), integer(last, &["version"])) else { return Ok(None) };
    let namespace = storage(reference, release);
    let secrets = cluster.resolve("secrets").await?;
    let secret = format!("sh.helm.release.v1.{name}.v{version}");
    let newest = match cluster.find(&secrets, &namespace, &secret).await {
        Err(fault) if fault.kind == Kind::Denied => None,
        found => found?,
    };
    Ok(newest.and_then(|secret| unpacked(&secret)).map(|packed| Stored {
        namespace: packed.namespace,
        hooks: packed.hooks.into_iter().map(Hook::from).collect(),
        record: Record { namespace, secret },
    }))
}

/// The newest revision that was begun and has not ended; none if there is none, or the Secrets may not be listed.
///
/// # Errors
/// The fault of listing them.
pub async fn pending(cluster: &Cluster, reference: &Reference, release: &Tree) -> Result<Option<Pending>, Fault> {
    let namespace = storage(reference, release);
    let labels = format!(
        "owner=helm,name={},status in (pending-install,pending-upgrade,pending-rollback)",
        name_of(reference, release)
    );
    let selection = Selection { namespace: Some(namespace.clone()), labels: Some(labels), ..Selection::default() };
    let found = match cluster.list(&cluster.resolve("secrets").await?, &selection).await {
        Err(fault) if fault.kind == Kind::Denied => return Ok(None),
        found => found?.objects,
    };
    let label = |secret: &Tree, name: &str| text(secret, &["metadata", "labels", name]).map(str::to_owned);
    let number = |secret: &Tree, name: &str| label(secret, name).and_then(|text| text.parse::<i64>().ok());
    let newest = found.iter().max_by_key(|secret| number(secret, "version"));
    Ok(newest.map(|secret| Pending {
        record: Record { namespace, secret: object::name(secret).to_owned() },
        version: label(secret, "version").unwrap_or_default(),
        state: label(secret, "status").unwrap_or_default(),
        since: number(secret, "modifiedAt").or_else(|| number(secret, "createdAt")),
    }))
}

/// The name that Helm knows a release by.
pub fn name_of(reference: &Reference, release: &Tree) -> String {
    let spec = |field: &str| text(release, &["spec", field]);
    match (spec("releaseName"), spec("targetNamespace")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(target)) => format!("{target}-{}", reference.name),
        (None, None) => reference.name.clone(),
    }
}

/// The namespace that its revisions are stored in.
fn storage(reference: &Reference, release: &Tree) -> String {
    let named = text(release, &["status", "storageNamespace"]).or_else(|| text(release, &["spec", "storageNamespace"]));
    named.unwrap_or(&reference.namespace).to_owned()
}

impl From<PackedHook> for Hook {
    fn from(packed: PackedHook) -> Self {
        let PackedHook { kind, name, events, last_run } = packed;
        Self { kind, name, events, succeeded: last_run.phase == "Succeeded" }
    }
}

/// Kubernetes' base64 around Helm's, around what is packed.
fn unpacked(secret: &Tree) -> Option<Packed> {
    let outer = STANDARD.decode(text(secret, &["data", "release"])?).ok()?;
    let inner = STANDARD.decode(outer).ok()?;
    let mut plain = Vec::new();
    GzDecoder::new(inner.as_slice()).take(LIMIT).read_to_end(&mut plain).ok()?;
    serde_json::from_slice(&plain).ok()
}
