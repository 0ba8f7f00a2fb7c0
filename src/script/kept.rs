//! What came of a change that can't be repeated, as the journal keeps it: whole, or only why not.

use rhai::Dynamic;
use serde_json::{Value, json};

use super::{
    fault::{Fault, Kind},
    values::value,
};
use crate::host::secrets::Vault;

/// Values larger than this are not kept.
const LARGEST: usize = 64 << 10;

/// A value for the journal.
pub fn keep(kept: &Dynamic, secrets: &Vault) -> Value {
    let withheld = |why: String| json!({ "withheld": why });
    let written = match value::keep(kept) {
        Ok(written) => written,
        Err(unkept) => return withheld(unkept.to_string()),
    };
    if written.to_string().len() > LARGEST {
        return withheld("it is larger than 64 KB".to_owned());
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
