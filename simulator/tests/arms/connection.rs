//! Requests, answered as they are: one after the other over one connection, and each watch over its own.

use std::{cell::RefCell, error::Error, io, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use simulator::stream::Stream;

use super::{Acting, Answer};

/// A server that connections lead to.
pub trait Connect {
    fn connect(&self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>>;

    /// What shows who asks.
    fn token(&self) -> &str;
}

pub type Failure = Box<dyn Error>;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub content: &'a str,
    pub accept: &'a str,
    pub body: &'a str,
    pub acting: &'a Acting,
}

type Sender = http1::SendRequest<Full<Bytes>>;

/// The connection that the last request left open.
#[derive(Default)]
pub struct Kept(RefCell<Option<Sender>>);

pub async fn exchange(to: &dyn Connect, kept: &Kept, asked: Asked<'_>) -> Result<Answer, Failure> {
    let open = kept.0.take().filter(|sender| !sender.is_closed());
    let (answer, sender) = send(to, open, asked).await?;
    let code = answer.status().as_u16();
    let texts = |name: header::HeaderName| {
        let values = answer.headers().get_all(name).iter();
        values.filter_map(|value| Some(value.to_str().ok()?.to_owned())).collect::<Vec<_>>()
    };
    let (warnings, forms) = (texts(header::WARNING), texts(header::CONTENT_TYPE));
    let bytes = answer.into_body().collect().await?.to_bytes();
    kept.0.replace(Some(sender));
    let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
    let form = forms.into_iter().next().unwrap_or_default();
    Ok(Answer { code, warnings, form, body: serde_json::from_slice(&bytes).unwrap_or_else(|_| text()) })
}

pub async fn watch(
    to: &dyn Connect,
    acting: &Acting,
    (path, accept): (&str, &str),
    lasts: Duration,
    enough: impl Fn(&Value) -> bool,
) -> Result<Vec<Value>, Failure> {
    let asked = Asked { method: "GET", path, content: "", accept, body: "", acting };
    let (answer, _sender) = send(to, None, asked).await?;
    let mut body = answer.into_body();
    let mut text = Vec::new();
    let mut lines: Vec<Value> = Vec::new();
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            text.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line = text.drain(..=end).collect::<Vec<_>>();
                lines.push(serde_json::from_slice(&line)?);
                if lines.last().is_some_and(&enough) {
                    return Ok(false);
                }
            }
        }
        Ok::<_, Failure>(true)
    };
    // It lasts until the server ends it, or long enough.
    if let Ok(ended) = tokio::time::timeout(lasts, read).await
        && ended?
        && !text.iter().all(u8::is_ascii_whitespace)
    {
        lines.push(serde_json::from_slice(&text)?);
    }
    Ok(lines)
}

async fn send(
    to: &dyn Connect,
    open: Option<Sender>,
    asked: Asked<'_>,
) -> Result<(http::Response<Incoming>, Sender), Failure> {
    let Asked { method, path, content, accept, body, acting } = asked;
    let token = acting.token.as_deref().unwrap_or(to.token());
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "api");
    request = request.header(header::AUTHORIZATION, format!("Bearer {token}")).header(header::USER_AGENT, "body/1");
    for (name, value) in &acting.headers {
        request = request.header(name, value);
    }
    for (name, value) in [(header::ACCEPT, accept), (header::CONTENT_TYPE, content)] {
        if !value.is_empty() {
            request = request.header(name, value);
        }
    }
    let mut request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
    if let Some(mut sender) = open {
        match sender.try_send_request(request).await {
            Ok(answer) => return Ok((answer, sender)),
            // The server has closed it meanwhile, and has read nothing of this.
            Err(mut error) => match error.take_message() {
                Some(unsent) => request = unsent,
                None => return Err(error.into_error().into()),
            },
        }
    }
    let (mut sender, connection) = http1::handshake(TokioIo::new(to.connect().await?)).await?;
    tokio::spawn(connection);
    Ok((sender.send_request(request).await?, sender))
}
