//! What Redis answers, as values of a script.

use redis::Value;
use rhai::{Array, Dynamic, Map};

/// An answer: nil is `()`, a text that is none is bytes.
pub fn of_answer(value: Value) -> Dynamic {
    match value {
        Value::Nil => Dynamic::UNIT,
        Value::Int(number) => number.into(),
        Value::Double(number) => number.into(),
        Value::Boolean(flag) => flag.into(),
        Value::Okay => "OK".into(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text.into(),
        Value::BulkString(bytes) | Value::BigNumber(bytes) => text_or_bytes(bytes),
        Value::Array(items) | Value::Set(items) | Value::Push { data: items, .. } => {
            items.into_iter().map(of_answer).collect::<Array>().into()
        }
        Value::Map(pairs) => pairs
            .into_iter()
            .map(|(key, value)| (of_answer(key).to_string().into(), of_answer(value)))
            .collect::<Map>()
            .into(),
        Value::Attribute { data, .. } => of_answer(*data),
        // An error inside of a list, such as one of a transaction.
        Value::ServerError(error) => format!("{} {}", error.code(), error.details().unwrap_or_default()).trim().into(),
        other => format!("{other:?}").into(),
    }
}

fn text_or_bytes(bytes: Vec<u8>) -> Dynamic {
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => Dynamic::from_blob(error.into_bytes()),
    }
}

/// The answer to `INFO`: its sections, by their names in lower case, with their fields.
pub fn of_info(text: &str) -> Map {
    let mut sections = Map::new();
    let mut name = String::from("server");
    for line in text.lines() {
        if let Some(title) = line.strip_prefix('#') {
            name = title.trim().to_lowercase();
        } else if let Some((field, value)) = line.split_once(':') {
            let section = sections.entry(name.as_str().into()).or_insert_with(|| Map::new().into());
            if let Some(mut section) = section.write_lock::<Map>() {
                section.insert(field.into(), of_field(value));
            }
        }
    }
    sections
}

/// A number, or a text.
fn of_field(value: &str) -> Dynamic {
    let plain = |letter: char| letter.is_ascii_digit() || matches!(letter, '-' | '.');
    match (value.parse::<i64>(), value.parse::<f64>()) {
        (Ok(number), _) => number.into(),
        (_, Ok(number)) if value.chars().all(plain) => number.into(),
        _ => value.into(),
    }
}
