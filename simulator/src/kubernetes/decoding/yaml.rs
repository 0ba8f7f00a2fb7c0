//! YAML as the real server reads it: by the older rules for words such as `yes`, the first document of a text, and the last of what
//! comes twice.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use super::json::written;

/// What was read.
pub struct Yaml {
    pub value: Value,
    /// What is said of keys that came more than once.
    pub twice: Vec<String>,
}

/// # Errors
/// Where it is malformed.
pub fn read(text: &str) -> Result<Yaml, String> {
    let options = serde_saphyr::granit_parser::options! { emit_comments: false };
    let events = Parser::new_from_str_with_options(text, options);
    let mut reader = Reader { events, anchors: BTreeMap::new(), twice: Vec::new() };
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(Yaml { value: Value::Null, twice: reader.twice }),
            Event::StreamStart | Event::DocumentStart(..) => {}
            Event::DocumentEnd => return Ok(Yaml { value: Value::Null, twice: reader.twice }),
            event => {
                let value = reader.node(event, span)?;
                // What follows isn't looked at, but for whether it is in order up to there.
                return Ok(Yaml { value, twice: reader.twice });
            }
        }
    }
}

struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
    anchors: BTreeMap<usize, Value>,
    twice: Vec<String>,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), String> {
        let event = self.events.next_event().ok_or("yaml: unexpected end of stream")?;
        event.map_err(|error| format!("yaml: line {}: {}", error.marker().line(), error.info()))
    }

    fn node(&mut self, event: Event<'t>, span: Span) -> Result<Value, String> {
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                (if plain { scalar(&text) } else { Value::String(text.into_owned()) }, anchor)
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                return known.ok_or_else(|| format!("yaml: line {}: anchor contains itself", span.start.line()));
            }
            Event::SequenceStart(_, anchor, _) => (self.list()?, anchor),
            Event::MappingStart(_, anchor, _) => (self.map()?, anchor),
            _ => return Err("yaml: did not find expected node content".to_owned()),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn list(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(items.into());
            }
            items.push(self.node(event, span)?);
        }
    }

    fn map(&mut self) -> Result<Value, String> {
        let mut map = Map::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let key = match self.node(event, span)? {
                Value::String(key) => key,
                other => other.to_string(),
            };
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span)?;
            if key == "<<" {
                merged.push(value);
            } else if map.insert(key.clone(), value).is_some() {
                self.twice.push(format!("line {}: key {key:?} already set in map", span.start.line()));
            }
        }
        for source in merged.into_iter().flat_map(|source| match source {
            Value::Array(sources) => sources,
            source => vec![source],
        }) {
            for (key, value) in source.as_object().into_iter().flatten() {
                map.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(map.into())
    }
}

/// A word without quotes.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Value::Bool(true),
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    let plain = text.replace('_', "");
    let digits = plain.trim_start_matches(['-', '+']);
    if digits.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.') {
        let radix = [("0x", 16), ("0b", 2), ("0o", 8)].into_iter().find(|(prefix, _)| digits.starts_with(prefix));
        let octal = digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|digit| digit.is_ascii_digit());
        let whole = match radix {
            Some((_, radix)) => i64::from_str_radix(&digits[2..], radix).ok(),
            None if octal => i64::from_str_radix(&digits[1..], 8).ok(),
            None => digits.parse().ok(),
        };
        if let Some(whole) = whole {
            return if plain.starts_with('-') { (-whole).into() } else { whole.into() };
        }
        let numeric = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
        if let Some(float) = plain.parse::<f64>().ok().filter(|_| numeric) {
            return written(float);
        }
    }
    Value::String(text.to_owned())
}
