//! age: small files that are encrypted for the holders of keys, as version 1 of its format says, for keys on X25519.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use curve25519_dalek::MontgomeryPoint;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey},
    hkdf, hmac,
};
use zeroize::Zeroizing;

use crate::{Random, bech32};

/// Whoever has one opens what was sealed for its recipient.
pub struct Identity {
    secret: Zeroizing<[u8; 32]>,
}

/// For whom something is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient([u8; 32]);

/// Why something isn't opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    #[error("it is no file of age: {0}")]
    Malformed(&'static str),
    #[error("none of the keys opens it")]
    OtherKeys,
}

const MAGIC: &str = "age-encryption.org/v1";
const LABEL: &str = "age-encryption.org/v1/X25519";
const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
/// How many letters a line of an armour, and of the header, has.
const LINE: usize = 64;
/// A piece of a file's contents; SOPS' keys are shorter than one.
const PIECE: usize = 64 * 1024;

impl Identity {
    pub fn new(random: &mut Random) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        random(&mut *secret);
        Self { secret }
    }

    /// The keys of a text as `age-keygen` writes it; comments and empty lines are skipped.
    ///
    /// # Errors
    /// The number of a line that is no key.
    pub fn read_all(text: &str) -> Result<Vec<Self>, usize> {
        let lines = text.lines().map(str::trim).enumerate();
        let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        keys.map(|(number, line)| Self::read(line).ok_or(number + 1)).collect()
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(bech32::decode("age-secret-key-", text)?);
        Some(Self { secret: Zeroizing::new(bytes.as_slice().try_into().ok()?) })
    }

    /// As it is kept.
    #[must_use]
    pub fn written(&self) -> Zeroizing<String> {
        Zeroizing::new(bech32::encode("age-secret-key-", &*self.secret).to_uppercase())
    }

    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient(MontgomeryPoint::mul_base_clamped(*self.secret).to_bytes())
    }

    /// The key of a file, if this opens the box it lies in.
    fn unwrap(&self, point: [u8; 32], body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let shared = agreed(&self.secret, point)?;
        let key = derive(&*shared, &[point, self.recipient().0].concat(), LABEL);
        decrypt(&key, [0; 12], body)
    }
}

impl Recipient {
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Some(Self(bech32::decode("age", text.trim())?.as_slice().try_into().ok()?))
    }

    #[must_use]
    pub fn written(&self) -> String {
        bech32::encode("age", &self.0)
    }
}

/// What is in a file with an armour.
///
/// # Errors
/// It is none, or is for others.
pub fn open(text: &str, identities: &[Identity]) -> Result<Zeroizing<Vec<u8>>, Unopened> {
    let malformed = Unopened::Malformed;
    let armour = text.trim().strip_prefix(BEGIN).and_then(|text| text.strip_suffix(END));
    let armour: String = armour.ok_or(malformed("it has no armour"))?.split_whitespace().collect();
    let file = STANDARD.decode(armour).map_err(|_| malformed("its armour is no base64"))?;
    let dashes = file.windows(5).position(|bytes| bytes == b"\n--- ").ok_or(malformed("its header has no end"))?;
    let line = file[dashes + 5..].iter().position(|byte| *byte == b'\n').ok_or(malformed("it has no contents"))?;
    let (header, payload) = (&file[..dashes + 4], &file[dashes + 5 + line + 1..]);
    let mac =
        STANDARD_NO_PAD.decode(&file[dashes + 5..dashes + 5 + line]).map_err(|_| malformed("its sum is no base64"))?;
    let text = std::str::from_utf8(header).map_err(|_| malformed("its header is no text"))?;
    let boxes = boxes(text).ok_or(malformed("its header is another"))?;
    let key = boxes.iter().find_map(|(point, body)| identities.iter().find_map(|own| own.unwrap(*point, body)));
    let key = key.ok_or(Unopened::OtherKeys)?;
    hmac::verify(&sum(&key), header, &mac).map_err(|_| malformed("its header was changed"))?;
    let (nonce, contents) = payload.split_at_checked(16).ok_or(malformed("it has no contents"))?;
    if contents.len() > PIECE {
        return Err(malformed("it is longer than a key could be"));
    }
    decrypt(&derive(&key, nonce, "payload"), LAST, contents).ok_or(malformed("its contents were changed"))
}

/// The boxes in which the file's key lies, for those whose keys are on X25519.
fn boxes(header: &str) -> Option<Vec<([u8; 32], Vec<u8>)>> {
    let mut lines = header.lines();
    if lines.next() != Some(MAGIC) {
        return None;
    }
    let mut boxes = Vec::new();
    let mut current: Option<(Option<[u8; 32]>, String)> = None;
    for line in lines {
        if line != "---" && !line.starts_with("-> ") {
            current.as_mut()?.1.push_str(line);
            continue;
        }
        if let Some((Some(point), body)) = current.take() {
            boxes.push((point, STANDARD_NO_PAD.decode(body).ok()?));
        }
        let point = line.strip_prefix("-> X25519 ").map(|point| STANDARD_NO_PAD.decode(point));
        let point = point.map(|point| point.ok().and_then(|point| point.try_into().ok()));
        current = Some((point.flatten(), String::new()));
    }
    Some(boxes)
}

/// A file with an armour that this recipient opens.
///
/// # Panics
/// Never: the contents are shorter than a cipher takes.
pub fn seal(contents: &[u8], recipient: &Recipient, random: &mut Random) -> String {
    let mut key = Zeroizing::new([0; 16]);
    let mut nonce = [0; 16];
    random(&mut *key);
    random(&mut nonce);
    let own = Identity::new(random);
    let point = own.recipient().0;
    let shared = agreed(&own.secret, recipient.0).unwrap_or_default();
    let body = encrypt(&derive(&*shared, &[point, recipient.0].concat(), LABEL), [0; 12], &*key);
    let body = STANDARD_NO_PAD.encode(body);
    let mut header = format!("{MAGIC}\n-> X25519 {}\n{body}\n", STANDARD_NO_PAD.encode(point));
    header.push_str("---");
    let mac = STANDARD_NO_PAD.encode(hmac::sign(&sum(&*key), header.as_bytes()));
    let payload = encrypt(&derive(&*key, &nonce, "payload"), LAST, contents);
    let file = [format!("{header} {mac}\n").as_bytes(), &nonce, &payload].concat();
    let encoded = STANDARD.encode(file);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(LINE).map(|line| std::str::from_utf8(line).expect("base64 is text")).collect();
    format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
}

/// The nonce of the first piece that is the last, too.
const LAST: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// What two keys agree on; a point that leads nowhere is refused.
fn agreed(secret: &[u8; 32], point: [u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    let shared = Zeroizing::new(MontgomeryPoint(point).mul_clamped(*secret).to_bytes());
    shared.iter().any(|byte| *byte != 0).then_some(shared)
}

fn derive(secret: &[u8], salt: &[u8], label: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let info = [label.as_bytes()];
    let expanded = extracted.expand(&info, hkdf::HKDF_SHA256).expect("32 bytes are few enough");
    expanded.fill(&mut *key).expect("it is as long as was said");
    key
}

fn sum(key: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &*derive(key, &[], "header"))
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("it has 32 bytes"))
}

fn decrypt(key: &[u8; 32], nonce: [u8; 12], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = cipher(key).open_in_place(nonce, Aad::empty(), &mut bytes).ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

fn encrypt(key: &[u8; 32], nonce: [u8; 12], plain: &[u8]) -> Vec<u8> {
    let mut bytes = plain.to_vec();
    let nonce = Nonce::assume_unique_for_key(nonce);
    cipher(key).seal_in_place_append_tag(nonce, Aad::empty(), &mut bytes).expect("it is short enough");
    bytes
}
