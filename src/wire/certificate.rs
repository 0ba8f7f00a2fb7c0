//! What a certificate says.

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, oid_registry, prelude::FromDer, public_key::PublicKey,
    time::ASN1Time,
};

/// What a chain says, by words: of its first certificate, with the others under `chain`. Nothing if there is none.
///
/// # Errors
/// Why the first can't be read.
pub fn facts_of_chain(chain: &[CertificateDer<'_>], now: Timestamp) -> Result<Option<Value>, String> {
    let Some((first, others)) = chain.split_first() else { return Ok(None) };
    let mut facts = facts(first, now)?;
    // What can't be read above the first is not worth the others.
    let above = others.iter().filter_map(|certificate| self::facts(certificate, now).ok()).map(Value::Object);
    facts.insert("chain".to_owned(), above.collect());
    Ok(Some(Value::Object(facts)))
}

/// What one certificate says, by words.
///
/// # Errors
/// Why it can't be read.
pub fn facts(certificate: &CertificateDer<'_>, now: Timestamp) -> Result<Map<String, Value>, String> {
    let (_, read) = X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    let validity = read.validity();
    let (from, until) = (moment(validity.not_before)?, moment(validity.not_after)?);
    let facts = json!({
        "subject": read.subject().to_string(),
        "issuer": read.issuer().to_string(),
        "names": names(&read),
        "not_before": from.to_string(),
        "not_after": until.to_string(),
        "days_left": (until.as_second() - now.as_second()).div_euclid(24 * 60 * 60),
        "valid": from <= now && now <= until,
        "serial": read.raw_serial_as_string(),
        "fingerprint": fingerprint(certificate),
        "key": key(&read),
        "authority": read.is_ca(),
    });
    let Value::Object(facts) = facts else { unreachable!("it was written as an object") };
    Ok(facts)
}

/// The SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` prints it.
fn fingerprint(certificate: &[u8]) -> String {
    let bytes: Vec<String> = Sha256::digest(certificate).iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// The SHA-256 of a certificate's key in base64, as `talosctl --cert-fingerprint` takes it: it outlives the certificate.
///
/// # Errors
/// Why the certificate can't be read.
pub fn key_fingerprint(certificate: &CertificateDer<'_>) -> Result<String, String> {
    let (_, read) = X509Certificate::from_der(certificate).map_err(|error| error.to_string())?;
    Ok(STANDARD.encode(Sha256::digest(read.public_key().raw)))
}

fn moment(time: ASN1Time) -> Result<Timestamp, String> {
    Timestamp::from_second(time.timestamp()).map_err(|error| error.to_string())
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    names.iter().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

fn key(certificate: &X509Certificate<'_>) -> String {
    let key = certificate.public_key();
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA {}", rsa.key_size()),
        Ok(PublicKey::EC(point)) => format!("ECDSA P-{}", point.key_size()),
        _ if key.algorithm.algorithm == oid_registry::OID_SIG_ED25519 => "Ed25519".to_owned(),
        _ => key.algorithm.algorithm.to_id_string(),
    }
}
