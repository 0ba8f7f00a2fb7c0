//! Flux itself, as far as it is on a cluster: its kinds, their definitions, and its controllers.

use serde_json::{Value, json};

use super::kind::KINDS;
use crate::{
    kubernetes::{
        client::{Cluster, Query, Selection},
        object::{self, condition, flag, items, name, text},
        wait::{Until, Verdict, shown_condition},
    },
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// The label of all that Flux's own manifests install.
pub const PART: (&str, &str) = ("app.kubernetes.io/part-of", "flux");

/// What says of a part which release of Flux it is from.
const VERSION: &str = "app.kubernetes.io/version";

pub const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Everything with Flux's label, everywhere.
pub fn parts() -> Selection {
    Selection { labels: Some(format!("{}={}", PART.0, PART.1)), ..Selection::default() }
}

/// Whether an object has Flux's label.
pub fn is_part(object: &Tree) -> bool {
    text(object, &["metadata", "labels", PART.0]) == Some(PART.1)
}

/// How Flux stands, as scripts see it.
///
/// # Errors
/// `denied` and the like.
pub async fn checked(cluster: &Cluster) -> Result<Value, Fault> {
    let mut kinds = serde_json::Map::new();
    let mut definitions = Vec::new();
    for kind in KINDS {
        match kind.resolve(cluster).await {
            Ok(resource) => {
                kinds.insert(kind.name.to_owned(), json!(resource.version));
                definitions.push(kind.full_name());
            }
            Err(fault) if fault.kind == Kind::Unsupported => {}
            Err(fault) => return Err(fault),
        }
    }
    let resource = cluster.resolve(DEFINITIONS).await?;
    let mut found = Vec::new();
    for name in definitions {
        found.extend(cluster.find(&resource, "", &name).await?);
    }
    let deployments = cluster.list(&cluster.resolve("deployments").await?, &parts()).await?.objects;
    let versions = deployments.iter().chain(&found).filter_map(|part| text(part, &["metadata", "labels", VERSION]));
    let version = versions.max().map(str::to_owned);
    let definitions: Vec<Value> = found.iter().map(definition).collect();
    let controllers: Vec<Value> = deployments.iter().map(controller).collect();
    let is_well = |part: &Value| part["ready"] == true;
    Ok(json!({
        "healthy": !kinds.is_empty() && definitions.iter().chain(&controllers).all(is_well),
        "version": version,
        "kubernetes": kubernetes(cluster).await?,
        "kinds": kinds,
        "definitions": definitions,
        "controllers": controllers,
    }))
}

async fn kubernetes(cluster: &Cluster) -> Result<Option<String>, Fault> {
    let subject = cluster.subject("get", &cluster.resolve("namespaces").await?, None, None);
    let answer = cluster.ask(Query::get("/version".to_owned(), subject)).await?.tree()?;
    Ok(text(&answer, &["gitVersion"]).map(str::to_owned))
}

fn definition(found: &Tree) -> Value {
    let versions = items(found, &["spec", "versions"]);
    let named = |version: &Tree| text(version, &["name"]).unwrap_or_default().to_owned();
    let served: Vec<String> = versions.iter().filter(|version| flag(version, &["served"])).map(named).collect();
    let stored: Vec<&str> = items(found, &["status", "storedVersions"]).iter().filter_map(plain).collect();
    let because = match condition(found, "Established") {
        Some(established) if text(established, &["status"]) != Some("True") => shown_condition(established),
        None => "it is not established yet".to_owned(),
        Some(_) => match stored.iter().find(|version| !served.iter().any(|served| served == *version)) {
            Some(version) => format!("objects are kept as {version}, which is not served any more"),
            None => String::new(),
        },
    };
    json!({ "name": name(found), "served": served, "stored": stored, "ready": because.is_empty(), "because": because })
}

fn plain(value: &Tree) -> Option<&str> {
    text(value, &[])
}

fn controller(found: &Tree) -> Value {
    let because = match Until::Ready.judge(found) {
        Verdict::Met => String::new(),
        Verdict::Waiting(because) | Verdict::Hopeless(because) => because,
    };
    let containers = items(found, &["spec", "template", "spec", "containers"]).iter();
    let images: Vec<&str> = containers.filter_map(|container| text(container, &["image"])).collect();
    json!({
        "namespace": object::namespace(found),
        "name": name(found),
        "version": text(found, &["metadata", "labels", VERSION]),
        "images": images,
        "ready": because.is_empty(),
        "because": because,
    })
}
