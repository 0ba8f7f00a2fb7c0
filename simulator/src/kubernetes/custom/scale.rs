//! The numbers of a scale: they are where the definition says, and no fewer than none.

use serde_json::{Value, json};

use crate::kubernetes::{answer::Cause, rules::Scale};

/// What is wrong with the numbers of a scale.
pub fn check(object: &Value, scale: Scale<'_>) -> Vec<Cause> {
    [scale.replicas, scale.status_replicas].into_iter().filter_map(|path| number(object, path)).collect()
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

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
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
