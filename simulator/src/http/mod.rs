//! The HTTP sites of the world: answers by path, method and time, slow and broken ones, too.

mod answer;

use std::{convert::Infallible, sync::Arc};

use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio_rustls::TlsAcceptor;
use tower::service_fn;

pub use self::answer::{Answer, Ending};
use self::answer::{Body, whole};
use crate::network::{Server, Stream};

/// A site.
pub struct Site {
    /// Over TLS, if there is one.
    pub tls: Option<TlsAcceptor>,
    /// The first that fits is given; if none does, there is no such page.
    pub answers: Vec<Answer>,
}

impl Server for Site {
    fn serve(self: Arc<Self>, stream: Box<dyn Stream>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            match self.tls.clone() {
                None => self.converse(stream).await,
                Some(tls) => {
                    // A client that doesn't trust us goes away, and knows best why.
                    let Ok(stream) = tls.accept(stream).await else { return };
                    self.converse(stream).await;
                }
            }
        })
    }
}

impl Site {
    async fn converse(self: Arc<Self>, stream: impl Stream + 'static) {
        let service = service_fn(move |request: Request<Incoming>| {
            let site = self.clone();
            async move { Ok::<_, Infallible>(site.answer(&request).await) }
        });
        let mut connection = auto::Builder::new(TokioExecutor::new());
        connection.http1().timer(TokioTimer::new());
        connection.http2().timer(TokioTimer::new());
        // So does one that breaks the connection off.
        drop(connection.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await);
    }

    async fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let (method, path) = (request.method(), request.uri().path());
        match self.answers.iter().find(|answer| answer.fits(method, path)) {
            Some(answer) => answer.give().await,
            None => whole(StatusCode::NOT_FOUND, "404 page not found\n"),
        }
    }
}
