//! A real control plane, shared by all bodies.

use std::{io, path::Path, sync::Arc};

use futures::future::BoxFuture;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use simulator::stream::Stream;
use testbed::Bed;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Arm, connection::Connect};

/// A server on loopback, with TLS.
pub struct OnLoopback {
    port: u16,
    token: String,
    tls: TlsConnector,
}

impl Connect for OnLoopback {
    fn connect(&self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async {
            let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
            let name = ServerName::try_from("localhost").expect("it is a name");
            Ok(Box::new(self.tls.connect(name, stream).await?) as Box<dyn Stream>)
        })
    }

    fn token(&self) -> &str {
        &self.token
    }
}

/// The control plane of the testbed.
pub fn arm(bed: &Bed, space: &str) -> Arm {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Arm::new(runtime, Box::new(connect(&bed.kubeconfig())), space)
}

/// The server of a kubeconfig, and who asks.
pub fn connect(kubeconfig: &Path) -> OnLoopback {
    let text = std::fs::read_to_string(kubeconfig).unwrap();
    let find = |key: &str| {
        let from = text.find(key).unwrap() + key.len();
        text[from..].split('"').next().unwrap().to_owned()
    };
    let port = find("server: \"").rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
    let mut config = ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(OnLoopbackAnything(rustls::crypto::ring::default_provider())))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    OnLoopback { port, token: find("token: \""), tls: Arc::new(config).into() }
}

/// Who listens on loopback was started by this very process.
#[derive(Debug)]
struct OnLoopbackAnything(CryptoProvider);

impl ServerCertVerifier for OnLoopbackAnything {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
