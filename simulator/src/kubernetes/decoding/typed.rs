//! Values held against the types of a kind, in the words of the three ways in which the real server does that: reading a body, putting
//! a patched map back into an object, and typing what is applied.

use std::{collections::BTreeSet, mem};

use serde_json::{Map, Value};

use super::{Body, formats, path};
use crate::kubernetes::{
    ownership::element,
    patch::words,
    quantity,
    schema::{ListMerge, Scalar, Shape, Typed},
};

/// What a value is called where it doesn't fit.
pub fn sort(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Takes out of a body what its kind doesn't know; the answer tells of that, and of what came twice.
///
/// # Errors
/// The first field that is of another type.
pub fn read(body: &mut Body, typed: Typed, kind: &str) -> Result<Vec<String>, String> {
    let mut value = mem::take(&mut body.value);
    let twice = body.twice.iter().map(String::as_str).collect();
    let mut reader = Reader {
        body,
        twice,
        place: String::new(),
        fields: String::new(),
        structure: kind.to_owned(),
        odd: Vec::new(),
        wrong: None,
    };
    reader.read(typed, &mut value);
    let Reader { odd, wrong, .. } = reader;
    body.value = value;
    wrong.map_or(Ok(odd), Err)
}

struct Reader<'b> {
    body: &'b Body,
    twice: BTreeSet<&'b str>,
    /// The path of what is being read, with the places in lists.
    place: String,
    /// The same, without them.
    fields: String,
    /// The structure that it is in.
    structure: String,
    odd: Vec<String>,
    wrong: Option<String>,
}

impl Reader<'_> {
    fn read(&mut self, typed: Typed, value: &mut Value) {
        match (typed.shape(), value) {
            (_, Value::Null) | (Shape::Free | Shape::Opaque, _) => {}
            (Shape::Map(_), Value::Object(map)) => self.map(typed, map),
            (Shape::List(_), Value::Array(items)) => {
                let Some(typed) = typed.items() else { return };
                let length = self.place.len();
                for (index, item) in items.iter_mut().enumerate() {
                    path::item(&mut self.place, index);
                    self.read(typed, item);
                    self.place.truncate(length);
                }
            }
            (Shape::Scalar(scalar), value) => self.scalar(*scalar, typed, value),
            (_, value) => self.unfit(sort(value), &typed.type_name()),
        }
    }

    fn map(&mut self, typed: Typed, map: &mut Map<String, Value>) {
        let (length, fields) = (self.place.len(), self.fields.len());
        let named = typed.name().and_then(|name| name.rsplit('.').next()).map(str::to_owned);
        let outer = named.map(|name| mem::replace(&mut self.structure, name));
        let mut unknown = Vec::new();
        for (key, value) in map.iter_mut() {
            path::field(&mut self.place, key);
            if self.twice.contains(self.place.as_str()) {
                self.odd.push(format!("duplicate field \"{}\"", self.place));
            }
            if typed.names(key) {
                path::field(&mut self.fields, key);
            }
            match typed.below(key) {
                // Of no text, only a map makes an empty one.
                Some(below) if value.is_null() && typed.is_open() && below.is_text() => *value = Value::from(""),
                Some(below) => self.read(below, value),
                None => {
                    self.odd.push(format!("unknown field \"{}\"", self.place));
                    unknown.push(key.clone());
                }
            }
            self.place.truncate(length);
            self.fields.truncate(fields);
        }
        for key in unknown {
            map.shift_remove(&key);
        }
        if let Some(outer) = outer {
            self.structure = outer;
        }
    }

    fn scalar(&mut self, scalar: Scalar, typed: Typed, value: &mut Value) {
        if has_form(scalar, value) {
            self.wrong = self.wrong.take().or_else(|| malformed(scalar, value));
            if let (Scalar::Bytes, Value::String(text)) = (scalar, &mut *value) {
                text.retain(|letter| !matches!(letter, '\r' | '\n'));
            }
            return;
        }
        let value = &*value;
        let whole = |least: i64, most: i64| value.as_i64().is_some_and(|number| (least..=most).contains(&number));
        let literal = self.body.odd.get(&self.place);
        let small = whole(i32::MIN.into(), i32::MAX.into()) && literal.is_none();
        let fits = match (scalar, value) {
            (Scalar::Text | Scalar::IntOrText, Value::String(_))
            | (Scalar::Flag, Value::Bool(_))
            | (Scalar::Number, Value::Number(_)) => true,
            (Scalar::Int32 | Scalar::IntOrText, Value::Number(_)) => small,
            (Scalar::Int64, Value::Number(_)) => whole(i64::MIN, i64::MAX) && literal.is_none(),
            _ => false,
        };
        if !fits {
            let found = match (scalar, value) {
                (Scalar::Int32 | Scalar::Int64 | Scalar::IntOrText, Value::Number(number)) => {
                    format!("number {}", literal.cloned().unwrap_or_else(|| number.to_string()))
                }
                (_, value) => sort(value).to_owned(),
            };
            self.unfit(&found, &typed.type_name());
        }
    }

    fn unfit(&mut self, found: &str, wanted: &str) {
        let Self { structure, fields, .. } = self;
        self.wrong.get_or_insert_with(|| match fields.as_str() {
            "" => format!("json: cannot unmarshal {found} into Go value of type {wanted}"),
            fields => {
                format!("json: cannot unmarshal {found} into Go struct field {structure}.{fields} of type {wanted}")
            }
        });
    }
}

/// What is wrong with a map that a patch has made, when it is put back into an object of this type.
pub fn restored(typed: Typed, value: &Value) -> Option<String> {
    match (typed.shape(), value) {
        (_, Value::Null) | (Shape::Free | Shape::Opaque, _) => None,
        (Shape::Map(_), Value::Object(map)) => {
            map.iter().find_map(|(key, value)| typed.below(key).and_then(|below| restored(below, value)))
        }
        (Shape::Map(_), value) if typed.is_open() => Some(format!("cannot restore map from {}", kind(value))),
        (Shape::Map(_), value) => Some(format!("cannot restore struct from: {}", kind(value))),
        (Shape::List(_), Value::Array(items)) => {
            items.iter().find_map(|item| typed.items().and_then(|typed| restored(typed, item)))
        }
        (Shape::List(_), value) => Some(format!("cannot restore slice from {}", kind(value))),
        (Shape::Scalar(Scalar::Bytes), Value::Array(items)) => {
            let strange = items.iter().any(|item| !item.is_number());
            strange.then(|| "unrecognized type: uint8".to_owned())
        }
        (Shape::Scalar(Scalar::Bytes), value) if has_form(Scalar::Bytes, value) => {
            malformed(Scalar::Bytes, value).map(|why| format!("error decoding from json: {why}"))
        }
        (Shape::Scalar(scalar), value) if has_form(*scalar, value) => malformed(*scalar, value),
        (Shape::Scalar(Scalar::IntOrText), Value::Number(_) | Value::String(_)) => None,
        (Shape::Scalar(scalar), value) => {
            let wanted = typed.type_name();
            let convertible = match (scalar, value) {
                (Scalar::Text, Value::String(_)) | (Scalar::Flag, Value::Bool(_)) => return None,
                (Scalar::Int32 | Scalar::Int64 | Scalar::Number, Value::Number(number)) => {
                    if number.is_i64() || *scalar == Scalar::Number {
                        return None;
                    }
                    true
                }
                (Scalar::Text, Value::Number(number)) => number.is_i64(),
                _ => false,
            };
            Some(match convertible {
                true => format!("cannot convert {} to {wanted}", words::type_of(value)),
                false => format!("unrecognized type: {wanted}"),
            })
        }
    }
}

/// True for a value that a reader of its own reads.
fn has_form(scalar: Scalar, value: &Value) -> bool {
    scalar == Scalar::Quantity || matches!(scalar, Scalar::Time | Scalar::Bytes) && value.is_string()
}

/// What such a reader says of it.
fn malformed(scalar: Scalar, value: &Value) -> Option<String> {
    let text = value.as_str().unwrap_or_default();
    match scalar {
        Scalar::Quantity => quantity::Quantity::read(value).err().map(|error| error.to_string()),
        Scalar::Time => formats::not_time(text),
        Scalar::Bytes => formats::not_base64(text).map(|at| format!("illegal base64 data at input byte {at}")),
        _ => None,
    }
}

/// What Go calls the sort of a value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "map",
        Value::Array(_) => "slice",
        other => words::type_of(other),
    }
}

/// What is wrong with a configuration that is to be applied.
pub fn configured(typed: Typed, value: &Value) -> Option<String> {
    check(typed, value, &mut String::new(), Twice::Refused)
}

/// True if nothing is wrong with an object that is there but, maybe, that items of lists come twice.
pub fn fits(typed: Typed, value: &Value) -> bool {
    check(typed, value, &mut String::new(), Twice::Taken).is_none()
}

/// What happens about items of a list that nothing tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Twice {
    Refused,
    Taken,
}

fn check(typed: Typed, value: &Value, place: &mut String, twice: Twice) -> Option<String> {
    let expected = |what: &str, found: String| Some(format!("{place}: expected {what}, got {found}"));
    match (typed.shape(), value) {
        (_, Value::Null) | (Shape::Free | Shape::Opaque, _) => None,
        (Shape::Map(_), Value::Object(map)) => map.iter().find_map(|(key, value)| {
            let length = place.len();
            place.push('.');
            place.push_str(key);
            let wrong = match typed.below(key) {
                Some(below) => check(below, value, place, twice),
                None => Some(format!("{place}: field not declared in schema")),
            };
            place.truncate(length);
            wrong
        }),
        (Shape::Map(_), value) => expected("map", format!("&{{{}}}", words::told(value))),
        (Shape::List(list), Value::Array(items)) => {
            let mut known = BTreeSet::new();
            items.iter().enumerate().find_map(|(index, item)| {
                let length = place.len();
                if list.merge == ListMerge::Atomic {
                    path::item(place, index);
                } else {
                    match element(list, typed, item) {
                        Err(why) => return Some(format!("{place}: element {index}: {why}")),
                        Ok(element) if twice == Twice::Refused && known.contains(&element) => {
                            return Some(format!("{place}: duplicate entries for key {element}"));
                        }
                        Ok(element) => {
                            place.push_str(&element.to_string());
                            known.insert(element);
                        }
                    }
                }
                let wrong = typed.items().and_then(|typed| check(typed, item, place, twice));
                place.truncate(length);
                wrong
            })
        }
        (Shape::List(_), value) => expected("list", format!("&{{{}}}", words::told(value))),
        (Shape::Scalar(scalar), value) => match (scalar, value) {
            (Scalar::Text | Scalar::Time | Scalar::Bytes, Value::String(_)) | (Scalar::Flag, Value::Bool(_)) => None,
            (Scalar::Int32 | Scalar::Int64 | Scalar::Number, Value::Number(_)) => None,
            (Scalar::Quantity | Scalar::IntOrText, Value::Number(_) | Value::String(_)) => None,
            (Scalar::Text | Scalar::Time | Scalar::Bytes, value) => {
                expected("string", format!("&value.valueUnstructured{{Value:{}}}", words::source(value)))
            }
            (Scalar::Flag, value) => expected("boolean", format!("&{{{}}}", words::told(value))),
            (Scalar::Int32 | Scalar::Int64 | Scalar::Number, value) => {
                expected("numeric (int or float)", words::type_of(value).to_owned())
            }
            (Scalar::Quantity | Scalar::IntOrText, value) => {
                Some(format!("{place}: expected scalar, got {}", words::told(value)))
            }
        },
    }
}
