//! What Helm has stored of a release: a Secret for each revision, with all of it packed inside.

use std::io::Read;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use serde::Deserialize;

use super::kind::Reference;
use crate::{
    kubernetes::{
        client::Cluster,
        object::{integer, items, text},
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
}

/// A hook of a chart, and how it went last.
pub struct Hook {
    pub kind: String,
    pub name: String,
    pub events: Vec<String>,
    pub succeeded: bool,
}

#[derive(Deserialize)]
struct Record {
    namespace: String,
    #[serde(default)]
    hooks: Vec<HookRecord>,
}

#[derive(Deserialize)]
struct HookRecord {
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
    let namespace = text(release, &["status", "storageNamespace"]).unwrap_or(&reference.namespace);
    let secrets = cluster.resolve("secrets").await?;
    let newest = match cluster.find(&secrets, namespace, &format!("sh.helm.release.v1.{name}.v{version}")).await {
        Err(fault) if fault.kind == Kind::Denied => None,
        found => found?,
    };
    Ok(newest.and_then(|secret| unpacked(&secret)).map(|record| Stored {
        namespace: record.namespace,
        hooks: record.hooks.into_iter().map(Hook::from).collect(),
    }))
}

impl From<HookRecord> for Hook {
    fn from(record: HookRecord) -> Self {
        let HookRecord { kind, name, events, last_run } = record;
        Self { kind, name, events, succeeded: last_run.phase == "Succeeded" }
    }
}

/// Kubernetes' base64 around Helm's, around what is packed.
fn unpacked(secret: &Tree) -> Option<Record> {
    let outer = STANDARD.decode(text(secret, &["data", "release"])?).ok()?;
    let inner = STANDARD.decode(outer).ok()?;
    let mut plain = Vec::new();
    GzDecoder::new(inner.as_slice()).take(LIMIT).read_to_end(&mut plain).ok()?;
    serde_json::from_slice(&plain).ok()
}
