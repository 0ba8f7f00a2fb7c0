//! The hash behind the name of a generated object, so that whoever uses it notices that its contents changed.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::resource::Resource;

/// Names objects by their contents that were generated so.
pub fn name_by_contents(resources: &mut [Resource]) {
    for resource in resources.iter_mut().filter(|resource| resource.is_named_by_contents) {
        let hash = hash(&resource.object);
        resource.remember();
        let name = format!("{}-{hash}", resource.name());
        resource.rename(&name);
    }
}

fn hash(object: &Value) -> String {
    let kind = object.get("kind").cloned().unwrap_or_default();
    let part = |name: &str| object.get(name).cloned().unwrap_or_else(|| "".into());
    // The name has no part in it, though it is there.
    let mut hashed = Map::from_iter([("name".to_owned(), "".into()), ("data".to_owned(), part("data"))]);
    let optional = match kind == "Secret" {
        true => {
            hashed.insert("type".to_owned(), part("type"));
            "stringData"
        }
        false => "binaryData",
    };
    hashed.insert("kind".to_owned(), kind);
    if let Some(more) = object.get(optional).filter(|more| more.is_object()) {
        hashed.insert(optional.to_owned(), more.clone());
    }
    let digest = Sha256::digest(in_go(&Value::Object(hashed)));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    // Letters that make no words.
    hex.chars()
        .take(10)
        .map(|letter| HARMLESS.iter().find(|(from, _)| *from == letter).map_or(letter, |(_, to)| *to))
        .collect()
}

const HARMLESS: [(char, char); 5] = [('0', 'g'), ('1', 'h'), ('3', 'k'), ('a', 'm'), ('e', 't')];

/// JSON as programs written in Go write it: in the order of names, and fit to stand in a page.
fn in_go(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str());
            let fields: Vec<String> =
                fields.into_iter().map(|(name, value)| format!("{}:{}", text_in_go(name), in_go(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(in_go).collect::<Vec<_>>().join(",")),
        Value::String(text) => text_in_go(text),
        other => other.to_string(),
    }
}

fn text_in_go(text: &str) -> String {
    let mut written = String::new();
    for letter in Value::from(text).to_string().chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => written.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => written.push(letter),
        }
    }
    written
}
