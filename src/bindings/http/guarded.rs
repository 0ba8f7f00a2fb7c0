//! Texts and fields that a script gives, which may be secrets.

use rhai::{Dynamic, Map};

use crate::{
    host::secrets::Secret,
    script::{
        fault::{Fault, Kind},
        values::object::Object,
    },
};

/// A text, and how it may be shown.
pub struct Guarded {
    pub wire: String,
    pub shown: String,
    pub secret: bool,
}

impl Guarded {
    pub fn of(value: &Dynamic) -> Self {
        match value.read_lock::<Secret>() {
            Some(secret) => Self { wire: secret.expose().to_owned(), shown: format!("{:?}", *secret), secret: true },
            None => Self { wire: value.to_string(), shown: value.to_string(), secret: false },
        }
    }

    /// How it may be shown, if it is secret by where it stands.
    pub fn shown_or<'g>(&'g self, reference: &'g str) -> &'g str {
        if self.secret { &self.shown } else { reference }
    }
}

/// Refuses what was interpolated: a secret in backticks is its reference, and no server knows that.
///
/// # Errors
/// A usage fault.
pub fn by_name(wire: &str, what: &str) -> Result<(), Fault> {
    if wire.contains("[secret ") {
        let message = format!("{what} holds the reference of a secret in place of its value");
        return Err(Fault::new(Kind::Usage, message).hint("join with `+`: `\"Bearer \" + token` is a secret again"));
    }
    Ok(())
}

/// The fields of a map or an object, in their order.
pub fn fields(map: &Dynamic) -> Option<Vec<(String, Dynamic)>> {
    if let Some(object) = map.read_lock::<Object>() {
        return Some(object.fields().iter().map(|(name, value)| (name.to_string(), value.to_dynamic())).collect());
    }
    let map = map.read_lock::<Map>()?;
    Some(map.iter().map(|(name, value)| (name.to_string(), value.clone())).collect())
}
