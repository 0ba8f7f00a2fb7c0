//! Connections as plain streams of bytes, which whoever serves one may break off.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{client, server};

/// A connection; TLS is spoken above it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// What breaks it off. Where that can't be, it does nothing, and the connection just ends.
    fn breaker(&self) -> Breaker {
        Breaker::default()
    }
}

impl Stream for DuplexStream {}

impl Stream for TcpStream {}

impl Stream for Box<dyn Stream> {
    fn breaker(&self) -> Breaker {
        self.as_ref().breaker()
    }
}

impl<S: Stream> Stream for server::TlsStream<S> {
    fn breaker(&self) -> Breaker {
        self.get_ref().0.breaker()
    }
}

impl<S: Stream> Stream for client::TlsStream<S> {
    fn breaker(&self) -> Breaker {
        self.get_ref().0.breaker()
    }
}

/// Breaks a connection off.
#[derive(Debug, Clone, Default)]
pub struct Breaker(Arc<AtomicBool>);

impl Breaker {
    /// From now on the connection is reset, for both sides.
    pub fn break_off(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn check(&self) -> io::Result<()> {
        match self.0.load(Ordering::Acquire) {
            true => Err(io::ErrorKind::ConnectionReset.into()),
            false => Ok(()),
        }
    }
}

/// A stream that can be broken off.
pub struct Breakable<S: Abrupt> {
    stream: S,
    breaker: Breaker,
}

/// What can end without a farewell.
pub trait Abrupt {
    /// The other side is to find its connection reset once this is dropped.
    fn end_abruptly(&self);
}

impl Abrupt for DuplexStream {
    // The other end shares the breaker.
    fn end_abruptly(&self) {}
}

impl Abrupt for TcpStream {
    fn end_abruptly(&self) {
        // If it fails, the connection is gone already.
        drop(self.set_zero_linger());
    }
}

impl<S: Abrupt> Breakable<S> {
    pub fn new(stream: S, breaker: Breaker) -> Self {
        Self { stream, breaker }
    }
}

impl<S: Abrupt> Drop for Breakable<S> {
    fn drop(&mut self) {
        if self.breaker.check().is_err() {
            self.stream.end_abruptly();
        }
    }
}

impl<S: Abrupt + AsyncRead + AsyncWrite + Send + Unpin> Stream for Breakable<S> {
    fn breaker(&self) -> Breaker {
        self.breaker.clone()
    }
}

impl<S: Abrupt + AsyncRead + Unpin> AsyncRead for Breakable<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.breaker.check()?;
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: Abrupt + AsyncWrite + Unpin> AsyncWrite for Breakable<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.breaker.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.breaker.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.breaker.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
