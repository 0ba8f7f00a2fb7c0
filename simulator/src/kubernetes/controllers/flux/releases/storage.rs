//! What Helm stores of releases: a Secret for each revision.

use std::io::{Read as _, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};

use super::super::super::{Tools, fields::Fields};
use crate::kubernetes::{answer::Refusal, charts::Chart, client::Place, repositories::digest, representation::yaml};

/// A revision of a release.
#[derive(Debug, Clone)]
pub struct Stored {
    pub storage: String,
    pub name: String,
    pub namespace: String,
    pub version: i64,
    /// Helm's word for it: `deployed`, `failed`, `pending-install`.
    pub status: String,
    pub description: String,
    pub first_deployed: String,
    pub last_deployed: String,
    pub chart: Value,
    pub config: Value,
    pub objects: Vec<Value>,
    /// With how they went, if they were run.
    pub hooks: Vec<Value>,
}

impl Stored {
    pub fn chart_name(&self) -> &str {
        self.chart.text("/metadata/name")
    }

    pub fn chart_version(&self) -> &str {
        self.chart.text("/metadata/version")
    }

    fn secret(&self) -> String {
        format!("sh.helm.release.v1.{}.v{}", self.name, self.version)
    }

    /// All that Helm knows of it.
    fn record(&self) -> Value {
        let mut record = json!({
            "name": self.name,
            "info": {
                "first_deployed": self.first_deployed, "last_deployed": self.last_deployed,
                "description": self.description, "status": self.status,
            },
            "chart": self.chart,
            "manifest": manifest(&self.chart, &self.objects),
            "version": self.version,
            "namespace": self.namespace,
            "apply_method": "ssa",
        });
        if !self.hooks.is_empty() {
            record["hooks"] = json!(self.hooks);
        }
        if self.config.as_object().is_some_and(|config| !config.is_empty()) {
            record["config"] = self.config.clone();
        }
        record
    }

    /// By which a release that somebody else touched is told from what the controller knows.
    pub fn digest(&self) -> String {
        format!("sha256:{}", digest(&self.record().to_string()))
    }

    /// Writes it, new or anew.
    ///
    /// # Errors
    /// As the server refuses it.
    pub async fn store(&self, tools: &Tools) -> Result<(), Refusal> {
        let name = self.secret();
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "labels": {
                "name": self.name, "owner": "helm", "status": self.status, "version": self.version.to_string(),
                "modifiedAt": tools.now().as_second().to_string(),
            }},
            "type": "helm.sh/release.v1",
            "data": {"release": STANDARD.encode(packed(&self.record()))},
        });
        let place = place(&self.storage);
        match tools.client.create(place, &secret).await {
            Err(refusal) if refusal.reason == "AlreadyExists" => {
                let change = json!({"metadata": {"labels": secret["metadata"]["labels"]}, "data": secret["data"]});
                tools.client.patch(place, (&name, ""), "merge", &change).await.map(drop)
            }
            created => created.map(drop),
        }
    }

    /// # Errors
    /// As the server refuses it.
    pub async fn forget(&self, tools: &Tools) -> Result<(), Refusal> {
        match tools.client.delete(place(&self.storage), &self.secret(), &Value::Null).await {
            Err(refusal) if refusal.code != 404 => Err(refusal),
            _ => Ok(()),
        }
    }
}

/// The revisions of a release that are stored, the oldest first.
pub fn all(tools: &Tools, storage: &str, name: &str) -> Vec<Stored> {
    let secrets = tools.client.cluster().store.list(&"secrets".into(), Some(storage)).1;
    let own = secrets.iter().filter(|(_, secret)| {
        secret.label("owner") == Some("helm")
            && secret.label("name") == Some(name)
            && secret.text("/type") == "helm.sh/release.v1"
    });
    let mut all: Vec<Stored> = own.filter_map(|(_, secret)| read(storage, secret)).collect();
    all.sort_by_key(|stored| stored.version);
    all
}

fn read(storage: &str, secret: &Value) -> Option<Stored> {
    let record = unpacked(secret.text("/data/release"))?;
    let text = |path: &str| record.text(path).to_owned();
    let objects = serde_saphyr::from_multiple(record.text("/manifest")).unwrap_or_default();
    Some(Stored {
        storage: storage.to_owned(),
        name: text("/name"),
        namespace: text("/namespace"),
        version: record.number("/version"),
        status: text("/info/status"),
        description: text("/info/description"),
        first_deployed: text("/info/first_deployed"),
        last_deployed: text("/info/last_deployed"),
        chart: record["chart"].clone(),
        config: if record["config"].is_null() { json!({}) } else { record["config"].clone() },
        objects,
        hooks: record.list("/hooks").to_vec(),
    })
}

/// What Helm keeps of a chart.
pub fn chart(chart: &Chart, version: &str) -> Value {
    let mut metadata = json!({"name": chart.name, "version": version, "apiVersion": "v2"});
    if let Some(app) = &chart.app_version {
        metadata["appVersion"] = json!(app);
    }
    json!({"metadata": metadata, "lock": null, "templates": [], "values": chart.values, "schema": null, "files": null})
}

fn manifest(chart: &Value, objects: &[Value]) -> String {
    let source = format!("# Source: {}/templates/objects.yaml", chart.text("/metadata/name"));
    objects.iter().map(|object| format!("---\n{source}\n{}\n", yaml::written(object))).collect()
}

/// As Helm packs it: compressed, and in base64.
fn packed(record: &Value) -> String {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let written = packed.write_all(record.to_string().as_bytes()).and_then(|()| packed.finish());
    STANDARD.encode(written.expect("memory takes everything"))
}

fn unpacked(data: &str) -> Option<Value> {
    let inner = STANDARD.decode(STANDARD.decode(data).ok()?).ok()?;
    let mut text = String::new();
    GzDecoder::new(inner.as_slice()).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn place(namespace: &str) -> Place<'_> {
    Place { api_version: "v1", resource: "secrets", namespace }
}
