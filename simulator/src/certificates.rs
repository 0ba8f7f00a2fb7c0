//! The certificates of the world: its authorities, and what they vouch for. All of it follows from the seed.

use std::{sync::OnceLock, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use p256::{
    SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer as _},
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData,
    SanType, SignatureAlgorithm, date_time_ymd,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use sha2::{Digest as _, Sha256};

/// What stands before the 32 bytes of an Ed25519 key in PKCS #8.
const ED25519: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// An authority that clients of the world may trust.
pub struct CertificateAuthority {
    name: String,
    seed: u64,
    /// Made when it is asked for first.
    issuer: OnceLock<CertifiedIssuer<'static, Key>>,
}

/// A private key that signs the same in the same way each time: with Ed25519, or on the curve P-256 as RFC 6979 says.
pub enum Key {
    Ed25519(KeyPair),
    P256 { own: SigningKey, public: Vec<u8> },
}

impl Key {
    /// A key on the curve P-256 that follows from a seed, and from what it is for.
    pub fn of(seed: u64, purpose: &str) -> Self {
        Self::p256(&[&seed.to_be_bytes(), purpose.as_bytes()].concat())
    }

    /// A key on the curve P-256 that follows from these bytes.
    ///
    /// # Panics
    /// Never: one of so many digests is a key.
    pub fn p256(bytes: &[u8]) -> Self {
        // Few digests are too large for a key.
        let own = (0_u8..).find_map(|attempt| {
            let digest = Sha256::new().chain_update([attempt]).chain_update(bytes);
            SigningKey::from_slice(&digest.finalize()).ok()
        });
        own.expect("one of so many digests is a key").into()
    }

    /// An Ed25519 key that follows from these bytes.
    ///
    /// # Panics
    /// Never: any 32 bytes are a key.
    pub fn ed25519(bytes: [u8; 32]) -> Self {
        let der = PrivatePkcs8KeyDer::from([&ED25519[..], &bytes].concat());
        Self::Ed25519(KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519).expect("any 32 bytes are a key"))
    }

    /// A key as PKCS #8 has it.
    ///
    /// # Errors
    /// If it is none of the two.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, rcgen::Error> {
        if der.starts_with(&ED25519[..4]) && der.len() == ED25519.len() + 32 {
            let der = PrivatePkcs8KeyDer::from(der);
            return KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519).map(Self::Ed25519);
        }
        SigningKey::from_pkcs8_der(der).map(Self::from).map_err(unusable)
    }

    /// A key on the curve P-256 as SEC 1 has it.
    ///
    /// # Errors
    /// If it is none.
    pub fn from_sec1(der: &[u8]) -> Result<Self, rcgen::Error> {
        SecretKey::from_sec1_der(der).map(|key| SigningKey::from(key).into()).map_err(unusable)
    }

    /// # Panics
    /// Never: a key can be written.
    pub fn to_pkcs8(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(pair) => pair.serialize_der(),
            Self::P256 { own, .. } => {
                let written = SecretKey::from(own.as_nonzero_scalar()).to_pkcs8_der();
                written.expect("a key can be written").as_bytes().to_vec()
            }
        }
    }
}

fn unusable(error: impl ToString) -> rcgen::Error {
    rcgen::Error::RingKeyRejected(error.to_string())
}

impl From<SigningKey> for Key {
    fn from(own: SigningKey) -> Self {
        Self::P256 { public: own.verifying_key().to_encoded_point(false).as_bytes().to_vec(), own }
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(pair) => pair.der_bytes(),
            Self::P256 { public, .. } => public,
        }
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self {
            Self::Ed25519(_) => &PKCS_ED25519,
            Self::P256 { .. } => &PKCS_ECDSA_P256_SHA256,
        }
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match self {
            Self::Ed25519(pair) => pair.sign(message),
            Self::P256 { own, .. } => {
                let signature: Signature = own.sign(message);
                Ok(signature.to_der().as_bytes().to_vec())
            }
        }
    }
}

impl CertificateAuthority {
    /// The authority of this name in the world of a seed.
    pub fn new(name: &str, seed: u64) -> Self {
        Self { name: name.to_owned(), seed, issuer: OnceLock::new() }
    }

    fn issuer(&self) -> &CertifiedIssuer<'static, Key> {
        self.issuer.get_or_init(|| {
            let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
            params.distinguished_name.push(rcgen::DnType::CommonName, &*self.name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
            let key = Key::of(self.seed, &self.name);
            CertifiedIssuer::self_signed(params, key).expect("its parameters are valid")
        })
    }

    /// The certificate that somebody asked for.
    ///
    /// # Panics
    /// If a request that could be read can't be signed.
    pub fn grant(&self, request: Request, grant: Grant<'_>) -> String {
        let Request(mut request) = request;
        let params = &mut request.params;
        let moment = |at: Timestamp| {
            date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default())
        };
        (params.not_before, params.not_after) = (moment(grant.from), moment(grant.until));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = of(grant.usages, &KEY_USAGES);
        params.extended_key_usages = of(grant.usages, &PURPOSES);
        params.use_authority_key_identifier_extension = true;
        request.signed_by(self.issuer()).expect("it could be read").pem()
    }

    /// The authority's certificate, as clients keep it.
    pub fn pem(&self) -> String {
        self.issuer().pem()
    }

    /// How a server of these names speaks TLS, with a certificate that is valid until some moment, or for ever.
    ///
    /// # Panics
    /// If a name is not ASCII.
    pub fn server(&self, names: &[String], until: Option<Timestamp>) -> ServerConfig {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        if let Some(until) = until.map(|until| until.to_zoned(TimeZone::UTC)) {
            let part = |part: i8| u8::try_from(part).expect("months and days are counted from 1");
            params.not_after = date_time_ymd(until.year().into(), part(until.month()), part(until.day()));
        }
        params.subject_alt_names = names
            .iter()
            .map(|name| match name.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into().expect("names of servers are ASCII")),
            })
            .collect();
        let key = Key::of(self.seed, &names.join(" "));
        let certificate = params.signed_by(&key, self.issuer()).expect("its parameters are valid");
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivatePkcs8KeyDer::from(key.to_pkcs8());
        let builder = ServerConfig::builder().with_no_client_auth();
        let mut config = builder.with_single_cert(chain, key.into()).expect("the key is its own");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }
}

/// A request for a certificate that could be read. Of each part of its subject there is one; of several the last counts.
pub struct Request(CertificateSigningRequestParams);

/// What a certificate is given for, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'g> {
    pub from: Timestamp,
    pub until: Timestamp,
    /// As Kubernetes calls them: `client auth`.
    pub usages: &'g [&'g str],
}

const KEY_USAGES: [(&str, KeyUsagePurpose); 8] = [
    ("signing", KeyUsagePurpose::DigitalSignature),
    ("digital signature", KeyUsagePurpose::DigitalSignature),
    ("content commitment", KeyUsagePurpose::ContentCommitment),
    ("key encipherment", KeyUsagePurpose::KeyEncipherment),
    ("key agreement", KeyUsagePurpose::KeyAgreement),
    ("data encipherment", KeyUsagePurpose::DataEncipherment),
    ("cert sign", KeyUsagePurpose::KeyCertSign),
    ("crl sign", KeyUsagePurpose::CrlSign),
];
const PURPOSES: [(&str, ExtendedKeyUsagePurpose); 2] =
    [("server auth", ExtendedKeyUsagePurpose::ServerAuth), ("client auth", ExtendedKeyUsagePurpose::ClientAuth)];

/// What some words stand for, each once.
fn of<T: Clone + PartialEq>(words: &[&str], known: &[(&str, T)]) -> Vec<T> {
    let mut meant = Vec::new();
    for (_, purpose) in known.iter().filter(|(word, _)| words.contains(word)) {
        if !meant.contains(purpose) {
            meant.push(purpose.clone());
        }
    }
    meant
}

impl Request {
    /// A request in PEM; nothing, if it can't be read.
    pub fn read(pem: &str) -> Option<Self> {
        CertificateSigningRequestParams::from_pem(pem).ok().map(Self)
    }

    /// True for what says that it is a request.
    pub fn is_framed(pem: &str) -> bool {
        ["-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----"]
            .iter()
            .all(|mark| pem.contains(mark))
    }

    pub fn common_name(&self) -> String {
        self.subject(&DnType::CommonName).unwrap_or_default()
    }

    pub fn organisation(&self) -> Option<String> {
        self.subject(&DnType::OrganizationName)
    }

    /// True if it is for names or addresses.
    pub fn names_a_host(&self) -> bool {
        self.0.params.subject_alt_names.iter().any(|name| matches!(name, SanType::DnsName(_) | SanType::IpAddress(_)))
    }

    fn subject(&self, part: &DnType) -> Option<String> {
        self.0.params.distinguished_name.get(part).and_then(|value| match value {
            DnValue::Utf8String(text) => Some(text.clone()),
            DnValue::PrintableString(text) => Some(text.as_str().to_owned()),
            DnValue::Ia5String(text) => Some(text.as_str().to_owned()),
            _ => None,
        })
    }
}
