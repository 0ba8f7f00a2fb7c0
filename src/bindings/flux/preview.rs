//! What a Kustomization would bring if its folder were this one, which nobody has pushed yet.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    inventory::{self, Entry},
    kind::{KUSTOMIZATION, Reference},
};
use crate::{
    kubernetes::{
        client::Cluster,
        object::{self, at, entries, flag, items, kind, name, text},
        removal::Doomed,
    },
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// Who applies what Kustomizations bring.
pub const CONTROLLER: &str = "kustomize-controller";

/// What is filled in behind the names in manifests: of ConfigMaps and Secrets first, then what the Kustomization says itself.
///
/// # Errors
/// `not_found`, if one of them is not there that has to be, and the like.
pub async fn variables(
    cluster: &Cluster,
    reference: &Reference,
    kustomization: &Tree,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut variables = BTreeMap::new();
    for named in items(kustomization, &["spec", "postBuild", "substituteFrom"]) {
        let (of, name) = (text(named, &["kind"]).unwrap_or_default(), text(named, &["name"]).unwrap_or_default());
        let resource = cluster.resolve(of).await?;
        let found = match flag(named, &["optional"]) {
            true => cluster.find(&resource, &reference.namespace, name).await?,
            false => Some(cluster.read(&resource, &reference.namespace, name).await?),
        };
        for (key, value) in found.iter().flat_map(|found| entries(found, &["data"])) {
            let Tree::Text(value) = value else { continue };
            let value = match of {
                "Secret" => STANDARD.decode(value.as_str()).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
                _ => Some(value.to_string()),
            };
            variables.extend(value.map(|value| (key.to_string(), value)));
        }
    }
    for (key, value) in entries(kustomization, &["spec", "postBuild", "substitute"]) {
        if let Tree::Text(value) = value {
            variables.insert(key.to_string(), value.to_string());
        }
    }
    Ok(variables)
}

/// The objects as the controller would apply them: with its values filled in, and its marks.
///
/// # Errors
/// `parse`, if something can't be filled in.
pub fn finished(
    built: Vec<Value>,
    reference: &Reference,
    kustomization: &Tree,
    variables: &BTreeMap<String, String>,
) -> Result<Vec<Tree>, Fault> {
    let mut finished = Vec::new();
    for object in built {
        let mut object = kustomize::flux::substituted(&object, variables).map_err(|why| {
            let shown = format!("{}/{}", object["kind"].as_str().unwrap_or_default(), object["metadata"]["name"]);
            Fault::new(Kind::Parse, format!("nothing can be filled in in {shown}: {why}"))
        })?;
        for marks in ["labels", "annotations"] {
            for (key, value) in entries(kustomization, &["spec", "commonMetadata", marks]) {
                object["metadata"][marks][key.as_str()] = value.wire_json();
            }
        }
        for (part, value) in [("name", &reference.name), ("namespace", &reference.namespace)] {
            object["metadata"]["labels"][format!("{}/{part}", KUSTOMIZATION.group())] = json!(value);
        }
        finished.push(Tree::from_json(object));
    }
    Ok(finished)
}

/// How the controller treats an object, as the object says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treated {
    Applied,
    /// Only if it is not there.
    MadeOnce,
    LeftAlone,
    /// What it holds is encrypted here, and not in the cluster.
    Encrypted,
}

pub fn treated(object: &Tree) -> Treated {
    let mark = |name: &str| {
        let key = format!("{}/{name}", KUSTOMIZATION.group());
        let found = ["annotations", "labels"].into_iter().find_map(|marks| text(object, &["metadata", marks, &key]));
        found.map(str::to_lowercase)
    };
    match (mark("reconcile").as_deref(), mark("ssa").as_deref()) {
        (Some("disabled"), _) | (_, Some("ignore")) => Treated::LeftAlone,
        _ if at(object, &["sops"]).is_some() => Treated::Encrypted,
        (_, Some("ifnotpresent")) => Treated::MadeOnce,
        _ => Treated::Applied,
    }
}

/// What it brought and no longer would, and so deletes.
///
/// # Errors
/// `denied` and the like.
pub async fn pruned(cluster: &Cluster, kustomization: &Tree, wanted: &[Tree]) -> Result<Vec<Doomed>, Fault> {
    if !flag(kustomization, &["spec", "prune"]) {
        return Ok(Vec::new());
    }
    let identity =
        |group: &str, kind: &str, namespace: &str, name: &str| [group, kind, namespace, name].map(str::to_owned);
    let mut kept = BTreeSet::new();
    for object in wanted {
        let group = object::api_version(object).split_once('/').map_or("", |(group, _)| group);
        kept.insert(identity(group, kind(object), object::namespace(object).unwrap_or_default(), name(object)));
    }
    let mut pruned = Vec::new();
    for entry in inventory::of(kustomization) {
        let Entry { namespace, name, group, kind, .. } = &entry;
        if kept.contains(&identity(group, kind, namespace, name)) {
            continue;
        }
        let Some(found) = entry.find(cluster).await? else { continue };
        let keeps = ["annotations", "labels"].into_iter().any(|marks| {
            let key = format!("{}/prune", KUSTOMIZATION.group());
            text(&found, &["metadata", marks, &key]).is_some_and(|mark| mark.eq_ignore_ascii_case("disabled"))
        });
        if !keeps {
            let kind = format!("{}/{}", object::api_version(&found), object::kind(&found));
            pruned.push(Doomed::of(&cluster.resolve(&kind).await?, &found));
        }
    }
    Ok(pruned)
}
