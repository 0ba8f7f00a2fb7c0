//! HTTP, one request and one answer at a time: nothing is followed, unpacked, remembered or sent twice here.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;

/// A request and how it is carried. It can't be printed: secrets stand in it in clear.
#[derive(Clone)]
pub struct Exchange {
    pub request: http::Request<Bytes>,
    pub carriage: Carriage,
}

/// What a connection must be like.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Carriage {
    pub trust: Trust,
    /// How long making the connection may take, TLS included.
    pub connect_timeout: Duration,
}

/// Who may answer an `https` request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Whom the system trusts.
    System,
    /// Whom these certificates vouch for, in PEM, and nobody else.
    Authority(Arc<str>),
    /// Whoever picks up.
    Anybody,
}

/// Bodies larger than this are refused: an answer is held in memory.
pub const LARGEST_BODY: usize = 64 << 20;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The request was not sent: refused, no route, unknown name, no connection in time.
    #[error("{0}")]
    NoConnection(String),
    /// The request was not sent, because the other side could not be trusted or speaks no TLS.
    #[error("{0}")]
    Untrusted(String),
    /// The connection ended after the request, or a part of it, was on its way.
    #[error("{0}")]
    CutOff(String),
    /// The answer is larger than [`LARGEST_BODY`].
    #[error("the answer is larger than {} MB", LARGEST_BODY >> 20)]
    TooLarge,
}

/// The port that requests go through: reqwest in the real world, hyper over the dial in a rehearsal.
pub trait Http: Send + Sync {
    fn call(&self, exchange: Exchange) -> BoxFuture<'static, Result<http::Response<Bytes>, HttpError>>;
}
