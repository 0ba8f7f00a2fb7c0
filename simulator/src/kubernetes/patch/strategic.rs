//! Strategic merge patches: merge patches that know lists, by what the schema says of them and by directives in the patch.

use serde_json::{Map, Value};

use super::words;
use crate::kubernetes::schema::{Shape, Typed};

/// Why a patch doesn't fit, by how the real server answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// 400
    Malformed(String),
    /// 422
    Unprocessable,
    /// 500
    Failed(String),
}

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
const ORDER: &str = "$setElementOrder";

type List = Vec<Value>;

/// Lays a patch over a map. Of the patch is left what the real server tells of it afterwards: it takes out the directives that it
/// has done.
///
/// # Errors
/// If a directive is malformed, or an item lacks what would tell it apart.
pub fn merge(
    original: Map<String, Value>,
    patch: &mut Value,
    typed: Option<Typed>,
) -> Result<Map<String, Value>, Misfit> {
    let Value::Object(patch) = patch else { return Err(Misfit::Malformed("invalid JSON document".to_owned())) };
    map(original, patch, typed)
}

fn map(
    mut original: Map<String, Value>,
    patch: &mut Map<String, Value>,
    typed: Option<Typed>,
) -> Result<Map<String, Value>, Misfit> {
    match patch.get(DIRECTIVE) {
        None => {}
        Some(directive) if directive == "replace" => {
            patch.shift_remove(DIRECTIVE);
            return Ok(patch.clone());
        }
        Some(directive) if directive == "delete" => return Ok(Map::new()),
        Some(directive) => return Err(unknown(directive, patch)),
    }
    retain(&mut original, patch)?;
    order(&mut original, patch, typed)?;
    for (key, value) in patch.iter_mut() {
        let (key, deletes) = match key.starts_with(DELETE_FROM) {
            true => (named(key, DELETE_FROM, "primitive list")?, true),
            false => (key.clone(), false),
        };
        if value.is_null() {
            original.shift_remove(&key);
            continue;
        }
        let merging = typed.map(|typed| typed.merging(&key)).unwrap_or_default();
        let below = typed.and_then(|typed| typed.below(&key));
        let merged = match (original.get_mut(&key).map(Value::take), value) {
            (Some(Value::Object(_)), Value::Object(value)) if merging.replaces => Some(Value::Object(value.clone())),
            (Some(Value::Object(there)), Value::Object(value)) => Some(Value::Object(map(there, value, below)?)),
            (Some(Value::Array(there)), Value::Array(value)) if merging.merges || deletes => {
                let items = below.and_then(Typed::items);
                Some(Value::Array(list(there, value, items, merging.key, deletes)?))
            }
            (Some(Value::Array(_)), Value::Array(value)) => Some(Value::Array(value.clone())),
            // A list to delete from that isn't there is no list.
            (there, _) if deletes => there,
            (_, value) => {
                *value = without_nulls(value.take());
                plain(value.clone())
            }
        };
        match merged {
            Some(merged) => drop(original.insert(key, merged)),
            None => drop(original.shift_remove(&key)),
        }
    }
    Ok(original)
}

/// Takes out of the original what `$retainKeys` doesn't name.
fn retain(original: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), Misfit> {
    let Some(kept) = patch.shift_remove(RETAIN_KEYS) else { return Ok(()) };
    let malformed = || Misfit::Malformed("invalid patch format of retainKeys".to_owned());
    let kept = kept.as_array().ok_or_else(malformed)?.clone();
    let keeps = |key: &String| kept.iter().any(|kept| kept == key);
    let stray = |(key, value): (&String, &Value)| {
        !value.is_null() && !key.starts_with(DELETE_FROM) && !key.starts_with(ORDER) && !keeps(key)
    };
    if patch.iter().any(stray) {
        return Err(malformed());
    }
    original.retain(|key, _| keeps(key));
    Ok(())
}

/// Merges the lists that have a `$setElementOrder`, and puts them into that order.
fn order(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    typed: Option<Typed>,
) -> Result<(), Misfit> {
    let orders: Vec<String> = patch.keys().filter(|key| key.starts_with(ORDER)).cloned().collect();
    for key in orders {
        let order = list_of(patch.shift_remove(&key).unwrap_or_default())?;
        let key = named(&key, ORDER, "setElementOrder list")?;
        let there = original.get_mut(&key).map(Value::take).map(list_of).transpose()?;
        let mut given = patch.shift_remove(&key).map(list_of).transpose()?;
        if let Some(why) = typed.and_then(|typed| no_list(typed, &key, original)) {
            return Err(Misfit::Failed(why));
        }
        let merging = typed.map(|typed| typed.merging(&key)).unwrap_or_default();
        let below = typed.and_then(|typed| typed.below(&key)).and_then(Typed::items);
        in_order(given.as_deref().unwrap_or_default(), &order, merging.key)?;
        let was = there.clone().unwrap_or_default();
        let merged = match (there, given.as_mut()) {
            (None, None) => continue,
            (Some(there), None) => there,
            (None, Some(given)) => given.iter().cloned().filter_map(plain).collect(),
            (Some(there), Some(given)) if merging.merges => list(there, given, below, merging.key, false)?,
            (Some(_), Some(given)) => given.clone(),
        };
        original.insert(key, Value::Array(sorted(merged, &order, &was, merging.key)?));
    }
    Ok(())
}

/// Why there is no list of this name whose order could be set.
fn no_list(typed: Typed, key: &str, original: &Map<String, Value>) -> Option<String> {
    if !typed.names(key) {
        let own = || original.get("kind").and_then(Value::as_str);
        return Some(match typed.name().and_then(|name| name.rsplit('.').next()).or_else(own) {
            Some(name) if !typed.is_open() => {
                format!("unable to find api field in struct {name} for the json field \"{key}\"")
            }
            _ => "merging an object in json but data type is not struct, instead is: map".to_owned(),
        });
    }
    let is_list = typed.below(key).is_some_and(|below| matches!(below.shape(), Shape::List(_)));
    (!is_list).then(|| "expected slice or array type, but got: struct".to_owned())
}

/// The items of a patch have to come in the order that it sets.
fn in_order(given: &[Value], order: &[Value], key: Option<&str>) -> Result<(), Misfit> {
    if given.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut wanted = order.iter();
    for item in given.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let mut found = false;
        for other in wanted.by_ref() {
            if same(item, other, key)? {
                found = true;
                break;
            }
        }
        if !found {
            let [given, order] = [given, order].map(words::listed);
            return Err(Misfit::Failed(format!(
                "The order in patch list:\n{given}\n doesn't match {ORDER} list:\n{order}\n"
            )));
        }
    }
    Ok(())
}

fn list(there: List, given: &mut List, typed: Option<Typed>, key: Option<&str>, deletes: bool) -> Result<List, Misfit> {
    let Some(first) = there.first().or(given.first()) else { return Ok(there) };
    if first.is_array() {
        return Err(Misfit::Unprocessable);
    }
    if there.iter().chain(&*given).any(|item| words::type_of(item) != words::type_of(first)) {
        let lists = [&there, &*given].map(|list| words::listed(list));
        return Err(Misfit::Failed(format!("list element types are not identical: [{}]", lists.join(" "))));
    }
    if !first.is_object() {
        if deletes {
            return Ok(there.into_iter().filter(|item| !given.contains(item)).collect());
        }
        let mut merged = there.clone();
        merged.extend(given.iter().cloned());
        let merged = each_once(merged);
        return sorted(merged, given, &there, None);
    }
    let Some(key) = key else {
        return Err(Misfit::Failed("cannot merge lists without merge key".to_owned()));
    };
    let (mut merged, mut given) = directed(there, given, key)?;
    let was = merged.clone();
    for item in &mut given {
        let Value::Object(item) = item else { continue };
        let wanted = item.get(key).ok_or_else(|| no_key(item, key))?;
        match merged.iter_mut().find(|there| there.get(key) == Some(wanted)) {
            Some(Value::Object(there)) => *there = map(std::mem::take(there), item, typed)?,
            _ => merged.push(Value::Object(item.clone())),
        }
    }
    let given: List = given.into_iter().map(|item| item.clone()).collect();
    sorted(merged, &given, &was, Some(key))
}

/// Does what items with a `$patch` say; what is left of the patch are the other ones.
fn directed<'p>(mut there: List, given: &'p mut List, key: &str) -> Result<(List, Vec<&'p mut Value>), Misfit> {
    let mut plain = Vec::new();
    let mut replaces = false;
    for item in given {
        let Some(directive) = item.get(DIRECTIVE) else {
            plain.push(item);
            continue;
        };
        let Value::Object(map) = &*item else { continue };
        match directive.as_str() {
            Some("delete") => {
                let gone = map.get(key).ok_or_else(|| no_key(map, key))?;
                there.retain(|item| item.get(key) != Some(gone));
            }
            Some("replace") => replaces = true,
            Some("merge") => {
                return Err(Misfit::Failed("merging lists cannot yet be specified in the patch".to_owned()));
            }
            _ => return Err(unknown(directive, map)),
        }
    }
    Ok(if replaces { (plain.into_iter().map(|item| item.clone()).collect(), Vec::new()) } else { (there, plain) })
}

/// The items that `order` names in its order, the others among them as near to their old places as that allows.
fn sorted(items: List, order: &[Value], was: &[Value], key: Option<&str>) -> Result<List, Misfit> {
    let place = |list: &[Value], item: &Value| -> Result<Option<usize>, Misfit> {
        for (place, other) in list.iter().enumerate() {
            if same(item, other, key)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    };
    let (mut ordered, mut others) = (Vec::new(), Vec::new());
    for item in items {
        match place(order, &item)? {
            Some(at) => ordered.push((at, place(was, &item)?, item)),
            None => others.push((place(was, &item)?, item)),
        }
    }
    ordered.sort_by_key(|(at, ..)| *at);
    others.sort_by_key(|(was, _)| *was);
    let mut all = Vec::new();
    let mut others = others.into_iter().peekable();
    for (_, was, item) in ordered {
        while let Some((other, _)) = others.peek()
            && let (Some(other), Some(was)) = (other, was)
            && *other < was
        {
            all.extend(others.next().map(|(_, item)| item));
        }
        all.push(item);
    }
    all.extend(others.map(|(_, item)| item));
    Ok(all)
}

fn same(item: &Value, other: &Value, key: Option<&str>) -> Result<bool, Misfit> {
    let Some(key) = key else { return Ok(item == other) };
    let value = |item: &Value| match item {
        Value::Object(map) => map.get(key).cloned().ok_or_else(|| no_key(map, key)),
        other => Err(not(words::MAP, other)),
    };
    Ok(value(item)? == value(other)?)
}

/// Scalars, each once. One that is there twice makes room for the last, as the real server does it.
fn each_once(mut items: List) -> List {
    let mut at = 0;
    while at < items.len() {
        let mut other = at + 1;
        while other < items.len() {
            if items[at] == items[other] {
                items.swap_remove(other);
            } else {
                other += 1;
            }
        }
        at += 1;
    }
    items
}

/// A value without what tells how to merge it; nothing, if it was only that.
fn plain(value: Value) -> Option<Value> {
    Some(match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => return None,
        Value::Object(map) => {
            Value::Object(map.into_iter().filter_map(|(key, value)| Some((key, plain(value)?))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().filter_map(plain).collect()),
        other => other,
    })
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

fn list_of(value: Value) -> Result<List, Misfit> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(not("[]interface {}", &other)),
    }
}

/// The field that a key with a directive is about.
fn named(key: &str, directive: &str, what: &str) -> Result<String, Misfit> {
    match key.split_once('/') {
        Some((prefix, name)) if prefix == directive => Ok(name.to_owned()),
        _ => Err(Misfit::Malformed(format!("invalid patch format of {what}"))),
    }
}

fn not(wanted: &str, found: &Value) -> Misfit {
    Misfit::Failed(format!("expected a {wanted}, but received a {}", words::type_of(found)))
}

fn no_key(item: &Map<String, Value>, key: &str) -> Misfit {
    Misfit::Failed(format!("map: {} does not contain declared merge key: {key}", words::mapped(item)))
}

fn unknown(directive: &Value, map: &Map<String, Value>) -> Misfit {
    let directive = words::as_text(directive);
    Misfit::Failed(format!("unknown patch type: {directive} in map: {}", words::mapped(map)))
}
