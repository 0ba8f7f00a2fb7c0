//! The route to a server: looked up, dialled, through a proxy perhaps, and secured, each step timed by the host's clock.

use std::{future::Future, io, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    authority::Authority,
    failure::{ProxyFailure, Unconnected},
    proxy::Proxy,
    tls::Tls,
};
use crate::host::{
    Host,
    clock::Clock,
    dial::{Dial, Stream, first_that_answers},
    tunnel::Tunnel,
};

/// How long an address may be silent before the next one of the same name has its turn.
const PATIENCE: Duration = Duration::from_millis(250);

/// How connections are made.
#[derive(Clone)]
pub struct Route {
    pub dial: Arc<dyn Dial>,
    pub clock: Arc<dyn Clock>,
    /// How long making a connection may take, TLS included.
    pub connect_within: Duration,
    /// Where to connect to in place of what is asked for; the name that TLS asks for stays.
    pub instead: Option<Authority>,
    pub proxy: Option<Proxy>,
}

/// A connection that was made, and how.
pub struct Connected {
    pub stream: Box<dyn Stream>,
    pub phases: Phases,
    /// What the server showed, its own first; empty without TLS.
    pub certificates: Vec<CertificateDer<'static>>,
    /// What was agreed on in the TLS handshake, such as `h2`.
    pub protocol: Option<Vec<u8>>,
}

/// How long each part of making a connection took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Phases {
    pub look_up: Duration,
    /// With the handshake of a proxy.
    pub connect: Duration,
    pub tls: Duration,
}

impl Connected {
    pub fn speaks_http2(&self) -> bool {
        self.protocol.as_deref() == Some(b"h2")
    }
}

impl Route {
    /// The host's dial, without detours.
    pub fn of(host: &Host, connect_within: Duration) -> Self {
        let (dial, clock) = (host.dial.clone(), host.clock.clone());
        Self { dial, clock, connect_within, instead: None, proxy: None }
    }

    /// Through a tunnel, wherever that leads to.
    #[must_use]
    pub fn through(mut self, tunnel: &Tunnel) -> Self {
        self.dial = Arc::new(tunnel.clone());
        self
    }

    /// The proxy that requests are handed to as they are, with the whole address of their server: one of HTTP, if they go to
    /// a server without TLS.
    pub fn handed_to(&self, secure: bool) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|proxy| !secure && proxy.takes_requests())
    }

    /// Connects, and secures the connection if there is `tls`. It must be called where a runtime is entered.
    ///
    /// # Errors
    /// Why it can't be, by the step that failed.
    pub async fn connect(&self, to: &Authority, tls: Option<&Tls>) -> Result<Connected, Unconnected> {
        let mut deadline = self.clock.sleep(self.connect_within);
        let begun = self.clock.elapsed();
        let target = self.instead.as_ref().unwrap_or(to);
        let (stream, look_up) = match &self.proxy {
            None => self.dial(&mut deadline, target).await?,
            Some(proxy) => {
                let failed = |because| Unconnected::Proxy { proxy: proxy.shown(), because };
                let dialled = self.dial(&mut deadline, &proxy.authority).await;
                let (stream, look_up) = dialled.map_err(|error| failed(ProxyFailure::Unconnected(Box::new(error))))?;
                let stream: Box<dyn Stream> = match proxy.tls() {
                    None => stream,
                    Some(tls) => {
                        let secured = secured(&mut deadline, tls, &proxy.authority.host, stream).await;
                        Box::new(secured.map_err(|error| failed(ProxyFailure::Unconnected(Box::new(error))))?)
                    }
                };
                let stream = if self.handed_to(tls.is_some()).is_some() {
                    stream
                } else {
                    let led = before(&mut deadline, async { Ok(proxy.lead(stream, target).await) }).await;
                    let said = led.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
                    said.map_err(|said| failed(ProxyFailure::Said(said)))?
                };
                (stream, look_up)
            }
        };
        let connected = self.clock.elapsed();
        let mut phases = Phases { look_up, connect: connected.saturating_sub(begun + look_up), tls: Duration::ZERO };
        let Some(tls) = tls else {
            return Ok(Connected { stream, phases, certificates: Vec::new(), protocol: None });
        };
        let secured = secured(&mut deadline, tls, &to.host, stream).await?;
        phases.tls = self.clock.elapsed().saturating_sub(connected);
        let (_, session) = secured.get_ref();
        let certificates = session.peer_certificates().map(<[_]>::to_vec).unwrap_or_default();
        let protocol = session.alpn_protocol().map(<[u8]>::to_vec);
        Ok(Connected { stream: Box::new(secured), phases, certificates, protocol })
    }

    /// Looks up and dials; with how long the looking up took.
    async fn dial(
        &self,
        deadline: &mut BoxFuture<'static, ()>,
        to: &Authority,
    ) -> Result<(Box<dyn Stream>, Duration), Unconnected> {
        let begun = self.clock.elapsed();
        let addresses = before(deadline, self.dial.look_up(&to.host)).await.map_err(Unconnected::Name)?;
        let look_up = self.clock.elapsed().saturating_sub(begun);
        let stream = match addresses.is_empty() {
            true => before(deadline, self.dial.dial(&to.host, to.port)).await,
            false => {
                let dial = |address: std::net::IpAddr| self.dial.dial(&address.to_string(), to.port);
                let first = first_that_answers(addresses, dial, || self.clock.sleep(PATIENCE));
                before(deadline, first).await.map(|(_, stream)| stream)
            }
        };
        Ok((stream.map_err(Unconnected::Dial)?, look_up))
    }
}

/// Speaks TLS to whom that name or address belongs.
async fn secured(
    deadline: &mut BoxFuture<'static, ()>,
    tls: &Tls,
    host: &str,
    stream: Box<dyn Stream>,
) -> Result<TlsStream<Box<dyn Stream>>, Unconnected> {
    let name = match &tls.server_name {
        Some(name) => name.clone(),
        None => ServerName::try_from(host.to_owned())
            .map_err(|error| Unconnected::Tls(io::Error::new(io::ErrorKind::InvalidInput, error)))?,
    };
    let connector = TlsConnector::from(tls.config.clone());
    before(deadline, connector.connect(name, stream)).await.map_err(Unconnected::Tls)
}

async fn before<T>(deadline: &mut BoxFuture<'static, ()>, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::select! {
        biased;
        done = work => done,
        () = deadline => Err(io::ErrorKind::TimedOut.into()),
    }
}
