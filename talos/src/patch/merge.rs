//! Merging: what the patch says counts, where it is silent what was there stays, and lists grow.

use serde_json::{Map, Value};

use crate::configuration::{
    Contract, Document, Invalid, Url, is_nothing,
    shapes::{Field, Shape, Structure, TABLE},
};

/// # Errors
/// Where what is there and what is wanted are of different kinds.
pub fn into(document: &mut Document, patch: &Document, contract: Contract) -> Result<(), Invalid> {
    let structure = document.kind.structure();
    Merge { contract, path: Vec::new() }.fields(&mut document.fields, &patch.fields, structure)
}

struct Merge {
    contract: Contract,
    path: Vec<String>,
}

impl Merge {
    fn fields(
        &mut self,
        left: &mut Map<String, Value>,
        right: &Map<String, Value>,
        structure: &Structure,
    ) -> Result<(), Invalid> {
        for field in &structure.fields {
            self.path.push(field.name.clone());
            self.field(left, right.get(&field.name), field)?;
            self.path.pop();
        }
        Ok(())
    }

    fn field(&mut self, left: &mut Map<String, Value>, right: Option<&Value>, field: &Field) -> Result<(), Invalid> {
        let name = &field.name;
        match (&field.shape, right) {
            // These are as the patch has them, also when it is silent.
            (Shape::Size | Shape::Expression, None) => {
                left.shift_remove(name);
            }
            // A part without a place of its own is always there, so that its own fields hear of the silence.
            (Shape::Fields(index), None) => {
                if let Some(Value::Object(inner)) = left.get_mut(name) {
                    self.fields(inner, &Map::new(), TABLE.structure(*index))?;
                }
            }
            (_, None) => {}
            (_, Some(right)) if field.replaced => {
                left.insert(name.clone(), right.clone());
            }
            (shape, Some(right)) => match left.get_mut(name) {
                Some(left) => self.value(left, right, shape)?,
                None => {
                    left.insert(name.clone(), right.clone());
                }
            },
        }
        Ok(())
    }

    fn value(&mut self, left: &mut Value, right: &Value, shape: &Shape) -> Result<(), Invalid> {
        match (shape, left, right) {
            (Shape::Optional(_), left @ Value::Null, right) => *left = right.clone(),
            (Shape::Optional(_), _, Value::Null) => {}
            (Shape::Optional(inner), left, right) => {
                let overwrites = self.contract >= Contract::V1_12 && !matches!(**inner, Shape::Fields(_));
                match overwrites && is_nothing(right, inner) {
                    true => *left = right.clone(),
                    false => self.value(left, right, inner)?,
                }
            }
            (Shape::Fields(index), Value::Object(left), Value::Object(right)) => {
                self.fields(left, right, TABLE.structure(*index))?;
            }
            (Shape::List(item, keys, _), Value::Array(left), Value::Array(right)) => {
                self.list(left, right, item, keys)?;
            }
            (Shape::Map(shape), Value::Object(left), Value::Object(right)) => {
                for (key, right) in right {
                    match left.get_mut(key).filter(|left| !left.is_null()) {
                        Some(left) => self.value(left, right, shape)?,
                        None => {
                            left.insert(key.clone(), right.clone());
                        }
                    }
                }
            }
            (Shape::Anything, left, right) => self.anything(left, right)?,
            (Shape::Url, left, right) => {
                let url = |value: &Value| Url::read(value.as_str().unwrap_or_default()).unwrap_or_default();
                *left = url(right).or(url(left)).text().into();
            }
            (shape, left, right) if shape_is_true(shape) || !is_nothing(right, shape) => *left = right.clone(),
            _ => {}
        }
        Ok(())
    }

    fn list(&mut self, left: &mut Vec<Value>, right: &[Value], item: &Shape, keys: &[String]) -> Result<(), Invalid> {
        for new in right {
            match left.iter_mut().find(|old| same(old, new, keys)) {
                Some(old) => self.value(old, new, item)?,
                None => left.push(new.clone()),
            }
        }
        Ok(())
    }

    /// What has no shape is merged by what it is.
    fn anything(&mut self, left: &mut Value, right: &Value) -> Result<(), Invalid> {
        match (left, right) {
            (Value::Object(left), Value::Object(right)) => {
                for (key, right) in right {
                    self.path.push(key.clone());
                    match left.get_mut(key).filter(|left| !left.is_null()) {
                        Some(left) => self.anything(left, right)?,
                        None => {
                            left.insert(key.clone(), right.clone());
                        }
                    }
                    self.path.pop();
                }
            }
            (Value::Array(left), Value::Array(right)) => left.extend(right.iter().cloned()),
            (left @ Value::Bool(_), Value::Bool(_)) => *left = right.clone(),
            (left @ Value::String(_), Value::String(text)) => {
                if !text.is_empty() {
                    *left = right.clone();
                }
            }
            (left @ Value::Number(_), Value::Number(number)) if left.is_f64() == number.is_f64() => {
                if number.as_f64() != Some(0.0) {
                    *left = right.clone();
                }
            }
            (left, right) => {
                let path = self.path.join(".");
                let (was, wanted) = (kind(left), kind(right));
                return Err(Invalid::new(format!("`{path}` is {was}, and the patch has {wanted} there")));
            }
        }
        Ok(())
    }
}

fn shape_is_true(shape: &Shape) -> bool {
    matches!(shape, Shape::Bool | Shape::Size | Shape::Expression | Shape::Pair | Shape::Certificate | Shape::Key)
}

/// Whether two items are one: by the first of the keys that the new one has.
fn same(old: &Value, new: &Value, keys: &[String]) -> bool {
    let Some(first) = keys.first() else { return false };
    let key = match keys {
        [_] => Some(first),
        keys => keys.iter().find(|key| new.get(key.as_str()).is_some()),
    };
    key.is_some_and(|key| old.get(key) == new.get(key))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth",
        Value::Number(number) if number.is_f64() => "a number with a point",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
