//! Requests over a connection of their own, answered as they are.

use std::{error::Error, io, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use simulator::network::Stream;

use super::Answer;

/// A server that connections lead to.
pub trait Connect {
    fn connect(&self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>>;

    /// What shows who asks.
    fn token(&self) -> &str;
}

type Failure = Box<dyn Error>;

pub async fn exchange(
    to: &dyn Connect,
    method: &str,
    path: &str,
    content: &str,
    body: &Value,
) -> Result<Answer, Failure> {
    let answer = send(to, method, path, content, body).await?;
    let code = answer.status().as_u16();
    let bytes = answer.into_body().collect().await?.to_bytes();
    let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
    Ok(Answer { code, body: serde_json::from_slice(&bytes).unwrap_or_else(|_| text()) })
}

pub async fn watch(to: &dyn Connect, path: &str, lasts: Duration) -> Result<Vec<Value>, Failure> {
    let mut body = send(to, "GET", path, "", &Value::Null).await?.into_body();
    let mut text = Vec::new();
    let read = async {
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => text.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
                Err(_) => return,
            }
        }
    };
    // It lasts until the server ends it, or long enough.
    let _ended = tokio::time::timeout(lasts, read).await;
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(serde_json::from_slice).collect::<Result<_, _>>()?)
}

async fn send(
    to: &dyn Connect,
    method: &str,
    path: &str,
    content: &str,
    body: &Value,
) -> Result<http::Response<hyper::body::Incoming>, Failure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(to.connect().await?)).await?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "api");
    request =
        request.header(header::AUTHORIZATION, format!("Bearer {}", to.token())).header(header::USER_AGENT, "body/1");
    request = request.header(header::ACCEPT, "application/json");
    if !content.is_empty() {
        request = request.header(header::CONTENT_TYPE, content);
    }
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    Ok(sender.send_request(request.body(Full::new(body))?).await?)
}
