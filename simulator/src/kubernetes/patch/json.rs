//! JSON patches (RFC 6902) as the real server carries them out, with its own leniencies: an index below zero counts from the end, what
//! is not there can be replaced, and what is not there passes for null.

use serde_json::Value;

/// One step of a patch.
#[derive(Debug, Clone)]
pub struct Operation {
    op: String,
    path: Option<String>,
    from: Option<String>,
    value: Value,
}

/// Why a step can't be taken, in the words of the real server, which most callers keep to themselves.
#[derive(Debug, PartialEq, Eq)]
pub enum Misfit {
    /// A test found something else.
    Test,
    Unfit(String),
}

/// Why a place is none.
enum Missing {
    Key(String),
    Index(i64),
    /// It is no number.
    Place(String),
}

impl Missing {
    fn told(&self) -> String {
        match self {
            Missing::Key(key) => format!("Unable to remove nonexistent key: {key}: missing value"),
            Missing::Index(index) => format!("Unable to access invalid index: {index}: invalid index referenced"),
            Missing::Place(key) => {
                format!("value was not a proper array index: '{key}': strconv.Atoi: parsing {key:?}: invalid syntax")
            }
        }
    }
}

impl Operation {
    /// Nothing, if it is no map.
    pub fn read(step: &Value) -> Option<Self> {
        if !matches!(step, Value::Object(_) | Value::Null) {
            return None;
        }
        let text = |name: &str| step.get(name).and_then(Value::as_str).map(str::to_owned);
        let value = step.get("value").cloned().unwrap_or_default();
        Some(Self { op: text("op").unwrap_or_default(), path: text("path"), from: text("from"), value })
    }

    /// Carries out this step.
    ///
    /// # Errors
    /// Why it doesn't fit.
    pub fn on(&self, document: &mut Value) -> Result<(), Misfit> {
        let op = self.op.as_str();
        let known = ["add", "remove", "replace", "move", "copy", "test"].contains(&op);
        let Some(path) = self.path.as_deref().filter(|_| known) else {
            return Err(Misfit::Unfit(format!("Unexpected kind: {}", if known { "unknown" } else { op })));
        };
        let undecoded = || Misfit::Unfit(format!("{op} operation failed to decode from: missing value"));
        let from = || self.from.as_deref().ok_or_else(undecoded);
        let missing = |what: &str, path: &str| {
            Misfit::Unfit(format!("{op} operation does not apply: {what}: {path}: missing value"))
        };
        let doc = |path: &str| missing("doc is missing path", &format!("{path:?}"));
        let within =
            |path: &str, why: &Missing| Misfit::Unfit(format!("error in {op} for path: '{path}': {}", why.told()));
        match op {
            "add" => add(find(document, path).ok_or_else(|| doc(path))?, self.value.clone())
                .map_err(|why| within(path, &why)),
            "remove" => {
                take(find(document, path).ok_or_else(|| doc(path))?).map(drop).map_err(|why| within(path, &why))
            }
            "replace" if path.is_empty() => {
                let whole = Some(&self.value).filter(|value| value.is_object() || value.is_array());
                *document = whole.ok_or_else(|| missing("doc is missing path", path))?.clone();
                Ok(())
            }
            "replace" => put(find(document, path).ok_or_else(|| missing("doc is missing path", path))?, &self.value)
                .map_err(|_| missing("doc is missing key", path)),
            "move" => {
                let from = from()?;
                let place = find(document, from).ok_or_else(|| missing("doc is missing from path", from))?;
                let key = place.1.clone();
                let value = take(place).map_err(|why| within(&key, &why))?;
                let place = find(document, path).ok_or_else(|| missing("doc is missing destination path", path))?;
                add(place, value).map_err(|why| within(path, &why))
            }
            "copy" => {
                let from = from()?;
                let value = match from {
                    "" => document.clone(),
                    from => look(find(document, from).ok_or_else(|| missing("doc is missing from path", from))?)
                        .map_err(|why| Misfit::Unfit(format!("error in copy for from: '{from}': {}", why.told())))?,
                };
                let place = find(document, path).ok_or_else(|| missing("doc is missing destination path", path))?;
                add(place, value)
                    .map_err(|why| Misfit::Unfit(format!("error while adding value during copy: {}", why.told())))
            }
            _ => {
                let value = match path {
                    "" => document.clone(),
                    path => look(find(document, path).ok_or_else(|| missing("is missing path", path))?)
                        .map_err(|why| within(path, &why))?,
                };
                if value == self.value { Ok(()) } else { Err(Misfit::Test) }
            }
        }
    }
}

/// What contains the end of a path, and the last key.
type Place<'d> = (&'d mut Value, String);

fn add((container, key): Place, value: Value) -> Result<(), Missing> {
    match container {
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => {
            let place = within(items.len() + 1, &key)?;
            items.insert(place, value);
        }
        container => {
            container[key] = value;
        }
    }
    Ok(())
}

fn put((container, key): Place, value: &Value) -> Result<(), Missing> {
    match container {
        Value::Array(items) => {
            let place = within(items.len(), &key)?;
            items[place] = value.clone();
        }
        container => container[key] = value.clone(),
    }
    Ok(())
}

fn take((container, key): Place) -> Result<Value, Missing> {
    match container {
        Value::Array(items) => {
            let place = within(items.len(), &key)?;
            Ok(items.remove(place))
        }
        container => {
            container.as_object_mut().and_then(|map| map.shift_remove(&key)).ok_or_else(|| Missing::Key(key.clone()))
        }
    }
}

fn look((container, key): Place) -> Result<Value, Missing> {
    match container {
        Value::Array(items) => {
            let place = within(items.len(), &key)?;
            Ok(items[place].clone())
        }
        container => Ok(container.get(&key).cloned().unwrap_or_default()),
    }
}

fn find<'d>(document: &'d mut Value, path: &str) -> Option<Place<'d>> {
    let keys: Vec<String> = path.split('/').map(|key| key.replace("~1", "/").replace("~0", "~")).collect();
    let [_, inner @ .., last] = keys.as_slice() else { return None };
    let mut container = document;
    for key in inner {
        container = match container {
            Value::Object(map) => map.get_mut(key)?,
            Value::Array(items) => {
                let place = within(items.len(), key).ok()?;
                &mut items[place]
            }
            _ => return None,
        };
    }
    (container.is_object() || container.is_array()).then(|| (container, last.clone()))
}

/// The place that a key means in a list of this length.
fn within(length: usize, key: &str) -> Result<usize, Missing> {
    let index: i64 = key.parse().map_err(|_| Missing::Place(key.to_owned()))?;
    let there = i64::try_from(length).unwrap_or(i64::MAX);
    let place = if index < 0 { index + there } else { index };
    usize::try_from(place).ok().filter(|place| *place < length).ok_or(Missing::Index(index))
}
