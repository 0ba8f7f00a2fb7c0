//! What is wrong with a configuration, in the words that Talos itself has for it, so that both can be looked up in one place. What only
//! a machine can say isn't judged: overrides of the container runtime.

mod cluster;
mod documents;
mod labels;
mod machine;
mod network;
mod selectors;
mod volumes;

use std::{fmt, str::FromStr};

use serde_json::Value;

use crate::configuration::Configuration;

/// Where the machine runs, which decides what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Metal,
    Cloud,
    Container,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub warnings: Vec<String>,
    pub errors: Vec<String>,
}

/// Judges a configuration for machines of that kind; `strict` is for whom warnings are errors.
#[must_use]
pub fn validate(configuration: &Configuration, mode: Mode, strict: bool) -> Findings {
    let mut findings = Findings::default();
    if let Some(original) = configuration.original() {
        let mut found = Findings::default();
        machine::check(&original.fields, mode, &mut found);
        if strict {
            let warnings = std::mem::take(&mut found.warnings);
            found.errors.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
        }
        findings = found;
    }
    for document in configuration.documents().iter().filter(|document| !document.is_original()) {
        documents::check(document, &mut findings);
    }
    volumes::check_once(configuration, &mut findings);
    findings
}

impl Findings {
    fn error(&mut self, error: impl Into<String>) {
        self.errors.push(error.into());
    }

    fn check(&mut self, result: Result<(), String>) {
        self.errors.extend(result.err());
    }

    /// As one text, in the way of Talos.
    #[must_use]
    pub fn text(&self) -> String {
        listed(&self.errors)
    }
}

/// Several messages as one.
fn listed(messages: &[String]) -> String {
    let count = messages.len();
    let noun = if count == 1 { "error" } else { "errors" };
    let points: Vec<String> = messages.iter().map(|message| format!("* {message}")).collect();
    format!("{count} {noun} occurred:\n\t{}\n\n", points.join("\n\t"))
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "metal" => Ok(Self::Metal),
            "cloud" => Ok(Self::Cloud),
            "container" => Ok(Self::Container),
            _ => Err(format!("unknown runtime mode: {text:?}")),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Metal => "metal",
            Self::Cloud => "cloud",
            Self::Container => "container",
        })
    }
}

// Documents leave out what is empty, so that a place that isn't there reads as empty.

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

fn on(value: &Value) -> bool {
    value.as_bool().unwrap_or_default()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    items(value).iter().map(text)
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let mut entries: Vec<_> =
        value.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value)).collect();
    entries.sort_by_key(|(key, _)| *key);
    entries.into_iter()
}
