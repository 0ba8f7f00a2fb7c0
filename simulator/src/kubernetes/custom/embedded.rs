//! Objects within objects: they have a kind and metadata of their own.

use serde_json::Value;

use super::{structural::Node, validate::below};
use crate::kubernetes::{answer::Cause, rules::form};

/// What is wrong with the kinds and the metadata of objects within an object.
pub fn check(object: &Value, schema: &Node) -> Vec<Cause> {
    let mut wrong = Vec::new();
    node(object, schema, "", &mut wrong);
    wrong
}

fn node(value: &Value, of: &Node, path: &str, wrong: &mut Vec<Cause>) {
    if of.embedded && value.is_object() {
        kind(value, path, wrong);
        metadata(&value["metadata"], &below(path, "metadata"), wrong);
    }
    match value {
        Value::Array(items) => {
            if let Some(of) = &of.items {
                let items = items.iter().enumerate();
                items.for_each(|(index, item)| node(item, of, &format!("{path}[{index}]"), wrong));
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                if let Some(of) = of.below(key) {
                    node(value, of, &below(path, key), wrong);
                }
            }
        }
        _ => {}
    }
}

fn kind(value: &Value, path: &str, wrong: &mut Vec<Cause>) {
    let (api_version, kind) = (&value["apiVersion"], &value["kind"]);
    let field = below(path, "apiVersion");
    match api_version.as_str().unwrap_or_default() {
        "" => wrong.push(Cause::required(field, "")),
        text if text.matches('/').count() > 1 => {
            wrong.push(Cause::invalid(field, api_version, &format!("unexpected GroupVersion string: {text}")));
        }
        _ => {}
    }
    let field = below(path, "kind");
    match kind.as_str().unwrap_or_default() {
        "" => wrong.push(Cause::required(field, "")),
        text => {
            let why = form::label_1035(&text.to_lowercase()).join(",");
            if !why.is_empty() {
                let why = format!("may have mixed case, but should otherwise match: {why}");
                wrong.push(Cause::invalid(field, kind, &why));
            }
        }
    }
}

fn metadata(metadata: &Value, path: &str, wrong: &mut Vec<Cause>) {
    for field in ["labels", "annotations"] {
        for (key, value) in metadata[field].as_object().into_iter().flatten() {
            let path = below(path, field);
            let names = form::qualified_name(key).into_iter();
            wrong.extend(names.map(|why| Cause::invalid(&path, &Value::from(key.as_str()), &why)));
            if field == "labels" {
                let values = form::label_value(value.as_str().unwrap_or_default()).into_iter();
                wrong.extend(values.map(|why| Cause::invalid(&path, value, &why)));
            }
        }
    }
}
