//! Requests before they are sent, and answers that agree.

use bytes::Bytes;
use http::{Method, Request, header};
use kube::client::Body;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::fault::Subject;
use crate::script::{
    fault::{Fault, Kind},
    values::{interner::Interner, json, tree::Tree},
};

/// A request, before it is sent.
#[derive(Debug, Clone)]
pub struct Query {
    method: Method,
    path: String,
    parameters: Vec<(&'static str, String)>,
    accept: &'static str,
    body: Option<(&'static str, Bytes)>,
    pub(super) subject: Subject,
    /// True if doing it twice is the same as doing it once.
    pub(super) repeatable: bool,
    /// True if a refusal is an answer, too, and not tried again.
    pub(super) impatient: bool,
}

impl Query {
    pub fn get(path: String, subject: Subject) -> Self {
        Self {
            method: Method::GET,
            path,
            parameters: Vec::new(),
            accept: "application/json",
            body: None,
            subject,
            repeatable: true,
            impatient: false,
        }
    }

    pub fn sending(method: Method, path: String, subject: Subject, kind: &'static str, body: Vec<u8>) -> Self {
        let body = Some((kind, Bytes::from(body)));
        Self { method, body, ..Self::get(path, subject) }
    }

    #[must_use]
    pub fn accepting(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Doing it twice is not the same as doing it once.
    pub fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }

    /// Whoever asks decides when to ask again.
    #[must_use]
    pub fn impatient(mut self) -> Self {
        self.impatient = true;
        self
    }

    pub(super) fn request(&self) -> Request<Body> {
        let mut uri = self.path.clone();
        for (index, (name, value)) in self.parameters.iter().enumerate() {
            uri.push(if index == 0 { '?' } else { '&' });
            uri.push_str(name);
            uri.push('=');
            uri.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
        let mut request = Request::builder().method(self.method.clone()).uri(uri).header(header::ACCEPT, self.accept);
        let body = match &self.body {
            None => Body::empty(),
            Some((kind, bytes)) => {
                request = request.header(header::CONTENT_TYPE, *kind);
                Body::from(bytes.clone())
            }
        };
        request.body(body).expect("the path and the parameters are escaped")
    }
}

/// An answer that agrees.
pub struct Answer {
    pub status: u16,
    pub bytes: Bytes,
    pub(super) server: String,
}

impl Answer {
    /// The body as a tree.
    ///
    /// # Errors
    /// `unavailable`, if it isn't JSON: something between us and the server answered.
    pub fn tree(&self) -> Result<Tree, Fault> {
        self.tree_sharing(&mut Interner::default())
    }

    /// The body as what it is known to be.
    ///
    /// # Errors
    /// As for [`Answer::tree`].
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.bytes).map_err(|error| self.unreadable(&error))
    }

    pub(super) fn tree_sharing(&self, interner: &mut Interner) -> Result<Tree, Fault> {
        json::read_sharing(&self.bytes, &self.server, interner).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &dyn std::fmt::Display) -> Fault {
        Fault::new(Kind::Unavailable, format!("`{}` answers with something that is no JSON of its kind", self.server))
            .note(error.to_string())
            .hint("is there a proxy or a login page between this machine and the API server?")
    }
}
