//! The API server: requests in, answers and watches out.

use std::{convert::Infallible, io, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt as _, future::BoxFuture};
use http::{HeaderValue, Response, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    upgrade::OnUpgrade,
};
use serde_json::Value;

use super::{
    access::{
        self, Attributes, Verdict,
        identities::{Identities, acting_for},
    },
    answer::Refusal,
    cluster::Cluster,
    discovery, health, metrics, openapi,
    representation::Form,
    request::{Request, Sent},
    resource, streams,
    trouble::Troubled,
    user::User,
};
use crate::{
    faults::{
        Asked, At,
        http::{Fragile, through},
    },
    http::converse,
    network::Server,
    stream::Stream,
    tls::Tls,
};

pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The API server of a cluster, over TLS.
pub struct ApiServer {
    pub cluster: Arc<Cluster>,
    pub tls: Tls,
    /// Whom it knows.
    pub identities: Identities,
    /// What goes wrong here.
    pub faults: At,
    /// Told of every request that has no model.
    pub unmodelled: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Server for ApiServer {
    fn serve(self: Arc<Self>, stream: Box<dyn Stream>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // A client that doesn't trust us goes away, and knows best why.
            let Ok(stream) = self.tls.accept(stream).await else { return };
            let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
            let shown = shown.and_then(|certificate| self.identities.of(certificate));
            self.serve_as(stream, shown).await;
        })
    }
}

impl ApiServer {
    /// Serves a connection without TLS to its end.
    pub async fn serve_plain(self: Arc<Self>, stream: impl Stream + 'static) {
        self.serve_as(stream, None).await;
    }

    /// The same for somebody who showed a certificate, perhaps.
    async fn serve_as(self: Arc<Self>, stream: impl Stream + 'static, shown: Option<User>) {
        converse(stream, move |request| {
            let (server, shown) = (self.clone(), shown.clone());
            async move { server.troubled(request, shown).await }
        })
        .await;
    }

    /// Answers, unless something goes wrong.
    async fn troubled(&self, request: http::Request<Incoming>, shown: Option<User>) -> io::Result<Response<Fragile>> {
        let wanted = self.faults.has_any().then(|| attributes(&request));
        let trouble = wanted.as_ref().and_then(|wanted| {
            self.faults.of_request(&Asked {
                verb: &wanted.verb,
                resource: &wanted.resource,
                namespace: &wanted.namespace,
                name: &wanted.name,
                path: request.uri().path(),
            })
        });
        through(trouble, self.answer(request, shown), &Troubled(&wanted.unwrap_or_default())).await
    }

    async fn answer(&self, mut request: http::Request<Incoming>, shown: Option<User>) -> Response<Body> {
        let asks_for_more = request.headers().contains_key(header::UPGRADE);
        let on = asks_for_more.then(|| hyper::upgrade::on(&mut request));
        let (parts, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return refused(&Refusal::bad_request("the body ended early"));
        };
        let user = match self.identities.who(&self.cluster, &parts.headers, shown) {
            Ok(user) => user,
            Err(refusal) => return refused(&refusal),
        };
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
        let sent = Sent { method: parts.method, path, query, headers: parts.headers, body: body.to_bytes() };
        let mut request = Request::new(sent, user);
        let mut response = match self.admitted(&mut request, on).await {
            Ok(response) => response,
            Err(refusal) => {
                if refusal.code == 501 {
                    (self.unmodelled)(&format!("{} {}: {}", request.method, request.path, refusal.message));
                }
                refused_in(Form::of_refusals(&request), &refusal)
            }
        };
        self.cluster.requests.count(&request, response.status().as_u16());
        for warning in request.warnings() {
            let quoted = format!("299 - {}", Value::String(warning));
            if let Ok(value) = HeaderValue::from_str(&quoted) {
                response.headers_mut().append(header::WARNING, value);
            }
        }
        response
    }

    /// Answers a request if its sender, or whom its sender acts for, may make it.
    async fn admitted(&self, request: &mut Request, on: Option<OnUpgrade>) -> Result<Response<Body>, Refusal> {
        if let Some(other) = acting_for(&self.cluster, request)? {
            request.user = other;
        }
        let wanted = Attributes::of(request);
        if let Verdict::Denied(why) = access::allowed(&self.cluster, &request.user, &wanted) {
            return Err(wanted.forbidden(&request.user, &why));
        }
        self.handle(request, &wanted.verb, on).await
    }

    async fn handle(&self, request: &Request, verb: &str, on: Option<OnUpgrade>) -> Result<Response<Body>, Refusal> {
        if let Some(answer) = discovery::answer(&self.cluster, request) {
            return answer.map(|(value, form)| whole(200, &value, form));
        }
        if let Some(answer) = openapi::answer(&self.cluster, request) {
            return answer.map(|(value, form)| whole(200, &value, form));
        }
        if let Some(told) = health::answer(&request.path, request.flag("verbose")) {
            return Ok(plain(200, &told));
        }
        if request.path == "/metrics" {
            return Ok(written(200, metrics::text(&self.cluster), metrics::MEDIA_TYPE));
        }
        if let Some(answer) = streams::answer(&self.cluster, request, on, &self.unmodelled) {
            return answer;
        }
        if let Some(answer) = streams::proxy::answer(&self.cluster, request, &self.unmodelled).await {
            return answer;
        }
        if verb == "watch" {
            return resource::watch(&self.cluster, request).map(streamed);
        }
        let (code, value, form) = resource::whole(&self.cluster, request).await?;
        Ok(written(code, form.written(&value), form.media_type()))
    }
}

/// What a request is for, which is known before who sends it and what is in it.
fn attributes(request: &http::Request<Incoming>) -> Attributes {
    let uri = request.uri();
    let (path, query) = (uri.path(), uri.query().unwrap_or_default());
    let sent =
        Sent { method: request.method().clone(), path, query, headers: http::HeaderMap::new(), body: Bytes::new() };
    Attributes::of(&Request::new(sent, User::administrator()))
}

/// A refusal as it goes out.
pub fn refused(refusal: &Refusal) -> Response<Body> {
    refused_in(Form::Json, refusal)
}

fn refused_in(form: Form, refusal: &Refusal) -> Response<Body> {
    match refusal.plain() {
        Some(words) => plain(refusal.code, words),
        None => written(refusal.code, form.written(&refusal.status()), form.media_type()),
    }
}

fn whole(code: u16, value: &Value, form: &'static str) -> Response<Body> {
    written(code, value.to_string(), form)
}

fn written(code: u16, text: String, form: &'static str) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(text)).boxed_unsync());
    *response.status_mut() = http::StatusCode::from_u16(code).expect("our codes are valid");
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(form));
    response
}

fn plain(code: u16, words: &str) -> Response<Body> {
    written(code, words.to_owned(), "text/plain; charset=utf-8")
}

fn streamed(lines: impl futures::Stream<Item = Bytes> + Send + 'static) -> Response<Body> {
    let frames = lines.map(|line| Ok::<_, Infallible>(Frame::data(line)));
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
