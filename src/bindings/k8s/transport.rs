//! The way to an API server: HTTP over TLS over whatever the host's dial connects to. It is the only seam.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Request, Uri, header::AUTHORIZATION};
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client as Http,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use kube::client::{Body, middleware::BaseUriLayer};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower::{Layer, ServiceExt, service_fn};

use super::kubeconfig::{Login, Material, Target};
use crate::{
    host::{Host, dial::Stream, secrets::Secret},
    script::fault::{Fault, Kind},
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
    let tls = tls(host, target)?;
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    let connector = match &target.tls_server_name {
        None => connector,
        Some(name) => {
            let name = name.clone().try_into().map_err(|_| {
                Fault::new(Kind::Parse, format!("`tls-server-name` of `{}` is not a name: `{name}`", target.context))
            })?;
            connector.with_server_name_resolver(FixedServerNameResolver::new(name))
        }
    };
    let (dial, clock) = (host.dial.clone(), host.clock.clone());
    let connector = connector.enable_http1().enable_http2().wrap_connector(service_fn(move |uri: Uri| {
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let dialed = dial.dial(uri.host().unwrap_or_default(), port);
        let too_long = clock.sleep(CONNECT);
        async move {
            tokio::select! {
                biased;
                stream = dialed => stream.map(|stream| TokioIo::new(Dialed(stream))),
                () = too_long => Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }));
    let http = Http::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .build(connector);
    let credentials = credentials(host, target)?;
    let signed = http.map_request(move |request| credentials.sign(request));
    let service = BaseUriLayer::new(target.server.clone()).layer(signed);
    Ok(kube::Client::new(service, &*target.namespace))
}

/// A dialed connection as hyper's connector wants it.
struct Dialed(Box<dyn Stream>);

impl Connection for Dialed {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Dialed {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Dialed {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}

fn tls(host: &Host, target: &Target) -> Result<ClientConfig, Fault> {
    let context = &target.context;
    let refuse = |what: &str, why: &dyn std::fmt::Display| {
        Fault::new(Kind::Tls, format!("{what} of `{context}` can't be used: {why}"))
            .hint("it must be PEM, as `kubectl config view --raw` prints it after decoding base64")
    };
    // Without an authority of its own a cluster is trusted as any site of the web is.
    let mut config = kube::Config::new(target.server.clone());
    config.accept_invalid_certs = target.insecure;
    if target.authority.is_some() {
        config.root_cert = Some(Vec::new());
    }
    let system = || {
        kube::client::ConfigExt::rustls_client_config(&config)
            .map_err(|error| refuse("the certificate authorities of this machine, for want of one", &error))
    };
    if target.insecure {
        return with_identity(host, target, system()?, &refuse);
    }
    let Some(authority) = &target.authority else { return with_identity(host, target, system()?, &refuse) };
    let what = "the certificate authority";
    let bytes = load(host, authority, what, context)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| refuse(what, &error))?;
        roots.add(certificate).map_err(|error| refuse(what, &error))?;
    }
    if roots.is_empty() {
        return Err(refuse(what, &"there is no certificate in it"));
    }
    with_identity(host, target, ClientConfig::builder().with_root_certificates(roots).with_no_client_auth(), &refuse)
}

fn with_identity(
    host: &Host,
    target: &Target,
    mut config: ClientConfig,
    refuse: &dyn Fn(&str, &dyn std::fmt::Display) -> Fault,
) -> Result<ClientConfig, Fault> {
    let Some((certificate, key)) = &target.identity else { return Ok(config) };
    let certificate = load(host, certificate, "the client certificate", &target.context)?;
    let key = load(host, key, "the client key", &target.context)?;
    if let Ok(text) = std::str::from_utf8(&key) {
        let reference = format!("kubeconfig:{}/client-key", target.context);
        host.secrets.remember(&Secret::new(reference, text.to_owned()));
    }
    let chain = CertificateDer::pem_slice_iter(&certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| refuse("the client certificate", &error))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| refuse("the client key", &error))?;
    let provider = config.crypto_provider().clone();
    let signer = rustls::sign::CertifiedKey::from_der(chain, key, &provider)
        .map_err(|error| refuse("the client certificate with its key", &error))?;
    config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(signer));
    Ok(config)
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
