//! Operators of a cluster, as the world has them: what comes of the objects of a kind, over time.
//!
//! Nothing is computed: what an operator makes is data, as it is written, but for fields of the object that it is made for.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{behaviour::fits, controllers::fields::Fields};
use crate::duration;

/// What comes of the objects of a kind. All begins again with each change of what is wanted of an object.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Operator {
    /// The plural with its group: `clusters.cluster.x-k8s.io`.
    pub of: String,
    /// Patterns; none stands for all.
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// One after the other.
    pub phases: Vec<Phase>,
}

/// What comes at once.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Phase {
    /// The fields that an object has for which it comes, by JSON pointers.
    pub has: BTreeMap<String, Value>,
    /// What has to be there before.
    pub awaits: Vec<Awaited>,
    /// How long it takes, from then on.
    #[serde(deserialize_with = "duration::read")]
    pub takes: Duration,
    pub objects: Vec<Value>,
    /// How many of each object; one, if not said.
    pub times: Value,
    /// Where there are too many: those with this field, by JSON pointer, go before others.
    pub first_to_go: String,
    /// The clusters of the world that there are from then on, until the object goes.
    pub clusters: Vec<String>,
    /// What the object's status has then. Conditions are put to those that are there, and know since when they are so.
    pub status: Map<String, Value>,
    pub events: Vec<Told>,
}

/// An object that has to be there, with these fields, or with a condition that is true.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Awaited {
    pub of: String,
    pub namespace: String,
    pub name: String,
    pub has: BTreeMap<String, Value>,
    pub is: Option<String>,
}

/// Where the clusters come from that operators make.
pub trait Births: Send + Sync {
    /// There is a cluster, if there isn't yet.
    fn begin(&self, cluster: &str);

    /// There is none any more.
    fn end(&self, cluster: &str);
}

/// An event of the object.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Told {
    pub warning: bool,
    pub reason: String,
    pub message: String,
}

impl Operator {
    pub fn looks_after(&self, namespace: &str, name: &str) -> bool {
        let is = |pattern: &Option<String>, text: &str| pattern.as_deref().is_none_or(|pattern| fits(pattern, text));
        is(&self.namespace, namespace) && is(&self.name, name)
    }

    /// Whether it waits for objects of this kind.
    pub fn awaits(&self, stored: &str) -> bool {
        self.phases.iter().flat_map(|phase| &phase.awaits).any(|awaited| awaited.of == stored)
    }
}

impl Phase {
    pub fn is_for(&self, object: &Value) -> bool {
        has(object, &self.has)
    }

    /// How many of each object there are to be.
    pub fn count(&self, object: &Value) -> usize {
        let count = match filled(&self.times, object, 0) {
            Value::Null => Some(1),
            Value::String(text) => text.parse().ok(),
            count => count.as_u64(),
        };
        count.and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
    }
}

impl Awaited {
    pub fn is_so(&self, object: &Value) -> bool {
        has(object, &self.has) && self.is.as_deref().is_none_or(|condition| object.is(condition))
    }
}

fn has(object: &Value, fields: &BTreeMap<String, Value>) -> bool {
    fields.iter().all(|(path, value)| object.at(path) == value)
}

/// A value with the fields of an object in place of `${/metadata/name}` and the like: `${/spec/replicas:-2}` is 2 if there is no such
/// field, and `${index}` tells several objects apart. What stands alone in its text stays what it is: a number, a list, a map.
pub fn filled(template: &Value, object: &Value, index: usize) -> Value {
    match template {
        Value::String(text) => filled_text(text, object, index),
        Value::Array(items) => items.iter().map(|item| filled(item, object, index)).collect(),
        Value::Object(fields) => {
            let each = fields.iter().map(|(key, value)| (key.clone(), filled(value, object, index)));
            Value::Object(each.collect())
        }
        other => other.clone(),
    }
}

fn filled_text(text: &str, object: &Value, index: usize) -> Value {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, (named, after))) =
        rest.split_once("${").and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        let value = named_by(named, object, index);
        if before.is_empty() && after.is_empty() && out.is_empty() {
            return value;
        }
        out.push_str(before);
        match value {
            Value::String(value) => out.push_str(&value),
            Value::Null => {}
            other => out.push_str(&other.to_string()),
        }
        rest = after;
    }
    Value::String(out + rest)
}

fn named_by(named: &str, object: &Value, index: usize) -> Value {
    if named == "index" {
        return json!(index);
    }
    let (path, default) = named.split_once(":-").map_or((named, None), |(path, default)| (path, Some(default)));
    match (object.at(path), default) {
        (Value::Null, Some(default)) => serde_json::from_str(default).unwrap_or_else(|_| json!(default)),
        (value, _) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_object_take_their_places() {
        let object = json!({"metadata": {"name": "moo"}, "spec": {"replicas": 3, "labels": {"a": "b"}}});
        let template = json!({
            "name": "vc-${/metadata/name}-${index}", "replicas": "${/spec/replicas}", "labels": ["${/spec/labels}"],
            "size": "${/spec/size:-7}", "class": "${/spec/class:-local}", "text": "${/spec/replicas} of ${/spec/none}.", "open": "${",
        });
        let made = json!({
            "name": "vc-moo-1", "replicas": 3, "labels": [{"a": "b"}], "size": 7, "class": "local", "text": "3 of .", "open": "${",
        });
        assert_eq!(filled(&template, &object, 1), made);
    }
}
