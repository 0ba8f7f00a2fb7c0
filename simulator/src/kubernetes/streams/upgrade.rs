//! How a client and the server agree to go on with something else than HTTP.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{handshake::derive_accept_key, protocol::Role},
};

use super::{channels::Socket, plain, whole};
use crate::kubernetes::{answer::Refusal, server::Body};

const STREAM_PROTOCOL: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// What is spoken from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// A WebSocket of this protocol.
    WebSocket(&'static str),
    /// SPDY/3.1, with this protocol on its streams.
    Spdy(&'static str),
}

/// What can be spoken about something.
pub struct Offer {
    pub web_socket: &'static [&'static str],
    /// Protocols that real servers speak, and that have no model.
    pub unmodelled: &'static [&'static str],
    pub spdy: &'static [&'static str],
    /// How often it is said that there is nothing in common: real servers say it in several places.
    pub refusals: usize,
}

/// What a client wants to go on with, and how.
pub struct Upgrade {
    pub spoken: Spoken,
    accepted: HeaderMap,
    on: OnUpgrade,
}

/// Agrees on something; refused in plain words if there is nothing in common.
pub fn negotiate(
    offer: &Offer,
    headers: &HeaderMap,
    on: Option<OnUpgrade>,
) -> Result<Result<Upgrade, Response<Body>>, Refusal> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(on) = on else { return Err(Refusal::bad_request("Upgrade request required")) };
    if text(&header::UPGRADE).eq_ignore_ascii_case("websocket") {
        let asked: Vec<&str> = text(&header::SEC_WEBSOCKET_PROTOCOL).split(',').map(str::trim).collect();
        let Some(protocol) = offer.web_socket.iter().find(|known| asked.contains(known)) else {
            return match offer.unmodelled.iter().find(|known| asked.contains(known)) {
                Some(known) => Err(Refusal::not_modelled(format!("the WebSocket protocol `{known}`"))),
                None => Ok(Err(without_a_word())),
            };
        };
        let key = derive_accept_key(text(&header::SEC_WEBSOCKET_KEY).as_bytes());
        let accepted =
            accepted("websocket", &[(header::SEC_WEBSOCKET_ACCEPT, &key), (header::SEC_WEBSOCKET_PROTOCOL, protocol)]);
        return Ok(Ok(Upgrade { spoken: Spoken::WebSocket(protocol), accepted, on }));
    }
    let asked: Vec<&str> = headers.get_all(&STREAM_PROTOCOL).iter().filter_map(|value| value.to_str().ok()).collect();
    let asked: Vec<&str> = asked.iter().flat_map(|value| value.split(',')).map(str::trim).collect();
    if asked.is_empty() {
        return Ok(Err(refused(400, "unable to upgrade: X-Stream-Protocol-Version is required")));
    }
    let Some(protocol) = offer.spdy.iter().find(|known| asked.contains(known)) else {
        let why = format!(
            "unable to upgrade: unable to negotiate protocol: client supports [{}], server accepts [{}]",
            asked.join(" "),
            offer.spdy.join(" ")
        );
        let said = vec![why.as_str(); offer.refusals];
        return Ok(Err(refused(403, &said.join("\n"))));
    };
    let accepted = accepted("SPDY/3.1", &[(STREAM_PROTOCOL, protocol)]);
    Ok(Ok(Upgrade { spoken: Spoken::Spdy(protocol), accepted, on }))
}

fn accepted(to: &str, more: &[(HeaderName, &str)]) -> HeaderMap {
    let value = |text: &str| HeaderValue::try_from(text).expect("keys and protocols are plain text");
    let more = more.iter().map(|(name, text)| (name.clone(), value(text)));
    [(header::CONNECTION, value("Upgrade")), (header::UPGRADE, value(to))].into_iter().chain(more).collect()
}

/// A refusal as kubelets say it.
pub fn refused(code: u16, why: &str) -> Response<Body> {
    let mut response = plain("text/plain; charset=utf-8", whole(format!("{why}\n")));
    *response.status_mut() = StatusCode::from_u16(code).expect("our codes are valid");
    response
}

fn without_a_word() -> Response<Body> {
    let mut response = Response::new(whole(""));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

impl Upgrade {
    /// Agrees. What is to be done with the connection begins when the client has heard it.
    pub fn accept<F: Future<Output = ()> + Send + 'static>(
        self,
        then: impl FnOnce(TokioIo<hyper::upgrade::Upgraded>) -> F + Send + 'static,
    ) -> Response<Body> {
        tokio::spawn(async move {
            // Else the client has gone already.
            if let Ok(upgraded) = self.on.await {
                then(TokioIo::new(upgraded)).await;
            }
        });
        let mut response = Response::new(whole(""));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *response.headers_mut() = self.accepted;
        response
    }
}

/// The WebSocket above a connection.
pub async fn socket(connection: TokioIo<hyper::upgrade::Upgraded>) -> Socket {
    WebSocketStream::from_raw_socket(connection, Role::Server, None).await
}
