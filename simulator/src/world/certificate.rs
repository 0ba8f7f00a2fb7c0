//! What a server shows over TLS, as the world's file has it.

use std::sync::Arc;

use rustls::ServerConfig;

use super::description::Certificate;
use crate::certificates::CertificateAuthority;

/// How a server of these names speaks TLS, whose certificate this authority signs if nothing else is said.
///
/// # Errors
/// If it can't expire when it should.
pub fn of(
    authority: &CertificateAuthority,
    described: &Certificate,
    names: &[&str],
) -> Result<Arc<ServerConfig>, String> {
    let expires = described.expires.as_deref().map(str::parse).transpose();
    let expires = expires.map_err(|error| format!("can't expire then: {error}"))?;
    let stranger;
    let authority = match described.trusted.unwrap_or(true) {
        true => authority,
        false => {
            stranger = CertificateAuthority::new("an authority that nobody knows");
            &stranger
        }
    };
    let others: Option<Vec<&str>> = described.names.as_ref().map(|names| names.iter().map(String::as_str).collect());
    Ok(authority.server_until(others.as_deref().unwrap_or(names), expires))
}
