//! What was asked and answered, without what differs from run to run.
//!
//! The list of what is left out is short, and this is all of it: times, uids, versions of objects, the body's own namespace,
//! tokens that continue a list, what ends generated names and those of volumes with tokens, the order of causes, which a real
//! server gives in no order, objects that messages quote, the addresses and ports that a cluster gives to services, unless the
//! body itself named them, how long ago something was, in the cells of tables, and how far a server is that is asked for more.
//! Where controllers are waited for, what names end with by lot is left out, too.

use std::sync::Mutex;

use serde_json::{Map, Value, json};

use super::Answer;

pub struct Transcript {
    space: String,
    told: Mutex<Vec<Value>>,
    /// Everything that was sent.
    sent: Mutex<String>,
}

impl Transcript {
    pub fn of(space: &str) -> Self {
        Self { space: space.to_owned(), told: Mutex::default(), sent: Mutex::default() }
    }

    pub fn tell(&self, asked: &str, answer: &Answer) {
        let asked = without_position(&asked.replace(&self.space, "SPACE"));
        let answered = self.plain("", &answer.body);
        let mut told = json!({"asked": asked, "code": answer.code, "answered": answered});
        if !answer.warnings.is_empty() {
            told["warned"] = answer.warnings.iter().map(|warning| self.text(warning)).collect();
        }
        if !matches!(answer.form.as_str(), "" | "application/json" | "text/plain; charset=utf-8") {
            told["form"] = json!(answer.form);
        }
        self.told.lock().unwrap().push(told);
    }

    /// Notes what a body says on its own.
    pub fn sends(&self, body: &str) {
        self.sent.lock().unwrap().push_str(body);
    }

    /// True for a value that no body has named.
    fn is_allotted(&self, value: &Value) -> bool {
        !self.sent.lock().unwrap().contains(&value.to_string())
    }

    pub fn told(&self) -> Value {
        Value::Array(self.told.lock().unwrap().clone())
    }

    fn plain(&self, key: &str, value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let mut plain: Vec<(String, Value)> =
                    map.iter().map(|(key, value)| (self.text(key), self.plain(key, value))).collect();
                if let (Some(name), Some(stem)) = (text_of(map, "name"), text_of(map, "generateName"))
                    && let Some(suffix) = name.strip_prefix(stem)
                    && suffix.len() == 5
                {
                    plain.iter_mut().filter(|(key, _)| key == "name").for_each(|(_, name)| *name = json!("GENERATED"));
                }
                plain.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(Map::from_iter(plain))
            }
            Value::Array(items) => {
                let below = match key {
                    "clusterIPs" => "clusterIP",
                    "cells" => "cell",
                    _ => "",
                };
                let mut plain: Vec<Value> = items.iter().map(|item| self.plain(below, item)).collect();
                if key == "causes" {
                    plain.sort_by_key(Value::to_string);
                }
                Value::Array(plain)
            }
            Value::String(text) => match key {
                "resourceVersion" if !matches!(text.as_str(), "" | "0") => json!("VERSION"),
                "clusterIP" if text.starts_with("10.0.0.") && self.is_allotted(value) => json!("ADDRESS"),
                "continue" if !text.is_empty() => json!("CONTINUE"),
                "cell" => json!(without_age(&self.text(text))),
                _ => json!(self.text(text)),
            },
            Value::Number(_) if matches!(key, "nodePort" | "healthCheckNodePort") && self.is_allotted(value) => {
                json!("PORT")
            }
            other => other.clone(),
        }
    }

    fn text(&self, text: &str) -> String {
        let text = text.replace(&self.space, "SPACE");
        let text = match text.strip_prefix("kube-api-access-") {
            Some(suffix) if suffix.len() == 5 => "kube-api-access-SUFFIX".to_owned(),
            _ => text,
        };
        let text = unquoted(text);
        let text = match text.split_once("Too large resource version: ") {
            Some((before, _)) => format!("{before}Too large resource version: REVISION"),
            None => text,
        };
        let text = masked(&text, "00000000-0000-0000-0000-000000000000", "UID");
        let text = masked(&text, "0000-00-00T00:00:00.000000Z", "TIME");
        masked(&text, "0000-00-00T00:00:00Z", "TIME")
    }
}

/// What was asked without where in the history of the server that is: revisions, and tokens that a server has given.
fn without_position(asked: &str) -> String {
    let (asked, form) = asked.split_once(" as ").unwrap_or((asked, ""));
    let (path, query) = asked.split_once('?').unwrap_or((asked, ""));
    let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some(("continue", token)) if token.starts_with("eyJ2IjoibWV0YS5rOHMuaW8vdjEi") => {
            "continue=CONTINUE".to_owned()
        }
        Some(("resourceVersion", revision))
            if revision.len() > 1 && revision.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            "resourceVersion=VERSION".to_owned()
        }
        _ => parameter.to_owned(),
    });
    let query = if query.is_empty() { String::new() } else { format!("?{}", parameters.collect::<Vec<_>>().join("&")) };
    if form.is_empty() { format!("{path}{query}") } else { format!("{path}{query} as {form}") }
}

/// The text of a cell without how long ago something was, as in `3m12s` or `2 (5s ago)`.
fn without_age(text: &str) -> String {
    let is_age = |text: &str| {
        text.starts_with(|letter: char| letter.is_ascii_digit())
            && text.ends_with(['s', 'm', 'h', 'd', 'y'])
            && text.bytes().all(|byte| byte.is_ascii_digit() || b"smhdy".contains(&byte))
    };
    match text.split_once(" (").and_then(|(count, rest)| Some((count, rest.strip_suffix(" ago)")?))) {
        Some((count, age)) if is_age(age) => format!("{count} (AGE ago)"),
        _ if is_age(text) => "AGE".to_owned(),
        _ => text.to_owned(),
    }
}

fn text_of<'m>(map: &'m Map<String, Value>, key: &str) -> Option<&'m str> {
    map.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// The text without an object that it quotes, whose fields come in an order of the server's own.
fn unquoted(text: String) -> String {
    let mark = r#"patch: Invalid value: "{"#;
    match (text.find(mark), text.rfind(r#"}": "#)) {
        (Some(begin), Some(end)) => format!("{}patch: Invalid value: OBJECT{}", &text[..begin], &text[end + 2..]),
        _ if text.starts_with(r#"Invalid value: "{"#) => unquoted(format!("patch: {text}")),
        _ => text,
    }
}

/// The text with another word for whatever has this form, in which `0` is any hexadecimal digit.
fn masked(text: &str, form: &str, word: &str) -> String {
    let fits = |text: &str| {
        text.len() >= form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_hexdigit(),
                _ => byte == form,
            })
    };
    let mut masked = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if fits(rest) {
            masked.push_str(word);
            rest = &rest[form.len()..];
        } else {
            masked.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    masked
}

/// The same with words for what names end with by lot: the hash of a template, and the suffix of a generated name.
pub fn without_lots(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), without_lots(value))).collect(),
        Value::Array(items) => items.iter().map(without_lots).collect(),
        Value::String(text) => {
            let is_inside = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
            let words = text.split_inclusive(|letter| !is_inside(letter));
            json!(
                words
                    .map(|word| {
                        let name = word.trim_end_matches(|letter| !is_inside(letter));
                        format!("{}{}", name_without_lots(name), &word[name.len()..])
                    })
                    .collect::<String>()
            )
        }
        other => other.clone(),
    }
}

fn name_without_lots(name: &str) -> String {
    let is_lot = |part: &str| part.bytes().all(|letter| b"bcdfghjklmnpqrstvwxz2456789".contains(&letter));
    let last = name.split('-').count() - 1;
    let parts = name.split('-').enumerate().map(|(at, part)| match part.len() {
        8..=10 if at > 0 && is_lot(part) => "HASH",
        5 if at > 0 && at == last && is_lot(part) => "SUFFIX",
        _ => part,
    });
    parts.collect::<Vec<_>>().join("-")
}
