//! JSON patches (RFC 6902) as the real server carries them out, with its own leniencies: an index below zero counts from the end, what
//! is not there can be replaced, and what is not there passes for null.

use serde_json::Value;

/// One step of a patch.
pub struct Operation {
    op: String,
    path: Option<String>,
    from: Option<String>,
    value: Value,
}

impl Operation {
    /// Nothing, if it is no map.
    pub fn read(step: &Value) -> Option<Self> {
        let step = step.as_object()?;
        let text = |name: &str| step.get(name).and_then(Value::as_str).map(str::to_owned);
        let value = step.get("value").cloned().unwrap_or_default();
        Some(Self { op: text("op").unwrap_or_default(), path: text("path"), from: text("from"), value })
    }

    /// Carries out this step; nothing, if it doesn't fit.
    pub fn on(&self, document: &mut Value) -> Option<()> {
        let path = self.path.as_deref();
        match self.op.as_str() {
            "add" => add(document, path?, self.value.clone()),
            "remove" => take(document, path?).map(drop),
            "replace" => replace(document, path?, self.value.clone()),
            "move" => {
                let value = take(document, self.from.as_deref()?)?;
                add(document, path?, value)
            }
            "copy" => {
                let value = look(document, self.from.as_deref()?)?.clone();
                add(document, path?, value)
            }
            "test" => (*look(document, path?)? == self.value).then_some(()),
            _ => None,
        }
    }
}

fn add(document: &mut Value, path: &str, value: Value) -> Option<()> {
    match find(document, path)? {
        (Value::Array(items), key) if key == "-" => items.push(value),
        (Value::Array(items), key) => {
            let place = within(items.len() + 1, &key)?;
            items.insert(place, value);
        }
        (container, key) => drop(container.as_object_mut()?.insert(key, value)),
    }
    Some(())
}

fn replace(document: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.is_empty() {
        *document = Some(value).filter(|value| value.is_object() || value.is_array())?;
        return Some(());
    }
    match find(document, path)? {
        (Value::Array(items), key) => {
            let place = within(items.len(), &key)?;
            items[place] = value;
        }
        (container, key) => drop(container.as_object_mut()?.insert(key, value)),
    }
    Some(())
}

fn take(document: &mut Value, path: &str) -> Option<Value> {
    match find(document, path)? {
        (Value::Array(items), key) => {
            let place = within(items.len(), &key)?;
            Some(items.remove(place))
        }
        (container, key) => container.as_object_mut()?.shift_remove(&key),
    }
}

fn look<'d>(document: &'d mut Value, path: &str) -> Option<&'d Value> {
    if path.is_empty() {
        return Some(document);
    }
    match find(document, path)? {
        (Value::Array(items), key) => {
            let place = within(items.len(), &key)?;
            items.get(place)
        }
        (container, key) => Some(container.get(&key).unwrap_or(&Value::Null)),
    }
}

/// What contains the end of a path, and the last key.
fn find<'d>(document: &'d mut Value, path: &str) -> Option<(&'d mut Value, String)> {
    let keys: Vec<String> = path.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    let [_, inner @ .., last] = keys.as_slice() else { return None };
    let mut container = document;
    for key in inner {
        container = match container {
            Value::Object(map) => map.get_mut(key)?,
            Value::Array(items) => {
                let place = within(items.len(), key)?;
                &mut items[place]
            }
            _ => return None,
        };
    }
    (container.is_object() || container.is_array()).then(|| (container, last.clone()))
}

/// The place that a key means in a list of this length.
fn within(length: usize, key: &str) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let index: i64 = key.parse().ok()?;
    let place = if index < 0 { index + length } else { index };
    usize::try_from(place).ok().filter(|_| place < length)
}
