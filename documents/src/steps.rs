//! The steps of RFC 6902, with the liberties that programs written in Go take: places are counted from the end, too, and what
//! isn't there can be replaced in a map.

use serde_json::{Map, Value};

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    operation: String,
    path: Option<String>,
    from: Option<String>,
    value: Value,
}

impl Step {
    /// # Errors
    /// It isn't one.
    pub fn read(value: &Value) -> Result<Self, String> {
        let fields = value.as_object().ok_or_else(|| {
            let kind = match value {
                Value::String(_) => "string",
                Value::Bool(_) => "bool",
                Value::Number(_) => "number",
                _ => "array",
            };
            format!("json: cannot unmarshal {kind} into Go value of type jsonpatch.Operation")
        })?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            operation: text("op").unwrap_or_else(|| "unknown".to_owned()),
            path: text("path"),
            from: text("from"),
            value: fields.get("value").cloned().unwrap_or_default(),
        })
    }

    /// Takes the step.
    ///
    /// # Errors
    /// Why it can't be taken, in the words of those programs.
    pub fn take(&self, root: &mut Value) -> Result<(), String> {
        let operation = &self.operation;
        let path =
            || self.path.as_deref().ok_or_else(|| format!("{operation} operation failed to decode path: {MISSING}"));
        let from = || {
            let lost =
                || format!("{operation} operation failed to decode from: operation, missing from field: {MISSING}");
            self.from.as_deref().ok_or_else(lost)
        };
        let lost = |what: &str| format!("{operation} operation does not apply: doc is missing {what}: {MISSING}");
        match operation.as_str() {
            "add" => {
                let path = path()?;
                let (place, key) = container(root, path).ok_or_else(|| lost(&format!("path: {path:?}")))?;
                add(place, &key, self.value.clone()).map_err(|why| failed("add", path, &why))
            }
            "remove" => {
                let path = path()?;
                let (place, key) = container(root, path).ok_or_else(|| lost(&format!("path: {path:?}")))?;
                remove(place, &key).map(|_| ()).map_err(|why| failed("remove", path, &why))
            }
            "replace" => match path()? {
                "" => {
                    *root = self.value.clone();
                    Ok(())
                }
                path => {
                    let (place, key) = container(root, path).ok_or_else(|| lost(&format!("path: {path}")))?;
                    replace(place, &key, self.value.clone()).map_err(|_| lost(&format!("key: {path}")))
                }
            },
            "move" => {
                let (from, path) = (from()?, path()?);
                let (place, key) = container(root, from).ok_or_else(|| lost(&format!("from path: {from}")))?;
                let value = remove(place, &key).map_err(|why| failed("move", &key, &why))?;
                let destination = lost(&format!("destination path: {path}"));
                let (place, key) = container(root, path).ok_or(destination)?;
                add(place, &key, value).map_err(|why| failed("move", path, &why))
            }
            "copy" => {
                let (from, path) = (from()?, path()?);
                let (place, key) = container(root, from).ok_or_else(|| lost(&format!("from path: {from}")))?;
                let value = get(place, &key).map_err(|why| failed("copy", &key, &why))?.cloned().unwrap_or_default();
                let destination = lost(&format!("destination path: {path}"));
                let (place, key) = container(root, path).ok_or(destination)?;
                add(place, &key, value).map_err(|why| format!("error while adding value during copy: {why}"))
            }
            "test" => {
                let path = path()?;
                let is = match path {
                    "" => Some(root.clone()),
                    path => {
                        let lost = || format!("test operation does not apply: is missing path: {path}: {MISSING}");
                        let (place, key) = container(root, path).ok_or_else(lost)?;
                        get(place, &key).map_err(|why| failed("test", path, &why))?.cloned()
                    }
                };
                match is.unwrap_or_default() == self.value {
                    true => Ok(()),
                    false => Err(format!("testing value {path} failed: test failed")),
                }
            }
            kind => Err(format!("Unexpected kind: {kind}")),
        }
    }
}

const MISSING: &str = "missing value";

fn failed(operation: &str, path: &str, why: &str) -> String {
    format!("error in {operation} for path: '{path}': {why}")
}

/// What the last part of a path is in, and that part.
fn container<'v>(root: &'v mut Value, path: &str) -> Option<(&'v mut Value, String)> {
    let parts: Vec<String> = path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    let (key, way) = parts.get(1..)?.split_last()?;
    let mut place = root;
    for part in way {
        place = match place {
            Value::Object(map) => map.get_mut(part)?,
            Value::Array(items) => {
                let index = index(part, items.len()).ok()?;
                &mut items[index]
            }
            _ => return None,
        };
    }
    (place.is_object() || place.is_array()).then(|| (place, key.clone()))
}

/// A place in a list of so many, which may be counted from its end.
fn index(key: &str, count: usize) -> Result<usize, String> {
    let number: i64 = key.parse().map_err(|_| {
        format!("value was not a proper array index: '{key}': strconv.Atoi: parsing {key:?}: invalid syntax")
    })?;
    let count = i64::try_from(count).expect("lists are shorter");
    let from_begin = if number < 0 { number.saturating_add(count) } else { number };
    match (0..count).contains(&from_begin) {
        true => Ok(usize::try_from(from_begin).expect("it isn't negative")),
        false => Err(format!("Unable to access invalid index: {number}: invalid index referenced")),
    }
}

fn get<'v>(place: &'v Value, key: &str) -> Result<Option<&'v Value>, String> {
    match place {
        Value::Array(items) => Ok(items.get(index(key, items.len())?)),
        place => Ok(place.get(key)),
    }
}

fn add(place: &mut Value, key: &str, value: Value) -> Result<(), String> {
    match place {
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => items.insert(index(key, items.len() + 1)?, value),
        place => {
            fields(place).insert(key.to_owned(), value);
        }
    }
    Ok(())
}

fn replace(place: &mut Value, key: &str, value: Value) -> Result<(), String> {
    match place {
        Value::Array(items) => {
            let index = index(key, items.len())?;
            items[index] = value;
        }
        place => {
            fields(place).insert(key.to_owned(), value);
        }
    }
    Ok(())
}

fn remove(place: &mut Value, key: &str) -> Result<Value, String> {
    match place {
        Value::Array(items) => Ok(items.remove(index(key, items.len())?)),
        place => {
            let gone = fields(place).shift_remove(key);
            gone.ok_or_else(|| format!("Unable to remove nonexistent key: {key}: {MISSING}"))
        }
    }
}

fn fields(place: &mut Value) -> &mut Map<String, Value> {
    place.as_object_mut().expect("a container is a list or a map")
}
