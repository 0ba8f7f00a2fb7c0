//! How answers over HTTP go wrong.

use std::{error::Error, io, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{Response, header};
use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Body, Frame};
use tokio::time::{Instant, sleep, sleep_until};

use super::Trouble;

/// A body that may break off.
pub type Fragile = UnsyncBoxBody<Bytes, io::Error>;

/// How a server says in its own words that something went wrong.
pub trait Voice<B> {
    /// The answer with a status, and with other words than usual perhaps.
    fn refuse(&self, status: u16, message: Option<&str>) -> Response<B>;
    /// The last that is said in a stream which ends with a status.
    fn last(&self, status: u16) -> Bytes;
}

/// Gives the answer that there is, unless something goes wrong with it.
///
/// # Errors
/// If the connection is to break.
pub async fn through<B>(
    trouble: Option<Trouble>,
    answer: impl Future<Output = Response<B>>,
    voice: &impl Voice<B>,
) -> io::Result<Response<Fragile>>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Error + Send + Sync + 'static,
{
    let whole = |body: B| body.map_err(io::Error::other).boxed_unsync();
    match trouble {
        None | Some(Trouble::Refused | Trouble::Missing | Trouble::Expired) => Ok(answer.await.map(whole)),
        Some(Trouble::Reset) => Err(io::ErrorKind::ConnectionReset.into()),
        Some(Trouble::Lost) => {
            drop(answer.await);
            Err(io::ErrorKind::ConnectionReset.into())
        }
        Some(Trouble::Silent) => std::future::pending().await,
        Some(Trouble::Status { code, message, retry_after }) => {
            let mut response = voice.refuse(code, message.as_deref());
            if let Some(pause) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, pause.as_secs().into());
            }
            Ok(response.map(whole))
        }
        Some(Trouble::Slow(length)) => Ok(answer.await.map(|body| slow(body, length))),
        Some(Trouble::Truncated) => Ok(truncated(answer.await).await),
        Some(Trouble::Ends { after, code }) => {
            let last = code.map(|code| voice.last(code));
            Ok(answer.await.map(|body| ending(body, after, last)))
        }
    }
}

/// Nothing of it comes before that time is over.
fn slow<B>(body: B, length: Duration) -> Fragile
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Error + Send + Sync + 'static,
{
    let begins = Instant::now() + length;
    let frames = stream::unfold(body, move |mut body| async move {
        sleep_until(begins).await;
        let frame = body.frame().await?;
        Some((frame.map_err(io::Error::other), body))
    });
    StreamBody::new(frames).boxed_unsync()
}

/// Half of its first piece comes, of as much as was announced.
async fn truncated<B>(response: Response<B>) -> Response<Fragile>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Error + Send + Sync + 'static,
{
    let (mut parts, mut body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(header::CONTENT_LENGTH, length.into());
    }
    let first = body.frame().await.and_then(Result::ok).and_then(|frame| frame.into_data().ok()).unwrap_or_default();
    Response::from_parts(parts, broken(first.slice(..first.len() / 2)))
}

/// A body that breaks off once this much of it has gone out.
pub fn broken(beginning: Bytes) -> Fragile {
    let end = stream::once(async {
        // What broke at the same moment would take the beginning with it.
        sleep(Duration::from_millis(1)).await;
        Err(io::ErrorKind::ConnectionReset.into())
    });
    StreamBody::new(stream::iter([Ok(Frame::data(beginning))]).chain(end)).boxed_unsync()
}

/// A stream that comes to its end early, with a last word perhaps.
fn ending<B>(body: B, after: Duration, last: Option<Bytes>) -> Fragile
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Error + Send + Sync + 'static,
{
    let ends = Instant::now() + after;
    let frames = stream::unfold((Some(body), last), move |(body, last)| async move {
        let mut body = body?;
        tokio::select! {
            biased;
            frame = body.frame() => Some((frame?.map_err(io::Error::other), (Some(body), last))),
            () = sleep_until(ends) => Some((Ok(Frame::data(last?)), (None, None))),
        }
    });
    StreamBody::new(frames).boxed_unsync()
}
