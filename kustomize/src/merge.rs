//! Strategic merging: a patch that looks like the object, with `$patch` where something is to go or to be replaced as a whole.

use serde_json::{Map, Value};

use crate::{
    elements::{self, Keyed},
    fields,
    identity::Sort,
    shape::{self, Shape},
};

/// What becomes of an object; nothing, if the patch takes it away.
pub fn merge(object: Value, patch: &Value) -> Result<Option<Value>, String> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let Sort { kind, .. } = Sort::new(text("apiVersion"), text("kind"));
    let shape = shape::of(text("apiVersion"), &kind);
    merged(Some(object), Some(patch.clone()), shape, None)
}

/// What a patch says of the whole of a map or a list.
#[derive(PartialEq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

type Keys = Option<&'static [&'static str]>;

fn merged(
    old: Option<Value>,
    patch: Option<Value>,
    shape: Option<&'static Shape>,
    keys: Keys,
) -> Result<Option<Value>, String> {
    let said = |value: &Option<Value>| value.clone().filter(|value| !value.is_null());
    match (said(&old).or_else(|| said(&patch)), said(&patch)) {
        (Some(one), Some(other)) if sort(&one) != sort(&other) => {
            Err(format!("the patch has {} where the object has {}", sort(&other), sort(&one)))
        }
        (Some(Value::Array(_)), _) => match keys {
            Some(keys) => lists(old, patch, shape, keys),
            None => Ok(patch.or(old).filter(|value| !value.is_null())),
        },
        (Some(Value::Object(_)) | None, _) => maps(old, patch, shape),
        (Some(_), _) => Ok(patch.or(old).filter(|value| !value.is_null())),
    }
}

fn sort(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
        _ => "a plain value",
    }
}

fn maps(old: Option<Value>, mut patch: Option<Value>, shape: Option<&'static Shape>) -> Result<Option<Value>, String> {
    let directive = patch.as_mut().map_or(Ok(Directive::Merge), of_map)?;
    let mut old = match (old, &patch) {
        (old, None) if old.as_ref().is_none_or(Value::is_null) => return Ok(old),
        (_, Some(Value::Null)) => return Ok(None),
        _ if directive == Directive::Delete => return Ok(None),
        // What is new is merged with itself, for what is to go from it is said within.
        (None | Some(Value::Null), Some(patch)) => patch.clone(),
        (Some(_), Some(patch)) if directive == Directive::Replace => patch.clone(),
        (Some(old), _) => old,
        (None, None) => return Ok(None),
    };
    let Some(known) = old.as_object_mut() else { return Ok(Some(old)) };
    let nothing = Map::new();
    let changes = patch.as_ref().and_then(Value::as_object).unwrap_or(&nothing);
    let mut names: Vec<String> = known.keys().chain(changes.keys()).cloned().collect();
    names.sort();
    names.dedup();
    for name in names {
        let way = shape.map(|shape| shape.field(&name)).unwrap_or_default();
        let was = known.get(&name).cloned();
        let is_kept = was.as_ref().is_some_and(Value::is_null) && !changes.contains_key(&name);
        let now = merged(was, changes.get(&name).cloned(), way.shape, way.keys)
            .map_err(|why| format!("at `{name}`: {why}"))?;
        match now {
            Some(now) if is_kept || !now.is_null() => {
                known.insert(name, now);
            }
            _ => {
                known.shift_remove(&name);
            }
        }
    }
    Ok(Some(old))
}

fn lists(
    old: Option<Value>,
    mut patch: Option<Value>,
    shape: Option<&'static Shape>,
    keys: &'static [&'static str],
) -> Result<Option<Value>, String> {
    let mut old = match (old, &mut patch) {
        (None | Some(Value::Null), None) => return Ok(None),
        (_, Some(Value::Null)) => return Ok(None),
        (None | Some(Value::Null), Some(patch)) => patch.clone(),
        (Some(old), None) => old,
        (Some(old), Some(patch)) => match of_list(patch)? {
            Directive::Delete => return Ok(None),
            Directive::Replace => patch.clone(),
            Directive::Merge => old,
        },
    };
    let keys = if keys.is_empty() { &[""][..] } else { keys };
    let mut values: Vec<Vec<String>> = Vec::new();
    for list in patch.iter().chain([&old]) {
        for value in elements::values(list, keys) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
    }
    if keys.len() > 1 {
        elements::unify(&mut values);
    }
    let mut items = Vec::new();
    let mut last = None;
    for value in &values {
        let keyed = elements::telling(&values, value, keys);
        let own = elements::telling(std::slice::from_ref(value), value, keys);
        let change = patch.as_ref().and_then(|patch| own.of_list(patch)).cloned();
        let is_replaced = change.as_ref().is_some_and(|change| change.get(DIRECTIVE) == Some(&"replace".into()));
        let was = own.of_list(&old).cloned();
        let now = merged(was, change, shape, None)?;
        let before = old.as_array_mut().expect("a list is merged with a list");
        match now {
            Some(mut now) if !now.is_null() && now.as_object().is_none_or(|fields| !fields.is_empty()) => {
                if let Some(item) = now.as_object_mut() {
                    for (key, value) in keyed.keys.iter().zip(&keyed.values).filter(|(_, value)| !value.is_empty()) {
                        item.entry(*key).or_insert_with(|| fields::unquoted(value));
                    }
                }
                if !is_replaced && let Some(place) = before.iter_mut().find(|item| own.is(item)) {
                    place.clone_from(&now);
                }
                keyed.set(&mut items, Some(&now));
            }
            _ => keyed.set(before, None),
        }
        last = Some(keyed.keys);
    }
    match last {
        Some(keys) => Ok(Some(Value::Array(joined(items, &old, &keys)))),
        None => Ok(Some(old)),
    }
}

/// The items of the patch, and behind them what was there before.
fn joined(mut items: Vec<Value>, old: &Value, keys: &[&str]) -> Vec<Value> {
    for item in old.as_array().map(Vec::as_slice).unwrap_or_default() {
        let mut values = Vec::new();
        for key in keys {
            match item.get(key).and_then(fields::written) {
                Some(value) => values.push(value),
                None if keys == [""] => values.extend(fields::written(item)),
                None => items.push(item.clone()),
            }
        }
        let keyed = Keyed { keys: keys.to_vec(), values };
        if keys.len() > 1 {
            keyed.set(&mut items, None);
        }
        keyed.set(&mut items, Some(item));
    }
    items
}

const DIRECTIVE: &str = "$patch";

fn of_map(patch: &mut Value) -> Result<Directive, String> {
    let word = patch.as_object_mut().and_then(|patch| patch.shift_remove(DIRECTIVE));
    word.map_or(Ok(Directive::Merge), |word| directive(&word))
}

/// A list says it by an item of its own.
fn of_list(patch: &mut Value) -> Result<Directive, String> {
    let Some(items) = patch.as_array_mut() else { return Ok(Directive::Merge) };
    let says = |item: &Value| item.get(DIRECTIVE).is_some();
    match items.iter().position(says) {
        Some(place) if items[place].as_object().is_some_and(|item| item.len() == 1) => {
            directive(&items.remove(place)[DIRECTIVE])
        }
        _ => Ok(Directive::Merge),
    }
}

fn directive(word: &Value) -> Result<Directive, String> {
    match word.as_str() {
        Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        _ => Err(format!("`$patch` is `merge`, `replace` or `delete`, not {word}")),
    }
}
