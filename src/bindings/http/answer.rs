//! The types `Answer` and `Headers` in scripts.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Version};
use rhai::{Blob, Dynamic, Engine, NativeCallContext, plugin::*};
use rustls::pki_types::CertificateDer;

use super::exchange::Timings;
use crate::{
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        values::{json, tree::Tree},
    },
    wire::certificate,
};

/// What a server answered. It prints as its status and address; the body stays out of it.
#[derive(Debug, Clone)]
pub struct Answer(Arc<Parts>);

#[derive(Clone)]
pub struct Parts {
    /// 0 if the answer is only assumed.
    pub status: u16,
    pub version: Version,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Where it came from, as it may be shown.
    pub address: String,
    /// With all redirects.
    pub elapsed: Duration,
    /// Of the last request, after all redirects.
    pub timings: Timings,
    /// What that server showed, its own first.
    pub certificates: Vec<CertificateDer<'static>>,
    /// A person said that the request had been served; nobody saw the answer.
    pub assumed: bool,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} from {}", status_line(self.status), self.address)
    }
}

impl Answer {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub fn parts(&self) -> &Parts {
        &self.0
    }

    /// `200 OK`.
    pub fn status_line(&self) -> String {
        status_line(self.0.status)
    }

    fn body_text(&self) -> Result<&str, Fault> {
        std::str::from_utf8(&self.0.body).map_err(|error| {
            let message = format!("the answer of `{}` is not text: {error}", self.0.address);
            let fault = Fault::new(Kind::Parse, message);
            let kind = |name| self.0.headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
            match (kind("content-encoding"), kind("content-type")) {
                (Some(encoding), _) => fault.note(format!("it is packed as `{encoding}`, which was not asked for")),
                (None, Some(kind)) => fault.note(format!("it calls itself `{kind}`")),
                (None, None) => fault,
            }
        })
    }
}

fn status_line(status: u16) -> String {
    match StatusCode::from_u16(status).ok().map(|code| (code, code.canonical_reason())) {
        Some((code, Some(reason))) => format!("{} {reason}", code.as_u16()),
        Some((code, None)) => code.as_u16().to_string(),
        None => "an assumed answer".to_owned(),
    }
}

/// The headers of an answer, found whatever the case of their names.
#[derive(Clone)]
pub struct Headers(Arc<Parts>);

impl Headers {
    fn get(&self, name: &str) -> Dynamic {
        let values: Vec<_> =
            self.0.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        if values.is_empty() { Dynamic::UNIT } else { values.join(", ").into() }
    }
}

#[export_module]
pub mod functions {
    use rhai::{Array, Map};

    /// The status, such as 200.
    #[rhai_fn(get = "status")]
    pub fn status(answer: &mut Answer) -> i64 {
        i64::from(answer.0.status)
    }

    /// True if the status is one of success, 200 to 299.
    #[rhai_fn(get = "ok")]
    pub fn ok(answer: &mut Answer) -> bool {
        (200..300).contains(&answer.0.status)
    }

    /// The headers, by their names in any case.
    #[rhai_fn(get = "headers")]
    pub fn headers(answer: &mut Answer) -> Headers {
        Headers(answer.0.clone())
    }

    /// The body as a text.
    #[rhai_fn(get = "text", return_raw)]
    pub fn text(context: NativeCallContext, answer: &mut Answer) -> Outcome<String> {
        answer.body_text().map(str::to_owned).map_err(|fault| context.raise(fault))
    }

    /// The body as bytes.
    #[rhai_fn(get = "bytes")]
    pub fn bytes(answer: &mut Answer) -> Blob {
        answer.0.body.to_vec()
    }

    /// The size of the body in bytes.
    #[rhai_fn(get = "size")]
    pub fn size(answer: &mut Answer) -> i64 {
        answer.0.body.len() as i64
    }

    /// The address that answered, after redirects.
    #[rhai_fn(get = "url")]
    pub fn url(answer: &mut Answer) -> String {
        answer.0.address.clone()
    }

    /// How long it took from the request to the end of the answer.
    #[rhai_fn(get = "elapsed")]
    pub fn elapsed(answer: &mut Answer) -> Duration {
        answer.0.elapsed
    }

    /// How long the parts of the last request took, after all redirects: `dns`, `connect` and `tls` of making the connection,
    /// `first_byte` from the request to the beginning of its answer, `total` of everything.
    #[rhai_fn(get = "timings")]
    pub fn timings(answer: &mut Answer) -> Map {
        let Timings { making, first_byte, total } = answer.0.timings;
        let parts = [
            ("dns", making.look_up),
            ("connect", making.connect),
            ("tls", making.tls),
            ("first_byte", first_byte),
            ("total", total),
        ];
        parts.into_iter().map(|(name, took)| (name.into(), Dynamic::from(took))).collect()
    }

    /// What the server's certificate says: `subject`, `issuer`, `names`, `not_before`, `not_after`, `days_left`, `valid`,
    /// `serial`, `fingerprint`, `key`, `authority`, and the `chain` above it; `()` without TLS.
    #[rhai_fn(get = "certificate", return_raw)]
    pub fn certificate_of(context: NativeCallContext, answer: &mut Answer) -> Outcome<Dynamic> {
        let facts = certificate::facts_of_chain(&answer.0.certificates, context.host().clock.now()).map_err(|why| {
            let message = format!("the certificate of `{}` can't be read: {why}", answer.0.address);
            context.raise(Fault::new(Kind::Parse, message))
        })?;
        Ok(facts.map_or(Dynamic::UNIT, |facts| Tree::from_json(facts).to_dynamic()))
    }

    /// The version of HTTP that was spoken, such as `HTTP/2.0`.
    #[rhai_fn(get = "version")]
    pub fn version(answer: &mut Answer) -> String {
        format!("{:?}", answer.0.version)
    }

    /// True if a person said that the request had been served, and nobody saw the answer: it is empty, and its status 0.
    #[rhai_fn(get = "assumed")]
    pub fn assumed(answer: &mut Answer) -> bool {
        answer.0.assumed
    }

    /// Reads the body of an answer as JSON.
    ///
    /// # Returns
    /// Its value: an `Object`, a list, or a plain value.
    ///
    /// # Faults
    /// - `parse`: the body is not JSON; the message has the place
    ///
    /// # Example
    /// ```rhai server
    /// let answer = http::get(server + "/json");
    /// print(answer.json().message);
    /// ```
    #[rhai_fn(global, name = "json", return_raw, pure)]
    pub fn json_of(context: NativeCallContext, answer: &mut Answer) -> Outcome<Dynamic> {
        let text = answer.body_text().map_err(|fault| context.raise(fault))?;
        let tree = json::read(text, &answer.0.address).map_err(|misread| {
            let fault = Fault::new(Kind::Parse, misread.to_string());
            context.raise(fault.notes(misread.snippet.map(|line| format!("line {}: `{}`", misread.line, line.trim()))))
        })?;
        Ok(tree.to_dynamic())
    }

    /// The names of the headers, in lower case.
    ///
    /// # Returns
    /// A list of texts.
    ///
    /// # Example
    /// ```rhai server
    /// let answer = http::get(server + "/");
    /// print(answer.headers.keys());
    /// ```
    #[rhai_fn(global, pure)]
    pub fn keys(headers: &mut Headers) -> Array {
        headers.0.headers.keys().map(|name| Dynamic::from(name.as_str().to_owned())).collect()
    }

    /// The value of a header, several joined by commas; `()` if there is none.
    #[rhai_fn(index_get)]
    pub fn header(headers: &mut Headers, name: &str) -> Dynamic {
        headers.get(name)
    }
}

/// Names the types.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Answer>("Answer")
        .register_fn("to_string", |answer: &mut Answer| format!("{:?}", answer.0))
        .register_fn("to_debug", |answer: &mut Answer| format!("{:?}", answer.0))
        .register_type_with_name::<Headers>("Headers")
        .register_fn("to_string", |headers: &mut Headers| format!("{} headers", headers.0.headers.len()))
        .register_fn("to_debug", |headers: &mut Headers| format!("{} headers", headers.0.headers.len()));
}
