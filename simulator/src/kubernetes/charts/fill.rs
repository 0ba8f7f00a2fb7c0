//! What releases fill into the objects of a chart: `{{ .Release.Name }}`, `{{ .Values.image.tag }}`, and their like. A text that
//! is nothing but one of them becomes what it stands for, whatever that is.

use std::time::Duration;

use serde_json::Value;

use super::Chart;

/// A chart as somebody installs it.
#[derive(Clone, Copy)]
pub struct Release<'r> {
    pub name: &'r str,
    pub namespace: &'r str,
    pub chart: &'r Chart,
    /// All of them, those of the chart included.
    pub values: &'r Value,
}

impl Release<'_> {
    /// What it consists of, one part after the other: how long each takes, and its objects.
    pub fn parts(&self) -> Vec<(Duration, Vec<Value>)> {
        let wanted = |path: &String| !matches!(self.value(path), Value::Null | Value::Bool(false));
        let parts = self.chart.parts.iter().filter(|part| part.only_if.as_ref().is_none_or(wanted));
        parts.map(|part| (part.takes, part.objects.iter().map(|object| self.filled(object)).collect())).collect()
    }

    fn filled(&self, value: &Value) -> Value {
        match value {
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), self.filled(value))).collect(),
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Value::String(text) => self.text(text),
            other => other.clone(),
        }
    }

    fn text(&self, text: &str) -> Value {
        let pieces = pieces(text);
        if let [(before, Some(expression))] = pieces.as_slice()
            && before.is_empty()
        {
            return self.meant(expression);
        }
        let shown = |value: Value| match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let whole = pieces.into_iter().map(|(before, expression)| {
            let filled = expression.map(|expression| shown(self.meant(expression))).unwrap_or_default();
            format!("{before}{filled}")
        });
        Value::String(whole.collect())
    }

    fn meant(&self, expression: &str) -> Value {
        match expression {
            ".Release.Name" => self.name.into(),
            ".Release.Namespace" => self.namespace.into(),
            ".Chart.Name" => self.chart.name.as_str().into(),
            ".Chart.Version" => self.chart.version.as_str().into(),
            _ => self.value(expression.strip_prefix(".Values.").unwrap_or_default()).clone(),
        }
    }

    fn value(&self, path: &str) -> &Value {
        path.split('.').fold(self.values, |value, key| value.get(key).unwrap_or(&Value::Null))
    }
}

/// An expression among the texts of an object that can't be filled in.
pub fn strange(value: &Value) -> Option<String> {
    let is_strange = |expression: &&str| {
        !matches!(*expression, ".Release.Name" | ".Release.Namespace" | ".Chart.Name" | ".Chart.Version")
            && !expression.strip_prefix(".Values.").is_some_and(|path| !path.is_empty() && !path.contains([' ', '|']))
    };
    match value {
        Value::Object(map) => map.values().find_map(strange),
        Value::Array(items) => items.iter().find_map(strange),
        Value::String(text) => {
            pieces(text).into_iter().filter_map(|(_, expression)| expression).find(is_strange).map(str::to_owned)
        }
        _ => None,
    }
}

/// The values of a chart with those of a release above them; nothing takes a value away.
pub fn merged(mut below: Value, above: &Value) -> Value {
    match (&mut below, above) {
        (Value::Object(map), Value::Object(more)) => {
            for (key, value) in more {
                match value {
                    Value::Null => drop(map.remove(key)),
                    value => {
                        let merged = merged(map.remove(key).unwrap_or_default(), value);
                        map.insert(key.clone(), merged);
                    }
                }
            }
            below
        }
        _ => above.clone(),
    }
}

/// The text before each expression, and the expression; what follows the last has none.
fn pieces(text: &str) -> Vec<(&str, Option<&str>)> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, (expression, behind))) =
        rest.split_once("{{").and_then(|(before, behind)| Some((before, behind.split_once("}}")?)))
    {
        pieces.push((before, Some(expression.trim())));
        rest = behind;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push((rest, None));
    }
    pieces
}
