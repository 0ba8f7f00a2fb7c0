//! One answer of a site, and how it comes.

use std::{io, time::Duration};

use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use tokio::time::sleep;

use crate::{faults::http::broken, time::During};

pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// In how many pieces a slow body comes.
const PIECES: usize = 10;

/// What is said to requests that fit.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Any, if there is none.
    pub method: Option<Method>,
    /// A path, or the beginning of one with a `*` behind it.
    pub path: String,
    pub during: During,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// How long nothing is said.
    pub after: Duration,
    pub ending: Ending,
}

/// How a body comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ending {
    #[default]
    AtOnce,
    /// In pieces, the last of them after so long.
    Slowly(Duration),
    /// The connection breaks in the middle of it.
    Never,
}

impl Answer {
    pub fn fits(&self, method: &Method, path: &str) -> bool {
        let fits = match self.path.strip_suffix('*') {
            Some(beginning) => path.starts_with(beginning),
            None => path == self.path,
        };
        fits && self.method.as_ref().is_none_or(|own| own == method) && self.during.is_now()
    }

    pub async fn give(&self) -> Response<Body> {
        sleep(self.after).await;
        let mut response = Response::new(match self.ending {
            Ending::AtOnce => Full::new(self.body.clone()).map_err(|never| match never {}).boxed_unsync(),
            Ending::Slowly(length) => slow(self.body.clone(), length),
            Ending::Never => broken(self.body.slice(..self.body.len() / 2)),
        });
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        if self.ending != Ending::AtOnce {
            response.headers_mut().insert(header::CONTENT_LENGTH, self.body.len().into());
        }
        response
    }
}

pub fn whole(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn slow(body: Bytes, length: Duration) -> Body {
    let size = body.len().div_ceil(PIECES).max(1);
    let pieces = stream::unfold(body, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        sleep(length / PIECES as u32).await;
        let piece = left.split_to(size.min(left.len()));
        Some((Ok(Frame::data(piece)), left))
    });
    StreamBody::new(pieces).boxed_unsync()
}
