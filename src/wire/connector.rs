//! A route as the connector of a client that pools its connections.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::{
    client::legacy::connect::{Connected as Known, Connection},
    rt::TokioIo,
};
use tower::Service;

use super::{authority::Authority, failure::Unconnected, route::Route, tls::Tls};
use crate::host::dial::Stream;

/// Makes connections along a route: with TLS for `https`, in clear for `http`.
#[derive(Clone)]
pub struct Connector {
    route: Route,
    tls: Tls,
}

impl Connector {
    pub fn new(route: Route, tls: Tls) -> Self {
        Self { route, tls }
    }
}

impl Service<Uri> for Connector {
    type Response = Pooled;
    type Error = Unconnected;
    type Future = BoxFuture<'static, Result<Pooled, Unconnected>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unconnected>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { route, tls } = self.clone();
        Box::pin(async move {
            let secure = uri.scheme_str() != Some("http");
            let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
            let to = Authority::new(uri.host().unwrap_or_default(), port);
            let connected = route.connect(&to, secure.then_some(&tls)).await?;
            let http2 = connected.speaks_http2();
            let by_proxy = route.handed_to(secure).is_some();
            Ok(Pooled { stream: TokioIo::new(connected.stream), http2, by_proxy })
        })
    }
}

/// A connection in the pool of a client.
pub struct Pooled {
    stream: TokioIo<Box<dyn Stream>>,
    http2: bool,
    /// Requests are handed to a proxy, with the whole address.
    by_proxy: bool,
}

impl Connection for Pooled {
    fn connected(&self) -> Known {
        let known = Known::new().proxy(self.by_proxy);
        if self.http2 { known.negotiated_h2() } else { known }
    }
}

impl Read for Pooled {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl Write for Pooled {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, buffers)
    }
}
