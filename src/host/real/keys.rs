//! Keys from the randomness of the system.

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use zeroize::Zeroizing;

use super::SystemEntropy;
use crate::host::{
    entropy::Entropy,
    keys::{Algorithm, ED25519_PKCS8, Keys, rsa},
};

pub struct SystemKeys;

impl Keys for SystemKeys {
    fn make(&self, algorithm: Algorithm) -> Zeroizing<Vec<u8>> {
        let algorithm = match algorithm {
            Algorithm::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            Algorithm::EcdsaP384 => &PKCS_ECDSA_P384_SHA384,
            Algorithm::Rsa(bits) => return rsa(&SystemEntropy, bits),
            Algorithm::Ed25519 => {
                let mut key = Zeroizing::new([ED25519_PKCS8.as_slice(), &[0; 32]].concat());
                SystemEntropy.fill(&mut key[ED25519_PKCS8.len()..]);
                return key;
            }
        };
        let key = KeyPair::generate_for(algorithm).expect("the system gives randomness");
        Zeroizing::new(key.serialize_der())
    }
}
