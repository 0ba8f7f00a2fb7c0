//! Secrets of the cluster: whatever one holds is taken out of everything that is shown.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::object::{entries, name, namespace};
use crate::{
    host::secrets::{Secret, Vault},
    script::{
        fault::{Fault, Kind},
        options::nearest,
        values::tree::Tree,
    },
};

/// What stands in Secrets for all to see: what a Git server is told, and how it is known.
const PUBLIC: [&str; 2] = ["identity.pub", "known_hosts"];

/// Remembers the values in these objects, which are Secrets.
pub fn remember(vault: &Vault, objects: &[Tree]) {
    vault.remember_all(objects.iter().flat_map(secrets_of));
}

fn secrets_of(object: &Tree) -> impl Iterator<Item = Secret> {
    let decoded = entries(object, &["data"]).filter_map(move |(key, value)| match value {
        Tree::Text(value) if !PUBLIC.contains(&key.as_str()) => {
            let bytes = STANDARD.decode(value.as_str()).ok()?;
            Some(Secret::new(reference(object, key), String::from_utf8(bytes).ok()?))
        }
        _ => None,
    });
    let plain = entries(object, &["stringData"]).filter_map(move |(key, value)| match value {
        Tree::Text(value) if !PUBLIC.contains(&key.as_str()) => {
            Some(Secret::new(reference(object, key), value.to_string()))
        }
        _ => None,
    });
    decoded.chain(plain)
}

fn reference(object: &Tree, key: &str) -> String {
    format!("secret:{}/{}/{key}", namespace(object).unwrap_or("default"), name(object))
}

/// The text under a key of a Secret, and the key: the one that is wanted, or the first of those usual, or the only one.
///
/// # Errors
/// `not_found` if there is no such key, `parse` if what it holds is no text.
pub fn value(object: &Tree, wanted: Option<&str>, usual: &[&str]) -> Result<(String, String), Fault> {
    let keys: Vec<&str> = entries(object, &["data"]).map(|(key, _)| key.as_str()).collect();
    let key = match wanted {
        Some(wanted) => keys.iter().find(|key| **key == wanted),
        None => usual.iter().find(|key| keys.contains(key)).or(if keys.len() == 1 { keys.first() } else { None }),
    };
    let shown = format!("the Secret `{}`", name(object));
    let Some(key) = key else {
        let message = match wanted {
            Some(wanted) => format!("{shown} has no key `{wanted}`"),
            None => format!("{shown} has none of the keys {}", usual.join(", ")),
        };
        let fault = Fault::new(Kind::NotFound, message);
        return Err(match wanted.and_then(|wanted| nearest(wanted, keys.iter().copied())) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None if keys.is_empty() => fault.hint("it is empty: whoever fills it may not have done so yet"),
            None => fault.hint(format!("its keys are {}", keys.join(", "))),
        });
    };
    let wrong = |why: &str| {
        Fault::new(Kind::Parse, format!("`{key}` of {shown} is {why}")).hint("is this the key that holds a kubeconfig?")
    };
    let encoded = super::object::text(object, &["data", key]).ok_or_else(|| wrong("no text"))?;
    let bytes = STANDARD.decode(encoded).map_err(|error| wrong(&format!("not base64: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("no text"))?;
    Ok(((*key).to_owned(), text))
}
