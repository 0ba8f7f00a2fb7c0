//! Variables in the texts of manifests: `${name}`, `${name:-otherwise}`, and `$${name}`, which is none.

use std::collections::BTreeMap;

use serde_json::Value;

/// The object with its variables filled in; one that nobody knows is empty.
pub fn filled(value: &Value, variables: &BTreeMap<String, String>) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), filled(value, variables))).collect(),
        Value::Array(items) => items.iter().map(|item| filled(item, variables)).collect(),
        Value::String(text) if text.contains("${") => typed(&replaced(text, variables), text),
        other => other.clone(),
    }
}

/// What was nothing but a variable becomes the number or the truth value that it looks like, as when a manifest is read again.
fn typed(text: &str, before: &str) -> Value {
    let is_whole = before.starts_with("${") && before.ends_with('}') && before.matches("${").count() == 1;
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) if is_whole => value,
        _ => Value::String(text.to_owned()),
    }
}

fn replaced(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        let Some((inside, after)) = behind.split_once('}') else { break };
        if let Some(before) = before.strip_suffix('$') {
            whole.push_str(&format!("{before}${{{inside}}}"));
        } else {
            let cut = inside.find([':', '-', '=']).unwrap_or(inside.len());
            let (name, otherwise) = (&inside[..cut], inside[cut..].trim_start_matches([':', '-', '=']));
            whole.push_str(before);
            whole.push_str(variables.get(name).filter(|value| !value.is_empty()).map_or(otherwise, String::as_str));
        }
        rest = after;
    }
    whole.push_str(rest);
    whole
}
