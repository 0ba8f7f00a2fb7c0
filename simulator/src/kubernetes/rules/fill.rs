//! Values that the server gives to what nobody gave a value.

use serde_json::Value;

/// Gives `value` what `with` has and it has not; what is there already stays.
pub fn fill(value: &mut Value, with: Value) {
    match (value, with) {
        (Value::Object(fields), Value::Object(with)) => {
            for (name, with) in with {
                fill(fields.entry(name).or_insert(Value::Null), with);
            }
        }
        (value @ Value::Null, with) => *value = with,
        _ => {}
    }
}

/// Gives a field a value, if it has none.
pub fn default(object: &mut Value, field: &str, value: impl Into<Value>) {
    if object.get(field).is_none_or(Value::is_null) {
        object[field] = value.into();
    }
}

/// Takes a field away.
pub fn remove(object: &mut Value, field: &str) -> Option<Value> {
    object.as_object_mut().and_then(|object| object.shift_remove(field))
}

/// Makes a field what it is in another object, or takes it away if that one has none.
pub fn keep(object: &mut Value, field: &str, from: &Value) {
    match from.get(field) {
        Some(value) => object[field] = value.clone(),
        None => drop(remove(object, field)),
    }
}

/// What a list has in it, to be changed; nothing, if it is not there.
pub fn items<'v>(value: &'v mut Value, list: &str) -> impl Iterator<Item = &'v mut Value> + use<'v> {
    value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}
