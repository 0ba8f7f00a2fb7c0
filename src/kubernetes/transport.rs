//! The way to an API server: HTTP over TLS over whatever the host's dial connects to. It is the only seam.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{
    HeaderValue, Request, StatusCode,
    header::{PROXY_AUTHORIZATION, UPGRADE},
};
use hyper_util::{
    client::legacy::Client as Http,
    rt::{TokioExecutor, TokioTimer},
};
use kube::client::{Body, middleware::BaseUriLayer};
use tower::{BoxError, Layer, Service, service_fn};
use zeroize::Zeroizing;

use super::credentials::{Credential, Credentials};
use crate::{
    host::{Host, secrets::Secret},
    kubeconfig::{Material, Target},
    script::fault::{Fault, Kind},
    wire::{
        authority::Authority,
        connector::Connector,
        proxy::Proxy,
        route::Route,
        tls::{Identity, Part, Settings, Tls, Trust},
    },
};

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(10);

/// How often a connection on which something is awaited is asked whether it is still there, and how long it has to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
const ALIVE: Duration = Duration::from_secs(5);

/// A client of the target's server. Nothing is sent yet. It must be made where a runtime is entered.
///
/// # Errors
/// A `file`, `parse` or `tls` fault about certificates, keys and tokens.
pub fn open(host: &Host, target: &Target) -> Result<kube::Client, Fault> {
    let way = Arc::new(Way {
        host: host.clone(),
        target: target.clone(),
        credentials: Credentials::open(host, target)?,
        pool: Mutex::new(Pool { identity: None, http: connections(host, target, target.identity.as_ref())? }),
    });
    let service = service_fn(move |request: Request<Body>| {
        let way = way.clone();
        async move { way.send(request).await }
    });
    let service = BaseUriLayer::new(target.server.clone()).layer(service);
    Ok(kube::Client::new(service, &*target.namespace))
}

/// The way to a server for whoever asks, with credentials that change now and then.
struct Way {
    host: Host,
    target: Target,
    credentials: Credentials,
    pool: Mutex<Pool>,
}

/// Connections that were made as one client: another certificate needs others.
struct Pool {
    /// The certificate that came with the credentials, and not with the kubeconfig.
    identity: Option<(Material, Material)>,
    http: Connections,
}

impl Way {
    async fn send(&self, request: Request<Body>) -> Result<Answer, BoxError> {
        let again = copy(&request);
        let credential = self.credentials.current().await?;
        let answer = self.send_as(&credential, request).await?;
        match again {
            Some(again) if answer.status() == StatusCode::UNAUTHORIZED => {
                match self.credentials.after(&credential).await? {
                    Some(other) => self.send_as(&other, again).await,
                    None => Ok(answer),
                }
            }
            _ => Ok(answer),
        }
    }

    async fn send_as(&self, credential: &Credential, mut request: Request<Body>) -> Result<Answer, BoxError> {
        self.credentials.sign(credential, request.headers_mut());
        let Connections { shared, switched, authorization } = self.connections_of(credential.identity.as_ref())?;
        if let Some(authorization) = authorization {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization);
        }
        let http = if request.headers().contains_key(UPGRADE) { switched } else { shared };
        Ok(http.request(request).await?)
    }

    fn connections_of(&self, identity: Option<&(Material, Material)>) -> Result<Connections, Fault> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.identity.as_ref() != identity {
            let http = connections(&self.host, &self.target, identity.or(self.target.identity.as_ref()))?;
            *pool = Pool { identity: identity.cloned(), http };
        }
        Ok(pool.http.clone())
    }
}

/// The request once more, if its body can be read twice.
fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

#[derive(Clone)]
struct Connections {
    shared: Http<Connector, Body>,
    /// For what is to become another protocol: that needs a connection for itself, which HTTP/2 doesn't give.
    switched: Http<Connector, Body>,
    /// For a proxy that requests are handed to.
    authorization: Option<HeaderValue>,
}

type Answer = <Http<Connector, Body> as Service<Request<Body>>>::Response;

fn connections(host: &Host, target: &Target, identity: Option<&(Material, Material)>) -> Result<Connections, Fault> {
    let context = &target.context;
    let settings = settings(host, target, identity)?;
    let tls = Tls::new(host, &settings).map_err(|unfit| match unfit.part {
        Part::ServerName => {
            Fault::new(Kind::Parse, format!("`tls-server-name` of `{context}` can't be used: {}", unfit.why))
                .hint("write it as the certificate has it, such as `kubernetes.default.svc`")
        }
        part => Fault::new(Kind::Tls, format!("{} of `{context}` can't be used: {}", part.words(), unfit.why))
            .hint("it must be PEM, as `kubectl config view --raw` prints it after decoding base64"),
    })?;
    let route = route(host, target, &settings.trust)?;
    let proxy = route.handed_to(target.server.scheme_str() != Some("http"));
    let authorization = proxy.and_then(Proxy::authorization);
    let speaking = |protocols: &[&str]| {
        Http::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .http2_adaptive_window(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .http2_keep_alive_timeout(ALIVE)
            .build(Connector::new(route.clone(), tls.clone().speaking(protocols)))
    };
    Ok(Connections { shared: speaking(&["h2", "http/1.1"]), switched: speaking(&["http/1.1"]), authorization })
}

/// The way that packets go: directly, elsewhere than the name says, or through a proxy.
fn route(host: &Host, target: &Target, trust: &Trust) -> Result<Route, Fault> {
    let secure = target.server.scheme_str() != Some("http");
    let port = target.server.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let mut route = Route::of(host, CONNECT);
    if let Some(resolve) = &target.resolve {
        let instead = Authority::parse(resolve, Some(port)).map_err(|why| {
            Fault::new(Kind::Usage, format!("`resolve` leads nowhere: {why}")).hint("write it like `10.17.13.244:443`")
        })?;
        route.instead = Some(instead);
    }
    let server = Authority::new(target.server.host().unwrap_or_default(), port);
    let hint = "write it like `http://proxy.example.org:3128` or `socks5://127.0.0.1:1080`";
    route.proxy = match target.proxy.as_deref() {
        Some("none") => None,
        Some(url) => {
            let message = |why| format!("the proxy of `{}` can't be used: {why}", target.context);
            let proxy = Proxy::parse(host, url, trust);
            Some(proxy.map_err(|why| Fault::new(Kind::Parse, message(why)).hint(hint))?)
        }
        None => Proxy::of_environment(host, secure, route.instead.as_ref().unwrap_or(&server), trust)
            .map_err(|why| Fault::new(Kind::Parse, why).hint(hint))?,
    };
    Ok(route)
}

fn settings(host: &Host, target: &Target, identity: Option<&(Material, Material)>) -> Result<Settings, Fault> {
    let context = &target.context;
    // Without an authority of its own a cluster is trusted as any site of the web is.
    let trust = match &target.authority {
        _ if target.insecure => Trust::Anybody,
        Some(authority) => Trust::Authority(load(host, authority, Part::Authority.words(), context)?.into()),
        None => Trust::System,
    };
    let identity = match identity {
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

/// The content of a certificate or key.
///
/// # Errors
/// `file`, if it can't be read.
pub fn load(host: &Host, material: &Material, what: &str, context: &str) -> Result<Vec<u8>, Fault> {
    match material {
        Material::Data(data) => Ok(data.clone()),
        Material::File(path) => host.files.read_personal(path).map(String::into_bytes).map_err(|error| {
            Fault::new(Kind::File, format!("can't read {what} of `{context}`, `{}`: {error}", path.display()))
                .hint("the kubeconfig names this file: put it there, or correct the path")
        }),
    }
}
