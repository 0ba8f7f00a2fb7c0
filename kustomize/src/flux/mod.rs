//! What Flux's kustomize-controller makes of a folder: what kustomize builds of it, with what the Kustomization in the cluster puts
//! on top, and variables filled in afterwards.

pub mod envsubst;
mod glob;
mod substitution;

use std::collections::BTreeSet;

use documents::yaml;
use serde_json::{Value, json};

pub use self::substitution::substituted;
use crate::{Read, Refusal, gather::NAMES};

/// The objects that a folder adds up to for the spec of a Kustomization in a cluster. Of all files that there are, `paths` are
/// known; a folder without a kustomization file is all the manifests in it and below it.
///
/// # Errors
/// Where something is wrong, or isn't supported, and what.
pub fn build(folder: &str, spec: &Value, paths: &[&str], read: &Read) -> Result<Vec<Value>, Refusal> {
    let folder = folder.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/");
    let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let known = NAMES.into_iter().map(below).find(|file| paths.contains(&file.as_str()));
    let mut kustomization = match &known {
        Some(file) => one(file, read)?,
        None => json!({"resources": manifests(&folder, paths)}),
    };
    put_on_top(&mut kustomization, spec);
    let file = known.unwrap_or_else(|| below(NAMES[0]));
    let text = yaml::write(&[kustomization]);
    crate::build(&folder, &|path| if path == file { Ok(text.clone().into_bytes()) } else { read(path) })
}

/// The one document of a file, if it is a map; what else is wrong with it is told by whoever builds with it.
fn one(file: &str, read: &Read) -> Result<Value, Refusal> {
    let bytes = read(file).map_err(|unread| Refusal::of(file, unread.why()))?;
    let text = String::from_utf8(bytes).map_err(|_| Refusal::of(file, "it is no text"))?;
    let documents = yaml::read(&text).map_err(|malformed| Refusal::at(file, malformed.line, malformed.why))?;
    match documents.as_slice() {
        [document] if document.entries().is_some() => Ok(document.value()),
        _ => Err(Refusal::of(file, "it is not one map")),
    }
}

/// All manifests below a folder; of folders with a kustomization file, only these.
fn manifests(folder: &str, paths: &[&str]) -> Vec<String> {
    let own = |path: &&str| match folder {
        "" => Some(path.to_owned().to_owned()),
        folder => path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned),
    };
    let own: Vec<String> = paths.iter().filter_map(own).collect();
    let is_built = |folder: &str| NAMES.iter().any(|name| own.iter().any(|path| *path == format!("{folder}/{name}")));
    let found: BTreeSet<Vec<&str>> = own
        .iter()
        .filter_map(|path| {
            let ends = path.match_indices('/').map(|(at, _)| at);
            let built = ends.map(|end| &path[..end]).find(|folder| is_built(folder));
            let is_manifest = path.ends_with(".yaml") || path.ends_with(".yml");
            Some(built.or(is_manifest.then_some(path))?.split('/').collect())
        })
        .collect();
    found.iter().map(|parts| parts.join("/")).collect()
}

fn put_on_top(kustomization: &mut Value, spec: &Value) {
    for (field, own) in [("targetNamespace", "namespace"), ("namePrefix", "namePrefix"), ("nameSuffix", "nameSuffix")] {
        if let Some(text) = spec.get(field).filter(|text| **text != "") {
            kustomization[own] = text.clone();
        }
    }
    for field in ["components", "patches"] {
        let more = spec.get(field).and_then(Value::as_array).into_iter().flatten();
        more.for_each(|item| list(kustomization, field).push(item.clone()));
    }
    for image in spec.get("images").and_then(Value::as_array).into_iter().flatten() {
        let known = list(kustomization, "images");
        match known.iter_mut().find(|known| known["name"] == image["name"]) {
            Some(known) => *known = image.clone(),
            None => known.push(image.clone()),
        }
    }
}

/// A list of the kustomization, which is there from now on.
fn list<'k>(kustomization: &'k mut Value, field: &str) -> &'k mut Vec<Value> {
    let list = &mut kustomization[field];
    if !list.is_array() {
        *list = json!([]);
    }
    list.as_array_mut().expect("it is one by now")
}
