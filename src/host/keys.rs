//! Private keys, as a port. Their randomness is the system's own, but in a rehearsal: what a seed repeats otherwise is [`Clock::chance`](super::clock::Clock::chance),
//! and nothing that must be kept from others may come from there.

use rsa::{
    RsaPrivateKey,
    pkcs8::EncodePrivateKey as _,
    rand_core::{CryptoRng, Error, RngCore},
};
use zeroize::Zeroizing;

use super::entropy::Entropy;

/// What a key is for signing with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    EcdsaP256,
    EcdsaP384,
    Ed25519,
    /// With so many bits.
    Rsa(u16),
}

/// What stands before the 32 bytes of an Ed25519 key in the first version of PKCS #8, RFC 8410. The second, with the public key behind
/// it, is what libraries make, and what OpenSSL 3.0 can't read.
pub const ED25519_PKCS8: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

pub trait Keys: Send + Sync {
    /// A new private key, as PKCS #8.
    fn make(&self, algorithm: Algorithm) -> Zeroizing<Vec<u8>>;
}

/// A new private key of RSA that is drawn from `entropy`, as PKCS #8.
pub fn rsa(entropy: &dyn Entropy, bits: u16) -> Zeroizing<Vec<u8>> {
    let key = RsaPrivateKey::new(&mut Drawn(entropy), usize::from(bits)).expect("there are primes of every length");
    key.to_pkcs8_der().expect("a key can be written").to_bytes()
}

/// What libraries draw from.
struct Drawn<'e>(&'e dyn Entropy);

impl RngCore for Drawn<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl CryptoRng for Drawn<'_> {}
