//! The values of a release: those that it refers to, and its own above them.

use serde_json::{Value, json};

use super::super::super::{Name, Tools, fields::Fields};
use crate::kubernetes::{charts::fill::merged, repositories::digest, representation::yaml};

/// All of them.
///
/// # Errors
/// Which reference leads nowhere, as the helm-controller says it.
pub fn of(tools: &Tools, release: &Value) -> Result<Value, String> {
    let mut values = json!({});
    for reference in release.list("/spec/valuesFrom") {
        let (kind, name) = (reference.text("/kind"), reference.text("/name"));
        let key = if reference.has("/valuesKey") { reference.text("/valuesKey") } else { "values.yaml" };
        let wrong = |why: String| {
            let of = format!("{}/{name}", release.namespace());
            format!("could not resolve {kind} chart values reference '{of}' with key '{key}': {why}")
        };
        let plural = format!("{}s", kind.to_lowercase());
        let there = tools.there(&plural, &Name { namespace: release.namespace().to_owned(), name: name.to_owned() });
        let Some(there) = there else {
            if reference.flag("/optional") {
                continue;
            }
            return Err(wrong(format!("{plural} {name:?} not found")));
        };
        let Some(text) = text_of(&there, key) else {
            if reference.flag("/optional") {
                continue;
            }
            return Err(wrong("key not found".to_owned()));
        };
        let given = match reference.text("/targetPath") {
            "" => serde_saphyr::from_str(&text).map_err(|_| wrong("unable to read values".to_owned()))?,
            path => path.rsplit('.').fold(read(&text), |value, key| json!({ key: value })),
        };
        values = merged(values, &given);
    }
    if release.has("/spec/values") {
        values = merged(values, release.at("/spec/values"));
    }
    Ok(values.as_object().map_or_else(|| json!({}), |map| json!(map)))
}

/// The text of a key of a ConfigMap or a Secret.
pub fn text_of(object: &Value, key: &str) -> Option<String> {
    let text = object.at("/data").get(key)?.as_str()?;
    if object.text("/kind") == "ConfigMap" {
        return Some(text.to_owned());
    }
    let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).ok()?;
    String::from_utf8(bytes).ok()
}

/// The sum by which values are told from others.
pub fn sum(values: &Value) -> String {
    let text = match values.as_object() {
        Some(map) if !map.is_empty() => yaml::written(values),
        _ => String::new(),
    };
    format!("sha256:{}", digest(&text))
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}
