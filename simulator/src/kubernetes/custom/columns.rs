//! The columns that definitions give to the tables of their kinds.

use serde_json::{Value, json};

use super::json_path::JsonPath;

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct PrinterColumn {
    /// As tables tell it.
    pub definition: Value,
    path: Option<JsonPath>,
}

impl PrinterColumn {
    /// The columns of a version of a definition.
    pub fn all(version: &Value) -> Vec<Self> {
        version["additionalPrinterColumns"].as_array().into_iter().flatten().map(Self::read).collect()
    }

    fn read(column: &Value) -> Self {
        let text = |field: &str| column[field].as_str().unwrap_or_default();
        let path = text("jsonPath");
        let description = match text("description") {
            "" => format!("Custom resource definition column (in JSONPath format): {path}"),
            given => given.to_owned(),
        };
        let definition = json!({
            "name": column["name"],
            "type": column["type"],
            "format": text("format"),
            "description": description,
            "priority": column["priority"].as_i64().unwrap_or_default(),
        });
        Self { definition, path: JsonPath::read(path) }
    }

    /// The cell of an object; `since` says how long ago a time was.
    pub fn cell(&self, object: &Value, since: impl Fn(&Value) -> String) -> Value {
        let found = self.path.as_ref().and_then(|path| path.first(object)).filter(|value| !value.is_null());
        let Some(value) = found else { return Value::Null };
        match (self.definition["type"].as_str().unwrap_or_default(), value) {
            ("string", Value::String(text)) => json!(text),
            ("string", other) => json!(ordered(other).to_string()),
            ("integer", Value::Number(number)) => {
                json!(number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)))
            }
            ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => value.clone(),
            ("date", Value::String(_)) => json!(since(value)),
            _ => Value::Null,
        }
    }
}

/// The same with the fields of maps in the order of their names.
fn ordered(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            pairs.into_iter().map(|(key, value)| (key.clone(), ordered(value))).collect()
        }
        Value::Array(items) => items.iter().map(ordered).collect(),
        other => other.clone(),
    }
}
