//! The reference of world files, from their schema.

use std::{collections::VecDeque, fmt::Write as _};

use serde_json::Value;

use super::check::{resolved, schema};

/// A world with something of everything that people write most.
pub const EXAMPLE: &str = include_str!("example.world.yaml");

const BEGINNING: &str = "# World files

What a runbook meets when it is rehearsed. `NAME.world.yaml` beside `NAME.rhai` is found by itself; `--world FILE` names another one;
without either there is one bare cluster. `cozyscript world check FILE` finds what is wrong with one, and `cozyscript world up --world
FILE` opens it on this machine for kubectl and others.

Durations are written like `90s`, `10m` or `1h30m`. `from` and `until` count from the beginning of the rehearsal: what has neither is
so from the beginning, for ever. In patterns `*` stands for anything. Files are found beside the world's own.
";

/// The reference, in Markdown.
pub fn reference() -> String {
    let mut out = format!("{BEGINNING}\n```yaml\n{EXAMPLE}```\n");
    let mut known: Vec<(&Value, String)> = Vec::new();
    let mut open: VecDeque<(String, &Value)> = [(String::new(), schema())].into();
    while let Some((path, at)) = open.pop_front() {
        let Some(keys) = at.get("properties").and_then(Value::as_object) else { continue };
        let title = if path.is_empty() { "The world" } else { &path };
        push(&mut out, format_args!("\n## {title}\n\n| key | form | meaning |\n|---|---|---|\n"));
        let required = at.get("required").and_then(Value::as_array);
        for (key, value) in keys {
            let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let must = required.is_some_and(|required| required.iter().any(|name| name == key));
            let mark = if must { " (required)" } else { "" };
            let mut meaning = text(value, "description").to_owned();
            for (path, below) in objects(&inner, value) {
                match known.iter().find(|(other, _)| std::ptr::eq(*other, below)) {
                    Some((_, other)) => push(&mut meaning, format_args!("; as in `{other}`")),
                    None => {
                        known.push((below, path.clone()));
                        open.push_back((path, below));
                    }
                }
            }
            push(&mut out, format_args!("| `{key}`{mark} | {} | {} |\n", form(value), meaning.replace('|', "\\|")));
        }
    }
    out
}

/// The maps with keys of their own that are in a value, and where: `sites.NAME`, `sites.NAME.answers[]`.
fn objects<'s>(path: &str, at: &'s Value) -> Vec<(String, &'s Value)> {
    let at = resolved(at);
    let mut found = Vec::new();
    if at.get("properties").is_some() && at.get("additionalProperties") == Some(&Value::Bool(false)) {
        found.push((path.to_owned(), at));
    }
    if let Some(inner) = at.get("additionalProperties").filter(|inner| inner.is_object()) {
        found.extend(objects(&format!("{path}.{}", name_of(at)), inner));
    }
    if let Some(inner) = at.get("items") {
        found.extend(objects(&format!("{path}[]"), inner));
    }
    for form in at.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        found.extend(objects(path, form));
    }
    found
}

/// How a key of a map is called.
fn name_of(at: &Value) -> &'static str {
    match at.pointer("/propertyNames/format").and_then(Value::as_str) {
        Some("origin") => "ORIGIN",
        Some("host-port") => "HOST:PORT",
        Some("port") => "PORT",
        Some("path") => "PATH",
        Some("repository") => "ADDRESS",
        _ => "NAME",
    }
}

/// What a value looks like.
fn form(at: &Value) -> String {
    let at = resolved(at);
    if let Some(forms) = at.get("oneOf").and_then(Value::as_array) {
        return forms.iter().map(form).collect::<Vec<_>>().join(", or ");
    }
    if let Some(words) = at.get("enum").and_then(Value::as_array) {
        let words: Vec<String> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        return words.join(" ");
    }
    let kind = at.get("type").and_then(|kind| kind.as_str().or_else(|| kind.get(0).and_then(Value::as_str)));
    match (kind, at.get("format").and_then(Value::as_str)) {
        (Some("string"), Some(format)) => named(format).to_owned(),
        (Some("string"), None) => "text".to_owned(),
        (Some("integer"), _) => "whole number".to_owned(),
        (Some("number"), _) => "number".to_owned(),
        (Some("boolean"), _) => "true or false".to_owned(),
        (Some("array"), _) => format!("list: {}", at.get("items").map_or_else(|| "anything".to_owned(), form)),
        (Some("object"), _) => match at.get("additionalProperties").filter(|inner| inner.is_object()) {
            Some(inner) => format!("map of `{}`: {}", name_of(at), form(inner)),
            None => "map".to_owned(),
        },
        _ => "anything".to_owned(),
    }
}

fn named(format: &str) -> &str {
    match format {
        "date-time" => "moment",
        "host-port" => "host:port",
        "ip" => "address",
        "skew" => "duration, also below zero",
        "range" => "range of addresses",
        "file" => "file",
        other => other,
    }
}

fn text<'s>(at: &'s Value, field: &str) -> &'s str {
    at.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn push(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("a text can always grow");
}
