//! What came of a change that can't be repeated, as the journal keeps it: whole, or only why not.

use rhai::{Array, Blob, Dynamic, ImmutableString, Map};
use serde_json::{Value, json};

use super::{
    fault::{Fault, Kind},
    values::value,
};
use crate::host::secrets::Vault;

/// Values larger than this are not kept.
const LARGEST: usize = 64 << 10;

/// How long the texts and bytes in a value are, without writing it: what is far too large is not copied to find that out.
fn length(value: &Dynamic) -> usize {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return text.len();
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        return bytes.len();
    }
    if let Some(map) = value.read_lock::<Map>() {
        return map.values().map(length).sum();
    }
    value.read_lock::<Array>().map_or(0, |items| items.iter().map(length).sum())
}

/// A value for the journal.
pub fn keep(kept: &Dynamic, secrets: &Vault) -> Value {
    let withheld = |why: String| json!({ "withheld": why });
    let too_large = || withheld("it is larger than 64 KB".to_owned());
    if length(kept) > LARGEST {
        return too_large();
    }
    let written = match value::keep(kept) {
        Ok(written) => written,
        Err(unkept) => return withheld(unkept.to_string()),
    };
    if written.to_string().len() > LARGEST {
        return too_large();
    }
    match secrets.redact_value(written.clone()) == written {
        true => json!({ "value": written }),
        false => withheld("it holds a secret".to_owned()),
    }
}

/// The value again.
///
/// # Errors
/// An `in_doubt` fault, if it was withheld.
pub fn recall(title: &str, kept: &Value) -> Result<Dynamic, Fault> {
    let lost = |why: &str| {
        Fault::new(
            Kind::InDoubt,
            format!("`{title}` was done earlier in this run, but what came of it was not kept: {why}"),
        )
        .hint("let its step use what comes of it and end there: a step that is done is not run again")
    };
    match (&kept["withheld"], &kept["value"]) {
        (Value::String(why), _) => Err(lost(why)),
        (_, written) => value::restore(written, &|_| None).map_err(|unkept| lost(&unkept.to_string())),
    }
}
