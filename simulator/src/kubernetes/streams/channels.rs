//! The channels between a program and who runs it, above a WebSocket or SPDY.

use std::{collections::BTreeMap, time::Duration};

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::{FutureExt as _, SinkExt as _, StreamExt as _, future::BoxFuture};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use super::spdy::{Event, Session};

/// How long is waited for a client to open its streams, or to go away at the end.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest piece that is sent as one.
const PIECE: usize = 32 << 10;

/// What a channel is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    Stdin,
    Stdout,
    Stderr,
    /// How it ended.
    Status,
    /// How large the client's terminal is.
    Size,
}

/// What comes from a client.
#[derive(Debug)]
pub enum Heard {
    Said(Channel, Bytes),
    Ended(Channel),
}

/// A conversation with a client.
pub trait Channels: Send {
    /// What comes next; nothing, if the client is gone. Who gives up waiting for it loses nothing.
    fn hear(&mut self) -> BoxFuture<'_, Option<Heard>>;

    /// Says something. If nobody hears it any more, [`Channels::hear`] finds that out.
    fn say<'c>(&'c mut self, channel: Channel, piece: &'c [u8]) -> BoxFuture<'c, ()>;

    /// Says how it ended, and ends the conversation.
    fn end(self: Box<Self>, status: Value) -> BoxFuture<'static, ()>;
}

pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Channels as the first byte of each message.
pub struct Numbered(pub Socket);

/// In the order of their numbers.
const NUMBERED: [Channel; 5] = [Channel::Stdin, Channel::Stdout, Channel::Stderr, Channel::Status, Channel::Size];

/// The number that ends another channel: `255`, and its number.
const END: u8 = 255;

impl Channels for Numbered {
    fn hear(&mut self) -> BoxFuture<'_, Option<Heard>> {
        Box::pin(async {
            loop {
                let mut said = match self.0.next().await?.ok()? {
                    Message::Binary(bytes) => bytes,
                    Message::Text(text) => text.into(),
                    Message::Close(_) => return None,
                    _ => continue,
                };
                if said.is_empty() {
                    continue;
                }
                let number = said.split_to(1)[0];
                let channel = |number: u8| NUMBERED.get(usize::from(number)).copied();
                match (channel(number), said.first().copied().and_then(channel)) {
                    (Some(channel), _) => return Some(Heard::Said(channel, said)),
                    (None, Some(ended)) if number == END => return Some(Heard::Ended(ended)),
                    _ => {}
                }
            }
        })
    }

    fn say<'c>(&'c mut self, channel: Channel, piece: &'c [u8]) -> BoxFuture<'c, ()> {
        Box::pin(async move {
            for piece in pieces(piece) {
                drop(self.0.send(message(channel as u8, piece)).await);
            }
        })
    }

    fn end(mut self: Box<Self>, status: Value) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.say(Channel::Status, status.to_string().as_bytes()).await;
            close(self.0).await;
        })
    }
}

/// A message for a channel.
pub fn message(number: u8, piece: &[u8]) -> Message {
    let mut bytes = BytesMut::with_capacity(piece.len() + 1);
    bytes.put_u8(number);
    bytes.put_slice(piece);
    Message::Binary(bytes.freeze())
}

/// Also nothing is a piece: it shows that somebody is there.
fn pieces(whole: &[u8]) -> impl Iterator<Item = &[u8]> {
    let nothing = whole.is_empty().then_some(whole);
    nothing.into_iter().chain(whole.chunks(PIECE))
}

/// Closes a socket, and hears the client out: what it has not read is lost if we go before.
pub async fn close(mut socket: Socket) {
    let done = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    if socket.send(Message::Close(Some(done))).await.is_ok() {
        drop(timeout(PATIENCE, async { while let Some(Ok(_)) = socket.next().await {} }).await);
    }
}

/// Channels as streams of SPDY, each with a header that says what it is for.
pub struct Streamed {
    session: Session<TokioIo<Upgraded>>,
    streams: BTreeMap<Channel, u32>,
}

impl Streamed {
    /// Waits until the client has opened all the streams; nothing, if it doesn't.
    pub async fn begin(connection: TokioIo<Upgraded>, wanted: &[Channel]) -> Option<Self> {
        let mut opened = Self { session: Session::begin(connection), streams: BTreeMap::new() };
        timeout(PATIENCE, opened.open(wanted)).await.ok()??;
        Some(opened)
    }

    async fn open(&mut self, wanted: &[Channel]) -> Option<()> {
        while !wanted.iter().all(|channel| self.streams.contains_key(channel)) {
            let Event::Opened { stream, headers, .. } = self.session.next().await? else { continue };
            self.session.take(stream).await;
            let channel = match headers.get("streamtype")?.as_str() {
                "stdin" => Channel::Stdin,
                "stdout" => Channel::Stdout,
                "stderr" => Channel::Stderr,
                "error" => Channel::Status,
                "resize" => Channel::Size,
                _ => return None,
            };
            self.streams.insert(channel, stream);
        }
        Some(())
    }

    fn channel(&self, stream: u32) -> Option<Channel> {
        self.streams.iter().find(|(_, known)| **known == stream).map(|(channel, _)| *channel)
    }
}

impl Channels for Streamed {
    fn hear(&mut self) -> BoxFuture<'_, Option<Heard>> {
        Box::pin(async {
            loop {
                let heard = match self.session.next().await? {
                    Event::Said { stream, piece } => self.channel(stream).map(|channel| Heard::Said(channel, piece)),
                    Event::Ended { stream } => self.channel(stream).map(Heard::Ended),
                    Event::Opened { .. } => None,
                };
                if heard.is_some() {
                    return heard;
                }
            }
        })
    }

    fn say<'c>(&'c mut self, channel: Channel, piece: &'c [u8]) -> BoxFuture<'c, ()> {
        let (speaker, stream) = (self.session.speaker(), self.streams.get(&channel).copied());
        Box::pin(async move {
            let Some(stream) = stream else { return };
            for piece in piece.chunks(PIECE) {
                speaker.say(stream, piece).await;
            }
        })
    }

    fn end(mut self: Box<Self>, status: Value) -> BoxFuture<'static, ()> {
        async move {
            self.say(Channel::Status, status.to_string().as_bytes()).await;
            for stream in self.streams.values().copied() {
                self.session.speaker().end(stream).await;
            }
            // Until the client goes.
            drop(timeout(PATIENCE, async { while self.session.next().await.is_some() {} }).await);
        }
        .boxed()
    }
}
