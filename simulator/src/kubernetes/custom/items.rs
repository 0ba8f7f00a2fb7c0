//! Lists whose items are there once: sets, and lists with keys.

use serde_json::{Map, Value};

use super::{
    structural::Node,
    validate::{Before, below},
};
use crate::kubernetes::answer::Cause;

/// Which items are there twice. What was so before may stay so.
pub fn check(object: &Value, schema: &Node, there: Option<&Value>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    node(object, schema, there, "", &mut wrong);
    wrong
}

fn node(value: &Value, of: &Node, there: Option<&Value>, path: &str, wrong: &mut Vec<Cause>) {
    if there == Some(value) {
        return;
    }
    match value {
        Value::Array(items) => {
            match &*of.list_type {
                "set" => twice(items, path, wrong),
                "map" => match items.iter().position(|item| !item.is_object() && !item.is_null()) {
                    Some(index) => {
                        let why = "must be an object for an array of list-type map";
                        wrong.push(Cause::invalid(format!("{path}[{index}]"), &items[index], why));
                    }
                    None => twice(&keys(items, of), path, wrong),
                },
                _ => {}
            }
            let before = Before::of(of, there);
            if let Some(of) = &of.items {
                for (index, item) in items.iter().enumerate() {
                    node(item, of, before.of_item(item), &format!("{path}[{index}]"), wrong);
                }
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                if let Some(of) = of.below(key) {
                    node(value, of, there.and_then(|there| there.get(key)), &below(path, key), wrong);
                }
            }
        }
        _ => {}
    }
}

/// What tells the items of a list apart.
fn keys(items: &[Value], of: &Node) -> Vec<Value> {
    let key = |item: &Value| -> Map<String, Value> {
        let mut names: Vec<&String> = of.list_map_keys.iter().collect();
        names.sort();
        names.into_iter().filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect()
    };
    items.iter().map(|item| Value::Object(key(item))).collect()
}

/// Each thing that is there more than once is told once.
fn twice(items: &[Value], path: &str, wrong: &mut Vec<Cause>) {
    for (index, item) in items.iter().enumerate() {
        if items[..index].iter().filter(|before| *before == item).count() == 1 {
            wrong.push(Cause::duplicate(format!("{path}[{index}]"), item));
        }
    }
}
