//! Secrets of the cluster: whatever one holds is taken out of everything that is shown.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::object::{entries, name, namespace};
use crate::{
    host::secrets::{Secret, Vault},
    script::tree::Tree,
};

/// Remembers the values in these objects, which are Secrets.
pub fn remember(vault: &Vault, objects: &[Tree]) {
    for object in objects {
        for (key, value) in entries(object, &["data"]) {
            if let Tree::Text(value) = value
                && let Ok(bytes) = STANDARD.decode(value.as_str())
                && let Ok(text) = String::from_utf8(bytes)
            {
                vault.remember(&Secret::new(reference(object, key), text));
            }
        }
        for (key, value) in entries(object, &["stringData"]) {
            if let Tree::Text(value) = value {
                vault.remember(&Secret::new(reference(object, key), value.to_string()));
            }
        }
    }
}

fn reference(object: &Tree, key: &str) -> String {
    format!("secret:{}/{}/{key}", namespace(object).unwrap_or("default"), name(object))
}
