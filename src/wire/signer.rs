//! Keys that sign: the same text has the same signature each time, so that a rehearsal repeats byte for byte.

use p256::{ecdsa::signature::Signer as _, pkcs8::DecodePrivateKey};
use rcgen::{
    Error, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PublicKeyData, SignatureAlgorithm, SigningKey,
};

/// A private key. With ECDSA it signs as RFC 6979 says, without chance.
pub struct Signer(pub KeyPair);

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let (pair, algorithm) = (&self.0, self.0.algorithm());
        if algorithm == &PKCS_ECDSA_P256_SHA256 {
            let key = p256::ecdsa::SigningKey::from_pkcs8_der(pair.serialized_der()).map_err(unusable)?;
            let signature: p256::ecdsa::Signature = key.sign(message);
            Ok(signature.to_der().as_bytes().to_vec())
        } else if algorithm == &PKCS_ECDSA_P384_SHA384 {
            let key = p384::ecdsa::SigningKey::from_pkcs8_der(pair.serialized_der()).map_err(unusable)?;
            let signature: p384::ecdsa::Signature = key.sign(message);
            Ok(signature.to_der().as_bytes().to_vec())
        } else {
            pair.sign(message)
        }
    }
}

fn unusable(error: p256::pkcs8::Error) -> Error {
    Error::RingKeyRejected(error.to_string())
}
