//! Schemas as the server keeps them: without what nobody knows, and without what says nothing.

use serde_json::{Map, Value};

use crate::kubernetes::kinds::said;

const SCHEMA: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";
const RULE: &str = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule";

/// Words that say something only if they are not zero.
const VANISHING: [&str; 16] = [
    "$schema",
    "description",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "fieldPath",
    "format",
    "id",
    "message",
    "messageExpression",
    "nullable",
    "pattern",
    "title",
    "type",
    "uniqueItems",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
];

/// Takes out of a schema, and of those below it, what the server does not keep.
pub fn tidy(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    keep_known(schema, SCHEMA);
    for (word, value) in schema.iter_mut() {
        match (word.as_str(), value) {
            ("properties" | "patternProperties" | "definitions", Value::Object(all)) => all.values_mut().for_each(tidy),
            ("allOf" | "anyOf" | "oneOf", Value::Array(all)) => all.iter_mut().for_each(tidy),
            ("items" | "additionalProperties" | "additionalItems" | "not", one) => tidy(one),
            ("x-kubernetes-validations", Value::Array(rules)) => {
                rules.iter_mut().filter_map(Value::as_object_mut).for_each(|rule| keep_known(rule, RULE));
            }
            ("externalDocs", Value::Object(told)) => told.retain(|_, text| text != ""),
            _ => {}
        }
    }
}

/// Keeps the fields that a definition knows, as far as they say something.
fn keep_known(fields: &mut Map<String, Value>, definition: &str) {
    let known = &said().definitions[definition]["properties"];
    fields.retain(|word, value| known.get(word).is_some() && says_something(word, value));
}

fn says_something(word: &str, value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(_) if word == "items" => false,
        Value::String(text) => !(text.is_empty() && VANISHING.contains(&word)),
        Value::Bool(told) => *told || !VANISHING.contains(&word),
        Value::Array(items) => word == "default" || word == "example" || !items.is_empty(),
        Value::Object(fields) => {
            !(fields.is_empty() && matches!(word, "properties" | "patternProperties" | "definitions" | "dependencies"))
        }
        Value::Number(_) => true,
    }
}
