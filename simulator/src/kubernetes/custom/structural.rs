//! The schema of a version of a definition, as far as values are held against it: one node for each place.

use std::{collections::BTreeMap, sync::OnceLock};

use regex::Regex;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::cel::Expression;

/// What is known of one place in an object.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {
    #[serde(rename = "type")]
    pub of: String,
    pub format: String,
    pub nullable: bool,
    /// `Some(Null)` where null is what is filled in.
    #[serde(deserialize_with = "given")]
    pub default: Option<Value>,
    pub properties: BTreeMap<String, Node>,
    pub additional_properties: Option<Others>,
    pub items: Option<Box<Node>>,
    pub required: Vec<String>,
    pub r#enum: Vec<Value>,
    pub pattern: Option<Pattern>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    pub exclusive_minimum: bool,
    pub exclusive_maximum: bool,
    pub multiple_of: Option<f64>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub min_items: Option<u64>,
    pub max_items: Option<u64>,
    pub min_properties: Option<u64>,
    pub max_properties: Option<u64>,
    pub unique_items: bool,
    pub all_of: Vec<Node>,
    pub any_of: Vec<Node>,
    pub one_of: Vec<Node>,
    pub not: Option<Box<Node>>,
    #[serde(rename = "x-kubernetes-preserve-unknown-fields")]
    pub preserves_unknown: bool,
    #[serde(rename = "x-kubernetes-embedded-resource")]
    pub embedded: bool,
    #[serde(rename = "x-kubernetes-int-or-string")]
    pub int_or_string: bool,
    #[serde(rename = "x-kubernetes-list-type")]
    pub list_type: String,
    #[serde(rename = "x-kubernetes-list-map-keys")]
    pub list_map_keys: Vec<String>,
    #[serde(rename = "x-kubernetes-validations")]
    pub rules: Vec<Rule>,
}

/// What the keys that no property names may hold.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Others {
    Allowed(bool),
    Are(Box<Node>),
}

/// One of `x-kubernetes-validations`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    pub rule: String,
    pub message: String,
    pub message_expression: String,
    pub reason: String,
    pub field_path: String,
    pub optional_old_self: Option<bool>,
    #[serde(skip)]
    pub(super) read: OnceLock<Expression>,
    #[serde(skip)]
    pub(super) message_read: OnceLock<Expression>,
}

/// A regular expression with the text it was read from.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub text: String,
    /// Nothing, if it is none.
    pub read: Option<Regex>,
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = Regex::new(&text).ok();
        Ok(Self { text, read })
    }
}

fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Node {
    /// The root of a version's schema; what is malformed in it was refused when it was defined.
    pub fn read(schema: &Value) -> Self {
        Node::deserialize(schema).unwrap_or_default()
    }

    /// What the keys that no property names have to look like, if there may be some.
    pub fn others(&self) -> Option<&Node> {
        match &self.additional_properties {
            Some(Others::Are(node)) => Some(node),
            _ => None,
        }
    }

    /// What is below a key.
    pub fn below(&self, key: &str) -> Option<&Node> {
        self.properties.get(key).or_else(|| self.others())
    }

    /// The nodes right below this one in the structure.
    pub fn parts(&self) -> impl Iterator<Item = &Node> {
        self.properties.values().chain(self.others()).chain(self.items.as_deref())
    }
}
