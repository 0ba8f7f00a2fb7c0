//! The certificates of nodes: who vouches for them, and what clients show.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose,
    SanType, date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime, pem::PemObject as _},
    server::WebPkiClientVerifier,
    time_provider::TimeProvider,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use ::talos::pem;

use super::config::Pair;
use crate::{certificates::Key, time::Calendar, tls::Validity};

/// How long what a node is given lasts.
const DAY: Duration = Duration::from_secs(24 * 3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
const DECADE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// An authority with its key.
pub struct Authority {
    issuer: Issuer<'static, Key>,
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

/// A key as machine configurations have them: Ed25519 in PKCS #8, or P-256 as SEC 1.
fn key(text: &str) -> Result<Key, String> {
    let wrong = |error: &dyn fmt::Display| format!("failed to parse the key: {error}");
    let (label, der) = pem::read(text).ok_or_else(|| wrong(&"it is no PEM"))?;
    let key = if label == pem::EC_KEY { Key::from_sec1(&der) } else { Key::from_pkcs8(&der) };
    key.map_err(|error| wrong(&error))
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
        let issuer = Issuer::from_ca_cert_pem(&pair.certificate, key(&pair.key)?)
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
        let key = Key::ed25519(bytes);
        let pem = params.self_signed(&key).expect("its parameters are valid").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// What somebody shows who has these roles, or is of these groups.
    pub fn client(&self, name: &str, groups: &[String], key: &Key, now: Timestamp, lasts: Duration) -> String {
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
    pub fn server(
        &self,
        called: &[String],
        key: &Key,
        calendar: Calendar,
        for_whom: (Clients, Validity),
    ) -> ServerConfig {
        let (clients, validity) = for_whom;
        let from = match validity {
            Validity::Usual => calendar.now(),
            Validity::Over => calendar.now() - 2 * DAY,
        };
        let mut params = params(from, DAY);
        if let Some(name) = called.first() {
            params.distinguished_name.push(DnType::CommonName, name.as_str());
        }
        names(&mut params, called);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(key, &self.issuer).expect("its parameters are valid");
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivatePkcs8KeyDer::from(key.to_pkcs8());
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
        let mut config = builder.with_single_cert(chain, key.into()).expect("the key is its own");
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
pub fn labelled(key: &Key) -> String {
    pem::write(pem::ED25519_KEY, &key.to_pkcs8())
}

/// The name and the organisations of whoever showed a certificate.
pub fn subject(certificate: &CertificateDer<'_>) -> (String, Vec<String>) {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return Default::default() };
    let subject = certificate.subject();
    let texts = |value: &x509_parser::x509::AttributeTypeAndValue<'_>| value.as_str().ok().map(str::to_owned);
    let name = subject.iter_common_name().find_map(texts).unwrap_or_default();
    (name, subject.iter_organization().filter_map(texts).collect())
}
