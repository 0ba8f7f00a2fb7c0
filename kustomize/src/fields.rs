//! Fields by paths such as `spec/template/metadata/labels`, which lead through every item of a list on their way.

use documents::yaml::{Content, Node};
use serde_json::{Map, Value};

use crate::identity::Sort;

/// A field of kinds of objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldSpec {
    /// Of which kinds.
    pub of: Sort,
    pub path: String,
    /// Whether it is made where it is absent.
    pub create: bool,
}

impl FieldSpec {
    /// A line of a table: `path [create] [group/]kind`, of which the last word may be absent.
    pub fn read(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let path = words.next().unwrap_or_default().to_owned();
        let mut spec = Self { path, ..Self::default() };
        for word in words {
            match word.rsplit_once('/') {
                _ if word == "create" => spec.create = true,
                Some((group, kind)) => {
                    spec.of = Sort { group: group.to_owned(), kind: kind.to_owned(), ..Sort::default() };
                }
                None => spec.of.kind = word.to_owned(),
            }
        }
        spec
    }

    /// Changes the field of an object, wherever the path leads to, if it is one of its kinds.
    pub fn change(&self, object: &mut Value, made: &Value, set: &mut Set) -> Result<(), String> {
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        match Sort::new(text("apiVersion"), text("kind")).fits(&self.of) {
            true => {
                self.walk(object, &split(&self.path), made, set).map_err(|why| format!("at `{}`: {why}", self.path))
            }
            false => Ok(()),
        }
    }

    fn walk(&self, value: &mut Value, path: &[String], made: &Value, set: &mut Set) -> Result<(), String> {
        let Some((name, path)) = path.split_first() else { return set(value) };
        match value {
            Value::Null => Ok(()),
            Value::Array(items) => {
                let here: Vec<String> = std::iter::once(name).chain(path).cloned().collect();
                items.iter_mut().try_for_each(|item| self.walk(item, &here, made, set))
            }
            Value::Object(fields) => {
                let (name, is_list) = name.strip_suffix("[]").map_or((name.as_str(), false), |name| (name, true));
                if self.create && !is_list {
                    let made = if path.is_empty() { made.clone() } else { Value::Object(Map::new()) };
                    let field = fields.entry(name).or_insert_with(|| made.clone());
                    if field.is_null() {
                        *field = made;
                    }
                }
                fields.get_mut(name).map_or(Ok(()), |field| self.walk(field, path, made, set))
            }
            _ => Err("it leads through what is neither a map nor a list".to_owned()),
        }
    }
}

/// What is done to a field.
pub type Set<'s> = dyn FnMut(&mut Value) -> Result<(), String> + 's;

/// The parts of a path; a slash behind a backslash is part of a name.
fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut joins = false;
    for part in path.trim_start_matches('/').split('/') {
        let (text, goes_on) = part.strip_suffix('\\').map_or((part, false), |part| (part, true));
        match parts.last_mut() {
            Some(last) if joins => {
                last.push('/');
                last.push_str(text);
            }
            _ => parts.push(text.to_owned()),
        }
        joins = goes_on;
    }
    parts
}

/// A scalar as it is written.
pub fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => Some(String::new()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a word means without quotes where kustomize goes by older rules: in its own files, and in steps.
pub fn older_meaning(node: &Node) -> Option<bool> {
    match &node.content {
        Content::Text { text, plain: true } => match text.as_str() {
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// What a text means where it stands without quotes.
pub fn unquoted(text: &str) -> Value {
    Node { line: 0, content: Content::Text { text: text.to_owned(), plain: true } }.value()
}
