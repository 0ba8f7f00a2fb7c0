//! Public keys: as lines of `authorized_keys` and `known_hosts`, and what they are known by.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use sha2::{Digest as _, Sha256};

use super::encoding::{Reader, Writer};
use crate::wire::authority::Authority;

/// Where servers of SSH listen.
pub const PORT: u16 = 22;

/// A public key of any kind: its bytes, which begin with what kind it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    pub kind: String,
    pub blob: Vec<u8>,
}

impl Public {
    /// None, if the bytes don't begin with a kind.
    pub fn of_blob(blob: &[u8]) -> Option<Self> {
        let kind = String::from_utf8(Reader(blob).text()?.to_vec()).ok()?;
        (!kind.is_empty()).then(|| Self { kind, blob: blob.to_vec() })
    }

    /// Reads a line such as `ssh-ed25519 AAAA… flux@lab`.
    pub fn of_line(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (kind, data) = (words.next()?, words.next()?);
        Self::of_blob(&STANDARD.decode(data).ok()?).filter(|public| public.kind == kind)
    }

    pub fn of_rsa(exponent: &[u8], modulus: &[u8]) -> Self {
        let kind = "ssh-rsa";
        Self { kind: kind.to_owned(), blob: Writer::default().text(kind).number(exponent).number(modulus).0 }
    }

    /// `curve` as SSH calls it, such as `nistp256`; `point` in full.
    pub fn of_ecdsa(curve: &str, point: &[u8]) -> Self {
        let kind = format!("ecdsa-sha2-{curve}");
        Self { blob: Writer::default().text(&kind).text(curve).text(point).0, kind }
    }

    pub fn of_ed25519(bytes: &[u8]) -> Self {
        let kind = "ssh-ed25519";
        Self { kind: kind.to_owned(), blob: Writer::default().text(kind).text(bytes).0 }
    }

    /// As `authorized_keys` has it, without a comment and a line break.
    pub fn line(&self) -> String {
        format!("{} {}", self.kind, STANDARD.encode(&self.blob))
    }

    /// As `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.blob)))
    }

    /// The line of `known_hosts` by which a server with this key is known, without a line break.
    pub fn of_host(&self, host: &Authority) -> String {
        match host.port {
            PORT => format!("{} {}", host.host, self.line()),
            port => format!("[{}]:{port} {}", host.host, self.line()),
        }
    }
}
