//! The fields that somebody who applies an object asks for.

use serde_json::Value;

use super::{
    field_set::{Element, FieldSet},
    form::{Form, entries, form, is_empty, items},
    items::ItemError,
};
use crate::kubernetes::schema::Typed;

/// The fields of an object.
///
/// # Errors
/// If the items of a list can't be told apart.
pub fn fields(typed: Typed, object: &Value) -> Result<FieldSet, ItemError> {
    let mut set = FieldSet::default();
    collect(Some(typed), object, &mut Vec::new(), &mut set)?;
    Ok(set)
}

fn collect(typed: Option<Typed>, value: &Value, path: &mut Vec<Element>, set: &mut FieldSet) -> Result<(), ItemError> {
    match form(typed, [Some(value), None]) {
        Form::Leaf => set.insert(path),
        Form::Map => {
            for (key, below) in entries(Some(value)) {
                path.push(Element::Field(key.clone()));
                collect(typed.and_then(|typed| typed.below(key)), below, path, set)?;
                let named = typed.is_some_and(|typed| typed.names(key));
                if !named || below.is_null() || below.is_object() && is_empty(Some(below)) {
                    set.insert(path);
                }
                path.pop();
            }
        }
        Form::List(list) => {
            let typed = typed.expect("only a schema makes a list of items");
            let items = items(list, typed, Some(value), path)?;
            for (index, (element, item)) in items.iter().enumerate() {
                path.push(element.clone());
                // Of items that can't be told apart, only that they are there is owned.
                let alone = items.iter().enumerate().all(|(other, (known, _))| other == index || known != element);
                if alone {
                    collect(typed.items(), item, path, set)?;
                }
                set.insert(path);
                path.pop();
            }
        }
    }
    Ok(())
}
