//! A tunnel: a way to one place that this machine's own network may not reach, such as a port of a pod.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::dial::{Dial, Stream};

/// A handle on something that gives byte streams to one authority. When it is closed, its streams end with it.
#[derive(Clone)]
pub struct Tunnel(Arc<Way>);

struct Way {
    shown: String,
    host: String,
    port: u16,
    dial: Arc<dyn Dial>,
    closed: CancellationToken,
}

impl Tunnel {
    /// A tunnel to `host` at `port`, which `dial` connects to and people know as `shown`.
    pub fn new(shown: impl Into<String>, host: impl Into<String>, port: u16, dial: Arc<dyn Dial>) -> Self {
        let (shown, host) = (shown.into(), host.into());
        Self(Arc::new(Way { shown, host, port, dial, closed: CancellationToken::new() }))
    }

    /// The name of what it leads to, as a server there may expect to be called.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Makes a connection to what the tunnel leads to.
    pub fn connect(&self) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        let way = self.0.clone();
        Box::pin(async move {
            let dialed = way.dial.dial(&way.host, way.port);
            let stream = tokio::select! {
                biased;
                () = way.closed.cancelled() => return Err(closed()),
                stream = dialed => stream?,
            };
            let closed = Box::pin(way.closed.clone().cancelled_owned());
            Ok(Box::new(Guarded { stream, closed, tunnel: way.closed.clone() }) as Box<dyn Stream>)
        })
    }

    /// Ends its streams; it gives no more.
    pub fn close(&self) {
        self.0.closed.cancel();
    }
}

/// Wherever one means to connect: a tunnel has one end.
impl Dial for Tunnel {
    fn dial(&self, _host: &str, _port: u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        self.connect()
    }
}

/// What it leads to: `svc/redis:6379 in tenant-root of lab`.
impl std::fmt::Display for Tunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.shown)
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the tunnel was closed")
}

/// A stream that ends with its tunnel.
struct Guarded {
    stream: Box<dyn Stream>,
    /// Wakes whoever reads; whoever writes only looks.
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
    tunnel: CancellationToken,
}

impl Guarded {
    fn open(&self) -> io::Result<()> {
        if self.tunnel.is_cancelled() { Err(closed()) } else { Ok(()) }
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.closed.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(closed()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.open()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
