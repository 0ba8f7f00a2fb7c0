//! Values held against the types of a kind, in the words of the three ways in which the real server does that: reading a body, putting
//! a patched map back into an object, and typing what is applied.

use std::{collections::BTreeSet, mem};

use serde_json::{Map, Value};

use super::{
    Body,
    formats::{self, Fraction},
    path,
};
use crate::kubernetes::{
    ownership::element,
    patch::words,
    quantity,
    schema::{ListMerge, ListShape, Scalar, Shape, Typed},
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
        ended: None,
    };
    reader.read(typed, &mut value);
    let Reader { odd, wrong, ended, .. } = reader;
    body.value = value;
    ended.or(wrong).map_or(Ok(odd), Err)
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
    /// What a reader of its own says of its value: nothing is read behind that.
    ended: Option<String>,
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
                typed.within(key).into_iter().for_each(|part| path::field(&mut self.fields, part));
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
            let malformed = malformed(scalar, value);
            match scalar {
                Scalar::Bytes => self.wrong = self.wrong.take().or(malformed),
                _ => self.ended = self.ended.take().or(malformed),
            }
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
            if scalar == Scalar::IntOrText {
                self.ended = self.ended.take().or_else(|| self.wrong.clone());
            }
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

/// What is said of a value that doesn't fit, without where it is, as one says who reads it alone.
pub fn placeless(why: &str) -> String {
    let parts =
        why.split_once("Go struct field ").and_then(|(what, rest)| Some((what, rest.split_once(" of type ")?.1)));
    parts.map_or_else(|| why.to_owned(), |(what, wanted)| format!("{what}Go value of type {wanted}"))
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
                false => format!("unrecognized type: {}", scalar.type_name()),
            })
        }
    }
}

/// True for a value that a reader of its own reads.
fn has_form(scalar: Scalar, value: &Value) -> bool {
    scalar == Scalar::Quantity
        || matches!(scalar, Scalar::Time | Scalar::MicroTime | Scalar::Bytes) && value.is_string()
}

/// What such a reader says of it.
fn malformed(scalar: Scalar, value: &Value) -> Option<String> {
    let text = value.as_str().unwrap_or_default();
    match scalar {
        Scalar::Quantity => quantity::Quantity::read(value).err().map(|error| error.to_string()),
        Scalar::Time => formats::not_time(text, Fraction::Any),
        Scalar::MicroTime => formats::not_time(text, Fraction::Millionths),
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
    let wrong = checked(typed, value, Twice::Refused);
    match wrong.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(format!("errors:\n  {}", several.join("\n  "))),
    }
}

/// True if nothing is wrong with an object that is there but, maybe, that items of lists come twice.
pub fn fits(typed: Typed, value: &Value) -> bool {
    checked(typed, value, Twice::Taken).is_empty()
}

/// What happens about items of a list that nothing tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Twice {
    Refused,
    Taken,
}

fn checked(typed: Typed, value: &Value, twice: Twice) -> Vec<String> {
    let mut checker = Checker { place: String::new(), twice, wrong: Vec::new() };
    checker.check(typed, value);
    checker.wrong
}

struct Checker {
    /// The path of what is being checked.
    place: String,
    twice: Twice,
    wrong: Vec<String>,
}

impl Checker {
    fn check(&mut self, typed: Typed, value: &Value) {
        let wrong = match (typed.shape(), value) {
            (_, Value::Null) | (Shape::Free | Shape::Opaque, _) => None,
            (Shape::Map(_), Value::Object(map)) => return self.map(typed, map),
            (Shape::List(list), Value::Array(items)) => return self.list(typed, list, items),
            (Shape::Map(_), value) => Some(format!("expected map, got &{{{}}}", words::told(value))),
            (Shape::List(_), value) => Some(format!("expected list, got &{{{}}}", words::told(value))),
            (Shape::Scalar(scalar), value) => unfit(*scalar, value),
        };
        wrong.into_iter().for_each(|wrong| self.tell(&wrong));
    }

    fn tell(&mut self, wrong: &str) {
        self.wrong.push(format!("{}: {wrong}", self.place));
    }

    fn map(&mut self, typed: Typed, map: &Map<String, Value>) {
        let length = self.place.len();
        for (key, value) in map {
            self.place.push('.');
            self.place.push_str(key);
            match typed.below(key) {
                Some(below) => self.check(below, value),
                None => self.tell("field not declared in schema"),
            }
            self.place.truncate(length);
            // The real server looks no further in such a map.
            if typed.below(key).is_none() {
                return;
            }
        }
    }

    fn list(&mut self, typed: Typed, list: &ListShape, items: &[Value]) {
        let mut known = BTreeSet::new();
        let length = self.place.len();
        for (index, item) in items.iter().enumerate() {
            if list.merge == ListMerge::Atomic {
                path::item(&mut self.place, index);
            } else {
                match element(list, typed, item) {
                    // Without a name for it, the real server can't say what else is wrong with it or behind it.
                    Err(why) => return self.tell(&format!("element {index}: {why}")),
                    Ok(element) => {
                        if self.twice == Twice::Refused && known.contains(&element) {
                            self.tell(&format!("duplicate entries for key {element}"));
                        }
                        self.place.push_str(&element.to_string());
                        known.insert(element);
                    }
                }
            }
            if let Some(typed) = typed.items() {
                self.check(typed, item);
            }
            self.place.truncate(length);
        }
    }
}

fn unfit(scalar: Scalar, value: &Value) -> Option<String> {
    match (scalar, value) {
        (Scalar::Text | Scalar::Time | Scalar::MicroTime | Scalar::Bytes, Value::String(_))
        | (Scalar::Flag, Value::Bool(_)) => None,
        (Scalar::Int32 | Scalar::Int64 | Scalar::Number, Value::Number(_)) => None,
        (Scalar::Quantity | Scalar::IntOrText, Value::Number(_) | Value::String(_)) => None,
        (Scalar::Text | Scalar::Time | Scalar::MicroTime | Scalar::Bytes, value) => {
            Some(format!("expected string, got &value.valueUnstructured{{Value:{}}}", words::source(value)))
        }
        (Scalar::Flag, value) => Some(format!("expected boolean, got &{{{}}}", words::told(value))),
        (Scalar::Int32 | Scalar::Int64 | Scalar::Number, value) => {
            Some(format!("expected numeric (int or float), got {}", words::type_of(value)))
        }
        (Scalar::Quantity | Scalar::IntOrText, value) => Some(format!("expected scalar, got {}", words::told(value))),
    }
}
