//! gRPC as it goes over HTTP/2: frames, metadata, and how calls end.
//!
//! Messages are bytes here: a node passes on what is not for itself without reading it.

use std::convert::Infallible;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::{StreamExt as _, stream, stream::BoxStream};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use prost::Message;

/// The largest message that is taken.
const LARGEST: usize = 32 << 20;

/// What can't stand in a trailer.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What is answered: messages one after the other, until the call ends well or badly.
pub type Messages = BoxStream<'static, Result<Bytes, Status>>;

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    FailedPrecondition = 9,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

/// Why a call ended badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub code: i32,
    pub message: String,
}

impl Status {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: code as i32, message: message.into() }
    }

    /// What an error becomes that nobody gave a code.
    pub fn plain(message: impl Into<String>) -> Self {
        Self::new(Code::Unknown, message)
    }

    /// As programs in Go print it.
    pub fn in_go(&self) -> String {
        format!("rpc error: code = {} desc = {}", name_of(self.code), self.message)
    }
}

fn name_of(code: i32) -> &'static str {
    match code {
        1 => "Canceled",
        3 => "InvalidArgument",
        4 => "DeadlineExceeded",
        5 => "NotFound",
        6 => "AlreadyExists",
        7 => "PermissionDenied",
        8 => "ResourceExhausted",
        9 => "FailedPrecondition",
        10 => "Aborted",
        11 => "OutOfRange",
        12 => "Unimplemented",
        13 => "Internal",
        14 => "Unavailable",
        15 => "DataLoss",
        16 => "Unauthenticated",
        _ => "Unknown",
    }
}

/// What is called, with all that was sent.
#[derive(Debug, Clone)]
pub struct Call {
    /// `/machine.MachineService/Version`
    pub path: String,
    pub metadata: HeaderMap,
    pub messages: Vec<Bytes>,
}

impl Call {
    /// Reads a call to the end of what its sender says.
    ///
    /// # Errors
    /// If that breaks off, or is no gRPC.
    pub async fn read(request: Request<Incoming>) -> Result<Self, Status> {
        let (parts, body) = request.into_parts();
        let whole = body.collect().await.map_err(|error| Status::new(Code::Cancelled, error.to_string()))?.to_bytes();
        let messages = unframed(whole)?;
        Ok(Self { path: parts.uri.path().to_owned(), metadata: parts.headers, messages })
    }

    /// The one message that was sent.
    ///
    /// # Errors
    /// If it is none of this kind.
    pub fn message<M: Message + Default>(&self) -> Result<M, Status> {
        let bytes = self.messages.first().cloned().unwrap_or_default();
        M::decode(bytes)
            .map_err(|error| Status::new(Code::Internal, format!("grpc: error unmarshalling request: {error}")))
    }

    /// The service and the method.
    pub fn names(&self) -> (&str, &str) {
        self.path.trim_start_matches('/').split_once('/').unwrap_or_default()
    }

    /// The values of a kind of metadata.
    pub fn values(&self, key: &str) -> Vec<String> {
        let values = self.metadata.get_all(key).iter();
        values.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect()
    }
}

/// The messages in a body.
pub fn unframed(mut whole: Bytes) -> Result<Vec<Bytes>, Status> {
    let mut messages = Vec::new();
    while !whole.is_empty() {
        if whole.len() < 5 {
            return Err(Status::new(Code::Internal, "unexpected EOF"));
        }
        let head = whole.split_to(5);
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if head[0] != 0 {
            return Err(Status::new(Code::Unimplemented, "grpc: Decompressor is not installed for grpc-encoding"));
        }
        if length > LARGEST {
            let message = format!("grpc: received message larger than max ({length} vs. {LARGEST})");
            return Err(Status { code: 8, message });
        }
        if whole.len() < length {
            return Err(Status::new(Code::Internal, "unexpected EOF"));
        }
        messages.push(whole.split_to(length));
    }
    Ok(messages)
}

/// A message as it goes over the wire.
pub fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("messages are smaller than 4 GiB"));
    frame.put_slice(message);
    frame.freeze()
}

/// One message, and a good end.
pub fn one(message: &impl Message) -> Messages {
    let message = Bytes::from(message.encode_to_vec());
    stream::once(async move { Ok(message) }).boxed()
}

/// Several messages, and a good end.
pub fn several<M: Message + 'static>(messages: Vec<M>) -> Messages {
    stream::iter(messages.into_iter().map(|message| Ok(Bytes::from(message.encode_to_vec())))).boxed()
}

/// The answer as it goes out.
pub fn response(answer: Result<Messages, Status>) -> Response<Body> {
    let messages = match answer {
        Ok(messages) => messages,
        Err(status) => stream::once(async move { Err(status) }).boxed(),
    };
    let frames = stream::unfold(Some(messages), |open| async move {
        let mut messages = open?;
        Some(match messages.next().await {
            Some(Ok(message)) => (Ok(Frame::data(framed(&message))), Some(messages)),
            Some(Err(status)) => (Ok(Frame::trailers(trailers(status.code, &status.message))), None),
            None => (Ok(Frame::trailers(trailers(0, ""))), None),
        })
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

fn trailers(code: i32, message: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(code));
    if !message.is_empty() {
        let escaped = utf8_percent_encode(message, ESCAPED).to_string();
        trailers.insert("grpc-message", escaped.parse().expect("what is left is visible ASCII"));
    }
    trailers
}
