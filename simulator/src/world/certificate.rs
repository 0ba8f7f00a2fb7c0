//! What a server shows over TLS, as the world's file has it.

use std::sync::Arc;

use jiff::Timestamp;

use super::description::Certificate;
use crate::{
    certificates::CertificateAuthority,
    faults::At,
    tls::{Tls, Validity},
};

/// When the time of an expired certificate was over, if nobody says.
const LONG_AGO: Timestamp = Timestamp::constant(1_577_836_800, 0);

/// What the authority that nobody knows follows from: it is another one than every world has.
const STRANGER: u64 = u64::MAX;

/// How a server of these names speaks TLS, whose certificate this authority signs if nothing else is said.
///
/// # Errors
/// If it can't expire when it should, or can't be for a name.
pub fn of(
    authority: &Arc<CertificateAuthority>,
    described: &Certificate,
    names: &[&str],
    faults: At,
) -> Result<Tls, String> {
    let expires = described.expires.as_deref().map(str::parse).transpose();
    let expires = expires.map_err(|error| format!("can't expire then: {error}"))?;
    let authority = match described.trusted.unwrap_or(true) {
        true => authority.clone(),
        false => Arc::new(CertificateAuthority::new("an authority that nobody knows", STRANGER)),
    };
    let names = match &described.names {
        Some(others) => others.clone(),
        None => names.iter().map(ToString::to_string).collect(),
    };
    if let Some(name) = names.iter().find(|name| !name.is_ascii()) {
        return Err(format!("can't be for `{name}`, which is not in ASCII"));
    }
    Ok(Tls::new(faults, move |validity| match validity {
        Validity::Usual => authority.server(&names, expires),
        Validity::Over => authority.server(&names, Some(LONG_AGO)),
    }))
}
