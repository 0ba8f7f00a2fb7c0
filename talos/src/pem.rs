//! Certificates and keys in the form that Talos takes: PEM with a label for each kind of key, and base64 around it in files.

use base64::{Engine, prelude::BASE64_STANDARD};

pub const CERTIFICATE: &str = "CERTIFICATE";
/// PKCS #8 is inside all the same.
pub const ED25519_KEY: &str = "ED25519 PRIVATE KEY";
/// SEC 1 is inside.
pub const EC_KEY: &str = "EC PRIVATE KEY";
pub const RSA_KEY: &str = "RSA PRIVATE KEY";

/// Letters in a line.
const WIDTH: usize = 64;

/// The bytes with a label.
#[must_use]
pub fn write(label: &str, bytes: &[u8]) -> String {
    let letters = BASE64_STANDARD.encode(bytes);
    let lines: Vec<&str> =
        letters.as_bytes().chunks(WIDTH).map(|line| str::from_utf8(line).expect("base64 is ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The first part of a text: its label and its bytes.
#[must_use]
pub fn read(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, after) = text.split_once("-----BEGIN ")?;
    let (label, after) = after.split_once("-----")?;
    let (letters, _) = after.split_once(&format!("-----END {label}-----"))?;
    let letters: String = letters.split_whitespace().collect();
    Some((label, BASE64_STANDARD.decode(letters).ok()?))
}

/// The text as files hold it.
#[must_use]
pub fn wrap(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// The text out of a file.
#[must_use]
pub fn unwrap(letters: &str) -> Option<String> {
    let letters: String = letters.split_whitespace().collect();
    String::from_utf8(BASE64_STANDARD.decode(letters).ok()?).ok()
}

/// SEC 1 of a key on the curve P-256, out of PKCS #8 as it is made here: with the public key behind the private one.
#[must_use]
pub fn sec1(pkcs8: &[u8]) -> Option<Vec<u8>> {
    // What comes before the private key in SEC 1, the curve after it, and what comes before the public key.
    const BEFORE: [u8; 7] = [0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20];
    const CURVE: [u8; 12] = [0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    const PUBLIC: [u8; 6] = [0xa1, 0x44, 0x03, 0x42, 0x00, 0x04];
    let private = after(pkcs8, &BEFORE[2..])?.get(..32)?;
    let public = after(pkcs8, &PUBLIC)?.get(..64)?;
    Some([&BEFORE, private, &CURVE, &PUBLIC, public].concat())
}

fn after<'b>(bytes: &'b [u8], mark: &[u8]) -> Option<&'b [u8]> {
    let place = bytes.windows(mark.len()).position(|window| window == mark)?;
    Some(&bytes[place + mark.len()..])
}
