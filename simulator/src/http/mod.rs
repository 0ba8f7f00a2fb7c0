//! The HTTP sites of the world: answers by path, method and time, slow and broken ones, too.

mod answer;
mod connection;

use std::{io, sync::Arc};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;

use self::answer::{Body, whole};
pub use self::{
    answer::{Answer, Ending},
    connection::converse,
};
use crate::{
    faults::{
        Asked, At,
        http::{Voice, through},
    },
    network::Server,
    stream::Stream,
    tls::Tls,
};

/// A site.
pub struct Site {
    /// Over TLS, if there is one.
    pub tls: Option<Tls>,
    /// The first that fits is given; if none does, there is no such page.
    pub answers: Vec<Answer>,
    /// What goes wrong here.
    pub faults: At,
}

impl Server for Site {
    fn serve(self: Arc<Self>, stream: Box<dyn Stream>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let Some(tls) = &self.tls else { return self.clone().converse(stream).await };
            // A client that doesn't trust us goes away, and knows best why.
            let Ok(stream) = tls.accept(stream).await else { return };
            self.clone().converse(stream).await;
        })
    }
}

impl Site {
    async fn converse(self: Arc<Self>, stream: impl Stream + 'static) {
        converse(stream, move |request| {
            let site = self.clone();
            async move { site.troubled(&request).await }
        })
        .await;
    }

    /// Answers, unless something goes wrong.
    async fn troubled(&self, request: &Request<Incoming>) -> io::Result<Response<Body>> {
        let verb = request.method().as_str().to_lowercase();
        let asked = Asked { verb: &verb, path: request.uri().path(), ..Asked::default() };
        through(self.faults.of_request(&asked), self.answer(request), self).await
    }

    async fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        let (method, path) = (request.method(), request.uri().path());
        match self.answers.iter().find(|answer| answer.fits(method, path)) {
            Some(answer) => answer.give().await,
            None => whole(StatusCode::NOT_FOUND, "404 page not found\n"),
        }
    }
}

impl Voice<Body> for Site {
    fn refuse(&self, status: u16, message: Option<&str>) -> Response<Body> {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        whole(status, message.map_or_else(|| status.to_string(), str::to_owned) + "\n")
    }

    fn last(&self, _: u16) -> Bytes {
        // Streams of sites end without a word.
        Bytes::new()
    }
}
