//! What an API server says when something goes wrong with it, in the words of a real one.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

use super::{
    access::Attributes,
    answer::Refusal,
    server::{Body, refused},
};
use crate::faults::http::Voice;

/// A server that fails at something that was wanted.
pub struct Troubled<'t>(pub &'t Attributes);

impl Troubled<'_> {
    fn refusal(&self, code: u16) -> Refusal {
        let Attributes { resource, group, name, .. } = self.0;
        match code {
            401 => Refusal::unauthorized(),
            403 => Refusal::forbidden(resource, group, name, "not yet ready to handle request"),
            404 => Refusal::not_found(resource, group, name),
            409 => Refusal::modified(resource, group, name),
            410 => Refusal::expired("The resourceVersion for the provided watch is too old."),
            429 => Refusal::too_busy(),
            500 => Refusal::failed("etcdserver: request timed out"),
            503 => Refusal::shutting_down(),
            504 => Refusal::timed_out(),
            other => Refusal::of_code(other, StatusCode::from_u16(other).map_or("", |code| phrase(code))),
        }
    }
}

fn phrase(code: StatusCode) -> &'static str {
    code.canonical_reason().unwrap_or_default()
}

impl Voice<Body> for Troubled<'_> {
    fn refuse(&self, status: u16, message: Option<&str>) -> Response<Body> {
        let refusal = self.refusal(status);
        let mut response = refused(&match message {
            Some(message) => refusal.saying(message),
            None => refusal,
        });
        if matches!(status, 429 | 503) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    fn last(&self, status: u16) -> Bytes {
        format!("{}\n", json!({"type": "ERROR", "object": self.refusal(status).status()})).into()
    }
}
