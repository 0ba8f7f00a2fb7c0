//! Values of objects as rules see them: by their schema, and with names that are words.

use std::{collections::HashMap, sync::Arc};

use cel::{
    Value as Cel,
    objects::{Key, Map},
};
use serde_json::Value;

use super::super::structural::Node;

/// Words of the language, which are no names in it.
const RESERVED: [&str; 22] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "type",
];

/// Converts a value by its schema.
pub struct Convert<'n> {
    pub node: &'n Node,
    /// The value is an object of its own, with a kind and a name.
    pub whole: bool,
}

impl Convert<'_> {
    /// The value as rules see it; nothing, if they don't.
    pub fn value(&self, value: &Value) -> Option<Cel> {
        let node = self.node;
        Some(match value {
            Value::Null => Cel::Null,
            Value::Bool(told) => Cel::Bool(*told),
            Value::Number(number) => match number.as_i64() {
                Some(number) if node.of != "number" => Cel::Int(number),
                _ => Cel::Float(number.as_f64()?),
            },
            Value::String(text) => of_text(text, &node.format),
            Value::Array(items) => {
                let node = node.items.as_deref()?;
                let items = items.iter().filter_map(|item| Convert { node, whole: false }.value(item));
                Cel::List(Arc::new(items.collect()))
            }
            Value::Object(map) if node.others().is_some() => {
                let node = node.others()?;
                let entry =
                    |(key, value): (&String, &Value)| Some((key.clone(), Convert { node, whole: false }.value(value)?));
                of_map(map.iter().filter_map(entry))
            }
            Value::Object(map) => self.object(map),
        })
    }

    fn object(&self, map: &serde_json::Map<String, Value>) -> Cel {
        let mut fields: Vec<(String, Cel)> = Vec::new();
        for (name, node) in &self.node.properties {
            if let (Some(name), Some(value)) = (escaped(name), map.get(name)) {
                fields.extend(Convert { node, whole: false }.value(value).map(|value| (name, value)));
            }
        }
        if self.whole || self.node.embedded {
            for field in ["apiVersion", "kind"] {
                fields.extend(map.get(field).and_then(text).map(|text| (field.to_owned(), text)));
            }
            let named = |field: &&str| {
                let value = map.get("metadata").and_then(|metadata| metadata.get(field)).and_then(text)?;
                Some(((*field).to_owned(), value))
            };
            let metadata = ["name", "generateName"];
            fields.push(("metadata".to_owned(), of_map(metadata.iter().filter_map(named))));
        }
        of_map(fields)
    }
}

fn text(value: &Value) -> Option<Cel> {
    Some(Cel::String(Arc::new(value.as_str()?.to_owned())))
}

/// A map of values by names.
pub fn of_map(entries: impl IntoIterator<Item = (String, Cel)>) -> Cel {
    let entries: HashMap<Key, Cel> =
        entries.into_iter().map(|(key, value)| (Key::String(Arc::new(key)), value)).collect();
    Cel::Map(Map { map: Arc::new(entries) })
}

/// A value of which no schema is known.
pub fn plain(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(told) => Cel::Bool(*told),
        Value::Number(number) => {
            number.as_i64().map_or_else(|| Cel::Float(number.as_f64().unwrap_or_default()), Cel::Int)
        }
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => Cel::List(Arc::new(items.iter().map(plain).collect())),
        Value::Object(fields) => of_map(fields.iter().map(|(key, value)| (key.clone(), plain(value)))),
    }
}

fn of_text(text: &str, format: &str) -> Cel {
    let plain = || Cel::String(Arc::new(text.to_owned()));
    let converted = match format {
        "date-time" => call("timestamp(text)", text),
        "date" => call("timestamp(text)", &format!("{text}T00:00:00Z")),
        "duration" => call("duration(text)", text),
        "byte" => {
            use base64::{Engine as _, engine::general_purpose::STANDARD};
            STANDARD.decode(text).ok().map(|bytes| Cel::Bytes(Arc::new(bytes)))
        }
        _ => None,
    };
    converted.unwrap_or_else(plain)
}

/// What the language itself makes of a text.
fn call(expression: &str, text: &str) -> Option<Cel> {
    let env = super::environment();
    let program = env.compile(expression).ok()?;
    let mut context = cel::Context::with_env(env.clone());
    context.add_variable_from_value("text", Cel::String(Arc::new(text.to_owned())));
    program.execute(&context).ok()
}

/// The name of a field as a word; nothing, if rules can't name it.
pub fn escaped(name: &str) -> Option<String> {
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    let mut word = String::new();
    let mut rest = name;
    while let Some(letter) = rest.chars().next() {
        let (written, length) = match letter {
            '_' if rest.starts_with("__") => ("__underscores__".to_owned(), 2),
            '.' => ("__dot__".to_owned(), 1),
            '-' => ("__dash__".to_owned(), 1),
            '/' => ("__slash__".to_owned(), 1),
            letter if letter.is_ascii_alphanumeric() || letter == '_' => (letter.to_string(), 1),
            _ => return None,
        };
        word.push_str(&written);
        rest = &rest[length..];
    }
    (!name.starts_with(|letter: char| letter.is_ascii_digit())).then_some(word)
}
