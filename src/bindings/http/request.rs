//! A request as a script describes it: what goes over the wire, and how it may be shown.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use rhai::{Dynamic, NativeCallContext};
use url::Url;

use super::{
    body::Body,
    carriage::Carriage,
    guarded::{Guarded, by_name, fields},
};
use crate::{
    host::{Host, effect::digest, secrets::Secret},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
    wire::authority::Authority,
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
    /// How often it is sent again if that may help, and the pause before the first time.
    pub retries: u32,
    pub retry_pause: Duration,
    digest: String,
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

    /// Lets it be sent as often as the options say.
    ///
    /// # Errors
    /// A usage fault, if it is not `repeatable` and is to be repeated.
    pub fn retrying(mut self, options: &Options, repeatable: bool) -> Result<Self, Fault> {
        self.retries = count(options, "retries");
        self.retry_pause = options.deadline("retry_pause")?;
        if self.retries > 0 && !repeatable {
            let message = format!("a {} can't have `retries`: what was served may be served again", self.method);
            return Err(Fault::new(Kind::Usage, message).hint("say that this does no harm: `repeat_safe: true`"));
        }
        Ok(self)
    }

    /// Whom to connect to.
    pub fn authority(&self) -> Authority {
        authority_of(&self.url)
    }

    /// `host:port`, unless the address is secret.
    pub fn place(&self) -> String {
        if self.concealed { self.shown.clone() } else { self.authority().to_string() }
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
    let address = Guarded::of(url);
    let url = parse_url(&address)?;
    let mut shown_parts = vec![method.to_string(), address.shown.clone()];
    let (mut headers, shown_headers) = headers(host, options)?;
    shown_parts.extend(shown_headers);
    let body = match body {
        None => Bytes::new(),
        Some(body) => {
            let body = Body::read(body, options)?;
            if let (Some(kind), false) = (body.kind, headers.contains_key(CONTENT_TYPE)) {
                headers.insert(CONTENT_TYPE, HeaderValue::try_from(kind).expect("it is made of plain letters"));
            }
            shown_parts.push(body.shown);
            body.wire
        }
    };
    Ok(Request {
        shown: host.secrets.redact(&address.shown).into_owned(),
        concealed: address.secret,
        digest: digest(&shown_parts.iter().map(String::as_bytes).collect::<Vec<_>>()),
        carriage: Carriage::read(host, &authority_of(&url), options)?,
        follow: count(options, "follow"),
        retries: 0,
        retry_pause: Duration::ZERO,
        method,
        url,
        headers,
        body,
    })
}

fn count(options: &Options, name: &str) -> u32 {
    options.integer(name).and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
}

fn authority_of(url: &Url) -> Authority {
    Authority::new(url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
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
    let given = options.value("headers").and_then(|map| fields(&map)).unwrap_or_default();
    for (name, value) in given {
        let guarded = Guarded::of(&value);
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
        let basic = fields(&basic).unwrap_or_default();
        let part = |name: &str| {
            let found = basic.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| Guarded::of(value)).ok_or_else(|| {
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
