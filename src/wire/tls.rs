//! TLS: whom to trust, who we are, and which name we ask for.

use std::{fmt, io, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
    time_provider::TimeProvider,
};
use zeroize::Zeroizing;

use super::certificate::key_fingerprint;
use crate::host::{Host, clock::Clock};

/// What TLS should be like.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub trust: Trust,
    pub identity: Option<Identity>,
    /// The name to ask for and to look for in the certificate, if it is not the host's.
    pub server_name: Option<String>,
}

/// Who may answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trust {
    /// Whom the system trusts.
    #[default]
    System,
    /// Whom these certificates, in PEM, vouch for, and nobody else.
    Authority(Arc<[u8]>),
    /// Whom the system trusts, and whom these certificates vouch for.
    SystemAnd(Arc<[u8]>),
    /// Whoever has the key with one of these fingerprints, whatever else the certificate says.
    Key(Arc<[String]>),
    /// Whoever picks up.
    Anybody,
}

/// Who we are, in PEM.
#[derive(Clone)]
pub struct Identity {
    pub certificate: Arc<[u8]>,
    pub key: Arc<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a client certificate with its key")
    }
}

/// What of the settings can't be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    pub part: Part,
    pub why: String,
}

/// A part of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Authority,
    Certificate,
    Key,
    /// The certificate and the key, together.
    Identity,
    ServerName,
}

impl Part {
    pub fn words(self) -> &'static str {
        match self {
            Part::Authority => "the certificate authority",
            Part::Certificate => "the client certificate",
            Part::Key => "the client key",
            Part::Identity => "the client certificate with its key",
            Part::ServerName => "the server name for TLS",
        }
    }
}

/// TLS, ready to be spoken.
#[derive(Debug, Clone)]
pub struct Tls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) server_name: Option<ServerName<'static>>,
}

impl Tls {
    /// Reads the settings. Certificates are judged by the host's clock.
    ///
    /// # Errors
    /// The part that can't be used.
    pub fn new(host: &Host, settings: &Settings) -> Result<Self, Unfit> {
        let provider = Arc::new(ring::default_provider());
        let time = Arc::new(HostTime(host.clock.clone()));
        let builder = ClientConfig::builder_with_details(provider.clone(), time)
            .with_safe_default_protocol_versions()
            .expect("the provider speaks TLS 1.2 and 1.3");
        let builder = match &settings.trust {
            Trust::System => builder.with_root_certificates(host.environment.authorities()),
            Trust::Authority(pem) => builder.with_root_certificates(roots(pem)?),
            Trust::SystemAnd(pem) => {
                let mut both = roots(pem)?;
                both.extend(host.environment.authorities().roots.iter().cloned());
                builder.with_root_certificates(both)
            }
            Trust::Key(fingerprints) => {
                let verifier = Arc::new(Known { fingerprints: fingerprints.clone(), provider: provider.clone() });
                builder.dangerous().with_custom_certificate_verifier(verifier)
            }
            Trust::Anybody => {
                let verifier = Arc::new(Anybody(provider.clone()));
                builder.dangerous().with_custom_certificate_verifier(verifier)
            }
        };
        let config = match &settings.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let signer = Arc::new(SingleCertAndKey::from(certified(identity, &provider)?));
                builder.with_client_cert_resolver(signer)
            }
        };
        let server_name = match settings.server_name.clone() {
            None => None,
            Some(name) => Some(
                ServerName::try_from(name.clone())
                    .map_err(|_| Unfit { part: Part::ServerName, why: format!("`{name}` is not a name") })?,
            ),
        };
        Ok(Self { config: Arc::new(config), server_name })
    }

    /// The same, offering these protocols to the server, the best first.
    #[must_use]
    pub fn speaking(mut self, protocols: &[&str]) -> Self {
        Arc::make_mut(&mut self.config).alpn_protocols =
            protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        self
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore, Unfit> {
    let unfit = |why: String| Unfit { part: Part::Authority, why };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unfit(error.to_string()))?;
        roots.add(certificate).map_err(|error| unfit(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unfit("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}

fn certified(identity: &Identity, provider: &CryptoProvider) -> Result<CertifiedKey, Unfit> {
    let unfit = |part, why: &dyn fmt::Display| Unfit { part, why: why.to_string() };
    let chain = CertificateDer::pem_slice_iter(&identity.certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unfit(Part::Certificate, &error))?;
    if chain.is_empty() {
        return Err(unfit(Part::Certificate, &"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_slice(&identity.key).map_err(|error| unfit(Part::Key, &error))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| unfit(Part::Identity, &error))
}

/// The host's clock for those who judge certificates.
#[derive(Clone)]
struct HostTime(Arc<dyn Clock>);

impl fmt::Debug for HostTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host's clock")
    }
}

impl TimeProvider for HostTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

/// Trusts whoever shows that a key is theirs whose fingerprint is known.
#[derive(Debug)]
struct Known {
    fingerprints: Arc<[String]>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let why = match key_fingerprint(certificate) {
            Ok(fingerprint) if self.fingerprints.contains(&fingerprint) => return Ok(ServerCertVerified::assertion()),
            Ok(fingerprint) => format!("the fingerprint of its key is `{fingerprint}`, which is not the one asked for"),
            Err(why) => why,
        };
        Err(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(io::Error::other(why))))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Trusts whoever answers, also with a certificate that is too odd to be read.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
