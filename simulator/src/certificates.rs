//! The certificates of the world: one authority, and what it vouches for.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
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
