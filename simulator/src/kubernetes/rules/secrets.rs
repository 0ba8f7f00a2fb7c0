//! Secrets.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::Rules;

pub struct Secrets;

impl Rules for Secrets {
    fn fill_in(&self, object: &mut Value) {
        if object.get("type").is_none() {
            object["type"] = json!("Opaque");
        }
        let texts = object.as_object_mut().and_then(|object| object.remove("stringData"));
        for (key, text) in texts.as_ref().and_then(Value::as_object).into_iter().flatten() {
            object["data"][key] = json!(STANDARD.encode(text.as_str().unwrap_or_default()));
        }
    }

    fn selectable(&self) -> &'static [&'static str] {
        &["type"]
    }
}
