//! Sending a request, following where it is sent on to, and what a failure means.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderMap, Method, StatusCode,
    header::{CONTENT_TYPE, LOCATION},
};
use reqwest::Url;

use super::{
    answer::{Answer, Parts},
    expected::Expected,
    request::Request,
};
use crate::{
    host::{
        Host,
        clock::Clock,
        http::{Exchange, Http, HttpError},
        secrets::Vault,
    },
    script::fault::{Fault, Kind},
};

/// What sending needs of the host; a future can't borrow it.
#[derive(Clone)]
pub struct Sender {
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    secrets: Arc<Vault>,
}

/// An answer at the end of all redirects.
pub struct Sent {
    pub answer: Answer,
    /// The request changes something, and was served before a redirect led to this answer.
    served: bool,
}

/// Why there is no answer, and whether the server may have done what it was asked for.
pub struct Broken {
    request: Request,
    error: Ending,
    /// The request changes something and was served before a redirect led here.
    served: bool,
}

enum Ending {
    Http(HttpError),
    Redirects(String),
}

impl Sender {
    pub fn of(host: &Host) -> Self {
        Self { http: host.http.clone(), clock: host.clock.clone(), secrets: host.secrets.clone() }
    }

    /// Sends the request and gives the answer at the end of all redirects.
    ///
    /// # Errors
    /// [`Broken`], if there is none.
    pub async fn send(&self, mut request: Request) -> Result<Sent, Broken> {
        let begun = self.clock.elapsed();
        let changes = !request.method.is_safe();
        let mut served = false;
        let mut followed = 0;
        loop {
            let exchange = Exchange { request: request.wire(), carriage: request.carriage.clone() };
            let response = match self.http.call(exchange).await {
                Ok(response) => response,
                Err(error) => return Err(Broken { request, error: Ending::Http(error), served }),
            };
            match next(&request, &response) {
                Some(_) if request.follow == 0 => {}
                Some(Ok(_)) if followed == request.follow => {
                    let error = Ending::Redirects(format!("it was sent on more than {followed} times"));
                    return Err(Broken { served: served || changes, request, error });
                }
                Some(Ok(url)) => {
                    served |= changes && !keeps_method(response.status());
                    followed += 1;
                    request = onward(request, url, response.status(), &self.secrets);
                    continue;
                }
                Some(Err(why)) => {
                    return Err(Broken { served: served || changes, request, error: Ending::Redirects(why) });
                }
                None => {}
            }
            let elapsed = self.clock.elapsed().saturating_sub(begun);
            let (head, body) = response.into_parts();
            let (status, headers) = (head.status.as_u16(), head.headers);
            let answer = Answer::new(Parts { status, headers, body, address: request.shown, elapsed, assumed: false });
            return Ok(Sent { answer, served });
        }
    }

    /// The fault for an answer whose status was not expected, with the beginning of its body.
    pub fn unexpected(&self, request: &Request, sent: &Sent, expected: &Expected) -> Fault {
        let Sent { answer, served } = sent;
        let parts = answer.parts();
        // What stands between a client and a server gives up without knowing what the server did.
        let in_doubt = *served || !request.method.is_safe() && matches!(parts.status, 502 | 504);
        let kind = if in_doubt { Kind::InDoubt } else { Kind::Status };
        let mut fault =
            Fault::new(kind, format!("`{}` answered {}, not {expected}", request.title(), answer.status_line()))
                .status(parts.status);
        if let Some(beginning) = self.beginning(&parts.body) {
            fault = fault.note(format!("it said: {beginning}"));
        }
        if let Some(location) = parts.headers.get(LOCATION).and_then(|location| location.to_str().ok()) {
            fault = fault.note(format!("it points to `{}`", self.secrets.redact(location)));
        }
        match parts.status {
            401 => fault.hint("who asks is said by the options `bearer`, `basic` or `headers`"),
            404 => fault.hint("if that is an answer, too: `expect: [200, 404]`"),
            _ => fault,
        }
    }

    fn beginning(&self, body: &Bytes) -> Option<String> {
        const LENGTH: usize = 300;
        let text = String::from_utf8_lossy(body);
        // Secrets are taken out before the text is cut: half a secret would not be recognised.
        let text = self.secrets.redact(text.trim()).into_owned();
        match text.char_indices().nth(LENGTH) {
            _ if text.is_empty() => None,
            Some((end, _)) => Some(format!("{}…", &text[..end])),
            None => Some(text),
        }
    }
}

impl Request {
    fn wire(&self) -> http::Request<Bytes> {
        let mut wire = http::Request::new(self.body.clone());
        *wire.method_mut() = self.method.clone();
        *wire.uri_mut() = self.url.as_str().parse().expect("a URL is a URI");
        *wire.headers_mut() = self.headers.clone();
        wire
    }
}

impl Broken {
    /// A short reason for a wait that goes on.
    pub fn reason(&self) -> String {
        match &self.error {
            Ending::Http(HttpError::NoConnection(why)) => {
                format!("no connection to `{}`: {why}", self.request.authority())
            }
            Ending::Http(HttpError::Untrusted(why)) => {
                format!("`{}` can't be trusted: {why}", self.request.authority())
            }
            Ending::Http(HttpError::CutOff(why)) => format!("`{}` was cut off: {why}", self.request.title()),
            Ending::Http(HttpError::TooLarge) => format!("`{}`: {}", self.request.title(), HttpError::TooLarge),
            Ending::Redirects(why) => format!("`{}`: {why}", self.request.title()),
        }
    }

    /// What it means for the script.
    pub fn fault(self) -> Fault {
        let changes = !self.request.method.is_safe();
        let reason = self.reason();
        let kind = match &self.error {
            _ if self.served => Kind::InDoubt,
            Ending::Http(HttpError::NoConnection(_)) => Kind::Unreachable,
            Ending::Http(HttpError::Untrusted(_)) => Kind::Tls,
            Ending::Http(HttpError::CutOff(_)) if changes => Kind::InDoubt,
            Ending::Http(HttpError::CutOff(_)) => Kind::Unreachable,
            Ending::Http(HttpError::TooLarge) if changes => Kind::InDoubt,
            Ending::Http(HttpError::TooLarge) | Ending::Redirects(_) => Kind::Failed,
        };
        let fault = Fault::new(kind, reason);
        match kind {
            Kind::Tls => fault.hint("name whom to trust with `ca: \"ca.pem\"`, or trust anybody with `insecure: true`"),
            Kind::InDoubt => fault.note("nobody knows whether the server did what it was asked for"),
            Kind::Unreachable => fault.hint("`http::wait` goes on until there is an answer"),
            _ => fault,
        }
    }
}

/// Where the answer sends the request on to, or why that can't be followed.
fn next(request: &Request, response: &http::Response<Bytes>) -> Option<Result<Url, String>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    let Ok(location) = location.to_str() else {
        return Some(Err("it is sent on to what is not an address".to_owned()));
    };
    match request.url.join(location) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Some(Ok(url)),
        Ok(url) => Some(Err(format!("it is sent on to `{}`, which is not HTTP", url.scheme()))),
        Err(error) => Some(Err(format!("it is sent on to what is not an address: {error}"))),
    }
}

/// These two say that the request was not served here; the others that its answer lies elsewhere.
fn keeps_method(status: StatusCode) -> bool {
    matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
}

fn onward(mut request: Request, mut url: Url, status: StatusCode, secrets: &Vault) -> Request {
    // A redirect may not smuggle in a name and a password.
    let plain = url.set_username("").and_then(|()| url.set_password(None));
    plain.expect("an address of HTTP has a host");
    if request.url.origin() != url.origin() {
        request.headers = open_headers(&request.headers);
    }
    if !keeps_method(status) && request.method != Method::HEAD {
        request.method = Method::GET;
        request.body = Bytes::new();
        request.headers.remove(CONTENT_TYPE);
    }
    if !request.concealed {
        request.shown = secrets.redact(url.as_str()).into_owned();
    }
    request.url = url;
    request
}

/// What may be told to another server than the one it was meant for.
fn open_headers(headers: &HeaderMap) -> HeaderMap {
    let telling = ["authorization", "cookie", "proxy-authorization"];
    let open = headers.iter().filter(|(name, value)| !value.is_sensitive() && !telling.contains(&name.as_str()));
    open.map(|(name, value)| (name.clone(), value.clone())).collect()
}
