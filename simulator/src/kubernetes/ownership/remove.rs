//! Taking fields out of an object.

use serde_json::{Map, Value};

use super::{
    field_set::{Element, FieldSet},
    form::{Form, form, items},
    items::ItemError,
};
use crate::kubernetes::schema::Typed;

/// The object without the fields of a set. A map or a list that loses everything becomes nothing.
///
/// # Errors
/// If the items of a list can't be told apart.
pub fn remove(typed: Typed, object: &Value, set: &FieldSet) -> Result<Value, ItemError> {
    walk(Some(typed), object, set, &mut Vec::new())
}

fn walk(typed: Option<Typed>, value: &Value, set: &FieldSet, path: &mut Vec<Element>) -> Result<Value, ItemError> {
    match form(typed, [Some(value), None]) {
        Form::Leaf if value.is_object() || value.is_array() => Ok(Value::Null),
        Form::Leaf => Ok(value.clone()),
        Form::Map => {
            let mut kept = Map::new();
            for (key, below) in value.as_object().into_iter().flatten() {
                let element = Element::Field(key.clone());
                if set.has(&element) {
                    continue;
                }
                let below = match set.below(&element) {
                    Some(inner) => {
                        path.push(element);
                        let below = walk(typed.and_then(|typed| typed.below(key)), below, inner, path)?;
                        path.pop();
                        below
                    }
                    None => below.clone(),
                };
                kept.insert(key.clone(), below);
            }
            Ok(if kept.is_empty() { Value::Null } else { Value::Object(kept) })
        }
        Form::List(list) => {
            let typed = typed.expect("only a schema makes a list of items");
            let mut kept = Vec::new();
            for (element, item) in items(list, typed, Some(value), path)? {
                if set.has(&element) {
                    continue;
                }
                kept.push(match set.below(&element) {
                    Some(inner) => {
                        path.push(element);
                        let item = walk(typed.items(), item, inner, path)?;
                        path.pop();
                        item
                    }
                    None => item.clone(),
                });
            }
            Ok(if kept.is_empty() { Value::Null } else { Value::Array(kept) })
        }
    }
}
