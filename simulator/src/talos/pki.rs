//! The certificates of nodes: who vouches for them, and what clients show.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use p256::{
    ecdsa::signature::Signer as _,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _},
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData, SanType, SignatureAlgorithm, SigningKey,
    date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime, pem::PemObject as _},
    server::WebPkiClientVerifier,
    time_provider::TimeProvider,
};
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::config::Pair;
use crate::time::Calendar;

/// How long what a node is given lasts.
const DAY: Duration = Duration::from_secs(24 * 3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
const DECADE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// What stands before the 32 bytes of an Ed25519 key in PKCS#8.
const ED25519: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// The algorithm of a key on the curve P-256, as PKCS#8 names it.
const P256: [u8; 21] = *b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";

/// A key that signs without chance: with P-256 as RFC 6979 says.
pub struct Signer(KeyPair);

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.0.algorithm()
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let Self(pair) = self;
        if pair.algorithm() != &PKCS_ECDSA_P256_SHA256 {
            return pair.sign(message);
        }
        let key = p256::ecdsa::SigningKey::from_pkcs8_der(pair.serialized_der())
            .map_err(|error| rcgen::Error::RingKeyRejected(error.to_string()))?;
        let signature: p256::ecdsa::Signature = key.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

/// An authority with its key.
pub struct Authority {
    issuer: Issuer<'static, Signer>,
    pub pem: String,
}

/// The time of a node, for what it checks.
#[derive(Clone)]
struct NodeTime(Calendar);

impl fmt::Debug for NodeTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NodeTime")
    }
}

impl TimeProvider for NodeTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// An Ed25519 key that follows from these bytes.
pub fn key_from(bytes: [u8; 32]) -> KeyPair {
    let der: Vec<u8> = ED25519.into_iter().chain(bytes).collect();
    let der = PrivateKeyDer::try_from(der).expect("it is framed as PKCS#8");
    KeyPair::from_der_and_sign_algo(&der, &PKCS_ED25519).expect("any 32 bytes are a key")
}

/// A key on the curve P-256 that follows from these bytes, as PKCS #8.
pub fn p256_from(bytes: [u8; 32]) -> Vec<u8> {
    // Few numbers are too large for a key: then what follows from them is one.
    let numbers = std::iter::successors(Some(bytes), |bytes| Some(Sha256::digest(bytes).into()));
    let mut keys = numbers.filter_map(|bytes| p256::SecretKey::from_slice(&bytes).ok());
    let key = keys.next().expect("it goes on until there is one");
    key.to_pkcs8_der().expect("a key can be written").as_bytes().to_vec()
}

/// What signs with a key in PKCS #8.
pub fn signer(pkcs8: &[u8]) -> Result<Signer, rcgen::Error> {
    KeyPair::try_from(pkcs8).map(Signer)
}

/// A key as machine configurations have them: Ed25519 in PKCS#8, or P-256 as SEC1.
fn key(pem: &str) -> Result<KeyPair, String> {
    let wrong = |error: &dyn fmt::Display| format!("failed to parse the key: {error}");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).map_err(|error| wrong(&error))?;
    let (der, algorithm) = match pem.contains("BEGIN EC PRIVATE KEY") {
        true => (in_pkcs8(&der), &PKCS_ECDSA_P256_SHA256),
        false if der.starts_with(&ED25519[..4]) && der.len() == 48 => (der, &PKCS_ED25519),
        false => (der, &PKCS_ECDSA_P256_SHA256),
    };
    let der = PrivateKeyDer::Pkcs8(der.into());
    KeyPair::from_der_and_sign_algo(&der, algorithm).map_err(|error| wrong(&error))
}

fn in_pkcs8(sec1: &[u8]) -> Vec<u8> {
    let tagged = |tag: u8, content: &[u8]| {
        let length = content.len();
        let mut out = vec![tag];
        match u8::try_from(length) {
            Ok(short @ ..=0x7f) => out.push(short),
            Ok(long) => out.extend([0x81, long]),
            Err(_) => out.extend([0x82, (length >> 8) as u8, length as u8]),
        }
        out.extend_from_slice(content);
        out
    };
    let content: Vec<u8> = [&[0x02, 0x01, 0x00], &P256[..], &tagged(0x04, sec1)].concat();
    tagged(0x30, &content)
}

/// How many organisations a certificate can name.
pub const ORGANISATIONS: usize = 2;

/// The kinds of names under which they are written. A name has one value of each kind, so the same kind is called otherwise.
fn organisations() -> [DnType; ORGANISATIONS] {
    [DnType::OrganizationName, DnType::CustomDnType(vec![2, 5, 4, 10])]
}

fn since_1970(at: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default())
}

fn params(from: Timestamp, lasts: Duration) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
    params.distinguished_name = rcgen::DistinguishedName::new();
    // Clocks differ by a little.
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970(from) - Duration::from_secs(60);
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(from) + lasts;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params
}

fn names(params: &mut CertificateParams, names: &[String]) {
    let name = |name: &String| match name.parse() {
        Ok(address) => Some(SanType::IpAddress(address)),
        Err(_) => name.as_str().try_into().ok().map(SanType::DnsName),
    };
    params.subject_alt_names = names.iter().filter_map(name).collect();
}

impl Authority {
    /// The authority of a machine configuration.
    ///
    /// # Errors
    /// If it can't be one.
    pub fn read(pair: &Pair) -> Result<Self, String> {
        let issuer = Issuer::from_ca_cert_pem(&pair.certificate, Signer(key(&pair.key)?))
            .map_err(|error| format!("failed to parse the CA certificate: {error}"))?;
        Ok(Self { issuer, pem: pair.certificate.clone() })
    }

    /// A new one, whose key follows from the bytes.
    pub fn begin(organisation: &str, bytes: [u8; 32], now: Timestamp) -> Self {
        let mut params = params(now, DECADE);
        params.distinguished_name.push(DnType::OrganizationName, organisation);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = key_from(bytes);
        let pem = params.self_signed(&key).expect("its parameters are valid").pem();
        Self { issuer: Issuer::new(params, Signer(key)), pem }
    }

    /// What somebody shows who has these roles, or is of these groups.
    pub fn client(&self, name: &str, groups: &[String], key: &KeyPair, now: Timestamp, lasts: Duration) -> String {
        let mut params = params(now, lasts);
        if !name.is_empty() {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        for (group, kind) in groups.iter().zip(organisations()) {
            params.distinguished_name.push(kind, DnValue::Utf8String(group.clone()));
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.signed_by(key, &self.issuer).expect("its parameters are valid").pem()
    }

    /// How a node of these names speaks TLS; the first one is what it is called. Whoever talks to it shows a certificate of the same
    /// authority, or none at all, if that is allowed.
    pub fn server(&self, called: &[String], key: &KeyPair, calendar: Calendar, clients: Clients) -> ServerConfig {
        let mut params = params(calendar.now(), DAY);
        if let Some(name) = called.first() {
            params.distinguished_name.push(DnType::CommonName, name.as_str());
        }
        names(&mut params, called);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(key, &self.issuer).expect("its parameters are valid");
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("it was just made");
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_details(provider.clone(), Arc::new(NodeTime(calendar)));
        let builder = builder.with_safe_default_protocol_versions().expect("the provider has them all");
        let builder = match clients {
            Clients::Anybody => builder.with_no_client_auth(),
            known => {
                let mut roots = RootCertStore::empty();
                let own = CertificateDer::from_pem_slice(self.pem.as_bytes()).expect("it was read before");
                roots.add(own).expect("it was read before");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = if known == Clients::KnownOrNone { verifier.allow_unauthenticated() } else { verifier };
                builder.with_client_cert_verifier(verifier.build().expect("there is one root"))
            }
        };
        let mut config = builder.with_single_cert(chain, key).expect("the key is its own");
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }
}

/// Who may talk to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clients {
    Anybody,
    Known,
    KnownOrNone,
}

/// How long certificates of clients last.
pub const CLIENTS_LAST: Duration = YEAR;

/// A key as Talos writes them.
pub fn labelled(key: &KeyPair) -> String {
    key.serialize_pem().replace(" PRIVATE KEY-----", " ED25519 PRIVATE KEY-----")
}

/// The name and the organisations of whoever showed a certificate.
pub fn subject(certificate: &CertificateDer<'_>) -> (String, Vec<String>) {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Default::default() };
    let subject = certificate.subject();
    let texts = |value: &x509_parser::x509::AttributeTypeAndValue<'_>| value.as_str().ok().map(str::to_owned);
    let name = subject.iter_common_name().find_map(texts).unwrap_or_default();
    (name, subject.iter_organization().filter_map(texts).collect())
}
