//! A request as a script describes it: what goes over the wire, and how it may be shown.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use reqwest::Url;
use rhai::{Dynamic, Map, NativeCallContext};

use crate::{
    host::{
        Host,
        effect::digest,
        http::{Carriage, Trust},
        secrets::Secret,
    },
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
        values::json,
        values::object::Object,
        values::tree::Tree,
    },
};

/// One request. Not `Debug`: secrets stand in it in clear.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    /// The address as it may be shown: a secret one is shown by its reference.
    pub shown: String,
    /// True if the address as a whole is secret, so that not even its host may be shown.
    pub concealed: bool,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub carriage: Carriage,
    /// How many redirects are followed.
    pub follow: u32,
    digest: String,
}

/// A text, and how it may be shown.
struct Guarded {
    wire: String,
    shown: String,
    secret: bool,
}

impl Guarded {
    /// How it may be shown, if it is secret by where it stands.
    fn shown_or<'g>(&'g self, reference: &'g str) -> &'g str {
        if self.secret { &self.shown } else { reference }
    }
}

impl Request {
    /// Puts a request together from what a script gave.
    ///
    /// # Errors
    /// A usage fault for what can't be asked, a `file` fault for a `ca` that can't be read.
    pub fn read(
        context: &NativeCallContext,
        method: Method,
        url: &Dynamic,
        body: Option<&Dynamic>,
        options: &Options,
    ) -> Outcome<Self> {
        assemble(&context.host(), method, url, body, options).map_err(|fault| context.raise(fault))
    }

    /// `host:port`, unless the address is secret.
    pub fn authority(&self) -> String {
        match (self.concealed, self.url.host_str(), self.url.port_or_known_default()) {
            (false, Some(host), Some(port)) => format!("{host}:{port}"),
            _ => self.shown.clone(),
        }
    }

    /// `GET http://…`.
    pub fn title(&self) -> String {
        format!("{} {}", self.method, self.shown)
    }

    /// A digest of the request as it may be shown: a secret that was renewed makes no other request of it.
    pub fn digest(&self) -> String {
        self.digest.clone()
    }
}

fn assemble(
    host: &Host,
    method: Method,
    url: &Dynamic,
    body: Option<&Dynamic>,
    options: &Options,
) -> Result<Request, Fault> {
    let address = guarded(url);
    let url = parse_url(&address)?;
    let mut shown_parts = vec![method.to_string(), address.shown.clone()];
    let (mut headers, shown_headers) = headers(host, options)?;
    shown_parts.extend(shown_headers);
    let body = match body {
        None => Bytes::new(),
        Some(body) => {
            let (bytes, shown, kind) = body_of(body)?;
            if let (Some(kind), false) = (kind, headers.contains_key(CONTENT_TYPE)) {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            }
            shown_parts.push(shown);
            bytes
        }
    };
    let request = Request {
        shown: host.secrets.redact(&address.shown).into_owned(),
        concealed: address.secret,
        digest: digest(&shown_parts.iter().map(String::as_bytes).collect::<Vec<_>>()),
        carriage: Carriage { trust: trust(host, options)?, connect_timeout: options.deadline("connect_timeout")? },
        follow: options.integer("follow").and_then(|follow| u32::try_from(follow).ok()).unwrap_or(0),
        method,
        url,
        headers,
        body,
    };
    if request.carriage.trust == Trust::Anybody {
        host.events.warn_once(format!("whoever answers for `{}` is trusted (`insecure`)", request.authority()));
    }
    Ok(request)
}

fn parse_url(address: &Guarded) -> Result<Url, Fault> {
    let refuse = |why: String| Fault::new(Kind::Usage, format!("`{}` can't be asked: {why}", address.shown));
    by_name(&address.wire, "the URL")?;
    if !address.wire.contains("://") {
        return Err(refuse("it does not say how".to_owned()).hint("begin it with `https://` or `http://`"));
    }
    let url = Url::parse(&address.wire).map_err(|error| refuse(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse(format!("it speaks `{}`", url.scheme())).hint("begin it with `https://` or `http://`"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let shown = match address.secret {
            true => address.shown.clone(),
            false => format!("{}://…@{}", url.scheme(), url.host_str().unwrap_or_default()),
        };
        return Err(Fault::new(
            Kind::Usage,
            format!("`{shown}` can't be asked: it holds a password, which would be shown"),
        )
        .hint("give it as the option `basic: #{ user: …, password: secret::env(…) }`"));
    }
    Ok(url)
}

fn headers(host: &Host, options: &Options) -> Result<(HeaderMap, Vec<String>), Fault> {
    let mut headers = HeaderMap::new();
    let mut shown = Vec::new();
    let given = options.value("headers").map(fields).transpose()?.unwrap_or_default();
    for (name, value) in given {
        let guarded = guarded(&value);
        by_name(&guarded.wire, &format!("the header `{name}`"))?;
        let known = HeaderName::try_from(name.as_str())
            .map_err(|_| Fault::new(Kind::Usage, format!("`{name}` can't be the name of a header")))?;
        shown.push(format!("{known}: {}", guarded.shown));
        headers.insert(known, header_value(&name, guarded)?);
    }
    if let Some(token) = options.secret("bearer") {
        host.secrets.remember(&token);
        by_name(token.expose(), "the option `bearer`")?;
        shown.push(format!("bearer {}", token.reference()));
        let wire = format!("Bearer {}", token.expose());
        let guarded = Guarded { wire, shown: String::new(), secret: true };
        headers.insert(AUTHORIZATION, header_value("authorization", guarded)?);
    }
    if let Some(basic) = options.value("basic") {
        let basic: Vec<(String, Dynamic)> = fields(basic)?;
        let part = |name: &str| {
            let found = basic.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| guarded(value)).ok_or_else(|| {
                Fault::new(Kind::Usage, format!("option `basic` has no `{name}`"))
                    .hint("such as `basic: #{ user: \"admin\", password: secret::env(\"PASSWORD\") }`")
            })
        };
        let (user, password) = (part("user")?, part("password")?);
        by_name(&password.wire, "the password")?;
        let wire = STANDARD.encode(format!("{}:{}", user.wire, password.wire));
        if !password.secret {
            host.secrets.remember(&Secret::new("option basic", password.wire.clone()));
        }
        host.secrets.remember(&Secret::new(format!("basic({})", password.shown_or("option basic")), wire.clone()));
        shown.push(format!("basic {} {}", user.shown, password.shown_or("option basic")));
        let guarded = Guarded { wire: format!("Basic {wire}"), shown: String::new(), secret: true };
        headers.insert(AUTHORIZATION, header_value("authorization", guarded)?);
    }
    Ok((headers, shown))
}

fn header_value(name: &str, value: Guarded) -> Result<HeaderValue, Fault> {
    let mut header = HeaderValue::try_from(value.wire).map_err(|_| {
        Fault::new(Kind::Usage, format!("the header `{name}` holds a line break or another sign it can't hold"))
    })?;
    header.set_sensitive(value.secret);
    Ok(header)
}

/// The bytes of a body, how it may be shown, and what it calls itself.
fn body_of(body: &Dynamic) -> Result<(Bytes, String, Option<&'static str>), Fault> {
    if body.is_unit() {
        return Ok((Bytes::new(), String::new(), None));
    }
    if body.is_map() || body.is_array() || body.is::<Object>() {
        let tree = Tree::from_dynamic(body).map_err(|error| Fault::new(Kind::Usage, format!("the body: {error}")))?;
        let wire = String::from_utf8(json::wire(&tree)).expect("JSON is UTF-8");
        by_name(&wire, "the body")?;
        return Ok((wire.into(), json::write(&tree), Some("application/json")));
    }
    let guarded = guarded(body);
    by_name(&guarded.wire, "the body")?;
    Ok((guarded.wire.into(), guarded.shown, Some("text/plain; charset=utf-8")))
}

fn trust(host: &Host, options: &Options) -> Result<Trust, Fault> {
    match (options.text("ca"), options.flag("insecure")) {
        (Some(_), true) => Err(Fault::new(Kind::Usage, "`ca` says whom to trust and `insecure` to trust anybody")
            .hint("leave one of them out")),
        (None, true) => Ok(Trust::Anybody),
        (None, false) => Ok(Trust::System),
        (Some(pem), false) if pem.contains("-----BEGIN") => Ok(Trust::Authority(pem.into())),
        (Some(path), false) => Ok(Trust::Authority(Arc::from(host.files.read(&path)?))),
    }
}

fn fields(map: Dynamic) -> Result<Vec<(String, Dynamic)>, Fault> {
    if let Some(object) = map.read_lock::<Object>() {
        return Ok(object.fields().iter().map(|(name, value)| (name.to_string(), value.to_dynamic())).collect());
    }
    Ok(map.cast::<Map>().into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

fn guarded(value: &Dynamic) -> Guarded {
    match value.read_lock::<Secret>() {
        Some(secret) => Guarded { wire: secret.expose().to_owned(), shown: format!("{:?}", *secret), secret: true },
        None => Guarded { wire: value.to_string(), shown: value.to_string(), secret: false },
    }
}

/// Refuses what was interpolated: a secret in backticks is its reference, and no server knows that.
fn by_name(wire: &str, what: &str) -> Result<(), Fault> {
    if wire.contains("[secret ") {
        let message = format!("{what} holds the reference of a secret in place of its value");
        return Err(Fault::new(Kind::Usage, message).hint("join with `+`: `\"Bearer \" + token` is a secret again"));
    }
    Ok(())
}
