//! The certificates of the world: one authority, and what it vouches for.

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};

/// An authority that clients of the world trust.
pub struct CertificateAuthority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl CertificateAuthority {
    /// # Panics
    /// If the system gives no randomness.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().expect("the system gives randomness");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("its parameters are valid") }
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
        request.signed_by(&self.issuer).expect("it could be read").pem()
    }

    /// The authority's certificate, as clients keep it.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// How a server of these names speaks TLS.
    ///
    /// # Panics
    /// If a name is none.
    pub fn server(&self, names: &[&str]) -> Arc<ServerConfig> {
        self.server_until(names, None)
    }

    /// The same, with a certificate that is valid until some moment.
    ///
    /// # Panics
    /// If a name is none.
    pub fn server_until(&self, names: &[&str], until: Option<Timestamp>) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        if let Some(until) = until.map(|until| until.to_zoned(TimeZone::UTC)) {
            let part = |part: i8| u8::try_from(part).expect("months and days are counted from 1");
            params.not_after = date_time_ymd(until.year().into(), part(until.month()), part(until.day()));
        }
        params.subject_alt_names = names
            .iter()
            .map(|name| match name.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName((*name).try_into().expect("names of servers are ASCII")),
            })
            .collect();
        let key = KeyPair::generate().expect("the system gives randomness");
        let certificate = params.signed_by(&key, &self.issuer).expect("its parameters are valid");
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("it was just made");
        let mut config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).expect("the key is its own");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
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
