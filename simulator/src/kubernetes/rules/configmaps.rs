//! ConfigMaps.

use serde_json::{Value, json};

use super::{
    field::Field,
    fill::default,
    form,
    simple::{PLAIN, Simple},
};
use crate::kubernetes::answer::Cause;

pub static CONFIG_MAPS: Simple = Simple {
    check,
    check_given_change: |map, there| immutable(&with_data(map), &with_data(there), &["data", "binaryData"]),
    ..PLAIN
};

/// How much data a ConfigMap or a Secret may have.
pub const MOST: usize = 1 << 20;

fn check(map: &Value) -> Vec<Cause> {
    let (texts, bytes) = (Field::of(map, "data"), Field::of(map, "binaryData"));
    let mut wrong = Vec::new();
    let mut size = 0;
    for (key, text) in texts.entries() {
        let told = |why: &str| Cause::invalid(&text.path, &json!(key), why);
        wrong.extend(form::config_key(key).iter().map(|why| told(why)));
        if bytes.value.get(key).is_some() {
            wrong.push(told("duplicate of key present in binaryData"));
        }
        size += text.text().len();
    }
    for (key, data) in bytes.entries() {
        wrong.extend(form::config_key(key).iter().map(|why| Cause::invalid(&data.path, &json!(key), why)));
        size += data.text().len() / 4 * 3;
    }
    if size > MOST {
        wrong.push(Cause::too_long("", MOST));
    }
    wrong
}

/// Texts are always there, if only none of them.
fn with_data(map: &Value) -> Value {
    let mut map = map.clone();
    default(&mut map, "data", json!({}));
    map
}

/// What may not change any longer, once an object says so itself.
pub fn immutable(object: &Value, there: &Value, fields: &[&str]) -> Vec<Cause> {
    if there["immutable"] != true {
        return Vec::new();
    }
    let found = |object: &Value, field: &str| object.get(field).filter(|value| !value.is_null()).cloned();
    let fields = ["immutable"].into_iter().chain(fields.iter().copied());
    let changed = fields.filter(|field| found(object, field) != found(there, field));
    changed.map(|field| Cause::forbidden(field, "field is immutable when `immutable` is set")).collect()
}
