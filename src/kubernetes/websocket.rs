//! WebSockets to an API server: what `exec` and port-forward are spoken over. Each message begins with the number of its channel.

use std::{sync::Arc, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use futures::{Stream, StreamExt, future::BoxFuture};
use http::{
    HeaderMap, HeaderValue,
    header::{
        CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        handshake::{client::generate_key, derive_accept_key},
        protocol::Role,
    },
};

use super::client::{Cluster, Query};
use crate::{
    host::clock::Clock,
    script::fault::{Fault, Kind},
};

/// How often the other side is asked whether it is still there, and how long it may be silent.
pub const PING: Duration = Duration::from_secs(5);
const SILENCE: Duration = Duration::from_secs(60);

/// The largest piece of a stream that is sent as one message.
pub const PIECE: usize = 32 << 10;

pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

impl Cluster {
    /// Opens a WebSocket. Answers it, and which of the protocols is spoken.
    ///
    /// # Errors
    /// The server's refusal, or `unsupported` if it speaks none of the protocols.
    pub async fn socket(&self, query: Query, protocols: &[&str]) -> Result<(Socket, String), Fault> {
        let key = generate_key();
        let own = |text: &str| HeaderValue::try_from(text).expect("a key or a protocol is plain text");
        let headers = HeaderMap::from_iter([
            (CONNECTION, own("Upgrade")),
            (UPGRADE, own("websocket")),
            (SEC_WEBSOCKET_VERSION, own("13")),
            (SEC_WEBSOCKET_KEY, own(&key)),
            (SEC_WEBSOCKET_PROTOCOL, own(&protocols.join(", "))),
        ]);
        let response = self.switch(&query, headers).await?;
        let headers = response.headers().clone();
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (accepted, protocol) = (header(SEC_WEBSOCKET_ACCEPT), header(SEC_WEBSOCKET_PROTOCOL).to_owned());
        if accepted != derive_accept_key(key.as_bytes()) || !protocols.contains(&protocol.as_str()) {
            let message = format!("`{}` does not speak `{}` over a WebSocket", self.server(), protocols.join("` or `"));
            let fault = Fault::new(Kind::Unsupported, message).note(format!("it answered with `{protocol}`"));
            return Err(fault.hint("is there a proxy in between, or is the server older than Kubernetes 1.29?"));
        }
        let upgraded = hyper::upgrade::on(response).await.map_err(|error| {
            Fault::new(Kind::Unreachable, format!("the connection to `{}` broke", self.server()))
                .note(error.to_string())
        })?;
        Ok((WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await, protocol))
    }
}

/// A message for a channel.
pub fn message(channel: u8, piece: &[u8]) -> Message {
    let mut bytes = BytesMut::with_capacity(piece.len() + 1);
    bytes.put_u8(channel);
    bytes.put_slice(piece);
    Message::Binary(bytes.freeze())
}

/// What a message says on which channel; none if it says nothing: a ping, or an empty one.
///
/// # Errors
/// If the other side ends the conversation: why.
pub fn heard(message: Message) -> Result<Option<(u8, Bytes)>, String> {
    let mut bytes = match message {
        Message::Binary(bytes) => bytes,
        Message::Text(text) => text.into(),
        Message::Close(Some(frame)) if !frame.reason.is_empty() => return Err(frame.reason.to_string()),
        Message::Close(_) => return Err("it was closed".to_owned()),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(None),
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    let channel = bytes.split_to(1)[0];
    Ok(Some((channel, bytes)))
}

/// Says how long the other side has been silent.
pub struct Silence {
    clock: Arc<dyn Clock>,
    heard: Duration,
    limit: BoxFuture<'static, ()>,
}

impl Silence {
    pub fn since_now(clock: Arc<dyn Clock>) -> Self {
        Self { heard: clock.elapsed(), limit: clock.sleep(SILENCE), clock }
    }

    /// The other side is there.
    pub fn broken(&mut self) {
        self.heard = self.clock.elapsed();
    }

    /// Ends when it has lasted too long; whoever asks anew goes on where it was.
    pub async fn too_long(&mut self) {
        loop {
            (&mut self.limit).await;
            let silent = self.clock.elapsed().saturating_sub(self.heard);
            if silent >= SILENCE {
                return;
            }
            self.limit = self.clock.sleep(SILENCE - silent);
        }
    }
}

/// The next message that says something; a silence that lasts too long is the end.
///
/// # Errors
/// Why there is none any more.
pub async fn next(
    messages: &mut (impl Stream<Item = tungstenite::Result<Message>> + Unpin),
    silence: &mut Silence,
) -> Result<(u8, Bytes), String> {
    loop {
        let message = tokio::select! {
            biased;
            message = messages.next() => message,
            () = silence.too_long() => return Err("nothing was heard for a minute".to_owned()),
        };
        silence.broken();
        let message = message.ok_or_else(|| "it ended".to_owned())?.map_err(|error| error.to_string())?;
        if let Some(said) = heard(message)? {
            return Ok(said);
        }
    }
}
