//! What became different between two versions of an object.

use serde_json::Value;

use super::{
    field_set::{Element, FieldSet},
    form::{Form, form, is_empty, items, keys},
    items::ItemError,
};
use crate::kubernetes::schema::{Shape, Typed};

/// The fields that differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub added: FieldSet,
    pub modified: FieldSet,
    pub removed: FieldSet,
}

/// Compares an object with what it became.
///
/// # Errors
/// If the items of a list can't be told apart.
pub fn compare(typed: Typed, before: &Value, after: &Value) -> Result<Difference, ItemError> {
    let mut difference = Difference::default();
    walk(Some(typed), Some(before), Some(after), &mut Vec::new(), &mut difference)?;
    Ok(difference)
}

fn walk(
    typed: Option<Typed>,
    before: Option<&Value>,
    after: Option<&Value>,
    path: &mut Vec<Element>,
    difference: &mut Difference,
) -> Result<(), ItemError> {
    let is_free = typed.is_some_and(|typed| matches!(typed.shape(), Shape::Free));
    let becomes_map = is_free
        && before.is_some_and(|before| !before.is_object() && !before.is_null())
        && after.is_some_and(Value::is_object);
    let below = match form(typed, [after, before]) {
        // What is empty on both sides is told from what is not there.
        Form::Map | Form::List(_) if is_empty(before) && is_empty(after) => Form::Leaf,
        below => below,
    };
    match below {
        // Of what was a map and is one no more everything below is gone.
        Form::Leaf if is_free => {
            if let (Some(Value::Object(map)), Some(_)) = (before, after.filter(|after| !after.is_object())) {
                for (key, value) in map {
                    path.push(Element::Field(key.clone()));
                    walk(typed, Some(value), None, path, difference)?;
                    path.pop();
                }
            }
        }
        Form::Leaf => {}
        Form::Map => {
            for key in keys(before, after) {
                path.push(Element::Field(key.clone()));
                let inner = typed.and_then(|typed| typed.below(key));
                walk(inner, before.and_then(|map| map.get(key)), after.and_then(|map| map.get(key)), path, difference)?;
                path.pop();
            }
        }
        Form::List(list) => {
            let typed = typed.expect("only a schema makes a list of items");
            let (before, after) = (items(list, typed, before, path)?, items(list, typed, after, path)?);
            let mut elements: Vec<&Element> = before.iter().chain(&after).map(|(element, _)| element).collect();
            elements.sort();
            elements.dedup();
            for element in elements {
                let of = |items: &[(Element, &Value)]| {
                    let own = items.iter().filter(|(known, _)| known == element);
                    own.map(|(_, item)| (*item).clone()).collect::<Vec<Value>>()
                };
                path.push(element.clone());
                let (before, after) = (of(&before), of(&after));
                match (before.as_slice(), after.as_slice()) {
                    ([], [after]) => walk(typed.items(), None, Some(after), path, difference)?,
                    ([before], []) => walk(typed.items(), Some(before), None, path, difference)?,
                    ([before], [after]) => walk(typed.items(), Some(before), Some(after), path, difference)?,
                    // Of items that can't be told apart, only that they are there is owned.
                    ([_, _, ..], [_, _, ..]) if before == after => {}
                    ([_, _, ..], [_, _, ..]) => difference.modified.insert(path),
                    ([_, _, ..], after) => {
                        after.iter().try_for_each(|after| walk(typed.items(), None, Some(after), path, difference))?;
                        difference.removed.insert(path);
                    }
                    (before, _) => {
                        before
                            .iter()
                            .try_for_each(|before| walk(typed.items(), Some(before), None, path, difference))?;
                        difference.added.insert(path);
                    }
                }
                path.pop();
            }
        }
    }
    match (before, after) {
        (None, Some(_)) => difference.added.insert(path),
        (Some(_), None) => difference.removed.insert(path),
        (Some(before), Some(after)) if (matches!(below, Form::Leaf) || becomes_map) && before != after => {
            difference.modified.insert(path);
        }
        _ => {}
    }
    Ok(())
}
