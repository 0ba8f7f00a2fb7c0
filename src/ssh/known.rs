//! Asking a server for its key: as much of RFC 4253 as it takes until the server has proved that the key is its own.

use std::{io, time::Duration};

use curve25519_dalek::MontgomeryPoint;
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{
    encoding::{Reader, Writer, without_zeros},
    public::Public,
};
use crate::{
    host::{Host, dial::Stream, entropy::Entropy},
    wire::{authority::Authority, route::Route},
};

const VERSION: &str = "SSH-2.0-cozyscript";

/// How much a server may say before it names its version, and how large a packet may be (RFC 4253, section 6.1).
const GREETING: usize = 8 << 10;
const PACKET: usize = 35_000;

const MESSAGE_DISCONNECT: u8 = 1;
const MESSAGE_IGNORE: u8 = 2;
const MESSAGE_DEBUG: u8 = 4;
const MESSAGE_KEXINIT: u8 = 20;
const MESSAGE_KEX_ECDH_INIT: u8 = 30;
const MESSAGE_KEX_ECDH_REPLY: u8 = 31;

/// How a secret is agreed on; what is liked best comes first.
const EXCHANGES: [&str; 3] = ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"];

/// What a server may sign with, in the order in which clients written in Go, as Flux is, would have it: the key that is known has to
/// be the one that they are shown.
const HOST_KEYS: [&str; 5] =
    ["ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "rsa-sha2-256", "rsa-sha2-512", "ssh-ed25519"];

/// Never used, for nothing is said once the key is known; but the server has to find one that it has, too.
const CIPHERS: &str =
    "aes128-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com";
const CHECKSUMS: &str = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512";

/// The key of a server.
///
/// # Errors
/// Why it is not known, as a sentence.
pub async fn host_key(host: &Host, server: &Authority, connect_within: Duration) -> Result<Public, String> {
    let connected = Route::of(host, connect_within).connect(server, None).await;
    let stream = connected.map_err(|error| format!("no connection to `{server}`: {error}"))?.stream;
    let mut session = Session { stream, greeted: Vec::new() };
    session.exchange(&*host.entropy).await.map_err(|failed| {
        let why = match failed {
            Failed::Wire(error) if error.kind() == io::ErrorKind::UnexpectedEof => "it hung up".to_owned(),
            Failed::Wire(error) => format!("the connection broke: {error}"),
            Failed::Said(why) => why,
        };
        format!("the key of `{server}` is not known: {why}")
    })
}

enum Failed {
    Wire(io::Error),
    Said(String),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Wire(error)
    }
}

fn said(why: &str) -> Failed {
    Failed::Said(why.to_owned())
}

fn garbled() -> Failed {
    said("it does not speak SSH as it should")
}

struct Session {
    stream: Box<dyn Stream>,
    /// What came behind its version.
    greeted: Vec<u8>,
}

impl Session {
    async fn exchange(&mut self, entropy: &dyn Entropy) -> Result<Public, Failed> {
        self.stream.write_all(format!("{VERSION}\r\n").as_bytes()).await?;
        let version = self.version().await?;
        let ours = offer(entropy);
        self.send(&ours).await?;
        let theirs = self.receive(MESSAGE_KEXINIT).await?;
        let (exchange, key) = agreed(&theirs)?;
        let secret = Secret::new(exchange, entropy);
        let point = secret.point();
        self.send(&Writer::default().bytes(&[MESSAGE_KEX_ECDH_INIT]).text(&point).0).await?;
        let reply = self.receive(MESSAGE_KEX_ECDH_REPLY).await?;
        let mut reader = Reader(&reply[1..]);
        let read = (|| Some((reader.text()?, reader.text()?, reader.text()?)))();
        let (blob, their_point, signature) = read.ok_or_else(garbled)?;
        let shared = secret.shared(their_point).ok_or_else(garbled)?;
        let hashed = Writer::default().text(VERSION).text(&version).text(&ours).text(&theirs).text(blob);
        let hashed = hashed.text(&point).text(their_point).number(&shared);
        match is_signed(key, blob, &Sha256::digest(hashed.0), signature) {
            Some(true) => Public::of_blob(blob).ok_or_else(garbled),
            Some(false) => Err(said("it shows a key that is not its own")),
            None => Err(garbled()),
        }
    }

    /// What it says of itself, behind whatever else it has to say.
    async fn version(&mut self) -> Result<String, Failed> {
        let mut said_so_far = Vec::new();
        loop {
            while let Some(end) = said_so_far.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = said_so_far.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if line.starts_with("SSH-2.0-") || line.starts_with("SSH-1.99-") {
                    self.greeted = said_so_far;
                    return Ok(line);
                }
                if line.starts_with("SSH-") {
                    return Err(Failed::Said(format!("it speaks `{line}`, which is too old")));
                }
            }
            if said_so_far.len() > GREETING {
                return Err(said("it does not speak SSH"));
            }
            if self.stream.read_buf(&mut said_so_far).await? == 0 {
                return Err(said("it hung up before it said that it speaks SSH"));
            }
        }
    }

    async fn send(&mut self, payload: &[u8]) -> Result<(), Failed> {
        // Length, padding and its own length come to a multiple of eight, with four bytes of padding at least.
        let padding = 4 + (8 - (payload.len() + 9) % 8) % 8;
        let length = u32::try_from(payload.len() + padding + 1).expect("what is sent here is short");
        let padded = u8::try_from(padding).expect("it is less than twelve");
        let packet = Writer::default().bytes(&length.to_be_bytes()).bytes(&[padded]).bytes(payload);
        self.stream.write_all(&packet.bytes(&[0; 12][..padding]).0).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next message of this number.
    async fn receive(&mut self, wanted: u8) -> Result<Vec<u8>, Failed> {
        loop {
            let length = self.taken(4).await?;
            let length = Reader(&length).count().filter(|length| *length <= PACKET).ok_or_else(garbled)?;
            let packet = self.taken(length).await?;
            let padding = usize::from(*packet.first().ok_or_else(garbled)?);
            let end = length.checked_sub(padding).filter(|end| *end > 1).ok_or_else(garbled)?;
            let payload = &packet[1..end];
            match payload[0] {
                number if number == wanted => return Ok(payload.to_vec()),
                MESSAGE_IGNORE..=MESSAGE_DEBUG => {}
                MESSAGE_DISCONNECT => {
                    let mut reader = Reader(payload.get(5..).unwrap_or_default());
                    let why = String::from_utf8_lossy(reader.text().unwrap_or_default()).into_owned();
                    return Err(Failed::Said(format!("it hung up: {why}")));
                }
                _ => return Err(garbled()),
            }
        }
    }

    async fn taken(&mut self, count: usize) -> Result<Vec<u8>, Failed> {
        let early = self.greeted.len().min(count);
        let mut bytes: Vec<u8> = self.greeted.drain(..early).collect();
        bytes.resize(count, 0);
        self.stream.read_exact(&mut bytes[early..]).await?;
        Ok(bytes)
    }
}

fn offer(entropy: &dyn Entropy) -> Vec<u8> {
    let mut cookie = [0; 16];
    entropy.fill(&mut cookie);
    let mut offer = Writer::default().bytes(&[MESSAGE_KEXINIT]).bytes(&cookie);
    let (exchanges, keys) = (EXCHANGES.join(","), HOST_KEYS.join(","));
    for names in [&exchanges, &keys, CIPHERS, CIPHERS, CHECKSUMS, CHECKSUMS, "none", "none", "", ""] {
        offer = offer.text(names);
    }
    // No packet is guessed ahead, and nothing is reserved.
    offer.bytes(&[0; 5]).0
}

/// How a secret is agreed on, and which key proves who the server is: of ours the first that it has.
fn agreed(theirs: &[u8]) -> Result<(&'static str, &'static str), Failed> {
    let mut reader = Reader(&theirs[1..]);
    let read = (|| {
        reader.bytes(16)?;
        Some((reader.names()?, reader.names()?))
    })();
    let (exchanges, keys) = read.ok_or_else(garbled)?;
    let first = |ours: &[&'static str], theirs: &[&str], what: &str| {
        let found = ours.iter().find(|name| theirs.contains(name)).copied();
        found.ok_or_else(|| Failed::Said(format!("it has no {what} that is known here, only {}", theirs.join(", "))))
    };
    Ok((first(&EXCHANGES, &exchanges, "key exchange")?, first(&HOST_KEYS, &keys, "kind of key")?))
}

/// Our half of what is agreed on.
enum Secret {
    Montgomery([u8; 32]),
    Nist(p256::SecretKey),
}

impl Secret {
    fn new(exchange: &str, entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        loop {
            entropy.fill(&mut bytes);
            if exchange.starts_with("curve25519") {
                return Self::Montgomery(bytes);
            }
            // Few numbers are too large for a key.
            if let Ok(key) = p256::SecretKey::from_slice(&bytes) {
                return Self::Nist(key);
            }
        }
    }

    fn point(&self) -> Vec<u8> {
        match self {
            Self::Montgomery(secret) => MontgomeryPoint::mul_base_clamped(*secret).to_bytes().to_vec(),
            Self::Nist(secret) => secret.public_key().to_encoded_point(false).as_bytes().to_vec(),
        }
    }

    fn shared(&self, theirs: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Montgomery(secret) => {
                let shared = MontgomeryPoint(theirs.try_into().ok()?).mul_clamped(*secret).to_bytes();
                shared.iter().any(|byte| *byte != 0).then(|| shared.to_vec())
            }
            Self::Nist(secret) => {
                let theirs = p256::PublicKey::from_sec1_bytes(theirs).ok()?;
                let shared = (theirs.to_projective() * *secret.to_nonzero_scalar()).to_affine();
                Some(shared.to_encoded_point(false).x()?.to_vec())
            }
        }
    }
}

/// Whether the key signed the hash; none, if the key or the signature is not written as it should be.
fn is_signed(algorithm: &str, blob: &[u8], hash: &[u8], signature: &[u8]) -> Option<bool> {
    let mut key = Reader(blob);
    let kind = key.text()?;
    let mut signature = Reader(signature);
    let signed_with = signature.text()?;
    let bytes = signature.text()?;
    let right_kind = match algorithm {
        "rsa-sha2-256" | "rsa-sha2-512" => kind == b"ssh-rsa",
        other => kind == other.as_bytes(),
    };
    if !right_kind || signed_with != algorithm.as_bytes() {
        return Some(false);
    }
    let rsa = |algorithm, key: &mut Reader| {
        let (exponent, modulus) = (key.text()?, key.text()?);
        let (n, e) = (without_zeros(modulus), without_zeros(exponent));
        Some(RsaPublicKeyComponents { n, e }.verify(algorithm, hash, bytes).is_ok())
    };
    let ecdsa = |algorithm: &'static dyn VerificationAlgorithm, size: usize, key: &mut Reader| {
        let (_curve, point) = (key.text()?, key.text()?);
        let mut numbers = Reader(bytes);
        let fixed = [fixed(numbers.text()?, size)?, fixed(numbers.text()?, size)?].concat();
        Some(UnparsedPublicKey::new(algorithm, point).verify(hash, &fixed).is_ok())
    };
    match algorithm {
        "rsa-sha2-256" => rsa(&RSA_PKCS1_2048_8192_SHA256, &mut key),
        "rsa-sha2-512" => rsa(&RSA_PKCS1_2048_8192_SHA512, &mut key),
        "ecdsa-sha2-nistp256" => ecdsa(&ECDSA_P256_SHA256_FIXED, 32, &mut key),
        "ecdsa-sha2-nistp384" => ecdsa(&ECDSA_P384_SHA384_FIXED, 48, &mut key),
        _ => Some(UnparsedPublicKey::new(&ED25519, key.text()?).verify(hash, bytes).is_ok()),
    }
}

/// A number in so many bytes.
fn fixed(number: &[u8], size: usize) -> Option<Vec<u8>> {
    let number = without_zeros(number);
    Some([vec![0; size.checked_sub(number.len())?], number.to_vec()].concat())
}
