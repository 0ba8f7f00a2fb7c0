//! How a value is taken apart: field by field, item by item, or not at all.

use serde_json::{Map, Value};

use super::{
    field_set::Element,
    items::{ItemError, element},
};
use crate::kubernetes::schema::{ListMerge, ListShape, Shape, Typed};

/// The form that a value takes under a shape.
pub enum Form<'s> {
    /// One value as a whole.
    Leaf,
    Map,
    List(&'s ListShape),
}

/// The form of one or two values at the same place; where the schema leaves it free, they say it.
pub fn form<'s>(typed: Option<Typed<'s>>, values: [Option<&Value>; 2]) -> Form<'s> {
    let Some(typed) = typed else { return Form::Leaf };
    match typed.shape() {
        Shape::Map(map) if !map.atomic => Form::Map,
        Shape::List(list) if list.merge != ListMerge::Atomic => Form::List(list),
        Shape::Free => match values.into_iter().flatten().find(|value| !value.is_null()) {
            Some(Value::Object(_)) => Form::Map,
            _ => Form::Leaf,
        },
        Shape::Scalar(_) | Shape::Map(_) | Shape::List(_) | Shape::Opaque => Form::Leaf,
    }
}

/// The keys and values of a map; none, if it isn't there.
pub fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// True if it is not there, or is an empty map, an empty list or nothing.
pub fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        Some(_) => false,
    }
}

/// The items of a list with what tells them apart; none, if it isn't there.
///
/// # Errors
/// If nothing tells one apart.
pub fn items<'v>(
    list: &ListShape,
    typed: Typed,
    value: Option<&'v Value>,
    path: &[Element],
) -> Result<Vec<(Element, &'v Value)>, ItemError> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    let told_apart = items.enumerate().map(|(index, item)| match element(list, typed, item) {
        Ok(element) => Ok((element, item)),
        Err(why) => Err(ItemError { place: shown(path), why: format!("element {index}: {why}") }),
    });
    told_apart.collect()
}

pub fn shown(path: &[Element]) -> String {
    path.iter().map(Element::to_string).collect()
}

/// Gives a map of what `each` makes of every key that one of two maps has, those of the first in its order.
pub fn keys<'v>(first: Option<&'v Value>, second: Option<&'v Value>) -> Vec<&'v String> {
    let mut keys: Vec<&String> = entries(first).map(|(key, _)| key).collect();
    let known: Option<&Map<String, Value>> = first.and_then(Value::as_object);
    keys.extend(entries(second).map(|(key, _)| key).filter(|key| !known.is_some_and(|map| map.contains_key(*key))));
    keys
}
