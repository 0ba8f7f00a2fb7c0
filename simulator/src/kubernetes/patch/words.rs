//! Values as the real server, which is a Go program, prints them in the middle of its sentences.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

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
        Value::Number(number) if number.is_f64() => float(number.as_f64().unwrap_or_default()),
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => listed(list),
        Value::Object(map) => mapped(map),
        other => other.to_string(),
    }
}

/// A number as it is sent: a large one with all its digits.
pub fn number(number: &Number) -> String {
    let float = number.as_f64().filter(|float| !number.is_i64() && (1.0..1e21).contains(&float.abs()));
    float.map_or_else(|| number.to_string(), |float| float.to_string())
}

/// A value where a text is expected: what is none is said to be of another type.
pub fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => type_of(value).to_owned(),
        Value::Array(list) => format!("[{}]", list.iter().map(as_text).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            let pairs: Vec<String> =
                sorted.into_iter().map(|(key, value)| format!("{key}:{}", as_text(value))).collect();
            format!("map[{}]", pairs.join(" "))
        }
        other => format!("%!s({}={})", type_of(other), told(other)),
    }
}

/// `0.5`, and `1e-08` where that is shorter.
fn float(number: f64) -> String {
    let written = format!("{number:e}");
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        -4..=5 => number.to_string(),
        exponent => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
    }
}

/// A value as it tells items of lists apart: `"web"`, `[1,2]`, and a map without anything around it.
pub fn joined(value: &Value) -> String {
    match value {
        Value::String(_) => value.to_string(),
        Value::Array(list) => format!("[{}]", list.iter().map(joined).collect::<Vec<_>>().join(",")),
        Value::Object(map) => map.iter().map(|(key, value)| format!("{key}={}", joined(value))).collect(),
        Value::Null => "null".to_owned(),
        other => told(other),
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
        Value::Number(_) => told(value),
        other => other.to_string(),
    }
}
