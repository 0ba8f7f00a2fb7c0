//! Secrets of the cluster: whatever one holds is taken out of everything that is shown.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::object::{entries, name, namespace};
use crate::{
    host::secrets::{Secret, Vault},
    script::values::tree::Tree,
};

/// Remembers the values in these objects, which are Secrets.
pub fn remember(vault: &Vault, objects: &[Tree]) {
    vault.remember_all(objects.iter().flat_map(secrets_of));
}

fn secrets_of(object: &Tree) -> impl Iterator<Item = Secret> {
    let decoded = entries(object, &["data"]).filter_map(move |(key, value)| match value {
        Tree::Text(value) => {
            let bytes = STANDARD.decode(value.as_str()).ok()?;
            Some(Secret::new(reference(object, key), String::from_utf8(bytes).ok()?))
        }
        _ => None,
    });
    let plain = entries(object, &["stringData"]).filter_map(move |(key, value)| match value {
        Tree::Text(value) => Some(Secret::new(reference(object, key), value.to_string())),
        _ => None,
    });
    decoded.chain(plain)
}

fn reference(object: &Tree, key: &str) -> String {
    format!("secret:{}/{}/{key}", namespace(object).unwrap_or("default"), name(object))
}
