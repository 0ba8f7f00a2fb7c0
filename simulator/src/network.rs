//! The network of the world: who answers at which address, by a stream inside of this process.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection as a plain stream of bytes; TLS is spoken above it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How much may be on its way in one direction.
const BUFFER: usize = 64 << 10;

/// Somebody who answers.
pub trait Server: Send + Sync {
    /// Serves one connection to its end.
    fn serve(self: Arc<Self>, stream: Box<dyn Stream>) -> BoxFuture<'static, ()>;
}

/// Who answers where.
#[derive(Default)]
pub struct Network {
    servers: Mutex<BTreeMap<(String, u16), Arc<dyn Server>>>,
}

impl Network {
    /// From now on `server` answers at `host` and `port`.
    pub fn place(&self, host: &str, port: u16, server: Arc<dyn Server>) {
        self.lock().insert((host.to_owned(), port), server);
    }

    /// Connects to `host` at `port`.
    ///
    /// # Errors
    /// If nobody answers there: [`io::ErrorKind::ConnectionRefused`], or [`io::ErrorKind::NotFound`] for a host that the
    /// world doesn't have.
    pub fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let servers = self.lock();
        let server = servers.get(&(host.to_owned(), port)).cloned();
        let known = servers.keys().any(|(known, _)| known == host);
        drop(servers);
        let what = format!("{host}:{port}");
        Box::pin(async move {
            let Some(server) = server else {
                return Err(match known {
                    true => io::ErrorKind::ConnectionRefused.into(),
                    false => io::Error::new(io::ErrorKind::NotFound, format!("the world has nobody at `{what}`")),
                });
            };
            let (ours, theirs) = tokio::io::duplex(BUFFER);
            tokio::spawn(server.serve(Box::new(theirs)));
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, u16), Arc<dyn Server>>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
