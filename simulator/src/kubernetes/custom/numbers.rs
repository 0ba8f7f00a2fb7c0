//! Numbers as the server writes them: whole ones without a fraction, however they came.

use serde_json::Value;

/// Below this, every whole number has a form of its own in JSON.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Makes `2.0` and `2e0` what they are: 2.
pub fn settle(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < EXACT);
            if let Some(whole) = whole {
                *value = Value::from(whole as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(map) => map.values_mut().for_each(settle),
        _ => {}
    }
}
