//! A connection to an endpoint, as calls take it: it says for which node they are.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use http::{HeaderValue, Request, Response, Uri, uri};
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::task::AbortHandle;
use tonic::body::Body;
use tower::Service;

use super::fault::Broken;
use crate::host::dial::Stream;

/// What ended a connection, for whoever was too late for it.
type Ended = Shared<BoxFuture<'static, Option<Arc<hyper::Error>>>>;

/// A connection that is up.
#[derive(Clone)]
pub struct Connection {
    sender: SendRequest<Body>,
    authority: uri::Authority,
    ended: Ended,
    /// Which of all connections that were ever made it is.
    pub number: u64,
    driver: AbortHandle,
}

impl Connection {
    /// Speaks HTTP/2 above a secured stream.
    ///
    /// # Errors
    /// What broke it.
    pub async fn begin(stream: Box<dyn Stream>, authority: &str, number: u64) -> Result<Self, Broken> {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).adaptive_window(true);
        let (sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(|error| Broken::unsent(&error))?;
        let driver = tokio::spawn(connection);
        let abort = driver.abort_handle();
        let ended = driver.map(|ended| ended.ok().and_then(Result::err).map(Arc::new)).boxed().shared();
        let authority = authority.parse().expect("what was connected to is an authority");
        Ok(Self { sender, authority, ended, number, driver: abort })
    }

    pub fn is_up(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Ends it, whoever waits for an answer on it.
    pub fn close(&self) {
        self.driver.abort();
    }

    /// Calls that are for this node, or for the endpoint itself.
    pub fn to(&self, node: Option<&HeaderValue>) -> Channel {
        Channel { connection: self.clone(), node: node.cloned() }
    }
}

/// A connection and the node that its calls are for.
#[derive(Clone)]
pub struct Channel {
    connection: Connection,
    node: Option<HeaderValue>,
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Incoming>;
    type Error = Broken;
    type Future = BoxFuture<'static, Result<Response<Incoming>, Broken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        // HTTP/2 has room for another call, or the call says why not.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let mut address = std::mem::take(request.uri_mut()).into_parts();
        address.scheme = Some(uri::Scheme::HTTPS);
        address.authority = Some(self.connection.authority.clone());
        *request.uri_mut() = Uri::from_parts(address).expect("a path below an authority is an address");
        let headers = request.headers_mut();
        headers.insert("runtime", HeaderValue::from_static("Talos"));
        if let Some(node) = &self.node {
            headers.insert("node", node.clone());
        }
        let (mut sender, ended) = (self.connection.sender.clone(), self.connection.ended.clone());
        Box::pin(async move {
            match sender.send_request(request).await {
                Ok(answer) => Ok(answer),
                // It ended before the call was taken, and knows why: a node may want to know who asks, or not accept it.
                Err(error) if error.is_canceled() => match ended.await {
                    Some(why) => Err(Broken::unsent(&*why)),
                    None => Err(Broken::unsent(&error)),
                },
                Err(error) => Err(Broken::sent(&error)),
            }
        })
    }
}
