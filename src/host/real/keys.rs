//! Keys from the randomness of the system.

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use zeroize::Zeroizing;

use super::SystemEntropy;
use crate::host::{
    entropy::Entropy,
    keys::{Algorithm, Keys},
};

pub struct SystemKeys;

/// What stands before the 32 bytes of a key in the first version of PKCS #8, RFC 8410. The second, with the public key behind
/// it, is what libraries make, and what OpenSSL 3.0 can't read.
const ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

impl Keys for SystemKeys {
    fn make(&self, algorithm: Algorithm) -> Zeroizing<Vec<u8>> {
        let algorithm = match algorithm {
            Algorithm::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
            Algorithm::EcdsaP384 => &PKCS_ECDSA_P384_SHA384,
            Algorithm::Ed25519 => {
                let mut key = Zeroizing::new([ED25519.as_slice(), &[0; 32]].concat());
                SystemEntropy.fill(&mut key[ED25519.len()..]);
                return key;
            }
        };
        let key = KeyPair::generate_for(algorithm).expect("the system gives randomness");
        Zeroizing::new(key.serialize_der())
    }
}
