//! JSON as the real server reads it: in its words where it is malformed, with what came twice, and numbers as they were written.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::path;

/// What was read.
#[derive(Debug, Default)]
pub struct Json {
    pub value: Value,
    /// Fields that came more than once, by their paths.
    pub twice: Vec<String>,
    /// Numbers that are no plain integers, by their paths, as they were written.
    pub odd: BTreeMap<String, String>,
    /// What such fields had before, by their paths.
    pub earlier: BTreeMap<String, Vec<Earlier>>,
}

/// A value in whose place another one came.
#[derive(Debug, Clone)]
pub struct Earlier {
    pub value: Value,
    /// Its numbers that are no plain integers.
    pub odd: BTreeMap<String, String>,
}

/// What becomes of a value when another one comes under the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// Both are read into a type, one after the other.
    Joins,
    /// The last one counts.
    Replaces,
}

/// How deep values may be nested.
const DEEPEST: usize = 10_000;

/// # Errors
/// Where it is malformed.
pub fn read(text: &[u8], again: Again) -> Result<Json, String> {
    // Most texts are as they should be, and this is quick.
    if let Ok(Strict(value)) = serde_json::from_slice(text) {
        return Ok(Json { value, ..Json::default() });
    }
    let mut reader = Reader { text, again, at: 0, depth: 0, place: String::new(), read: Json::default() };
    let value = reader.value()?;
    reader.space();
    match reader.peek() {
        None => Ok(Json { value, ..reader.read }),
        Some(_) => Err(reader.wrong("after top-level value")),
    }
}

/// A value without oddities.
struct Strict(Value);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl<'de> serde::de::Visitor<'de> for Visitor {
    type Value = Strict;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON without oddities")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Strict, E> {
        Ok(Strict(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Strict, E> {
        i64::try_from(value).map(|value| Strict(value.into())).map_err(|_| E::custom("a large number"))
    }

    fn visit_f64<E: serde::de::Error>(self, _value: f64) -> Result<Strict, E> {
        Err(E::custom("no integer"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Strict(list.into()))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut fields: A) -> Result<Strict, A::Error> {
        let mut map = Map::new();
        while let Some((key, Strict(value))) = fields.next_entry::<String, Strict>()? {
            if map.insert(key, value).is_some() {
                return Err(serde::de::Error::custom("a field came twice"));
            }
        }
        Ok(Strict(map.into()))
    }
}

struct Reader<'t> {
    text: &'t [u8],
    again: Again,
    at: usize,
    depth: usize,
    /// The path of what is being read.
    place: String,
    read: Json,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|letter| matches!(letter, b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// What is said of the letter that comes next.
    fn wrong(&self, wher: &str) -> String {
        match self.peek() {
            // The real server looks whether a blank might follow.
            None if wher.starts_with("in literal") || wher.contains("numeric literal") || wher.contains("escape") => {
                format!("invalid character ' ' {wher}")
            }
            None => "unexpected end of JSON input".to_owned(),
            Some(b'\'') => format!("invalid character '\\'' {wher}"),
            Some(b'"') => format!("invalid character '\"' {wher}"),
            Some(letter) => {
                let shown = format!("{:?}", char::from(letter));
                let shown = shown.replace("\\u{", "\\x").replace('}', "");
                let shown = if letter == b'}' { "'}'".to_owned() } else { shown };
                format!("invalid character {shown} {wher}")
            }
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        self.space();
        match self.peek() {
            Some(b'{') => self.nested(Self::map),
            Some(b'[') => self.nested(Self::list),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            _ => Err(self.wrong("looking for beginning of value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, String>) -> Result<Value, String> {
        if self.depth == DEEPEST {
            return Err("exceeded max depth".to_owned());
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn map(&mut self) -> Result<Value, String> {
        let mut map = Map::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(map.into());
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("looking for beginning of object key string"));
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return Err(self.wrong("after object key"));
            }
            self.at += 1;
            let length = self.place.len();
            path::field(&mut self.place, &key);
            if let Some(there) = map.shift_remove(&key) {
                self.read.twice.push(self.place.clone());
                self.set_aside(there);
            }
            let value = self.value()?;
            self.place.truncate(length);
            map.insert(key, value);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(map.into());
                }
                _ => return Err(self.wrong("after object key:value pair")),
            }
        }
    }

    /// Remembers what was at this place, as far as it will be looked at.
    fn set_aside(&mut self, value: Value) {
        let (own, others) =
            std::mem::take(&mut self.read.odd).into_iter().partition(|(path, _)| path.starts_with(&self.place));
        self.read.odd = others;
        if self.again == Again::Joins {
            self.read.earlier.entry(self.place.clone()).or_default().push(Earlier { value, odd: own });
        }
    }

    fn list(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(items.into());
        }
        loop {
            let length = self.place.len();
            path::item(&mut self.place, items.len());
            items.push(self.value()?);
            self.place.truncate(length);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(items.into());
                }
                _ => return Err(self.wrong("after array element")),
            }
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for letter in word.bytes() {
            if self.peek() != Some(letter) {
                return Err(self.wrong(&format!("in literal {word} (expecting {:?})", char::from(letter))));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn digits(&mut self, wher: &str) -> Result<(), String> {
        if !self.peek().is_some_and(|letter| letter.is_ascii_digit()) {
            return Err(self.wrong(wher));
        }
        while self.peek().is_some_and(|letter| letter.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, String> {
        let begin = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits("in numeric literal")?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = String::from_utf8_lossy(&self.text[begin..self.at]).into_owned();
        if let Ok(whole) = text.parse::<i64>() {
            return Ok(whole.into());
        }
        let float: f64 = text.parse().map_err(|_| format!("invalid number {text}"))?;
        self.read.odd.insert(self.place.clone(), text);
        Ok(written(float))
    }

    fn string(&mut self) -> Result<String, String> {
        let begin = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(letter) if letter >= 0x20 => self.at += 1,
                _ => return Err(self.wrong("in string literal")),
            }
        }
        self.at += 1;
        let text = String::from_utf8_lossy(&self.text[begin..self.at]);
        // A surrogate without its other half is none of Unicode's letters.
        Ok(serde_json::from_str(&text).unwrap_or_else(|_| text.trim_matches('"').to_owned()))
    }

    fn escape(&mut self) -> Result<(), String> {
        self.at += 1;
        match self.peek() {
            Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|letter| letter.is_ascii_hexdigit()) {
                        return Err(self.wrong("in \\u hexadecimal character escape"));
                    }
                    self.at += 1;
                }
                Ok(())
            }
            _ => Err(self.wrong("in string escape code")),
        }
    }
}

/// A number that was no integer as it is written again: whole numbers without a point.
pub fn written(float: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[allow(clippy::cast_possible_truncation, reason = "it is whole, and small enough")]
    if float.fract() == 0.0 && float.abs() < EXACT {
        return (float as i64).into();
    }
    Number::from_f64(float).map_or(Value::Null, Value::Number)
}
