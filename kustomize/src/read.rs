//! Objects out of texts, held against what every object has.

use std::collections::VecDeque;

use documents::yaml::{self, Content, Node};
use serde_json::Value;

use crate::{Refusal, Unread};

/// The documents of a text, none of which says a thing twice.
pub fn documents(text: &str, file: &str) -> Result<Vec<Node>, Refusal> {
    let nodes = yaml::read(text).map_err(|malformed| Refusal::at(file, malformed.line, malformed.why))?;
    nodes.iter().try_for_each(|node| once(node, file))?;
    Ok(nodes)
}

/// The objects of a text, with lists of them taken apart.
pub fn objects(text: &str, file: &str) -> Result<Vec<Value>, Refusal> {
    let mut objects = Vec::new();
    let mut waiting: VecDeque<(usize, Value)> =
        documents(text, file)?.iter().map(|node| (node.line, node.value())).collect();
    while let Some((line, object)) = waiting.pop_front() {
        if object.is_null() || object.as_object().is_some_and(serde_json::Map::is_empty) {
            continue;
        }
        check(&object).map_err(|why| Refusal::at(file, line, why))?;
        let is_list = object["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
        match object.get("items") {
            // What is in a list comes behind all else of the text.
            Some(Value::Array(items)) if is_list => waiting.extend(items.iter().cloned().map(|item| (line, item))),
            Some(Value::Null) if is_list => {}
            Some(_) if is_list => return Err(Refusal::at(file, line, "`items` is no list")),
            _ => objects.push(object),
        }
    }
    Ok(objects)
}

fn check(object: &Value) -> Result<(), String> {
    if !object.is_object() {
        return Err("a document is no object".to_owned());
    }
    let lacks = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default().is_empty();
    if lacks("/kind") {
        return Err("an object has no `kind`".to_owned());
    }
    let is_list = object["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    if lacks("/metadata/name") && !is_list {
        return Err(format!("a {} has no `metadata.name`", object["kind"].as_str().unwrap_or_default()));
    }
    match has_gap(object) {
        true => Err("an item of a list is empty".to_owned()),
        false => Ok(()),
    }
}

fn has_gap(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| item.is_null() || has_gap(item)),
        Value::Object(fields) => fields.values().any(has_gap),
        _ => false,
    }
}

fn once(node: &Node, file: &str) -> Result<(), Refusal> {
    match &node.content {
        Content::Text { .. } => Ok(()),
        Content::List(items) => items.iter().try_for_each(|item| once(item, file)),
        Content::Map(entries) => {
            for (index, (key, value)) in entries.iter().enumerate() {
                if entries[..index].iter().any(|(other, _)| other.name() == key.name()) {
                    return Err(Refusal::at(file, key.line, format!("`{}` stands there twice", key.name())));
                }
                once(value, file)?;
            }
            Ok(())
        }
    }
}

impl Unread {
    pub fn why(&self) -> String {
        match self {
            Self::Absent => "it is not there".to_owned(),
            Self::Refused(why) => why.clone(),
        }
    }
}
