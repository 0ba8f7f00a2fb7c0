//! Values as the real server, which is a Go program, prints them in the middle of its sentences.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub const MAP: &str = "map[string]interface {}";

/// `map[name:web port:80]`
pub fn mapped(map: &Map<String, Value>) -> String {
    let sorted: BTreeMap<&String, &Value> = map.iter().collect();
    let pairs: Vec<String> = sorted.into_iter().map(|(key, value)| format!("{key}:{}", told(value))).collect();
    format!("map[{}]", pairs.join(" "))
}

/// `[a b]`
pub fn listed(list: &[Value]) -> String {
    format!("[{}]", list.iter().map(told).collect::<Vec<_>>().join(" "))
}

pub fn told(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => listed(list),
        Value::Object(map) => mapped(map),
        other => other.to_string(),
    }
}

pub fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "%!s(<nil>)",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => MAP,
    }
}

/// A value as it is written in a program: `map[string]interface {}{"a":1}`.
pub fn source(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(list) => format!("[]interface {{}}{{{}}}", list.iter().map(source).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            let pairs: Vec<String> =
                sorted.into_iter().map(|(key, value)| format!("{key:?}:{}", source(value))).collect();
            format!("{MAP}{{{}}}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}
