//! Objects as the real server has them in its memory, which some of its messages show.
//!
//! There fields have other names and another order, and each is there, whatever nobody gave it.

use std::{collections::BTreeMap, sync::OnceLock};

use serde_json::{Map, Value, json};

/// One structure a line: its fields in their order, each with its name in objects and its type. A type is a letter (`s`tring,
/// `n`umber, `b`oolean, `q`uantity, `-` for what is null if it is not there), or a structure: `Name` that is always there, `*Name`
/// that may be null, `[Name]` for a list. `+Name` stands for the fields of another structure.
const STRUCTURES: &str = include_str!("../data/structures-1.36.txt");

type Structures = BTreeMap<&'static str, Vec<&'static str>>;

fn structures() -> &'static Structures {
    static READ: OnceLock<Structures> = OnceLock::new();
    READ.get_or_init(|| {
        let read = |line: &'static str| {
            let mut words = line.split(' ');
            Some((words.next()?, words.collect()))
        };
        STRUCTURES.lines().filter_map(read).collect()
    })
}

/// A value as the structure of this name: `PodSpec`.
pub fn shown(value: &Value, structure: &str) -> Value {
    let mut shown = Map::new();
    add(&mut shown, value, structure);
    Value::Object(shown)
}

fn add(shown: &mut Map<String, Value>, value: &Value, structure: &str) {
    let placed = (structure == "PodSpec").then(|| with_the_host_in_its_context(value));
    let value = placed.as_ref().unwrap_or(value);
    for field in structures().get(structure).into_iter().flatten() {
        if let Some(other) = field.strip_prefix('+') {
            if other == "metadata" {
                let metadata = &value["metadata"];
                let given = ["labels", "annotations"].iter().filter(|name| metadata.get(**name).is_some());
                shown.extend(given.map(|name| ((*name).to_owned(), sorted(&metadata[*name]))));
            } else {
                add(shown, value, other);
            }
            continue;
        }
        let (name, rest) = field.split_once('=').expect("fields have two names");
        let (key, of) = rest.split_once(':').expect("fields have types");
        shown.insert(name.to_owned(), typed(value.get(key).unwrap_or(&Value::Null), of));
    }
}

fn typed(value: &Value, of: &str) -> Value {
    match of {
        "-" => sorted(value),
        _ if of.starts_with('[') => match value {
            Value::Array(items) => items.iter().map(|item| self::shown(item, of.trim_matches(['[', ']']))).collect(),
            _ => Value::Null,
        },
        _ if of.starts_with('*') => match value {
            Value::Null => Value::Null,
            there => self::shown(there, &of[1..]),
        },
        "s" | "n" | "b" | "q" if !value.is_null() => value.clone(),
        "s" => json!(""),
        "n" => json!(0),
        "b" => json!(false),
        "q" => json!("0"),
        structure => self::shown(value, structure),
    }
}

/// Keys of maps have an order in messages; those of selectors one of their own.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            if fields.iter().any(|(key, _)| key == "matchLabels") {
                fields.reverse();
            }
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// What a pod shares with its host is part of its security context there.
fn with_the_host_in_its_context(spec: &Value) -> Value {
    let mut spec = spec.clone();
    for name in ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"] {
        let shared = spec.as_object_mut().and_then(|fields| fields.shift_remove(name));
        if let Some(shared) = shared {
            spec["securityContext"][name] = shared;
        }
    }
    spec
}
