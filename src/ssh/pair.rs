//! Key pairs in the form that libraries of all languages read, PKCS #8, and the public halves of those that others made.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use p256::{elliptic_curve::sec1::ToEncodedPoint as _, pkcs8::DecodePrivateKey as _};
use rsa::{RsaPrivateKey, traits::PublicKeyParts as _};
use ssh_key::private::Ed25519Keypair;
use zeroize::Zeroizing;

use super::{encoding::Reader, public::Public};
use crate::host::{
    Host,
    keys::{Algorithm, ED25519_PKCS8},
};

const PKCS8: &str = "PRIVATE KEY";
const OPENSSH: &str = "OPENSSH PRIVATE KEY";

/// What stands at the beginning of OpenSSH's own form.
const OPENSSH_MAGIC: &[u8] = b"openssh-key-v1\0";

/// How wide lines of PEM are.
const LINE: usize = 64;

/// A private key as a file holds it, and its public half.
pub struct Pair {
    pub private: Zeroizing<String>,
    pub public: Public,
}

/// A new pair. With RSA it takes a while.
pub fn make(host: &Host, algorithm: Algorithm) -> Pair {
    let der = host.keys.make(algorithm);
    let public = of_pkcs8(&der).expect("it was made a moment ago");
    Pair { private: pem(&der), public }
}

fn pem(der: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    let mut pem = Zeroizing::new(format!("-----BEGIN {PKCS8}-----\n"));
    for line in encoded.as_bytes().chunks(LINE) {
        pem.push_str(std::str::from_utf8(line).expect("base64 is ASCII"));
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {PKCS8}-----\n"));
    pem
}

/// The public half of a private key, in PKCS #8 or in the form of OpenSSH, without a passphrase.
///
/// # Errors
/// Why it can't be read, as a sentence about `it`.
pub fn public_of(text: &str) -> Result<Public, String> {
    let label = text.lines().find_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----"));
    let label = label.ok_or("it does not begin with `-----BEGIN …-----`")?;
    let body = text.lines().map(str::trim).skip_while(|line| !line.starts_with("-----BEGIN ")).skip(1);
    let body: Zeroizing<String> = Zeroizing::new(body.take_while(|line| !line.starts_with("-----END ")).collect());
    let bytes = Zeroizing::new(STANDARD.decode(body.as_str()).map_err(|error| format!("it is not base64: {error}"))?);
    match label {
        PKCS8 => of_pkcs8(&bytes).ok_or_else(|| "it is no key of RSA, ECDSA (P-256 or P-384) or Ed25519".to_owned()),
        OPENSSH => of_openssh(&bytes),
        label if label.contains("ENCRYPTED") => Err("it has a passphrase".to_owned()),
        label => Err(format!("it is `{label}`, where `{PKCS8}` or `{OPENSSH}` is read")),
    }
}

fn of_pkcs8(der: &[u8]) -> Option<Public> {
    if let Some(seed) = der.strip_prefix(ED25519_PKCS8.as_slice()) {
        let pair = Ed25519Keypair::from_seed(seed.try_into().ok()?);
        return Some(Public::of_ed25519(pair.public.as_ref()));
    }
    if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
        return Some(Public::of_ecdsa("nistp256", key.public_key().to_encoded_point(false).as_bytes()));
    }
    if let Ok(key) = p384::SecretKey::from_pkcs8_der(der) {
        return Some(Public::of_ecdsa("nistp384", key.public_key().to_encoded_point(false).as_bytes()));
    }
    let key = RsaPrivateKey::from_pkcs8_der(der).ok()?;
    Some(Public::of_rsa(&key.e().to_bytes_be(), &key.n().to_bytes_be()))
}

/// The public half stands in clear before the private one.
fn of_openssh(bytes: &[u8]) -> Result<Public, String> {
    let read = || {
        let mut reader = Reader(bytes.strip_prefix(OPENSSH_MAGIC)?);
        let cipher = reader.text()?;
        let (_derivation, _how) = (reader.text()?, reader.text()?);
        let keys = reader.count()?;
        Some((cipher, keys, Public::of_blob(reader.text()?)?))
    };
    match read() {
        Some((b"none", 1, public)) => Ok(public),
        Some((b"none", keys, _)) => Err(format!("it holds {keys} keys")),
        Some(_) => Err("it has a passphrase".to_owned()),
        None => Err("it is cut off".to_owned()),
    }
}
