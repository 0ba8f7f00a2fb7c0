//! Private keys, as a port. Their randomness is the system's own: what a seed repeats is [`Clock::chance`](super::clock::Clock::chance),
//! and nothing that must be kept from others may come from there.

use zeroize::Zeroizing;

/// What a key is for signing with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    EcdsaP256,
    EcdsaP384,
    Ed25519,
}

pub trait Keys: Send + Sync {
    /// A new private key, as PKCS #8.
    fn make(&self, algorithm: Algorithm) -> Zeroizing<Vec<u8>>;
}
