//! What the server says of the shape of its objects and of its requests, as OpenAPI: one document a group and version (v3), or one
//! for all (v2).
//!
//! Definitions are the real server's own, or come from definitions of kinds. Paths are made from what is served, with as much as
//! clients look at: which requests there are, of which kind, and with which parameters.

mod documents;
mod operations;
mod published;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use self::documents::Document;
use super::{answer::Refusal, cluster::Cluster, kinds::Kind, request::Request};

/// In which a client may ask for version 2; the other form is protobuf, which is refused.
const JSON: &str = "application/json";

/// An answer with its media type; nothing, if the path is none of its own.
pub fn answer(cluster: &Cluster, request: &Request) -> Option<Result<(Value, &'static str), Refusal>> {
    let segments: Vec<&str> = request.path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (group, version) = match segments.as_slice() {
        ["openapi", "v3"] => return Some(Ok((index(cluster), JSON))),
        ["openapi", "v2"] => return Some(version_2(cluster, request)),
        ["openapi", "v3", "api", version] => ("", *version),
        ["openapi", "v3", "apis", group, version] => (*group, *version),
        ["openapi", ..] => return Some(Err(Refusal::no_such_path())),
        _ => return None,
    };
    let kinds = served(cluster, group, version);
    if kinds.is_empty() {
        return Some(Err(Refusal::no_such_path()));
    }
    Some(Ok((Document::of(&kinds).version_3(), JSON)))
}

/// Where the documents are. A digest tells clients when they have changed.
fn index(cluster: &Cluster) -> Value {
    let mut paths = Map::new();
    for (group, version) in versions(cluster) {
        let place = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
        let kinds = served(cluster, &group, &version);
        let digest = documents::digest(&kinds);
        paths.insert(place.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{place}?hash={digest}")}));
    }
    json!({"paths": paths})
}

fn version_2(cluster: &Cluster, request: &Request) -> Result<(Value, &'static str), Refusal> {
    let accept = request.headers.get(http::header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let takes = |form: &str| form.split(';').next().is_some_and(|form| matches!(form.trim(), JSON | "*/*" | ""));
    if !accept.split(',').any(takes) {
        return Err(Refusal::not_acceptable(&[JSON]));
    }
    let all = versions(cluster).into_iter().flat_map(|(group, version)| served(cluster, &group, &version));
    Ok((Document::of(&all.collect::<Vec<_>>()).version_2(), JSON))
}

/// The groups and their versions, as discovery has them.
fn versions(cluster: &Cluster) -> Vec<(String, String)> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for group in cluster.groups() {
        let name = text(group.pointer("/metadata/name"));
        for version in group.get("versions").and_then(Value::as_array).into_iter().flatten() {
            found.push((name.clone(), text(version.get("version"))));
        }
    }
    found
}

/// The kinds of a group and version in the order of discovery.
fn served(cluster: &Cluster, group: &str, version: &str) -> Vec<Arc<Kind>> {
    let groups = cluster.groups();
    let group_found = groups
        .iter()
        .find(|known| known.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default() == group);
    let versions = group_found.and_then(|group| group.get("versions")).and_then(Value::as_array);
    let found = versions.into_iter().flatten().find(|known| known["version"] == version);
    let resources = found.and_then(|version| version.get("resources")).and_then(Value::as_array);
    let names = resources.into_iter().flatten().filter_map(|resource| resource["resource"].as_str());
    names.filter_map(|name| cluster.kind(group, version, name)).collect()
}
