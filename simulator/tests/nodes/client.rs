//! Somebody who speaks to nodes, in the world's time.

use std::sync::Arc;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _},
    time_provider::TimeProvider,
};
use simulator::{time::Calendar, world::World};
use talos::{prost::Message, talosconfig};

/// How a call ended badly: the number of its code, and why.
pub type Refused = (i32, String);

/// A client: with the papers of a cluster, or with none.
#[derive(Clone)]
pub struct Client {
    tls: Arc<ClientConfig>,
}

impl Client {
    /// Whoever has the world's talosconfig.
    pub fn administrator(world: &World) -> Self {
        Self::of(world, &world.talosconfig().unwrap())
    }

    /// Whoever has this talosconfig.
    pub fn of(world: &World, text: &str) -> Self {
        let config = talosconfig::read(text).unwrap();
        let (_, context) = config.chosen(None).unwrap();
        let authority = context.authority().unwrap().unwrap();
        let identity = context.identity().unwrap().unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
        let own = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
        let key = identity.key.replace("ED25519 PRIVATE", "PRIVATE");
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let tls = builder(world).with_root_certificates(roots).with_client_auth_cert(vec![own], key).unwrap();
        Self::speaking(tls)
    }

    /// Whoever trusts everybody, and is nobody.
    pub fn stranger(world: &World) -> Self {
        let trusting = Arc::new(Trusting);
        let tls = builder(world).dangerous().with_custom_certificate_verifier(trusting).with_no_client_auth();
        Self::speaking(tls)
    }

    fn speaking(mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = vec![b"h2".to_vec()];
        Self { tls: Arc::new(tls) }
    }

    /// Calls a method at a node, with metadata. Whatever keeps it from an answer is `Unavailable`, as clients have it.
    pub async fn begin(
        &self,
        world: &World,
        at: &str,
        method: &str,
        metadata: &[(&'static str, &str)],
        message: &impl Message,
    ) -> Result<Answers, Refused> {
        let gone = |why: &dyn std::fmt::Display| (14, why.to_string());
        let stream = world.network.dial(at, 50000).await.map_err(|error| gone(&error.kind()))?;
        let address = world.network.look_up(at).unwrap()[0];
        let name = ServerName::from(address);
        let stream = tokio_rustls::TlsConnector::from(self.tls.clone()).connect(name, stream).await;
        let stream = stream.map_err(|error| gone(&error))?;
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.map_err(|error| gone(&error))?;
        tokio::spawn(connection);
        let mut frame = BytesMut::new();
        frame.put_u8(0);
        frame.put_u32(message.encoded_len().try_into().unwrap());
        frame.extend(message.encode_to_vec());
        let mut request = Request::post(format!("https://{at}/{method}")).header("content-type", "application/grpc");
        for (key, value) in metadata {
            request = request.header(*key, *value);
        }
        let request = request.body(Full::new(frame.freeze())).unwrap();
        let answer = sender.send_request(request).await.map_err(|error| gone(&error))?;
        Ok(Answers { body: answer.into_body(), came: BytesMut::new() })
    }

    /// The one answer to a call at a node, for itself.
    pub async fn ask<A: Message + Default>(
        &self,
        world: &World,
        at: &str,
        method: &str,
        message: &impl Message,
    ) -> Result<A, Refused> {
        Ok(self.all(world, at, method, &[], message).await?.into_iter().next().unwrap_or_default())
    }

    /// All answers.
    pub async fn all<A: Message + Default>(
        &self,
        world: &World,
        at: &str,
        method: &str,
        metadata: &[(&'static str, &str)],
        message: &impl Message,
    ) -> Result<Vec<A>, Refused> {
        let mut answers = self.begin(world, at, method, metadata, message).await?;
        let mut all = Vec::new();
        while let Some(answer) = answers.next().await? {
            all.push(answer);
        }
        Ok(all)
    }
}

fn builder(world: &World) -> rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    let builder = ClientConfig::builder_with_details(Arc::new(default_provider()), Arc::new(WorldTime(world.calendar)));
    builder.with_safe_default_protocol_versions().unwrap()
}

/// What comes as an answer.
pub struct Answers {
    body: Incoming,
    came: BytesMut,
}

impl Answers {
    /// The next message; nothing, if the call ended well.
    pub async fn next<A: Message + Default>(&mut self) -> Result<Option<A>, Refused> {
        Ok(self.bytes().await?.map(|message| A::decode(message).unwrap()))
    }

    async fn bytes(&mut self) -> Result<Option<Bytes>, Refused> {
        loop {
            if self.came.len() >= 5 {
                let length = u32::from_be_bytes(self.came[1..5].try_into().unwrap()) as usize;
                if self.came.len() >= 5 + length {
                    self.came.advance(5);
                    return Ok(Some(self.came.split_to(length).freeze()));
                }
            }
            match self.body.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.came.extend_from_slice(&data),
                    Err(frame) => return ended(frame.trailers_ref().unwrap()),
                },
                Some(Err(error)) => return Err((14, error.to_string())),
                None => return Err((14, "it broke off".to_owned())),
            }
        }
    }
}

fn ended(trailers: &HeaderMap) -> Result<Option<Bytes>, Refused> {
    let text = |name: &str| trailers.get(name).map_or("", |value| value.to_str().unwrap());
    match text("grpc-status").parse().unwrap() {
        0 => Ok(None),
        code => {
            Err((code, percent_encoding::percent_decode_str(text("grpc-message")).decode_utf8_lossy().into_owned()))
        }
    }
}

#[derive(Debug)]
struct WorldTime(Calendar);

impl TimeProvider for WorldTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.now().as_second().try_into().ok()?;
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
