//! The numbers of a scale: they are where the definition says, and no fewer than none.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::kubernetes::{answer::Cause, rules::Scale};

/// What is wrong with the numbers of a scale.
pub fn check(object: &Value, scale: Scale<'_>) -> Vec<Cause> {
    [scale.replicas, scale.status_replicas].into_iter().filter_map(|path| number(object, path)).collect()
}

/// The same of who writes only its status.
pub fn check_status(object: &Value, scale: Scale<'_>) -> Option<Cause> {
    number(object, scale.status_replicas)
}

fn number(object: &Value, path: &str) -> Option<Cause> {
    let field = format!(".{path}");
    let (mut value, mut reached) = (object, String::new());
    for name in path.split('.') {
        reached = format!("{reached}.{name}");
        if !value.is_object() {
            let why = format!(
                "{reached} accessor error: {} is of the type {}, expected map[string]interface{{}}",
                shown(value),
                go_type(value)
            );
            return Some(Cause::invalid(&field, &json!(0), &why));
        }
        value = value.get(name)?;
    }
    let why = match value.as_i64() {
        None => format!("{field} accessor error: {} is of the type {}, expected int64", shown(value), go_type(value)),
        Some(number) if number < 0 => return Some(Cause::invalid(&field, value, "should be a non-negative integer")),
        Some(number) if number > i64::from(i32::MAX) => {
            return Some(Cause::invalid(&field, value, &format!("should be less than or equal to {}", i32::MAX)));
        }
        Some(_) => return None,
    };
    Some(Cause::invalid(&field, &json!(0), &why))
}

/// A value as Go prints it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let entries: BTreeMap<&String, String> = map.iter().map(|(key, value)| (key, shown(value))).collect();
            let entries = entries.into_iter().map(|(key, value)| format!("{key}:{value}"));
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
        Value::Number(number) if number.is_f64() => float(number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
}

/// A number as Go prints it: with an exponent of two digits or more where it is very small or very large.
fn float(number: f64) -> String {
    let told = format!("{number:e}");
    let (digits, exponent) = told.split_once('e').unwrap_or((&told, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        -4..=5 => number.to_string(),
        exponent => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
