//! One request and one answer, over a connection of its own: nothing is followed, remembered or sent twice here.

use std::{error::Error, io, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::future::Either;
use http::{HeaderValue, Request, Response, Uri, header, response};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use tower::{ServiceExt, service_fn};
use tower_http::decompression::Decompression;

use super::request::Request as Asked;
use crate::{
    host::Host,
    script::fault::Fault,
    wire::{
        authority::Authority,
        failure::{Unconnected, trust_reason},
        route::Phases,
    },
};

/// Bodies larger than this are refused: an answer is held in memory.
pub const LARGEST_BODY: usize = 64 << 20;

type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// Nothing was sent.
    #[error("{0}")]
    Unconnected(#[from] Unconnected),
    /// Nothing was sent, for the reason that a fault gives.
    #[error("{0}")]
    Refused(Fault),
    /// The server wants to know who asks, and says so only after the TLS handshake; it looked at nothing that was sent.
    #[error("{0}")]
    Unwelcome(String),
    /// The connection ended after the request, or a part of it, was on its way.
    #[error("{0}")]
    CutOff(String),
    #[error("the answer is larger than {} MB", LARGEST_BODY >> 20)]
    TooLarge,
}

/// How long each part of an exchange took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    pub making: Phases,
    /// From the request to the beginning of its answer.
    pub first_byte: Duration,
    /// From the beginning of the connection to the end of the answer.
    pub total: Duration,
}

/// An answer whose body is still on its way.
pub struct Opened {
    pub head: response::Parts,
    pub certificates: Vec<CertificateDer<'static>>,
    pub timings: Timings,
    body: Body,
    begun: Duration,
}

/// Sends a request and gives the beginning of its answer; its body is unpacked, unless the request says how it is packed.
///
/// # Errors
/// Why there is none.
pub async fn open(host: &Host, asked: &Asked) -> Result<Opened, Unanswered> {
    let begun = host.clock.elapsed();
    let to = asked.authority();
    let secure = asked.url.scheme() == "https";
    let route = asked.carriage.route(host, &to, secure).map_err(Unanswered::Refused)?;
    let tls = secure.then(|| asked.carriage.tls(host)).transpose().map_err(Unanswered::Refused)?;
    let connected = route.connect(&to, tls.as_ref()).await?;
    let (making, certificates, http2) = (connected.phases, connected.certificates.clone(), connected.speaks_http2());
    let proxy = route.handed_to(secure);
    let mut request = wire(asked, &to, http2 || proxy.is_some(), http2);
    if let Some(authorization) = proxy.and_then(|proxy| proxy.authorization()) {
        request.headers_mut().insert(header::PROXY_AUTHORIZATION, authorization);
    }

    let stream = TokioIo::new(connected.stream);
    let (mut speaker, connection) = if http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder.timer(TokioTimer::new()).adaptive_window(true);
        let (sender, connection) = builder.handshake(stream).await.map_err(|error| told(&error))?;
        (Either::Right(sender), tokio::spawn(connection))
    } else {
        let (sender, connection) = http1::handshake(stream).await.map_err(|error| told(&error))?;
        (Either::Left(sender), tokio::spawn(connection))
    };
    let sent = host.clock.elapsed();
    let speak = service_fn(move |request| match &mut speaker {
        Either::Left(sender) => Either::Left(sender.send_request(request)),
        Either::Right(sender) => Either::Right(sender.send_request(request)),
    });
    let answer: Result<Response<Body>, hyper::Error> = if asked.headers.contains_key(header::ACCEPT_ENCODING) {
        speak.oneshot(request).await.map(|answer| answer.map(plain))
    } else {
        let unpacked = Decompression::new(speak).oneshot(request).await;
        unpacked.map(|answer| answer.map(BodyExt::boxed_unsync))
    };
    let answer = match answer {
        Ok(answer) => answer,
        // The connection ended before the request was taken, and knows why: a server may want to know who asks.
        Err(error) if error.is_canceled() => {
            let ended = connection.await.ok().and_then(Result::err);
            return Err(told(ended.as_ref().unwrap_or(&error)));
        }
        Err(error) => return Err(told(&error)),
    };
    let first_byte = host.clock.elapsed().saturating_sub(sent);
    let (head, body) = answer.into_parts();
    Ok(Opened { head, certificates, timings: Timings { making, first_byte, total: Duration::ZERO }, body, begun })
}

fn plain(body: Incoming) -> Body {
    body.map_err(Into::into).boxed_unsync()
}

impl Opened {
    /// The next piece of the body; nothing at its end.
    ///
    /// # Errors
    /// If it is cut off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Unanswered> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|error| told(&*error))?;
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// The whole body, in memory.
    ///
    /// # Errors
    /// If it is cut off, or larger than [`LARGEST_BODY`].
    pub async fn whole(&mut self, host: &Host) -> Result<Bytes, Unanswered> {
        let mut body = BytesMut::new();
        while let Some(piece) = self.next().await? {
            if body.len() + piece.len() > LARGEST_BODY {
                return Err(Unanswered::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        self.timings.total = host.clock.elapsed().saturating_sub(self.begun);
        Ok(body.freeze())
    }
}

/// The request as it goes over the wire.
fn wire(asked: &Asked, to: &Authority, whole_address: bool, http2: bool) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(asked.body.clone()));
    *request.method_mut() = asked.method.clone();
    let mut address = asked.url.clone();
    address.set_fragment(None);
    let uri: Uri = address.as_str().parse().expect("a URL is a URI");
    *request.uri_mut() = match (whole_address, uri.path_and_query()) {
        (false, Some(path)) => path.as_str().parse().expect("a part of a URI is one"),
        _ => uri,
    };
    *request.headers_mut() = asked.headers.clone();
    let headers = request.headers_mut();
    let agent = HeaderValue::from_static(concat!("cozyscript/", env!("CARGO_PKG_VERSION")));
    headers.entry(header::USER_AGENT).or_insert(agent);
    headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    if !http2 {
        let named = match asked.url.port() {
            Some(_) => to.to_string(),
            None => asked.url.host_str().unwrap_or_default().to_owned(),
        };
        let named = HeaderValue::try_from(named).expect("the host of a URL can stand in a header");
        headers.entry(header::HOST).or_insert(named);
    }
    request
}

/// A failure after the connection was there.
fn told(error: &(dyn Error + 'static)) -> Unanswered {
    let mut last = error;
    loop {
        if let Some(tls) = last.downcast_ref::<rustls::Error>() {
            return Unanswered::Unwelcome(trust_reason(tls));
        }
        // What an I/O error wraps is not its source: its source is the source of what it wraps.
        let wrapped = last.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| last.source()) {
            Some(next) => last = next,
            None => return Unanswered::CutOff(last.to_string()),
        }
    }
}
