//! Fields by paths such as `spec.template.spec.containers.[name=web].image`, as replacements name them.

use regex::Regex;
use serde_json::{Map, Value};

use crate::fields::written;

/// The parts of a path; what stands in brackets is one, and a dot behind a backslash is part of a name.
pub fn split(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut joins = false;
    for part in path.split('.') {
        let (text, escaped) = part.strip_suffix('\\').map_or((part, false), |part| (part, true));
        match parts.last_mut() {
            Some(last) if joins || is_open(last) => {
                last.push('.');
                last.push_str(text);
            }
            _ => parts.push(text.to_owned()),
        }
        joins = escaped;
    }
    let bare = |part: String| match part.starts_with('[') && part.contains('.') && !part.contains('=') {
        true => part.trim_matches(['[', ']']).to_owned(),
        false => part,
    };
    parts.into_iter().map(bare).collect()
}

fn is_open(part: &str) -> bool {
    part.starts_with('[') && !part.ends_with(']')
}

/// What a path leads to.
pub fn find<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, part| match value {
        Value::Array(items) => match entry(part) {
            Some((field, wanted)) => {
                items.iter().find(|item| named(item, field).and_then(written).as_deref() == Some(wanted))
            }
            None if part == "-" => items.last(),
            None => items.get(part.parse::<usize>().ok()?),
        },
        value => value.get(part),
    })
}

/// What is put at the end of a path that isn't there.
pub type Made<'m> = Option<&'m Value>;

/// Called with each field that a path leads to, and whether it was just made.
pub type Set<'s> = dyn FnMut(&mut Value, bool) -> Result<(), String> + 's;

/// Changes each field that a path leads to, and says how many there are.
pub fn change(value: &mut Value, path: &[String], made: Made, is_new: bool, set: &mut Set) -> Result<usize, String> {
    let Some((part, rest)) = path.split_first() else {
        set(value, is_new)?;
        return Ok(1);
    };
    if part == "*" {
        let items = list(value, part)?;
        return items.iter_mut().map(|item| change(item, rest, made, false, set)).sum();
    }
    if let Ok(index) = part.parse::<usize>() {
        let items = list(value, part)?;
        let is_new = index == items.len() && made.is_some();
        if is_new {
            items.push(beginning(rest, made));
        }
        let count = items.len();
        let item = items.get_mut(index).ok_or_else(|| format!("there is no item {index}, for there are {count}"))?;
        return change(item, rest, made, is_new, set);
    }
    if let Some((field, wanted)) = entry(part) {
        return change_entries(value, part, (field, wanted), rest, made, set);
    }
    let Value::Object(fields) = value else { return Err(format!("`{part}` is looked for in what is no map")) };
    let is_new = !fields.contains_key(part);
    match (made, fields.get_mut(part)) {
        (None, None) => Ok(0),
        (_, Some(field)) if !rest.is_empty() && !field.is_object() && !field.is_array() => {
            Err(format!("`{part}` is a text, and fields inside of texts are not supported"))
        }
        (_, Some(field)) => change(field, rest, made, is_new, set),
        (Some(_), None) => {
            let field = fields.entry(part).or_insert(beginning(rest, made));
            change(field, rest, made, true, set)
        }
    }
}

fn change_entries(
    value: &mut Value,
    part: &str,
    (field, wanted): (&str, &str),
    rest: &[String],
    made: Made,
    set: &mut Set,
) -> Result<usize, String> {
    let expression = Regex::new(wanted).map_err(|_| format!("`{part}` has no expression behind its `=`"))?;
    let items = list(value, part)?;
    let mut count = 0;
    for item in items.iter_mut() {
        if named(item, field).and_then(written).is_some_and(|text| expression.is_match(&text)) {
            count += change(item, rest, made, false, set)?;
        }
    }
    if count > 0 || made.is_none() {
        return Ok(count);
    }
    let mut item = match field {
        "" => wanted.into(),
        field => Value::Object(Map::from_iter([(field.to_owned(), wanted.into())])),
    };
    let count = change(&mut item, rest, made, false, set)?;
    items.push(item);
    Ok(count)
}

fn list<'v>(value: &'v mut Value, part: &str) -> Result<&'v mut Vec<Value>, String> {
    value.as_array_mut().ok_or_else(|| format!("`{part}` is looked for in what is no list"))
}

fn named<'v>(item: &'v Value, field: &str) -> Option<&'v Value> {
    if field.is_empty() { Some(item) } else { item.get(field) }
}

/// `[name=web]`
fn entry(part: &str) -> Option<(&str, &str)> {
    part.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

/// What the rest of a path begins in.
fn beginning(rest: &[String], made: Made) -> Value {
    match rest.first() {
        None => made.cloned().unwrap_or_default(),
        Some(part) if part.starts_with('[') || part.parse::<usize>().is_ok() => Value::Array(Vec::new()),
        Some(_) => Value::Object(Map::new()),
    }
}
