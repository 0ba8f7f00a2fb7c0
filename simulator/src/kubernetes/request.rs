//! A request, taken apart.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{
    answer::Refusal,
    protobuf::{self, Unreadable},
    user::User,
};

/// The media types that bodies may have.
const BODIES: [&str; 5] = [
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/cbor",
    "application/json;charset=utf-8",
];

/// What somebody asks for.
pub struct Request {
    pub method: Method,
    pub path: String,
    parameters: BTreeMap<String, String>,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub user: User,
}

/// A request as it comes in.
pub struct Sent<'s> {
    pub method: Method,
    pub path: &'s str,
    pub query: &'s str,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    pub fn new(sent: Sent<'_>, user: User) -> Self {
        let Sent { method, path, query, headers, body } = sent;
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
            (decoded(name), decoded(value))
        });
        Self { method, path: path.to_owned(), parameters: pairs.collect(), headers, body, user }
    }

    /// A parameter that is not empty.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn flag(&self, name: &str) -> bool {
        self.parameters.get(name).is_some_and(|value| matches!(value.as_str(), "" | "1" | "true"))
    }

    /// What writes are told apart by: the parameter `fieldManager`, or the program's own name.
    pub fn manager(&self) -> String {
        let agent = self.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let program = agent.split('/').next().unwrap_or_default();
        match self.parameter("fieldManager") {
            Some(manager) => manager.to_owned(),
            None if program.is_empty() => "unknown".to_owned(),
            None => program.to_owned(),
        }
    }

    /// The media type of the body, without what follows it.
    pub fn media_type(&self) -> &str {
        let given = self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        given.split(';').next().unwrap_or_default().trim()
    }

    /// The body as an object.
    ///
    /// # Errors
    /// As the real server refuses it: it is no JSON, or of a form that is not taken here.
    pub fn object(&self, kind: &str) -> Result<Value, Refusal> {
        match self.media_type() {
            "" | "application/json" => serde_json::from_slice(&self.body).map_err(|error| {
                Refusal::bad_request(format!(
                    "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json \
                     parse error: {error}"
                ))
            }),
            "application/vnd.kubernetes.protobuf" => protobuf::read(&self.body).map_err(|error| match error {
                Unreadable::UnknownField { .. } | Unreadable::Unmodelled { .. } => {
                    Refusal::not_modelled(error.to_string())
                }
                error => Refusal::bad_request(error.to_string()),
            }),
            _ => Err(Refusal::unsupported_media_type(&BODIES)),
        }
    }
}
