//! Selectors: which objects are meant, by their labels or by their fields.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A label selector: all of its requirements hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    holds: Holds,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Holds {
    In(Vec<String>),
    NotIn(Vec<String>),
    There,
    NotThere,
    Above(i64),
    Below(i64),
}

/// A field selector: pairs of a path and a value that is, or is not, there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String, bool)>);

impl Labels {
    /// Reads `app=web,tier in (a, b),!canary`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut requirements = Vec::new();
        for part in split(text) {
            requirements.push(requirement(part.trim())?);
        }
        Ok(Self(requirements))
    }

    /// The selector of a workload: `matchLabels` and `matchExpressions`.
    pub fn of(selector: &Value) -> Self {
        let labels = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
        let equal = labels.map(|(key, value)| Requirement {
            key: key.clone(),
            holds: Holds::In(vec![value.as_str().unwrap_or_default().to_owned()]),
        });
        let expressions = selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten();
        let expressions = expressions.filter_map(|expression| {
            let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
            let values = values.filter_map(|value| Some(value.as_str()?.to_owned())).collect();
            Some(Requirement {
                key: expression.get("key")?.as_str()?.to_owned(),
                holds: match expression.get("operator")?.as_str()? {
                    "In" => Holds::In(values),
                    "NotIn" => Holds::NotIn(values),
                    "Exists" => Holds::There,
                    "DoesNotExist" => Holds::NotThere,
                    _ => return None,
                },
            })
        });
        Self(equal.chain(expressions).collect())
    }

    /// True if an object's labels satisfy it.
    pub fn select(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        self.0.iter().all(|Requirement { key, holds }| {
            let value = labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
            match (holds, value) {
                (Holds::In(values), Some(value)) => values.iter().any(|known| known == value),
                (Holds::NotIn(values), Some(value)) => values.iter().all(|known| known != value),
                (Holds::NotIn(_) | Holds::NotThere, None) | (Holds::There, Some(_)) => true,
                (Holds::Above(bound), Some(value)) => value.parse::<i64>().is_ok_and(|value| value > *bound),
                (Holds::Below(bound), Some(value)) => value.parse::<i64>().is_ok_and(|value| value < *bound),
                (Holds::NotThere, Some(_))
                | (Holds::In(_) | Holds::There | Holds::Above(_) | Holds::Below(_), None) => false,
            }
        })
    }
}

impl Fields {
    /// Reads `metadata.name=web,status.phase!=Running`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut pairs = Vec::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (path, value, equal) = match (part.split_once("!="), part.split_once("=="), part.split_once('=')) {
                (Some((path, value)), ..) => (path, value, false),
                (None, Some((path, value)), _) | (None, None, Some((path, value))) => (path, value, true),
                (None, None, None) => return Err(format!("invalid selector: '{text}'; can't understand '{part}'")),
            };
            pairs.push((path.to_owned(), value.to_owned(), equal));
        }
        Ok(Self(pairs))
    }

    /// The paths it asks for.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, ..)| path.as_str())
    }

    /// The value that a path must have, if it asks for one.
    pub fn exactly(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|(known, _, equal)| known == path && *equal).map(|(_, value, _)| value.as_str())
    }

    /// True if an object's fields satisfy it. What is not there is an empty text.
    pub fn select(&self, object: &Value) -> bool {
        self.0.iter().all(|(path, wanted, equal)| (found(object, path) == *wanted) == *equal)
    }
}

/// A selector of a workload as a text: `app=web,tier in (a,b)`. One that is a text already stays as it is.
pub fn shown(selector: &Value) -> String {
    if let Some(text) = selector.as_str() {
        return text.to_owned();
    }
    let empty = Map::new();
    let map = selector.as_object().unwrap_or(&empty);
    let structured = map.contains_key("matchLabels") || map.contains_key("matchExpressions");
    let labels =
        if structured { selector.get("matchLabels").and_then(Value::as_object).unwrap_or(&empty) } else { map };
    let mut requirements: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (key, value) in labels {
        requirements.entry(key).or_default().push(format!("{key}={}", value.as_str().unwrap_or_default()));
    }
    for expression in selector.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
        let key = expression["key"].as_str().unwrap_or_default();
        let mut values: Vec<&str> =
            expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        requirements.entry(key).or_default().push(match expression["operator"].as_str() {
            Some("In") => format!("{key} in ({values})"),
            Some("NotIn") => format!("{key} notin ({values})"),
            Some("DoesNotExist") => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    requirements.into_values().flatten().collect::<Vec<_>>().join(",")
}

/// The requirements, taken apart at commas outside of brackets.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0_u32, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    if !text[from..].trim().is_empty() {
        parts.push(&text[from..]);
    }
    parts
}

fn requirement(text: &str) -> Result<Requirement, String> {
    let wrong = || format!("unable to parse requirement: found '{text}'");
    let make = |key: &str, holds: Holds| match key.trim() {
        "" => Err(wrong()),
        key => Ok(Requirement { key: key.to_owned(), holds }),
    };
    if let Some(key) = text.strip_prefix('!') {
        return make(key, Holds::NotThere);
    }
    if let Some((key, values)) = listed(text, " notin") {
        return make(key, Holds::NotIn(values));
    }
    if let Some((key, values)) = listed(text, " in") {
        return make(key, Holds::In(values));
    }
    if let Some((key, value)) = text.split_once("!=") {
        return make(key, Holds::NotIn(vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return make(key, Holds::In(vec![value.trim().to_owned()]));
    }
    for (sign, bound) in [('>', Holds::Above as fn(i64) -> Holds), ('<', Holds::Below)] {
        if let Some((key, value)) = text.split_once(sign) {
            return make(key, bound(value.trim().parse().map_err(|_| wrong())?));
        }
    }
    if text.contains(|letter: char| letter.is_whitespace() || "()".contains(letter)) {
        return Err(wrong());
    }
    make(text, Holds::There)
}

/// `key in (a, b)`, taken apart.
fn listed<'t>(text: &'t str, word: &str) -> Option<(&'t str, Vec<String>)> {
    let (key, rest) = text.split_once(word)?;
    let values = rest.trim().strip_prefix('(')?.strip_suffix(')')?;
    Some((key, values.split(',').map(|value| value.trim().to_owned()).collect()))
}

/// What an object has at a path, as a text; some paths stand for others, and some fields are something if they are not there.
fn found(object: &Value, path: &str) -> String {
    let (path, otherwise) = match path {
        "spec.hostNetwork" | "spec.unschedulable" => (path, "false"),
        "status.replicas" => (path, "0"),
        "status.successful" => ("status.succeeded", "0"),
        path => (path, ""),
    };
    match path.split('.').try_fold(object, |value, field| value.get(field)) {
        None | Some(Value::Null) => otherwise.to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
