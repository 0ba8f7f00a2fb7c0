//! Variables in an object, as if they stood in its manifest: what is filled in is read as YAML is.

use std::collections::BTreeMap;

use documents::yaml::{self, Content};
use serde_json::Value;

use super::envsubst::{self, Unknown};

/// What an object says by whose label or annotation nothing is filled in.
const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// The object with its variables filled in, all of which have to be known.
///
/// # Errors
/// What is wrong with how variables are named or written, or which one nobody knows.
pub fn substituted(object: &Value, variables: &BTreeMap<String, String>) -> Result<Value, String> {
    let is_off = |marks: &str| object["metadata"][marks][SWITCH] == "disabled";
    if variables.is_empty() || is_off("labels") || is_off("annotations") {
        return Ok(object.clone());
    }
    match variables.keys().find(|name| !is_name(name)) {
        Some(name) => Err(format!("'{name}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'")),
        None => filled(object, variables),
    }
}

fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    name.starts_with(is_letter) && name.chars().all(|letter| is_letter(letter) || letter.is_ascii_digit())
}

fn filled(value: &Value, variables: &BTreeMap<String, String>) -> Result<Value, String> {
    let fill = |text: &str| {
        envsubst::fill(text, variables, Unknown::Refused).map_err(|why| format!("variable substitution failed: {why}"))
    };
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((fill(name)?, filled(value, variables)?)));
            fields.collect::<Result<_, _>>().map(Value::Object)
        }
        Value::Array(items) => items.iter().map(|item| filled(item, variables)).collect(),
        Value::String(text) if text.contains('$') => {
            let whole = fill(text)?;
            if is_plain(text) { read(&whole) } else { Ok(Value::String(whole)) }
        }
        other => Ok(other.clone()),
    }
}

/// Whether a text stands in a manifest without quotes, so that a number in its place is one.
fn is_plain(text: &str) -> bool {
    let first = text.starts_with(|letter: char| "-?:,[]{}#&*!|>'\"%@` ".contains(letter));
    let inside = text.contains(": ") || text.contains(" #") || text.contains(char::is_control);
    !first && !inside && !text.ends_with([' ', ':'])
}

/// What stands behind a colon, as YAML has it.
fn read(text: &str) -> Result<Value, String> {
    let malformed = |why: &str| format!("YAMLToJSON: yaml: {why}");
    let documents = yaml::read(text).map_err(|error| malformed(&error.why))?;
    match documents.as_slice() {
        [] => Ok(Value::Null),
        [document] => match &document.content {
            Content::Map(_) if !text.starts_with('{') => {
                Err(malformed("mapping values are not allowed in this context"))
            }
            _ => Ok(document.value()),
        },
        _ => Err(malformed("found another document")),
    }
}
