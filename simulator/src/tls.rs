//! How servers of the world speak TLS: with certificates that are made when the first client comes.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use rustls::ServerConfig;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{faults::At, stream::Stream};

/// What a server shows.
pub struct Tls {
    made: Box<Made>,
    /// What goes wrong here.
    faults: At,
    usual: OnceLock<TlsAcceptor>,
    expired: OnceLock<TlsAcceptor>,
}

/// Makes a certificate, and says how TLS is spoken with it.
type Made = dyn Fn(Validity) -> ServerConfig + Send + Sync;

/// What there is to be said of a certificate's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It is as long as it is meant to be.
    Usual,
    /// It is over.
    Over,
}

impl Tls {
    pub fn new(faults: At, made: impl Fn(Validity) -> ServerConfig + Send + Sync + 'static) -> Self {
        Self { made: Box::new(made), faults, usual: OnceLock::new(), expired: OnceLock::new() }
    }

    /// Greets a client.
    ///
    /// # Errors
    /// If the client goes away, as one does that doesn't trust the certificate; it knows best why.
    pub async fn accept<S: Stream>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let (shown, validity) = match self.faults.of_certificate() {
            true => (&self.expired, Validity::Over),
            false => (&self.usual, Validity::Usual),
        };
        let acceptor = shown.get_or_init(|| Arc::new((self.made)(validity)).into());
        acceptor.accept(stream).await
    }
}
