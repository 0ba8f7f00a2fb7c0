//! What was told, without what depends on a real server's clock, its lots, and the order of Go's maps.

use serde_json::{Map, Value};

/// What the addresses of services begin with. No sequence asks for one.
const ADDRESSES: &str = "10.0.0.";

/// What the names of volumes with tokens begin with.
const VOLUMES: &str = "kube-api-access-";

pub fn comparable(mut told: Value) -> Value {
    walk(&mut told);
    told
}

fn walk(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(managers)) = map.get_mut("managedFields") {
                // They are in the order of their times, in whole seconds.
                let key = |entry: &Value| {
                    ["operation", "manager", "apiVersion", "subresource"].map(|key| entry[key].to_string())
                };
                managers.sort_by_key(key);
            }
            map.values_mut().for_each(walk);
            ordered(map);
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::String(text) => {
            *text = portless(&addressless(&nameless(&versionless(text))));
            if let Some((before, errors)) = text.split_once(": errors:\n") {
                // Errors of an apply come in the order of Go's maps.
                let mut errors: Vec<&str> = errors.lines().collect();
                errors.sort_unstable();
                *text = format!("{before}: errors:\n{}", errors.join("\n"));
            }
        }
        _ => {}
    }
}

/// What is wrong with an object of a defined kind is told in the order of Go's maps. The causes say the same once more.
fn ordered(status: &mut Map<String, Value>) {
    let Some((head, list)) = status.get("message").and_then(|message| message.as_str()?.split_once(" is invalid: "))
    else {
        return;
    };
    if !head.contains(".example.org") {
        return;
    }
    let causes = status.get("details").and_then(|details| details["causes"].as_array()).into_iter().flatten();
    let text = |cause: &Value, key: &str| cause[key].as_str().unwrap_or_default().to_owned();
    let mut told: Vec<String> =
        causes.map(|cause| format!("{}: {}", text(cause, "field"), text(cause, "message"))).collect();
    told.sort();
    told.dedup();
    let sorted = format!("[{}]", told.join(", "));
    let complete = list.len() == sorted.len() && told.iter().all(|cause| list.contains(cause));
    if complete && told.len() > 1 {
        let message = format!("{head} is invalid: {sorted}");
        status.insert("message".to_owned(), message.into());
    }
}

/// The text without the versions in it.
fn versionless(text: &str) -> String {
    let mut told = text.to_owned();
    for mark in [
        "resourceVersion=",
        "resourceVersion\":\"",
        "in the precondition (",
        "in record (",
        "in precondition: ",
        "in object meta: ",
    ] {
        let Some(at) = told.find(mark).map(|at| at + mark.len()) else { continue };
        let digits = told[at..].find(|letter: char| !letter.is_ascii_digit()).unwrap_or(told.len() - at);
        if digits > 0 {
            told.replace_range(at..at + digits, "VERSION");
        }
    }
    told
}

/// The text without the ends of generated names, `g7-bcdfg`.
fn nameless(text: &str) -> String {
    let is_inside = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let words = text.split_inclusive(|letter| !is_inside(letter));
    let told = words.map(|word| {
        let name = word.trim_end_matches(|letter| !is_inside(letter));
        let stem = name.split_once('-').filter(|(stem, suffix)| {
            stem.strip_prefix('g')
                .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
                && suffix.len() == 5
        });
        match stem {
            Some((stem, _)) => format!("{stem}-SUFFIX{}", &word[name.len()..]),
            None => word.to_owned(),
        }
    });
    told.collect()
}

/// The text without addresses of services and ends of names of volumes, which are drawn by lot.
fn addressless(text: &str) -> String {
    let mut told = text.to_owned();
    for (mark, letters, word) in [
        (ADDRESSES, (|letter| letter.is_ascii_digit()) as fn(char) -> bool, "ADDRESS"),
        (VOLUMES, |letter| letter.is_ascii_alphanumeric(), "SUFFIX"),
    ] {
        let mut parts = told.split(mark);
        let first = parts.next().unwrap_or_default().to_owned();
        told = parts.fold(first, |told, part| format!("{told}{mark}{word}{}", part.trim_start_matches(letters)));
    }
    told
}

/// The text without ports of nodes that nobody asked for, which are drawn by lot.
fn portless(text: &str) -> String {
    let is_port = |word: &str| word.len() == 5 && word.parse().is_ok_and(|port: u16| (30000..=32767).contains(&port));
    let words = text.split_inclusive(|letter: char| !letter.is_ascii_digit());
    let told = words.map(|word| {
        let number = word.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        if is_port(number) { format!("PORT{}", &word[number.len()..]) } else { word.to_owned() }
    });
    told.collect()
}
