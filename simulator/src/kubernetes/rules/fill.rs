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

/// What a list has in it, to be changed; nothing, if it is not there.
pub fn items<'v>(value: &'v mut Value, list: &str) -> impl Iterator<Item = &'v mut Value> + use<'v> {
    value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}
