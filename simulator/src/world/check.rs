//! Holding a world file against its schema, which is the one place that says what there may be.

use std::{collections::BTreeMap, net::IpAddr, sync::OnceLock};

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::{
    problem::{Problem, meant},
    text::{Text, below},
};
use crate::{
    duration,
    kubernetes::{controllers::load_balancers::range, quantity::Quantity},
};

/// What a world file may contain, as editors read it, too.
pub const SCHEMA: &str = include_str!("world.schema.json");

/// The schema.
///
/// # Panics
/// If it is no JSON, which tests would notice.
pub fn schema() -> &'static Value {
    static READ: OnceLock<Value> = OnceLock::new();
    READ.get_or_init(|| serde_json::from_str(SCHEMA).expect("the schema is JSON"))
}

/// Everything that the schema has against a text.
pub fn check(text: &Text) -> Vec<Problem> {
    let mut check = Check { text, problems: Vec::new() };
    check.value("", &text.value, schema());
    check.problems
}

struct Check<'t> {
    text: &'t Text,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn value(&mut self, pointer: &str, value: &Value, schema: &Value) {
        let schema = resolved(schema);
        if let Some(forms) = schema.get("oneOf").and_then(Value::as_array) {
            let fitting = forms.iter().find(|form| kinds(form).contains(&kind(value)));
            return match fitting {
                Some(form) => self.value(pointer, value, form),
                None => self.of_another_kind(pointer, value, &forms.iter().flat_map(kinds).collect::<Vec<_>>()),
            };
        }
        let expected = kinds(schema);
        let whole_number = kind(value) == "integer" && expected.contains(&"number");
        if !expected.is_empty() && !expected.contains(&kind(value)) && !whole_number {
            return self.of_another_kind(pointer, value, &expected);
        }
        match value {
            Value::Object(fields) => self.fields(pointer, fields, schema),
            Value::Array(items) => {
                if let Some(schema) = schema.get("items") {
                    for (index, item) in items.iter().enumerate() {
                        self.value(&below(pointer, &index.to_string()), item, schema);
                    }
                }
            }
            Value::String(text) => self.string(pointer, text, schema),
            Value::Number(number) => self.number(pointer, number, schema),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn fields(&mut self, pointer: &str, fields: &Map<String, Value>, schema: &Value) {
        let none = Map::new();
        let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let form = schema.pointer("/propertyNames/format").and_then(Value::as_str).and_then(format);
        for (name, value) in fields {
            let inner = below(pointer, name);
            if let Some((_, _, hint)) = form.filter(|(_, fits, _)| !fits(name)) {
                self.wrong_key(&inner, format!("`{name}` can't be one of `{}`", last(pointer)), (*hint).to_owned());
            }
            match (known.get(name), schema.get("additionalProperties")) {
                (Some(schema), _) => self.value(&inner, value, schema),
                (None, Some(Value::Bool(false))) => {
                    let hint = meant(name, known.keys().map(String::as_str), "here there may be");
                    self.wrong_key(&inner, format!("there is no key `{name}` {}", place_of(pointer)), hint);
                }
                (None, Some(schema)) => self.value(&inner, value, schema),
                (None, None) => {}
            }
        }
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok());
        if bound("minProperties").is_some_and(|least| fields.len() < least)
            || bound("maxProperties").is_some_and(|most| fields.len() > most)
        {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            self.wrong(pointer, format!("`{}` has one of {}", last(pointer), names.join(", ")), None);
        }
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                let hint = known.get(name).map(description).filter(|text| !text.is_empty());
                self.wrong(pointer, format!("`{name}` is missing {}", place_of(pointer)), hint);
            }
        }
    }

    fn string(&mut self, pointer: &str, text: &str, schema: &Value) {
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
            let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
            if !allowed.contains(&text) {
                let hint = meant(text, allowed.iter().copied(), "it is one of");
                self.wrong(pointer, format!("`{}` can't be `{text}`", last(pointer)), Some(hint));
            }
        }
        if let Some((_, fits, hint)) = schema.get("format").and_then(Value::as_str).and_then(format)
            && !fits(text)
        {
            self.wrong(pointer, format!("`{}` can't be `{text}`", last(pointer)), Some((*hint).to_owned()));
        }
    }

    fn number(&mut self, pointer: &str, number: &serde_json::Number, schema: &Value) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let number = number.as_f64().unwrap_or_default();
        let name = last(pointer);
        if let Some(least) = bound("minimum").filter(|least| number < *least) {
            self.wrong(pointer, format!("`{name}` is {number}, and can't be less than {least}"), None);
        }
        if let Some(most) = bound("maximum").filter(|most| number > *most) {
            self.wrong(pointer, format!("`{name}` is {number}, and can't be more than {most}"), None);
        }
    }

    fn of_another_kind(&mut self, pointer: &str, value: &Value, expected: &[&str]) {
        let expected: Vec<&str> =
            expected.iter().filter(|kind| **kind != "null").map(|kind| with_article(kind)).collect();
        let message = match last(pointer).as_str() {
            "" => format!("a world is {}, and this is {}", expected.join(" or "), with_article(kind(value))),
            name => format!("`{name}` is {}, and this is {}", expected.join(" or "), with_article(kind(value))),
        };
        self.wrong(pointer, message, None);
    }

    fn wrong(&mut self, pointer: &str, message: String, hint: Option<String>) {
        self.problems.push(Problem { message, hint, place: self.text.place(pointer) });
    }

    fn wrong_key(&mut self, pointer: &str, message: String, hint: String) {
        self.problems.push(Problem { message, hint: Some(hint), place: self.text.key(pointer) });
    }
}

type Format = (&'static str, fn(&str) -> bool, &'static str);

/// What texts of a format look like, and how to write them.
const FORMATS: &[Format] = &[
    ("duration", |text| duration::parse(text).is_ok(), "write a duration like `90s`, `10m`, `1h30m` or `500ms`"),
    ("date-time", |text| text.parse::<jiff::Timestamp>().is_ok(), "write a moment like `2026-01-01T09:00:00Z`"),
    ("host-port", |text| host_and_port(text).is_some(), "write it like `lab.example.test:6443`"),
    ("origin", |text| origin(text).is_some(), "write it like `https://www.example.test` or `http://127.0.0.1:8080`"),
    (
        "repository",
        |text| text.split_once("://").is_some_and(|(_, rest)| !rest.is_empty()),
        "write it like `https://git.example.test/fleet.git` or `oci://registry.example.test/charts`",
    ),
    ("path", |text| text.starts_with('/'), "write it from the root on, like `/health` or `/api/*`"),
    ("skew", |text| skew(text).is_some(), "write it like `5m`, or `-90s`"),
    ("network", |text| text.contains('/') && range(text).is_some(), "write it like `10.17.13.0/24`"),
    ("range", |text| range(text).is_some(), "write it like `10.17.13.240-10.17.13.250` or `10.17.13.0/28`"),
    ("port", |text| text.parse::<u16>().is_ok_and(|port| port > 0), "write a number like `8080`"),
    (
        "webhook",
        |text| text.split('.').filter(|part| !part.is_empty()).count() > 2,
        "write it like `owners.policy.test`",
    ),
    ("ip", |text| text.parse::<IpAddr>().is_ok(), "write an address like `10.17.13.242`"),
    ("size", |text| bytes(text).is_some(), "write a size like `240G` or `16Gi`"),
    ("talos", |text| version(text).is_some(), "write a version like `v1.11.5`; known are 1.7 to 1.14"),
    ("kubernetes", |text| minor(text).is_some(), "write a version like `v1.36.3`"),
    ("taint", |text| taint(text).is_some(), "write it like `dedicated=database:NoSchedule`"),
];

fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|(known, ..)| *known == name)
}

/// Whether an origin is spoken to over TLS, its host, and its port.
pub fn origin(text: &str) -> Option<(bool, &str, u16)> {
    let (scheme, rest) = text.split_once("://")?;
    let (tls, usual) = match scheme {
        "https" => (true, 443),
        "http" => (false, 80),
        _ => return None,
    };
    match rest.rsplit_once(':') {
        Some(_) => host_and_port(rest).map(|(host, port)| (tls, host, port)),
        None => (!rest.is_empty() && !rest.contains(['/', ' '])).then_some((tls, rest, usual)),
    }
}

/// The two parts of `host:port`.
pub fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    (!host.is_empty() && !host.contains(['/', ' '])).then_some((host, port))
}

/// How much a clock is ahead.
pub fn skew(text: &str) -> Option<SignedDuration> {
    let length = duration::parse(text.trim_start_matches('-')).ok()?;
    let length = SignedDuration::try_from(length).ok()?;
    Some(if text.starts_with('-') { -length } else { length })
}

/// How many bytes `16Gi` are.
pub fn bytes(text: &str) -> Option<u64> {
    let quantity = Quantity::read(&Value::from(text)).ok()?;
    u64::try_from(quantity.whole()).ok().filter(|bytes| *bytes > 0)
}

/// The minor version of `v1.36.3`.
fn minor(text: &str) -> Option<u32> {
    let (minor, patch) = text.strip_prefix("v1.")?.split_once('.')?;
    if patch.is_empty() { None } else { minor.parse().ok() }
}

/// The minor version of `v1.11.5`, if it is one that nodes may have.
pub fn version(text: &str) -> Option<u32> {
    minor(text).filter(|minor| (7..=14).contains(minor))
}

/// The key, value and effect of a taint.
pub fn taint(text: &str) -> Option<(&str, &str, &str)> {
    let (what, effect) = text.rsplit_once(':')?;
    let (key, value) = what.split_once('=').unwrap_or((what, ""));
    let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    (!key.is_empty() && effects.contains(&effect)).then_some((key, value, effect))
}

/// What a schema refers to, or itself.
pub fn resolved(at: &Value) -> &Value {
    match at.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            schema().pointer(reference.trim_start_matches('#')).expect("the schema refers to definitions that it has")
        }
        None => at,
    }
}

/// The kinds of values that a schema allows; none stands for all.
fn kinds(at: &Value) -> Vec<&str> {
    match resolved(at).get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn with_article(kind: &str) -> &str {
    let words: BTreeMap<&str, &str> = [
        ("null", "nothing"),
        ("boolean", "true or false"),
        ("number", "a number"),
        ("integer", "a whole number"),
        ("string", "a text"),
        ("array", "a list"),
        ("object", "a map"),
    ]
    .into();
    words.get(kind).copied().unwrap_or(kind)
}

fn description(at: &Value) -> String {
    let of = |at: &Value| at.get("description").and_then(Value::as_str).map(str::to_owned);
    of(at).or_else(|| of(resolved(at))).unwrap_or_default()
}

/// The name of what a pointer leads to.
fn last(pointer: &str) -> String {
    let readable = |segment: &str| segment.replace("~1", "/").replace("~0", "~");
    let mut segments = pointer.rsplit('/').map(readable);
    let last = segments.next().unwrap_or_default();
    match last.parse::<usize>() {
        Ok(index) => format!("{}[{index}]", segments.next().unwrap_or_default()),
        Err(_) => last,
    }
}

fn place_of(pointer: &str) -> String {
    match last(pointer).as_str() {
        "" => "in a world".to_owned(),
        name => format!("in `{name}`"),
    }
}
