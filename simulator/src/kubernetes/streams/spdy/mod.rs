//! SPDY/3.1 as Kubernetes' clients speak it: streams that they open, with headers, above one connection.
//!
//! It knows no flow control, and opens no streams itself: neither do the real servers here.

mod dictionary;
mod frame;
mod headers;

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf},
    sync::mpsc,
};

use self::{
    frame::Frame,
    headers::{Packed, Unpacking},
};

/// How many frames may wait to be sent.
const QUEUE: usize = 64;

/// Something that the other side does.
#[derive(Debug)]
pub enum Event {
    Opened { stream: u32, headers: BTreeMap<String, String> },
    Said { stream: u32, piece: Bytes },
    Ended { stream: u32 },
}

/// One connection.
pub struct Session<S> {
    reader: ReadHalf<S>,
    buffer: BytesMut,
    unpacking: Unpacking,
    packed: Packed,
    speaker: Speaker,
    /// What is to be said of its own before anything else.
    due: Option<Bytes>,
    /// A stream that ended with the frame before.
    ended: Option<u32>,
}

/// Who speaks on the streams of a session.
#[derive(Clone)]
pub struct Speaker(mpsc::Sender<Bytes>);

impl Speaker {
    /// Says something on a stream. Nobody may hear it any more; who listens finds that out.
    pub async fn say(&self, stream: u32, piece: &[u8]) {
        drop(self.0.send(frame::data(stream, piece, false)).await);
    }

    /// Says that nothing more comes on a stream.
    pub async fn end(&self, stream: u32) {
        drop(self.0.send(frame::data(stream, &[], true)).await);
    }
}

impl<S: AsyncRead + AsyncWrite + Send + 'static> Session<S> {
    /// Begins on a connection that both sides agreed to use so.
    pub fn begin(connection: S) -> Self {
        let (reader, mut writer) = tokio::io::split(connection);
        let (frames, mut queue) = mpsc::channel::<Bytes>(QUEUE);
        tokio::spawn(async move {
            while let Some(frame) = queue.recv().await {
                // What follows is dropped, too, when the other side is gone.
                if writer.write_all(&frame).await.is_err() || writer.flush().await.is_err() {
                    return;
                }
            }
            drop(writer.shutdown().await);
        });
        Self {
            reader,
            buffer: BytesMut::new(),
            unpacking: Unpacking::default(),
            packed: Packed::default(),
            speaker: Speaker(frames),
            due: None,
            ended: None,
        }
    }

    pub fn speaker(&self) -> Speaker {
        self.speaker.clone()
    }

    /// Takes a stream that was opened.
    pub async fn take(&mut self, stream: u32) {
        let reply = frame::reply(stream, &self.packed.none());
        drop(self.speaker.0.send(reply).await);
    }

    /// What comes next; nothing, if the connection is over. Who gives up waiting for it loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if self.due.is_some() {
                let place = self.speaker.0.reserve().await.ok()?;
                place.send(self.due.take()?);
            }
            if let Some(stream) = self.ended.take() {
                return Some(Event::Ended { stream });
            }
            let Some(frame) = Frame::take(&mut self.buffer) else {
                if self.reader.read_buf(&mut self.buffer).await.ok()? == 0 {
                    return None;
                }
                continue;
            };
            match frame {
                Frame::Open { stream, block, ended } => {
                    let headers = self.unpacking.headers(&block)?;
                    self.ended = ended.then_some(stream);
                    return Some(Event::Opened { stream, headers });
                }
                // They share one dictionary that grows: each is unpacked, whether it matters or not.
                Frame::Headers { block } => drop(self.unpacking.headers(&block)?),
                Frame::Data { stream, piece, ended } => {
                    self.ended = ended.then_some(stream);
                    if !piece.is_empty() {
                        return Some(Event::Said { stream, piece });
                    }
                }
                Frame::Reset { stream } => return Some(Event::Ended { stream }),
                Frame::Ping { number } => self.due = Some(frame::ping(number)),
                Frame::Other => {}
            }
        }
    }
}
