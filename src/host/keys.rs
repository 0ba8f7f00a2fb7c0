//! Private keys, as a port. Their randomness is the system's own, but in a rehearsal: what a seed repeats otherwise is [`Clock::chance`](super::clock::Clock::chance),
//! and nothing that must be kept from others may come from there.

use zeroize::Zeroizing;

/// What a key is for signing with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    EcdsaP256,
    EcdsaP384,
    Ed25519,
}

/// What stands before the 32 bytes of an Ed25519 key in the first version of PKCS #8, RFC 8410. The second, with the public key behind
/// it, is what libraries make, and what OpenSSL 3.0 can't read.
pub const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

pub trait Keys: Send + Sync {
    /// A new private key, as PKCS #8.
    fn make(&self, algorithm: Algorithm) -> Zeroizing<Vec<u8>>;
}
