//! Secrets.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    configmaps::{MOST, immutable},
    field::{Field, unchanged},
    fill::{default, remove},
    form,
    simple::{PLAIN, Simple},
};
use crate::kubernetes::answer::Cause;

pub static SECRETS: Simple = Simple { fill_in, check, check_given_change, warnings, selectable: &["type"], ..PLAIN };

/// The keys that a type needs.
const NEEDED: [(&str, &[&str]); 4] = [
    ("kubernetes.io/tls", &["tls.crt", "tls.key"]),
    ("kubernetes.io/ssh-auth", &["ssh-privatekey"]),
    ("kubernetes.io/dockerconfigjson", &[".dockerconfigjson"]),
    ("kubernetes.io/dockercfg", &[".dockercfg"]),
];
const BASIC: &str = "kubernetes.io/basic-auth";
const TOKEN: &str = "kubernetes.io/service-account-token";
const ACCOUNT: &str = "kubernetes.io/service-account.name";

fn fill_in(secret: &mut Value) {
    if secret["type"] == "" {
        remove(secret, "type");
    }
    default(secret, "type", "Opaque");
    let texts = remove(secret, "stringData");
    for (key, text) in texts.as_ref().and_then(Value::as_object).into_iter().flatten() {
        secret["data"][key] = json!(STANDARD.encode(text.as_str().unwrap_or_default()));
    }
}

fn check(secret: &Value) -> Vec<Cause> {
    let data = Field::of(secret, "data");
    let mut wrong = Vec::new();
    for (key, value) in data.entries() {
        wrong.extend(form::config_key(key).iter().map(|why| Cause::invalid(&value.path, &json!(key), why)));
    }
    if data.entries().map(|(_, value)| value.text().len() / 4 * 3).sum::<usize>() > MOST {
        wrong.push(Cause::too_long("data", MOST));
    }
    let kind = secret["type"].as_str().unwrap_or_default();
    let missing = |keys: &[&str]| -> Vec<Cause> {
        keys.iter().map(|key| data.key(key)).filter(|key| !key.is_set()).map(|key| key.required("")).collect()
    };
    if let Some((_, keys)) = NEEDED.iter().find(|(named, _)| *named == kind) {
        wrong.extend(missing(keys));
        if kind.starts_with("kubernetes.io/docker") {
            wrong.extend(keys.iter().filter_map(|key| not_json(&data.key(key))));
        }
    }
    let either = missing(&["username", "password"]);
    if kind == BASIC && either.len() == 2 {
        wrong.extend(either);
    }
    let account = Field::of(secret, "metadata").at("annotations").key(ACCOUNT);
    if kind == TOKEN && account.is_empty() {
        wrong.push(account.required(""));
    }
    wrong
}

/// The fault of a text that should be JSON, without the text.
fn not_json(field: &Field<'_>) -> Option<Cause> {
    let text = STANDARD.decode(field.text()).ok()?;
    let found = serde_json::from_slice::<Value>(&text).err().filter(|_| field.is_set())?;
    let why = super::json_text::fault(&text, &found);
    Some(Cause::invalid(&field.path, &json!("<secret contents redacted>"), &why))
}

fn check_given_change(secret: &Value, there: &Value) -> Vec<Cause> {
    let mut wrong = Vec::from_iter(unchanged(&Field::of(secret, "type"), &Field::of(there, "type")));
    wrong.extend(immutable(secret, there, &["data"]));
    wrong
}

/// A key and a certificate that are none are taken all the same.
fn warnings(secret: &Value) -> Vec<String> {
    if secret["type"] != "kubernetes.io/tls" {
        return Vec::new();
    }
    let has_block = |key: &str| {
        let text = STANDARD.decode(secret["data"][key].as_str().unwrap_or_default()).unwrap_or_default();
        ["-----BEGIN ", "-----END "].iter().all(|mark| String::from_utf8_lossy(&text).contains(mark))
    };
    let inputs = [("tls.crt", "certificate"), ("tls.key", "key")];
    let missing = inputs.into_iter().find(|(key, _)| !has_block(key));
    missing.map(|(_, input)| format!("tls: failed to find any PEM data in {input} input")).into_iter().collect()
}
