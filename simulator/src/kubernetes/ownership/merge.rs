//! Laying what somebody applies over what is there.

use serde_json::{Map, Value};

use super::{
    field_set::Element,
    form::{Form, form, is_empty, items, keys},
    items::ItemError,
};
use crate::kubernetes::schema::Typed;

/// What is there with what is applied laid over it: what is applied wins, what it doesn't name stays.
///
/// # Errors
/// If the items of a list can't be told apart, or what is applied has one twice.
pub fn merge(typed: Typed, there: &Value, applied: &Value) -> Result<Value, ItemError> {
    walk(Some(typed), Some(there), Some(applied), &mut Vec::new()).map(Option::unwrap_or_default)
}

fn walk(
    typed: Option<Typed>,
    there: Option<&Value>,
    applied: Option<&Value>,
    path: &mut Vec<Element>,
) -> Result<Option<Value>, ItemError> {
    match form(typed, [applied, there]) {
        Form::Map if !(is_empty(there) && is_empty(applied)) => {
            let mut merged = Map::new();
            for key in keys(there, applied) {
                path.push(Element::Field(key.clone()));
                let inner = typed.and_then(|typed| typed.below(key));
                let value =
                    walk(inner, there.and_then(|map| map.get(key)), applied.and_then(|map| map.get(key)), path)?;
                path.pop();
                merged.extend(value.map(|value| (key.clone(), value)));
            }
            Ok(Some(Value::Object(merged)))
        }
        Form::List(list) if !(is_empty(there) && is_empty(applied)) => {
            let typed = typed.expect("only a schema makes a list of items");
            let there = items(list, typed, there, path)?;
            let applied = items(list, typed, applied, path)?;
            merge_items(typed, &there, &applied, path).map(|items| Some(Value::Array(items)))
        }
        Form::Leaf | Form::Map | Form::List(_) => Ok(applied.or(there).cloned()),
    }
}

/// Merges two lists item by item. The items of the applied list keep their order among each other, and so do the other ones; an
/// item of the other ones stays before the next one that both lists have.
fn merge_items(
    typed: Typed,
    there: &[(Element, &Value)],
    applied: &[(Element, &Value)],
    path: &mut Vec<Element>,
) -> Result<Vec<Value>, ItemError> {
    for (index, (element, _)) in applied.iter().enumerate() {
        if applied[..index].iter().any(|(known, _)| known == element) {
            let why = format!("duplicate entries for key {element}");
            return Err(ItemError { place: super::form::shown(path), why });
        }
    }
    let find = |items: &[(Element, &Value)], element: &Element| items.iter().position(|(known, _)| known == element);
    let mut both = |element: &Element, there: Option<&Value>, applied: Option<&Value>| {
        path.push(element.clone());
        let item = walk(typed.items(), there, applied, path);
        path.pop();
        item
    };
    // The items of both lists, in the order in which they are applied.
    let mut shared = applied.iter().map(|(element, _)| element).filter(|element| find(there, element).is_some());
    let mut next_shared = shared.next();
    let mut merged = Vec::with_capacity(there.len().max(applied.len()));
    let (mut left, mut right) = (0, 0);
    let mut taken = vec![false; applied.len()];
    while left < there.len() || right < applied.len() {
        if let (Some((ours, old)), Some((theirs, new))) = (there.get(left), applied.get(right)) {
            if ours == theirs {
                merged.extend(both(ours, Some(old), Some(new))?);
                taken[right] = true;
                (left, right, next_shared) = (left + 1, right + 1, shared.next());
                continue;
            }
            // It is applied at another place: there it is taken.
            if find(applied, ours).is_some() && next_shared.is_some_and(|next| next != ours) {
                left += 1;
                continue;
            }
        }
        if let Some((ours, old)) = there.get(left) {
            match find(applied, ours) {
                None => {
                    merged.extend(both(ours, Some(old), None)?);
                    left += 1;
                    continue;
                }
                Some(index) if taken[index] => left += 1,
                Some(_) => {}
            }
        }
        if let Some((theirs, new)) = applied.get(right) {
            let old = find(there, theirs).map(|index| there[index].1);
            merged.extend(both(theirs, old, Some(new))?);
            taken[right] = true;
            right += 1;
            if next_shared == Some(theirs) {
                next_shared = shared.next();
            }
        }
    }
    Ok(merged)
}
