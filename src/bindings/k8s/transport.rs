//! The way to an API server: HTTP over TLS over whatever the host's dial connects to. It is the only seam.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{
    HeaderName, HeaderValue, Request,
    header::{AUTHORIZATION, UPGRADE},
};
use hyper_util::{
    client::legacy::Client as Http,
    rt::{TokioExecutor, TokioTimer},
};
use kube::client::{Body, middleware::BaseUriLayer};
use tower::{Layer, service_fn};
use zeroize::Zeroizing;

use super::kubeconfig::{Login, Material, Target};
use crate::{
    host::{Host, secrets::Secret},
    script::fault::{Fault, Kind},
    wire::{
        connector::Connector,
        route::Route,
        tls::{Identity, Part, Settings, Tls, Trust, Unfit},
    },
};

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(10);

/// How often an idle connection is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// How long a token that was read from a file is taken for fresh.
const TOKEN_FRESH: Duration = Duration::from_secs(60);

/// A client of the target's server. Nothing is sent yet. It must be made where a runtime is entered.
///
/// # Errors
/// A `file`, `parse` or `tls` fault about certificates, keys and tokens.
pub fn open(host: &Host, target: &Target) -> Result<kube::Client, Fault> {
    let tls = Tls::new(host, &settings(host, target)?).map_err(|unfit| {
        let Unfit { part, why } = unfit;
        let context = &target.context;
        match part {
            Part::ServerName => {
                Fault::new(Kind::Parse, format!("`tls-server-name` of `{context}` can't be used: {why}"))
            }
            part => Fault::new(Kind::Tls, format!("{} of `{context}` can't be used: {why}", part.words()))
                .hint("it must be PEM, as `kubectl config view --raw` prints it after decoding base64"),
        }
    })?;
    let shared = connections(host, tls.clone().speaking(&["h2", "http/1.1"]));
    let switched = connections(host, tls.speaking(&["http/1.1"]));
    let credentials = credentials(host, target)?;
    let service = service_fn(move |request: Request<Body>| {
        // What is to become another protocol needs a connection for itself, which HTTP/2 doesn't give.
        let http = if request.headers().contains_key(UPGRADE) { &switched } else { &shared };
        http.request(credentials.sign(request))
    });
    let service = BaseUriLayer::new(target.server.clone()).layer(service);
    Ok(kube::Client::new(service, &*target.namespace))
}

fn connections(host: &Host, tls: Tls) -> Http<Connector, Body> {
    Http::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .build(Connector::new(Route::of(host, CONNECT), tls))
}

fn settings(host: &Host, target: &Target) -> Result<Settings, Fault> {
    let context = &target.context;
    // Without an authority of its own a cluster is trusted as any site of the web is.
    let trust = match &target.authority {
        _ if target.insecure => Trust::Anybody,
        Some(authority) => Trust::Authority(load(host, authority, Part::Authority.words(), context)?.into()),
        None => Trust::System,
    };
    let identity = match &target.identity {
        None => None,
        Some((certificate, key)) => {
            let certificate = load(host, certificate, Part::Certificate.words(), context)?.into();
            let key = load(host, key, Part::Key.words(), context)?;
            if let Ok(text) = std::str::from_utf8(&key) {
                host.secrets.remember(&Secret::new(format!("kubeconfig:{context}/client-key"), text.to_owned()));
            }
            Some(Identity { certificate, key: Arc::new(Zeroizing::new(key)) })
        }
    };
    Ok(Settings { trust, identity, server_name: target.tls_server_name.clone() })
}

fn load(host: &Host, material: &Material, what: &str, context: &str) -> Result<Vec<u8>, Fault> {
    match material {
        Material::Data(data) => Ok(data.clone()),
        Material::File(path) => host.files.read_personal(path).map(String::into_bytes).map_err(|error| {
            Fault::new(Kind::File, format!("can't read {what} of `{context}`, `{}`: {error}", path.display()))
                .hint("the kubeconfig names this file: put it there, or correct the path")
        }),
    }
}

/// What is added to every request so that the server knows who asks.
struct Credentials {
    login: Login,
    host: Host,
    read: Mutex<Option<(Duration, Secret)>>,
    impersonation: Vec<(HeaderName, HeaderValue)>,
}

fn credentials(host: &Host, target: &Target) -> Result<Credentials, Fault> {
    let context = &target.context;
    let refuse = |what: &str| {
        Fault::new(Kind::Parse, format!("{what} of `{context}` has characters that no request can carry"))
            .hint("look for line breaks and letters beyond ASCII in it")
    };
    let impersonation = target.impersonation.iter().map(|(name, value)| {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| refuse("an impersonation key"))?;
        let value = HeaderValue::try_from(value.as_str()).map_err(|_| refuse("an impersonated name"))?;
        Ok((name, value))
    });
    let credentials = Credentials {
        login: target.login.clone(),
        host: host.clone(),
        read: Mutex::default(),
        impersonation: impersonation.collect::<Result<_, Fault>>()?,
    };
    match &target.login {
        Login::Token(secret) | Login::Password { password: secret, .. } => host.secrets.remember(secret),
        Login::TokenFile { path, fallback: None } => {
            credentials.token(path).map_err(|error| {
                Fault::new(Kind::File, format!("can't read the token of `{context}`, `{}`: {error}", path.display()))
            })?;
        }
        Login::TokenFile { .. } | Login::Anonymous => {}
    }
    if credentials.authorization().is_some_and(|header| header.is_err()) {
        return Err(refuse("the token, or the password,"));
    }
    Ok(credentials)
}

impl Credentials {
    fn sign(&self, mut request: Request<Body>) -> Request<Body> {
        if let Some(Ok(mut header)) = self.authorization() {
            header.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        for (name, value) in &self.impersonation {
            request.headers_mut().append(name, value.clone());
        }
        request
    }

    fn authorization(&self) -> Option<Result<HeaderValue, http::header::InvalidHeaderValue>> {
        let bearer = |token: &Secret| HeaderValue::try_from(format!("Bearer {}", token.expose().trim()));
        match &self.login {
            Login::Anonymous => None,
            Login::Token(token) => Some(bearer(token)),
            Login::TokenFile { path, fallback } => {
                self.token(path).ok().or(fallback.clone()).map(|token| bearer(&token))
            }
            Login::Password { username, password } => {
                let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
                Some(HeaderValue::try_from(format!("Basic {pair}")))
            }
        }
    }

    /// The token in the file: read again when it is no longer fresh, the last one kept if that fails.
    fn token(&self, path: &std::path::Path) -> io::Result<Secret> {
        let now = self.host.clock.elapsed();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, token)) = &*read
            && now < *at + TOKEN_FRESH
        {
            return Ok(token.clone());
        }
        match (self.host.files.read_personal(path), &*read) {
            (Ok(text), _) => {
                let token = Secret::new(format!("file:{}", path.display()), text.trim().to_owned());
                self.host.secrets.remember(&token);
                *read = Some((now, token.clone()));
                Ok(token)
            }
            (Err(_), Some((_, last))) => Ok(last.clone()),
            (Err(error), None) => Err(error),
        }
    }
}
