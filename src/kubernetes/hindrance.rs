//! What stands in the way of an object for now and goes away by itself: another part of the cluster that is not up yet.

use crate::script::fault::{Fault, Kind};

/// A server lists a new kind up to a second late; one that was never defined need not be waited for long.
const TRIES_OF_A_KIND: u32 = 4;

/// A new namespace has no service account at first.
const TRIES_OF_AN_ACCOUNT: u32 = 10;

/// What has to come up first, if that is why; `answered` is true if the server did answer before.
pub fn that_passes(fault: &Fault, tries: u32, answered: bool) -> Option<String> {
    let said = |part: &str| fault.message.contains(part) || fault.notes.iter().any(|note| note.contains(part));
    match fault.kind {
        Kind::Unsupported if tries < TRIES_OF_A_KIND => Some("its kind is not served yet".to_owned()),
        Kind::Denied if tries < TRIES_OF_AN_ACCOUNT && said("error looking up service account") => {
            Some("its namespace has no service account yet".to_owned())
        }
        Kind::Unreachable if answered => Some(fault.message.clone()),
        Kind::Unavailable => match fault.status {
            Some(429 | 502 | 503 | 504) if answered => Some(fault.message.clone()),
            Some(500) if said("etcdserver: ") => Some(fault.message.clone()),
            Some(500) => webhook(&fault.message),
            _ => None,
        },
        _ => None,
    }
}

/// What is said of a webhook's server that is not there, or not ready.
const NOT_UP: &[&str] = &[
    "connection refused",
    "no endpoints available",
    "not found",
    "no route to host",
    "i/o timeout",
    "deadline exceeded",
    "Client.Timeout",
    "certificate signed by unknown authority",
    "EOF",
];

/// Why a webhook, of admission or of conversion, could not be called, if its server is what is missing.
fn webhook(message: &str) -> Option<String> {
    let admission = message.split_once("failed calling webhook \"").and_then(|(_, told)| told.split_once("\": "));
    let conversion =
        || message.split_once("conversion webhook for ").and_then(|(_, told)| told.split_once(" failed: "));
    let (name, told) = admission.or_else(conversion)?;
    let why = NOT_UP.iter().find(|why| told.contains(**why))?;
    Some(format!("the webhook `{name}` is not up yet: {why}"))
}
