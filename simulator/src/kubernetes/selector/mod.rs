//! Selectors: which objects are meant, by their labels or by their fields.

mod labels;

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
        labels::read(text).map(Self)
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
        for term in terms(text).into_iter().filter(|term| !term.is_empty()) {
            let sign = term.char_indices().find_map(|(at, _)| {
                let rest = &term[at..];
                ["!=", "==", "="].into_iter().find(|sign| rest.starts_with(sign)).map(|sign| (at, sign))
            });
            let Some((at, sign)) = sign else {
                return Err(format!("invalid selector: '{text}'; can't understand '{term}'"));
            };
            let value = unescaped(&term[at + sign.len()..])?;
            // A sign alone asks for nothing.
            if at > 0 || !value.is_empty() {
                pairs.push((term[..at].to_owned(), value, sign != "!="));
            }
        }
        Ok(Self(pairs))
    }

    /// The paths it asks for.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, ..)| path.as_str())
    }

    /// The same with other paths for some words.
    #[must_use]
    pub fn in_other_words(mut self, words: &[(&str, &str)]) -> Self {
        for (path, ..) in &mut self.0 {
            if let Some((_, stored)) = words.iter().find(|(word, _)| word == path) {
                *path = (*stored).to_owned();
            }
        }
        self
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

/// The terms of a field selector, in the order of their letters; a comma after a backslash belongs to a value.
fn terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut from, mut escaped) = (0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[from..]);
    terms.sort_unstable();
    terms
}

/// A value without the backslashes before what would else end it.
fn unescaped(text: &str) -> Result<String, String> {
    let mut value = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => value.push(escaped),
                other => {
                    let sequence: String = std::iter::once('\\').chain(other).collect();
                    return Err(format!("invalid field selector: invalid escape sequence: {sequence}"));
                }
            },
            ',' | '=' => {
                return Err(format!("invalid field selector: unescaped character in value: {}", u32::from(letter)));
            }
            letter => value.push(letter),
        }
    }
    Ok(value)
}

/// What an object has at a path, as a text; some paths stand for others, and some fields are something if they are not there.
fn found(object: &Value, path: &str) -> String {
    let (path, otherwise) = match path {
        // Who tells an event has two places.
        "source" if object.pointer("/source/component").is_some() => ("source.component", ""),
        "source" => ("reportingComponent", ""),
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
