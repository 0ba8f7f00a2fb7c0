//! The items of a list that is merged item by item: what tells each apart.

use serde_json::{Map, Value};

use super::field_set::Element;
use crate::kubernetes::schema::{ListMerge, ListShape, Typed};

/// Why the items of a list can't be told apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    #[error(
        "{0}: associative list with keys has an element that omits key field \"{1}\" (and doesn't have default value)"
    )]
    NoKey(String, String),
    #[error("{0}: element is not a map")]
    NoMap(String),
    #[error("{0}: associative list without keys has an element that's a map type")]
    Map(String),
    #[error("{0}: duplicate entries for key {1}")]
    Twice(String, String),
}

/// What tells an item apart from its siblings.
///
/// # Errors
/// If it lacks a key that has no default.
///
/// # Panics
/// If the list is atomic: its items are not told apart.
pub fn element(list: &ListShape, typed: Typed, item: &Value, path: &dyn Fn() -> String) -> Result<Element, ItemError> {
    match &list.merge {
        ListMerge::Atomic => unreachable!("the items of an atomic list are not told apart"),
        ListMerge::Set if item.is_object() => Err(ItemError::Map(path())),
        ListMerge::Set => Ok(Element::Value(item.to_string())),
        ListMerge::Keys(keys) => {
            let Value::Object(map) = item else { return Err(ItemError::NoMap(path())) };
            let mut found = Map::new();
            for key in keys {
                let default = || typed.items().and_then(|items| items.default_of(key));
                let value = map.get(key).or_else(default).ok_or_else(|| ItemError::NoKey(path(), key.clone()))?;
                found.insert(key.clone(), value.clone());
            }
            Ok(Element::keys(found))
        }
    }
}
