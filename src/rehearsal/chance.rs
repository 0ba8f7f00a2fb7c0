//! Chance that follows from the seed: nothing of a rehearsal has to be kept from anybody.

use std::sync::{Mutex, PoisonError};

use p256::pkcs8::EncodePrivateKey;
use zeroize::Zeroizing;

use crate::host::{
    entropy::Entropy,
    keys::{Algorithm, ED25519_PKCS8, Keys, rsa},
};

pub struct SeededEntropy(Mutex<fastrand::Rng>);

impl SeededEntropy {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    fn drawn<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }
}

/// Private keys that follow from the seed.
pub struct SeededKeys(SeededEntropy);

impl SeededKeys {
    pub fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }
}

/// The first of these that is there; few numbers are too large for a key.
fn first<T>(draw: impl FnMut() -> Option<T>) -> T {
    std::iter::repeat_with(draw).find_map(|drawn| drawn).expect("it goes on until there is one")
}

impl Keys for SeededKeys {
    fn make(&self, algorithm: Algorithm) -> Zeroizing<Vec<u8>> {
        let Self(chance) = self;
        let written = match algorithm {
            Algorithm::EcdsaP256 => first(|| p256::SecretKey::from_slice(&chance.drawn::<32>()).ok()).to_pkcs8_der(),
            Algorithm::EcdsaP384 => first(|| p384::SecretKey::from_slice(&chance.drawn::<48>()).ok()).to_pkcs8_der(),
            Algorithm::Rsa(bits) => return rsa(chance, bits),
            Algorithm::Ed25519 => return Zeroizing::new([ED25519_PKCS8.as_slice(), &chance.drawn::<32>()].concat()),
        };
        written.expect("a key can be written").to_bytes()
    }
}
