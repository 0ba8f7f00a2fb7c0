//! The items of a list that is merged item by item: what tells each apart.

use serde_json::{Map, Value};

use super::field_set::Element;
use crate::kubernetes::schema::{ListMerge, ListShape, Typed};

/// Why the items of a list can't be told apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct ItemError {
    pub place: String,
    pub why: String,
}

/// What tells an item apart from its siblings.
///
/// # Errors
/// What is wrong with an item that nothing can tell apart.
///
/// # Panics
/// If the list is atomic: its items are not told apart.
pub fn element(list: &ListShape, typed: Typed, item: &Value) -> Result<Element, String> {
    let wrong = |why: &str| Err(why.to_owned());
    match (&list.merge, item) {
        (ListMerge::Atomic, _) => unreachable!("the items of an atomic list are not told apart"),
        (ListMerge::Set, Value::Object(_)) => wrong("associative list without keys has an element that's a map type"),
        (ListMerge::Set, Value::Array(_)) => wrong("not supported: associative list with lists as elements"),
        (ListMerge::Set, Value::Null) => wrong("associative list without keys has an element that's an explicit null"),
        (ListMerge::Set, item) => Ok(Element::Value(item.to_string())),
        (ListMerge::Keys(keys), Value::Object(map)) => {
            let default = |key: &str| typed.items().and_then(|items| items.default_of(key));
            let found =
                keys.iter().filter_map(|key| Some((key.clone(), map.get(key).or_else(|| default(key))?.clone())));
            let found: Map<String, Value> = found.collect();
            if found.is_empty() {
                let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
                return Err(format!(
                    "associative list with keys has an element that omits all key fields [{}] (and doesn't have default \
                     values for any key fields)",
                    keys.join(" ")
                ));
            }
            Ok(Element::keys(found))
        }
        (ListMerge::Keys(_), Value::Null) => wrong("associative list with keys may not have a null element"),
        (ListMerge::Keys(_), _) => wrong("associative list with keys may not have non-map elements"),
    }
}
