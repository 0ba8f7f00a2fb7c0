//! A sequence is played on both servers, and what they answered is compared.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::Bed;

use crate::{
    arms::{Arm, real, simulated},
    generate::{Request, WATCH},
    kinds::{FAMILIES, definition},
};

pub struct Play<'a> {
    pub bed: &'a Bed,
    pub seed: u64,
}

/// What was answered differently.
pub struct Difference {
    pub asked: Value,
    pub ours: Value,
    pub theirs: Value,
}

impl Difference {
    /// What stays the same in a shorter sequence: the request, the codes, and where the answers differ first.
    pub fn trait_of(&self) -> String {
        let codes = format!("{} {}", self.ours["code"], self.theirs["code"]);
        format!("{} {codes} {}", self.asked, self.place().unwrap_or_default())
    }

    /// The same without what names the request: two sequences whose differences agree in it have found the same fault.
    pub fn sort(&self) -> String {
        let method = self.asked.as_str().and_then(|asked| asked.split([' ', '?']).next()).unwrap_or_default();
        let message = |answer: &Value| {
            let text = answer.pointer("/answered/message").map(Value::to_string).unwrap_or_default();
            text.chars().filter(|letter| letter.is_alphabetic()).take(60).collect::<String>()
        };
        let place = self.place().unwrap_or_default();
        format!("{method} {place} {} {} {}", self.theirs["code"], message(&self.theirs), message(&self.ours))
    }

    /// Where the answers differ first.
    fn place(&self) -> Option<String> {
        different("", &self.ours["answered"], &self.theirs["answered"])
    }
}

fn different(at: &str, one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        _ if one == other => None,
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().chain(other.keys());
            let below = |key: &String| {
                different(
                    &format!("{at}/{key}"),
                    one.get(key).unwrap_or(&Value::Null),
                    other.get(key).unwrap_or(&Value::Null),
                )
            };
            keys.filter(|key| !matches!(key.as_str(), "details" | "code")).find_map(below)
        }
        _ => Some(at.to_owned()),
    }
}

impl Play<'_> {
    /// The first difference; each attempt has a namespace of its own.
    pub fn difference(&self, sequence: &[Request], attempt: usize) -> Option<Difference> {
        let space = format!("seq-{}-{attempt}", self.seed);
        let theirs = played(real::arm(self.bed, &space), sequence);
        let ours = played(simulated::bare_arm(&space), sequence);
        let pairs = ours.into_iter().zip(theirs);
        let (ours, theirs) = pairs.into_iter().find(|(ours, theirs)| ours != theirs)?;
        Some(Difference { asked: theirs["asked"].clone(), ours, theirs })
    }
}

fn played(arm: Arm, sequence: &[Request]) -> Vec<Value> {
    define(&arm);
    let mut versions = Vec::new();
    for request in sequence {
        let (Some(path), Some(body)) = (placed(&request.path, &versions), placed(&request.body.to_string(), &versions))
        else {
            continue;
        };
        let body = serde_json::from_str(&body).expect("versions are numbers");
        if request.method == WATCH {
            watch(&arm, &path, &body);
            continue;
        }
        let answer = match request.torn {
            true => {
                let text = arm.placed_in(&body).to_string();
                arm.send_text(request.method, &path, request.content, &text[..text.len() - 1])
            }
            false => arm.send(request.method, &path, request.content, &body),
        };
        // Versions of lists are those of everything on a server, which others write to.
        let version = answer.body["metadata"]["resourceVersion"].as_str().filter(|version| !version.is_empty());
        if let Some(version) = version.filter(|_| answer.body.get("items").is_none()) {
            versions.push((format!("VERSION-{}", request.number), version.to_owned()));
        }
    }
    let Value::Array(told) = arm.told() else { unreachable!("a transcript is a list") };
    tidy(&arm);
    told.into_iter().map(comparable).collect()
}

/// The text with the versions that it names; none, if one was never told.
fn placed(text: &str, versions: &[(String, String)]) -> Option<String> {
    // The longest first, because one may begin like another.
    let mut text = text.to_owned();
    for (name, version) in versions.iter().rev() {
        text = text.replace(name, version);
    }
    (!text.contains("VERSION-")).then_some(text)
}

/// Watches until the object appears that ends it.
fn watch(arm: &Arm, path: &str, end: &Value) {
    let collection = arm.placed(path.split('?').next().unwrap_or(path));
    let answer = arm.exchange("POST", &collection, "application/json", end);
    assert_eq!(answer.code, 201, "{}", answer.body);
    let name = &end["metadata"]["name"];
    let enough = |line: &Value| line["type"] == "ERROR" || line["object"]["metadata"]["name"] == *name;
    arm.watch_until(path, Duration::from_secs(10), enough);
}

/// Addresses of services are few.
fn tidy(arm: &Arm) {
    for family in FAMILIES.iter().filter(|family| family.collection.ends_with("/services")) {
        let collection = arm.placed(family.collection);
        let list = arm.look(&collection).body;
        for service in list["items"].as_array().expect("a list has items") {
            let path = format!("{collection}/{}", service["metadata"]["name"].as_str().expect("objects have names"));
            let free = json!({"metadata": {"finalizers": null}});
            arm.exchange("PATCH", &path, "application/merge-patch+json", &free);
            arm.exchange("DELETE", &path, "", &Value::Null);
        }
    }
}

fn define(arm: &Arm) {
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let answer = arm.exchange("POST", definitions, "application/json", &definition());
    assert!(matches!(answer.code, 201 | 409), "{}", answer.body);
    for family in FAMILIES.iter().filter(|family| family.is_defined) {
        arm.look_until(family.collection, |answer| answer.code == 200);
    }
}

/// The text without the versions in it.
fn versionless(text: &str) -> String {
    let mut told = text.to_owned();
    for mark in ["resourceVersion=", "in the precondition (", "in record (", "in precondition: ", "in object meta: "] {
        let Some(at) = told.find(mark).map(|at| at + mark.len()) else { continue };
        let digits = told[at..].find(|letter: char| !letter.is_ascii_digit()).unwrap_or(told.len() - at);
        if digits > 0 {
            told.replace_range(at..at + digits, "VERSION");
        }
    }
    told
}

/// The text without the ends of generated names.
fn nameless(text: &str) -> String {
    let is_inside = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let words = text.split_inclusive(|letter| !is_inside(letter));
    let told = words.map(|word| {
        let name = word.trim_end_matches(|letter| !is_inside(letter));
        match name.starts_with("g-") && name.len() == "g-".len() + 5 {
            true => format!("g-SUFFIX{}", &word[name.len()..]),
            false => word.to_owned(),
        }
    });
    told.collect()
}

/// What was told, without what the real server itself answers now so, now otherwise.
fn comparable(mut told: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(map) => {
                if let Some(Value::Array(managers)) = map.get_mut("managedFields") {
                    // They are in the order of their times, in whole seconds.
                    managers.sort_by_key(Value::to_string);
                }
                map.values_mut().for_each(walk);
            }
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::String(text) => {
                *text = nameless(&versionless(text));
                // Which of several errors is told is not certain.
                if let Some(at) = text.find("failed to create typed patch object") {
                    text.truncate(at);
                }
                // Nor is the order in which a defined kind's are.
                if text.contains(".example.org \"") && text.contains("is invalid: [") {
                    let mut parts: Vec<&str> = text.split([',', '[', ']']).map(str::trim).collect();
                    parts.sort_unstable();
                    *text = parts.join(", ");
                }
                // Ports that nobody asked for.
                if let Some((before, _)) = text.split_once("nodePort: Duplicate value: ") {
                    *text = format!("{before}nodePort: Duplicate value");
                }
                if text.starts_with("Duplicate value: 3") {
                    text.truncate("Duplicate value: 3".len());
                }
            }
            _ => {}
        }
    }
    walk(&mut told);
    told
}
