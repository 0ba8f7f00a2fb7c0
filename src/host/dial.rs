//! The dial: the only seam between a rehearsal and the real world.

use std::io;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection as a plain stream of bytes; TLS is spoken above it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Gives a byte stream to an authority.
pub trait Dial: Send + Sync {
    /// Connects to `host` (a name or an address) at `port`.
    fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>>;
}
