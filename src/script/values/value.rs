//! Values outside of a script: what tells two apart, and how the journal keeps one.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map};
use serde_json::{Value, json};

use super::object::Object;
use super::tree::Tree;
use crate::host::secrets::Secret;

/// A digest of a value: equal for equal values, of whatever type. `show` says what a handle stands for.
pub fn fingerprint(value: &Dynamic, show: &mut dyn FnMut(&Dynamic) -> Option<ImmutableString>) -> String {
    let mut hasher = blake3::Hasher::new();
    feed(&mut hasher, value, show);
    hasher.finalize().to_hex()[..20].to_owned()
}

/// As [`fingerprint`], with all handles of a type taken as equal.
pub fn plain_fingerprint(value: &Dynamic) -> String {
    fingerprint(value, &mut |_| None)
}

fn feed(hasher: &mut blake3::Hasher, value: &Dynamic, show: &mut dyn FnMut(&Dynamic) -> Option<ImmutableString>) {
    let mut text = |kind: &str, text: &str| {
        hasher.update(kind.as_bytes());
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    if let Some(list) = value.read_lock::<Array>() {
        text("list", &list.len().to_string());
        for item in list.iter() {
            feed(hasher, item, show);
        }
    } else if let Some(map) = value.read_lock::<Map>() {
        text("map", &map.len().to_string());
        for (key, item) in map.iter() {
            hasher.update(key.as_bytes());
            hasher.update(b":");
            feed(hasher, item, show);
        }
    } else if let Some(object) = value.read_lock::<Object>() {
        text("object", &object.tree().shown_json().to_string());
    } else if let Some(secret) = value.read_lock::<Secret>() {
        // By reference: a digest of a short secret would give it away, and a new token is no reason to begin anew.
        text("secret", secret.reference());
    } else if let Some(closure) = value.read_lock::<FnPtr>() {
        // The name of a closure counts closures; its tokens belong to the step that calls it.
        text("closure", "");
        for item in closure.curry() {
            feed(hasher, item, show);
        }
    } else if value.is_unit() || value.is_bool() || value.is_int() || value.is_float() || value.is_string() {
        text(value.type_name(), &value.to_string());
    } else {
        let shown = show(value);
        text(value.type_name(), shown.as_deref().unwrap_or_default());
    }
}

/// Why a value can't be kept: the type that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {0} can't be kept in the journal")]
pub struct Unkept(pub String);

/// The value as the journal keeps it.
///
/// # Errors
/// [`Unkept`] for closures, handles, and objects with secrets in them.
pub fn keep(value: &Dynamic) -> Result<Value, Unkept> {
    if let Some(list) = value.read_lock::<Array>() {
        return list.iter().map(keep).collect();
    }
    if let Some(map) = value.read_lock::<Map>() {
        let fields: Result<serde_json::Map<_, _>, _> =
            map.iter().map(|(key, item)| Ok((key.to_string(), keep(item)?))).collect();
        return Ok(json!({ "$": "map", "fields": fields? }));
    }
    if let Some(object) = value.read_lock::<Object>() {
        if holds_secret(&object.tree()) {
            return Err(Unkept("secret inside an object".to_owned()));
        }
        return Ok(json!({ "$": "object", "fields": object.tree().wire_json() }));
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        return Ok(json!({ "$": "secret", "reference": secret.reference() }));
    }
    if let Some(duration) = value.read_lock::<Duration>() {
        return Ok(json!({ "$": "duration", "nanos": duration.as_nanos().to_string() }));
    }
    if let Some(time) = value.read_lock::<Timestamp>() {
        return Ok(json!({ "$": "time", "at": time.to_string() }));
    }
    if let Some(blob) = value.read_lock::<Blob>() {
        return Ok(json!({ "$": "bytes", "base64": BASE64.encode(&*blob) }));
    }
    if let Some(number) = value.read_lock::<u64>() {
        return Ok(json!({ "$": "unsigned", "number": number.to_string() }));
    }
    match value.type_name() {
        "()" => Ok(Value::Null),
        "bool" => Ok(json!(value.as_bool().unwrap_or_default())),
        "i64" => Ok(json!(value.as_int().unwrap_or_default())),
        "f64" => {
            let number = value.as_float().unwrap_or_default();
            let plain = number.is_finite().then(|| json!(number));
            Ok(plain.unwrap_or_else(|| json!({ "$": "float", "number": number.to_string() })))
        }
        "string" => Ok(json!(value.to_string())),
        "char" => Ok(json!({ "$": "char", "text": value.to_string() })),
        "Fn" => Err(Unkept("closure".to_owned())),
        other => Err(Unkept(other.rsplit("::").next().unwrap_or(other).to_owned())),
    }
}

fn holds_secret(tree: &Tree) -> bool {
    match tree {
        Tree::Secret(_) => true,
        Tree::List(items) => items.iter().any(holds_secret),
        Tree::Map(fields) => fields.iter().any(|(_, item)| holds_secret(item)),
        _ => false,
    }
}

/// A kept value as a script's value again; `reread` reads a secret by its reference.
///
/// # Errors
/// [`Unkept`], if a secret can't be read again or the journal holds something of a newer version.
pub fn restore(kept: &Value, reread: &dyn Fn(&str) -> Option<Secret>) -> Result<Dynamic, Unkept> {
    let text = |fields: &serde_json::Map<String, Value>, name: &str| {
        fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    Ok(match kept {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => Dynamic::from(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Dynamic::from(integer),
            None => Dynamic::from(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Dynamic::from(text.clone()),
        Value::Array(items) => {
            let items: Result<Array, _> = items.iter().map(|item| restore(item, reread)).collect();
            items?.into()
        }
        Value::Object(fields) => {
            let kind = text(fields, "$");
            let unreadable = || Unkept(format!("value of the kind `{kind}`"));
            match kind.as_str() {
                "map" => {
                    let inner = fields.get("fields").and_then(Value::as_object).ok_or_else(unreadable)?;
                    let map: Result<Map, _> =
                        inner.iter().map(|(key, item)| Ok((key.as_str().into(), restore(item, reread)?))).collect();
                    map?.into()
                }
                "object" => Tree::from_json(fields.get("fields").cloned().ok_or_else(unreadable)?).to_dynamic(),
                "secret" => {
                    let reference = text(fields, "reference");
                    Dynamic::from(reread(&reference).ok_or_else(|| Unkept(format!("secret `{reference}`")))?)
                }
                "duration" => {
                    let nanos: u64 = text(fields, "nanos").parse().map_err(|_| unreadable())?;
                    Dynamic::from(Duration::from_nanos(nanos))
                }
                "time" => Dynamic::from(text(fields, "at").parse::<Timestamp>().map_err(|_| unreadable())?),
                "bytes" => Dynamic::from_blob(BASE64.decode(text(fields, "base64")).map_err(|_| unreadable())?),
                "unsigned" => Dynamic::from(text(fields, "number").parse::<u64>().map_err(|_| unreadable())?),
                "float" => Dynamic::from(text(fields, "number").parse::<f64>().map_err(|_| unreadable())?),
                "char" => Dynamic::from(text(fields, "text").chars().next().ok_or_else(unreadable)?),
                _ => return Err(unreadable()),
            }
        }
    })
}

/// The text by which an item is told apart from its siblings in a step's path, if it has one: a text, a number, or the
/// name of a Kubernetes object (`namespace/name`).
pub fn label(value: &Dynamic) -> Option<String> {
    let short = |text: String| {
        let plain: String = text.chars().map(|c| if c.is_control() || "[]".contains(c) { '_' } else { c }).collect();
        (!plain.is_empty() && plain.chars().count() <= 80).then_some(plain)
    };
    if value.is_string() || value.is_int() || value.is_bool() || value.is_char() {
        return short(value.to_string());
    }
    let field = |path: &[&str]| -> Option<String> {
        if let Some(object) = value.read_lock::<Object>() {
            let mut tree = object.tree();
            for name in path {
                let Tree::Map(fields) = &tree else { return None };
                tree = fields.get(name)?.clone();
            }
            return match tree {
                Tree::Text(text) => Some(text.to_string()),
                _ => None,
            };
        }
        let mut at = value.clone();
        for name in path {
            let next = at.read_lock::<Map>()?.get(*name)?.clone();
            at = next;
        }
        at.into_string().ok()
    };
    let name = field(&["metadata", "name"]).or_else(|| field(&["name"]))?;
    short(match field(&["metadata", "namespace"]) {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name,
    })
}
