//! Values held against the types of a kind, in the words of the three ways in which the real server does that: reading a body, putting
//! a patched map back into an object, and typing what is applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Number, Value};

use super::{
    Body, Earlier,
    formats::{self, Fraction},
    path,
};
use crate::kubernetes::{
    ownership::element,
    patch::words,
    quantity,
    schema::{ListMerge, ListShape, Scalar, Shape, Typed},
};

/// What Go calls a byte.
const BYTE: &str = "uint8";

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
    let mut reader = Reader {
        numbers: &body.odd,
        earlier: &body.earlier,
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
    /// Numbers that are no plain integers, by their paths, as they were written.
    numbers: &'b BTreeMap<String, String>,
    /// What fields that came more than once had before, by their paths.
    earlier: &'b BTreeMap<String, Vec<Earlier>>,
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
        match (typed.shape(), &mut *value) {
            (_, Value::Null) | (Shape::Free | Shape::Opaque, _) => {}
            (Shape::Map(_), Value::Object(map)) => self.map(typed, map),
            (Shape::List(_), Value::Array(items)) => {
                let Some(typed) = typed.items() else { return };
                let length = self.place.len();
                for (index, item) in items.iter_mut().enumerate() {
                    if item.is_null() {
                        *item = typed.zero();
                    }
                    path::item(&mut self.place, index);
                    self.read(typed, item);
                    self.place.truncate(length);
                }
            }
            (Shape::Scalar(Scalar::Bytes), Value::Array(_)) => self.bytes(value),
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
            if typed.names(key) {
                typed.within(key).into_iter().for_each(|part| path::field(&mut self.fields, part));
                path::field(&mut self.fields, key);
            }
            let before = self.before(typed.below(key));
            if let (Some(Value::Array(before)), Value::Array(items)) = (&before, &mut *value) {
                // What is nothing stays what was there.
                let nothing = items.iter_mut().zip(before).filter(|(item, _)| item.is_null());
                nothing.for_each(|(item, before)| item.clone_from(before));
            }
            match typed.below(key) {
                // Of no text, only a map makes an empty one.
                Some(below) if value.is_null() && typed.is_open() && below.is_text() => *value = Value::from(""),
                Some(below) => {
                    self.read(below, value);
                    if let Some(before) = before {
                        *value = joined(below, before, value.take(), typed.may_be_nothing(key));
                    }
                }
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

    /// What this field had before it came once more.
    fn before(&mut self, typed: Option<Typed>) -> Option<Value> {
        let earlier = self.earlier.get(&self.place)?;
        let mut before: Option<Value> = None;
        for Earlier { value, odd } in earlier {
            let mut value = value.clone();
            if let Some(typed) = typed {
                // Its own numbers are at the same places.
                let mut reader = Reader {
                    numbers: odd,
                    earlier: self.earlier,
                    place: self.place.clone(),
                    fields: self.fields.clone(),
                    structure: self.structure.clone(),
                    odd: mem::take(&mut self.odd),
                    wrong: self.wrong.take(),
                    ended: self.ended.take(),
                };
                reader.read(typed, &mut value);
                (self.odd, self.wrong, self.ended) = (reader.odd, reader.wrong, reader.ended);
                before = Some(match before {
                    Some(before) => joined(typed, before, value, true),
                    None => value,
                });
                // What nobody knows is only said to be unknown.
                self.odd.push(format!("duplicate field \"{}\"", self.place));
            }
        }
        self.odd.dedup();
        before
    }

    fn scalar(&mut self, scalar: Scalar, typed: Typed, value: &mut Value) {
        if has_form(scalar, value) {
            if let (Scalar::Quantity, Some(literal)) = (scalar, self.numbers.get(&self.place)) {
                *value = literal.as_str().into();
            }
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
        let literal = self.numbers.get(&self.place);
        let small = whole(i32::MIN.into(), i32::MAX.into()) && literal.is_none();
        let fits = match (scalar, value) {
            (Scalar::Text | Scalar::Formed | Scalar::IntOrText, Value::String(_))
            | (Scalar::Flag, Value::Bool(_))
            | (Scalar::Number, Value::Number(_)) => true,
            (Scalar::Int32 | Scalar::IntOrText, Value::Number(_)) => small,
            (Scalar::Int64, Value::Number(_)) => whole(i64::MIN, i64::MAX) && literal.is_none(),
            _ => false,
        };
        if !fits {
            let found = match (scalar, value) {
                (Scalar::Int32 | Scalar::Int64 | Scalar::IntOrText, Value::Number(number)) => {
                    format!("number {}", literal.cloned().unwrap_or_else(|| words::number(number)))
                }
                (_, value) => sort(value).to_owned(),
            };
            let before = self.wrong.take();
            self.unfit(&found, &typed.type_name());
            if matches!(scalar, Scalar::IntOrText | Scalar::Time | Scalar::MicroTime) {
                self.ended = self.ended.take().or_else(|| self.wrong.clone());
            }
            self.wrong = before.or(self.wrong.take());
        }
    }

    /// Bytes as a list of numbers.
    fn bytes(&mut self, value: &mut Value) {
        let mut bytes = Vec::new();
        for item in value.as_array().into_iter().flatten() {
            match item {
                Value::Null => bytes.push(0),
                Value::Number(number) => match number.as_u64().and_then(|number| u8::try_from(number).ok()) {
                    Some(byte) => bytes.push(byte),
                    None => self.unfit(&format!("number {number}"), BYTE),
                },
                item => self.unfit(sort(item), BYTE),
            }
        }
        *value = STANDARD.encode(bytes).into();
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

/// What a value becomes into which another one is read: structures keep what the other one doesn't say, and so do items of lists.
fn joined(typed: Typed, before: Value, value: Value, may_be_nothing: bool) -> Value {
    match (before, value) {
        (before, Value::Null) if !may_be_nothing => before,
        (Value::Object(mut map), Value::Object(more)) if typed.is_open() => {
            map.extend(more);
            Value::Object(map)
        }
        (Value::Object(mut map), Value::Object(more)) if matches!(typed.shape(), Shape::Map(_)) => {
            for (key, value) in more {
                let value = match (map.get_mut(&key).map(Value::take), typed.below(&key)) {
                    (Some(before), Some(below)) => joined(below, before, value, typed.may_be_nothing(&key)),
                    _ => value,
                };
                map.insert(key, value);
            }
            Value::Object(map)
        }
        (Value::Array(mut items), Value::Array(more)) if typed.items().is_some() => {
            let of = typed.items().unwrap_or(typed);
            let joint = more.into_iter().enumerate().map(|(index, item)| match items.get_mut(index) {
                Some(before) => joined(of, before.take(), item, false),
                None => item,
            });
            Value::Array(joint.collect())
        }
        (_, value) => value,
    }
}

/// What is said of a value that doesn't fit, without where it is, as one says who reads it alone.
pub fn placeless(why: &str) -> String {
    let parts =
        why.split_once("Go struct field ").and_then(|(what, rest)| Some((what, rest.split_once(" of type ")?.1)));
    parts.map_or_else(|| why.to_owned(), |(what, wanted)| format!("{what}Go value of type {wanted}"))
}

/// Puts a map that a patch or an apply has made back into an object of this type: numbers become as small as their fields are, and
/// what is nothing in a list becomes an empty item.
///
/// # Errors
/// What doesn't fit.
pub fn restore(typed: Typed, value: &mut Value) -> Result<(), String> {
    match (typed.shape(), &mut *value) {
        (_, Value::Null) | (Shape::Free | Shape::Opaque, _) => Ok(()),
        (Shape::Map(_), Value::Object(map)) => {
            // The metadata comes before all else.
            let mut fields: Vec<(&String, &mut Value)> = map.iter_mut().collect();
            fields.sort_by_key(|(key, _)| *key != "metadata");
            fields
                .into_iter()
                .try_for_each(|(key, value)| typed.below(key).map_or(Ok(()), |below| restore(below, value)))
        }
        (Shape::Map(_), value) if typed.is_open() => Err(format!("cannot restore map from {}", kind(value))),
        (Shape::Map(_), value) => Err(format!("cannot restore struct from: {}", kind(value))),
        (Shape::List(_), Value::Array(items)) => {
            let Some(of) = typed.items() else { return Ok(()) };
            items.iter_mut().try_for_each(|item| {
                if item.is_null() {
                    *item = of.zero();
                }
                restore(of, item)
            })
        }
        (Shape::List(_), value) => Err(format!("cannot restore slice from {}", kind(value))),
        (Shape::Scalar(Scalar::Bytes), Value::Array(items)) => {
            let strange = items.iter().any(|item| !item.is_number());
            if strange { Err(format!("unrecognized type: {BYTE}")) } else { Ok(()) }
        }
        (Shape::Scalar(Scalar::Bytes), value) if has_form(Scalar::Bytes, value) => {
            let wrong = malformed(Scalar::Bytes, value).map(|why| format!("error decoding from json: {why}"));
            wrong.map_or(Ok(()), Err)
        }
        (Shape::Scalar(Scalar::Bytes), value) => Err(format!("cannot restore slice from {}", kind(value))),
        (Shape::Scalar(scalar), value) if has_form(*scalar, value) => malformed(*scalar, value).map_or(Ok(()), Err),
        (Shape::Scalar(Scalar::IntOrText), Value::Number(_) | Value::String(_)) => Ok(()),
        // These have readers of their own.
        (Shape::Scalar(scalar @ (Scalar::IntOrText | Scalar::MicroTime | Scalar::Time)), value) => {
            Err(format!("json: cannot unmarshal {} into Go value of type {}", sort(value), scalar.type_name()))
        }
        (Shape::Scalar(scalar), value) => restore_scalar(*scalar, typed, value),
    }
}

fn restore_scalar(scalar: Scalar, typed: Typed, value: &mut Value) -> Result<(), String> {
    let cannot = |value: &Value| Err(format!("cannot convert {} to {}", words::type_of(value), typed.type_name()));
    match (scalar, &*value) {
        (Scalar::Text | Scalar::Formed, Value::String(_))
        | (Scalar::Flag, Value::Bool(_))
        | (Scalar::Number, Value::Number(_)) => Ok(()),
        (Scalar::Int32 | Scalar::Int64, Value::Number(number)) => {
            let Some(whole) = cut(number, scalar) else { return cannot(value) };
            *value = whole.into();
            Ok(())
        }
        (Scalar::Text | Scalar::Formed, Value::Number(number)) if number.is_i64() => cannot(value),
        _ => Err(format!("unrecognized type: {}", scalar.type_name())),
    }
}

/// A number as what is left of it in a field; none of one that isn't whole.
#[allow(clippy::cast_possible_truncation, reason = "so does the real server")]
fn cut(number: &Number, scalar: Scalar) -> Option<i64> {
    let whole = match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => whole,
        (None, Some(float)) if float.fract() != 0.0 => return None,
        // What is too large becomes the smallest there is.
        (None, Some(float)) if float.abs() < 9.2e18 => float as i64,
        (None, _) => i64::MIN,
    };
    Some(if scalar == Scalar::Int32 { i64::from(whole as i32) } else { whole })
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
        (Scalar::Text | Scalar::Bytes, Value::String(_)) | (Scalar::Flag, Value::Bool(_)) => None,
        (Scalar::Int32 | Scalar::Int64 | Scalar::Number, Value::Number(_)) => None,
        // Numbers that may be texts are looked at by who reads them.
        (Scalar::IntOrText, _) => None,
        (Scalar::Text | Scalar::Bytes, value) => {
            Some(format!("expected string, got &value.valueUnstructured{{Value:{}}}", words::source(value)))
        }
        (Scalar::Flag, value) => Some(format!("expected boolean, got &{{{}}}", words::told(value))),
        (Scalar::Int32 | Scalar::Int64 | Scalar::Number, value) => {
            Some(format!("expected numeric (int or float), got {}", words::type_of(value)))
        }
        (Scalar::Formed | Scalar::MicroTime | Scalar::Quantity | Scalar::Time, Value::Array(_) | Value::Object(_)) => {
            Some(format!("expected any scalar, got &{{{}}}", words::told(value)))
        }
        (Scalar::Formed | Scalar::MicroTime | Scalar::Quantity | Scalar::Time, _) => None,
    }
}
