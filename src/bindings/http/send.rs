//! Sending a request, following where it is sent on to, and what a failure means.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, Method, StatusCode,
    header::{CONTENT_TYPE, LOCATION, RETRY_AFTER},
};
use jiff::{Timestamp, fmt::rfc2822};
use url::Url;

use super::{
    answer::{Answer, Parts},
    exchange::{self, Opened, Unanswered},
    expected::Expected,
    request::Request,
};
use crate::{
    duration,
    host::{Host, secrets::Vault, wait::Progress},
    script::fault::{Fault, Kind},
    wire::failure::Unconnected,
};

/// No pause between two attempts is longer, unless the server asks for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What sending needs; a future can't borrow it.
#[derive(Clone)]
pub struct Sender {
    host: Host,
}

/// An answer at the end of all redirects.
pub struct Sent {
    pub answer: Answer,
    /// The request changes something, and was served before a redirect led to this answer.
    served: bool,
}

/// The beginning of an answer at the end of all redirects.
pub struct Reached {
    pub opened: Opened,
    /// The request that led to it.
    request: Request,
    begun: Duration,
    served: bool,
}

/// Why there is no answer, and whether the server may have done what it was asked for.
pub struct Broken {
    request: Request,
    error: Ending,
    /// The request changes something and was, or may have been, served before.
    served: bool,
}

enum Ending {
    Http(Unanswered),
    Redirects(String),
}

impl Sender {
    pub fn of(host: &Host) -> Self {
        Self { host: host.clone() }
    }

    /// Sends the request, again if that was asked for and may help, and gives the answer at the end of all redirects.
    ///
    /// # Errors
    /// [`Broken`], if there is none.
    pub async fn send(&self, request: Request, expected: &Expected, progress: &Progress) -> Result<Sent, Broken> {
        let mut tried = 0;
        let mut served = false;
        loop {
            let mut sent = self.send_once(request.clone()).await;
            if let Err(broken) = &mut sent {
                served |= broken.may_be_served();
                broken.served |= served;
            }
            let Some((reason, asked_for)) = self.passing(&sent, expected).filter(|_| tried < request.retries) else {
                return sent;
            };
            let pause = self.pause(&request, tried, asked_for);
            tried += 1;
            progress.because(format!("{reason}; it is asked again in {}", duration::show(pause)));
            self.host.clock.sleep(pause).await;
        }
    }

    /// How long to wait before the next attempt; longer each time, and as long as the server asks for.
    pub fn pause(&self, request: &Request, tried: u32, asked_for: Duration) -> Duration {
        let own = request.retry_pause.saturating_mul(2_u32.saturating_pow(tried)).min(LONGEST_PAUSE);
        // Many that were turned away at once should not come back at once.
        own.mul_f64(0.75 + 0.5 * self.host.clock.chance()).max(asked_for)
    }

    /// How long a server asks to wait.
    pub fn asked_pause(&self, headers: &HeaderMap) -> Duration {
        retry_after(headers, self.host.clock.now()).unwrap_or_default()
    }

    /// Why another attempt may help, and how long the server asks to wait for it.
    fn passing(&self, sent: &Result<Sent, Broken>, expected: &Expected) -> Option<(String, Duration)> {
        match sent {
            Err(broken) => broken.passes().then(|| (broken.reason(), Duration::ZERO)),
            Ok(sent) => {
                let parts = sent.answer.parts();
                let passes = matches!(parts.status, 429 | 502 | 503 | 504) && !expected.holds(parts.status);
                let pause = self.asked_pause(&parts.headers);
                passes.then(|| (format!("it answered {}", sent.answer.status_line()), pause))
            }
        }
    }

    /// Sends the request and gives the answer at the end of all redirects.
    ///
    /// # Errors
    /// [`Broken`], if there is none.
    pub async fn send_once(&self, request: Request) -> Result<Sent, Broken> {
        self.whole(self.reach(request).await?).await
    }

    /// The whole of an answer that has begun.
    ///
    /// # Errors
    /// [`Broken`], if it is cut off or too large.
    pub async fn whole(&self, reached: Reached) -> Result<Sent, Broken> {
        let Reached { mut opened, request, begun, served } = reached;
        let body = match opened.whole(&self.host).await {
            Ok(body) => body,
            Err(error) => return Err(Broken { request, error: Ending::Http(error), served }),
        };
        let elapsed = self.host.clock.elapsed().saturating_sub(begun);
        let Opened { head, certificates, timings, .. } = opened;
        let answer = Answer::new(Parts {
            status: head.status.as_u16(),
            version: head.version,
            headers: head.headers,
            body,
            address: request.shown,
            elapsed,
            timings,
            certificates,
            assumed: false,
        });
        Ok(Sent { answer, served })
    }

    /// Sends the request and gives the beginning of the answer at the end of all redirects.
    ///
    /// # Errors
    /// [`Broken`], if there is none.
    pub async fn reach(&self, mut request: Request) -> Result<Reached, Broken> {
        let begun = self.host.clock.elapsed();
        let changes = !request.method.is_safe();
        let mut served = false;
        let mut followed = 0;
        loop {
            if request.carriage.trusts_anybody() && request.url.scheme() == "https" {
                let place = request.place();
                self.host.events.warn_once(format!("whoever answers for `{place}` is trusted (`insecure`)"));
            }
            let mut opened = match exchange::open(&self.host, &request).await {
                Ok(opened) => opened,
                Err(error) => return Err(Broken { request, error: Ending::Http(error), served }),
            };
            let url = match next(&request, &opened) {
                None => return Ok(Reached { opened, request, begun, served }),
                Some(_) if request.follow == 0 => return Ok(Reached { opened, request, begun, served }),
                Some(Ok(_)) if followed == request.follow => {
                    let error = Ending::Redirects(format!("it was sent on more than {followed} times"));
                    return Err(Broken { served: served || changes, request, error });
                }
                Some(Ok(url)) => url,
                Some(Err(why)) => {
                    return Err(Broken { served: served || changes, request, error: Ending::Redirects(why) });
                }
            };
            // An answer that is cut off may come from anybody in between, and so may where it sends us to.
            if let Err(error) = opened.whole(&self.host).await {
                return Err(Broken { request, error: Ending::Http(error), served });
            }
            served |= changes && !keeps_method(opened.head.status);
            followed += 1;
            request = onward(request, url, opened.head.status, &self.host.secrets);
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
            fault = fault.note(format!("it points to `{}`", self.host.secrets.redact(location)));
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
        let text = self.host.secrets.redact(text.trim()).into_owned();
        match text.char_indices().nth(LENGTH) {
            _ if text.is_empty() => None,
            Some((end, _)) => Some(format!("{}…", &text[..end])),
            None => Some(text),
        }
    }
}

impl Reached {
    /// What it means that the body broke off.
    pub fn broken(self, error: Unanswered) -> Broken {
        Broken { request: self.request, error: Ending::Http(error), served: self.served }
    }
}

impl Broken {
    /// True if the server may have done what it was asked for.
    fn may_be_served(&self) -> bool {
        let changes = !self.request.method.is_safe();
        self.served || changes && matches!(self.error, Ending::Http(Unanswered::CutOff(_) | Unanswered::TooLarge))
    }

    /// True if asking again may help.
    pub fn passes(&self) -> bool {
        match &self.error {
            Ending::Http(Unanswered::Unconnected(error)) => !error.is_trust(),
            Ending::Http(Unanswered::CutOff(_)) => true,
            Ending::Http(_) | Ending::Redirects(_) => false,
        }
    }

    /// A short reason for a wait that goes on.
    pub fn reason(&self) -> String {
        let place = self.request.place();
        let reason = match &self.error {
            Ending::Http(Unanswered::Refused(fault)) => fault.message.clone(),
            Ending::Http(Unanswered::Unconnected(error)) => match Fault::behind(error) {
                Some(fault) => fault.message.clone(),
                None if error.is_trust() => format!("`{place}` can't be trusted: {error}"),
                None => format!("no connection to `{place}`: {error}"),
            },
            Ending::Http(Unanswered::Unwelcome(why)) => format!("`{place}` can't be asked: {why}"),
            Ending::Http(Unanswered::CutOff(why)) => format!("`{}` was cut off: {why}", self.request.title()),
            Ending::Http(Unanswered::TooLarge) => format!("`{}`: {}", self.request.title(), Unanswered::TooLarge),
            Ending::Redirects(why) => format!("`{}`: {why}", self.request.title()),
        };
        match (self.request.concealed, self.request.url.host_str()) {
            (true, Some(host)) => reason.replace(host, "…"),
            _ => reason,
        }
    }

    /// What it means for the script.
    pub fn fault(self) -> Fault {
        let reason = self.reason();
        if self.may_be_served() {
            let fault = Fault::new(Kind::InDoubt, reason);
            return fault.note("nobody knows whether the server did what it was asked for");
        }
        match self.error {
            Ending::Http(Unanswered::Refused(fault)) => fault,
            Ending::Http(Unanswered::Unconnected(error)) if error.is_trust() => Fault::new(Kind::Tls, reason)
                .hint("name whom to trust with `ca: \"ca.pem\"`, or trust anybody with `insecure: true`"),
            Ending::Http(Unanswered::Unconnected(error)) => {
                let fault = Fault::new(Kind::Unreachable, reason);
                match (Fault::behind(&error), &error) {
                    (Some(behind), _) => behind.clone(),
                    (None, Unconnected::Proxy { .. }) => {
                        fault.hint("another proxy is named with `proxy: \"http://…\"`, and none with `proxy: false`; `ca` vouches for proxies at `https`, too")
                    }
                    (None, _) => fault.hint("`http::wait` goes on until there is an answer"),
                }
            }
            Ending::Http(Unanswered::Unwelcome(_)) => Fault::new(Kind::Tls, reason)
                .hint("who asks is said by `client_certificate` and `client_key`, in PEM or as files"),
            Ending::Http(Unanswered::CutOff(_)) => {
                Fault::new(Kind::Unreachable, reason).hint("`http::wait` goes on until there is an answer")
            }
            Ending::Http(Unanswered::TooLarge) => {
                Fault::new(Kind::Failed, reason).hint("`http::download` writes it to a file, however large it is")
            }
            Ending::Redirects(_) => Fault::new(Kind::Failed, reason),
        }
    }
}

/// How long a server asks to wait: seconds, or until when.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let asked = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = rfc2822::parse(asked).ok()?.timestamp();
    Duration::try_from(until.duration_since(now)).ok()
}

/// Where the answer sends the request on to, or why that can't be followed.
fn next(request: &Request, opened: &Opened) -> Option<Result<Url, String>> {
    if !matches!(opened.head.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = opened.head.headers.get(LOCATION)?;
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
        request.carriage = request.carriage.for_a_stranger();
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
