//! Names that Kubernetes has to accept: labels, annotations and taints of nodes.

use serde_json::Value;

use super::{Findings, entries, listed, text};

const LONGEST: usize = 63;
const LONGEST_DOMAIN: usize = 253;
const MOST_OF_ANNOTATIONS: usize = 256 * 1024;

pub fn check(labels: &Value, found: &mut Findings) {
    let checks = entries(labels).flat_map(|(name, value)| [qualified(name), label_value(text(value))]);
    tell("labels", checks.filter_map(Result::err).collect(), found);
}

pub fn check_annotations(annotations: &Value, found: &mut Findings) {
    let mut wrong = Vec::new();
    let mut size = 0;
    for (name, value) in entries(annotations) {
        wrong.extend(qualified(name).err());
        if ["talos.dev/owned-annotations", "talos.dev/owned-labels", "talos.dev/owned-taints"].contains(&name) {
            wrong.push(format!("annotation {name:?} is reserved"));
        }
        size += name.len() + text(value).len();
    }
    if size > MOST_OF_ANNOTATIONS {
        wrong.push(format!("total annotation size exceeds limit of {MOST_OF_ANNOTATIONS} bytes"));
    }
    tell("annotations", wrong, found);
}

pub fn check_taints(taints: &Value, found: &mut Findings) {
    let wrong = entries(taints).filter_map(|(name, value)| taint(name, text(value)).err());
    tell("taints", wrong.collect(), found);
}

fn taint(name: &str, said: &str) -> Result<(), String> {
    qualified(name)?;
    let (value, effect) = match said.split_once(':') {
        Some((value, effect)) => (Some(value), effect),
        None => (None, said),
    };
    if !["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect) {
        return Err(format!("invalid taint effect: {effect:?}"));
    }
    value.map_or(Ok(()), label_value)
}

fn tell(what: &str, wrong: Vec<String>, found: &mut Findings) {
    if !wrong.is_empty() {
        found.error(format!("invalid machine node {what}: {}", listed(&wrong)));
    }
}

fn qualified(said: &str) -> Result<(), String> {
    let parts: Vec<&str> = said.split('/').collect();
    let name = match parts.as_slice() {
        [name] => name,
        [prefix, name] => {
            if prefix.is_empty() {
                return Err(format!("prefix cannot be empty: {said:?}"));
            }
            domain(prefix).map_err(|why| format!("prefix {prefix:?} is invalid: {why}"))?;
            name
        }
        _ => return Err(format!("invalid format: too many slashes: {said:?}")),
    };
    match name.len() {
        0 => Err(format!("name cannot be empty: {said:?}")),
        length if length > LONGEST => Err(format!("name is too long: {said:?} (limit is {LONGEST})")),
        _ if !is_word(name) => Err(format!("name {name:?} is invalid")),
        _ => Ok(()),
    }
}

fn label_value(value: &str) -> Result<(), String> {
    if value.len() > LONGEST {
        return Err(format!("label value length exceeds limit of {LONGEST}: {value:?}"));
    }
    match value.is_empty() || is_word(value) {
        true => Ok(()),
        false => Err(format!("label value {value:?} is invalid")),
    }
}

fn domain(name: &str) -> Result<(), String> {
    if name.len() > LONGEST_DOMAIN {
        return Err(format!("domain name length exceeds limit of {LONGEST_DOMAIN}: {name:?}"));
    }
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = name.split('.').all(|label| bounded(label, letter, |byte| letter(byte) || byte == b'-'));
    if fits { Ok(()) } else { Err(format!("domain doesn't match required format: {name:?}")) }
}

fn is_word(text: &str) -> bool {
    bounded(text, |byte| byte.is_ascii_alphanumeric(), |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Whether a text begins and ends with some letters, and has some others within.
fn bounded(text: &str, edge: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.first().copied().is_some_and(&edge)
        && bytes.last().copied().is_some_and(&edge)
        && bytes.iter().copied().all(inner)
}
