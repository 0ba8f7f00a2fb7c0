//! Proxies: HTTP, in clear or with TLS, and SOCKS5, given or from the environment, with or without a login.

use std::{io, net::IpAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderValue, Request, StatusCode, Uri,
    header::{HOST, PROXY_AUTHORIZATION},
};
use http_body_util::Empty;
use hyper_util::{client::proxy::matcher::Matcher, rt::TokioIo};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    authority::Authority,
    tls::{Settings, Tls, Trust},
};
use crate::host::{Host, dial::Stream, secrets::Secret};

/// A server that leads to others.
#[derive(Debug, Clone)]
pub struct Proxy {
    pub authority: Authority,
    kind: Kind,
    login: Option<Login>,
    /// How the way to itself is secured.
    tls: Option<Tls>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Socks,
}

#[derive(Debug, Clone)]
struct Login {
    user: String,
    password: Secret,
}

impl Proxy {
    /// Reads `http://host:port`, `https://host:port` or `socks5://host:port`, with `user:password@` perhaps; without a scheme
    /// it is an HTTP proxy. From now on no reporter shows its password.
    ///
    /// Who answers at `https` is always verified: it is whom the system trusts, or whom the authority vouches for that vouches
    /// for servers.
    ///
    /// # Errors
    /// Why it is none. The password is not in it.
    pub fn parse(host: &Host, text: &str, trust: &Trust) -> Result<Self, String> {
        let (scheme, rest) = text.trim().split_once("://").unwrap_or(("http", text.trim()));
        let rest = rest.split('/').next().unwrap_or_default();
        let (login, authority) = match rest.rsplit_once('@') {
            Some((login, authority)) => (Some(login), authority),
            None => (None, rest),
        };
        let (kind, port) = match scheme {
            "http" => (Kind::Http, 80),
            "https" => (Kind::Http, 443),
            // The proxy looks up names either way: what its network knows is what counts.
            "socks5" | "socks5h" => (Kind::Socks, 1080),
            other => return Err(format!("a proxy is `http`, `https` or `socks5`, not `{other}`")),
        };
        let place = Authority::parse(authority, Some(port))?;
        let tls = (scheme == "https").then(|| secured(host, trust)).transpose()?;
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let login = login.map(|login| {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            let password = Secret::new(format!("proxy:{authority}"), decoded(password));
            host.secrets.remember(&password);
            Login { user: decoded(user), password }
        });
        Ok(Self { authority: place, kind, login, tls })
    }

    /// The proxy that the environment names for a server, unless `NO_PROXY` leaves the server out.
    ///
    /// # Errors
    /// The variable that names none, and why.
    pub fn of_environment(host: &Host, secure: bool, to: &Authority, trust: &Trust) -> Result<Option<Self>, String> {
        let variable = |name: &str| host.environment.variable(name).filter(|value| !value.trim().is_empty());
        let first = |names: &[&'static str]| names.iter().find_map(|name| Some((*name, variable(name)?)));
        let names = match secure {
            true => ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].as_slice(),
            // `HTTP_PROXY` could be a header of a request to a CGI program; curl doesn't look at it, either.
            false => ["http_proxy", "all_proxy", "ALL_PROXY"].as_slice(),
        };
        let Some((name, value)) = first(names) else { return Ok(None) };
        if first(&["no_proxy", "NO_PROXY"]).is_some_and(|(_, list)| is_left_out(&list, to)) {
            return Ok(None);
        }
        let proxy = Self::parse(host, &value, trust);
        proxy.map(Some).map_err(|why| format!("the variable `{name}` names no proxy: {why}"))
    }

    /// Where it is, without the login.
    pub fn shown(&self) -> String {
        self.authority.to_string()
    }

    /// True if it takes requests to servers without TLS and passes them on itself.
    pub(super) fn takes_requests(&self) -> bool {
        self.kind == Kind::Http
    }

    /// How the way to it is secured, if it is.
    pub(super) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// What such a request has to carry.
    pub fn authorization(&self) -> Option<HeaderValue> {
        let login = self.login.as_ref()?;
        let pair = STANDARD.encode(format!("{}:{}", login.user, login.password.expose()));
        let mut header = HeaderValue::try_from(format!("Basic {pair}")).expect("base64 is made of plain letters");
        header.set_sensitive(true);
        Some(header)
    }

    /// Has the proxy lead a connection to it on to a server.
    ///
    /// # Errors
    /// What it said.
    pub(super) async fn lead(&self, stream: Box<dyn Stream>, to: &Authority) -> Result<Box<dyn Stream>, String> {
        match self.kind {
            Kind::Http => self.lead_by_http(stream, to).await,
            Kind::Socks => self.lead_by_socks(stream, to).await,
        }
    }

    async fn lead_by_http(&self, stream: Box<dyn Stream>, to: &Authority) -> Result<Box<dyn Stream>, String> {
        let broke = |error: hyper::Error| format!("it broke off when it was asked for `{to}`: {error}");
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broke)?;
        tokio::spawn(connection.with_upgrades());
        let mut request = Request::connect(to.to_string()).header(HOST, to.to_string());
        if let Some(authorization) = self.authorization() {
            request = request.header(PROXY_AUTHORIZATION, authorization);
        }
        let request = request.body(Empty::<Bytes>::new()).map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(broke)?;
        match (answer.status(), &self.login) {
            (status, _) if status.is_success() => {}
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, None) => return Err("it wants a login".to_owned()),
            (StatusCode::PROXY_AUTHENTICATION_REQUIRED, Some(login)) => {
                return Err(format!("it does not accept the login of `{}`", login.user));
            }
            (status, _) => return Err(format!("it answered {status} when it was asked for `{to}`")),
        }
        let stream = hyper::upgrade::on(answer).await.map_err(broke)?;
        Ok(Box::new(TokioIo::new(stream)))
    }

    /// RFC 1928, and RFC 1929 for the login.
    async fn lead_by_socks(&self, mut stream: Box<dyn Stream>, to: &Authority) -> Result<Box<dyn Stream>, String> {
        let broke = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => "it hung up, as one that speaks no SOCKS5 may".to_owned(),
            _ => error.to_string(),
        };
        let method = if self.login.is_some() { BY_LOGIN } else { OPEN };
        stream.write_all(&[SOCKS5, 1, method]).await.map_err(broke)?;
        match read(&mut stream).await.map_err(broke)? {
            [SOCKS5, chosen] if chosen == method => {}
            [SOCKS5, _] if self.login.is_none() => return Err("it wants a login".to_owned()),
            [SOCKS5, _] => return Err("it takes no login".to_owned()),
            _ => return Err("it does not speak SOCKS5".to_owned()),
        }
        if let Some(login) = &self.login {
            let mut message = vec![1];
            for part in [&*login.user, login.password.expose()] {
                message.push(u8::try_from(part.len()).map_err(|_| "its login is longer than 255 bytes".to_owned())?);
                message.extend_from_slice(part.as_bytes());
            }
            stream.write_all(&message).await.map_err(broke)?;
            let [_, accepted] = read(&mut stream).await.map_err(broke)?;
            if accepted != 0 {
                return Err(format!("it does not accept the login of `{}`", login.user));
            }
        }
        stream.write_all(&socks_request(to)?).await.map_err(broke)?;
        let [_, said, _, kind] = read(&mut stream).await.map_err(broke)?;
        if said != 0 {
            return Err(format!("it was asked for `{to}` and says: {}", socks_reason(said)));
        }
        // Where it connected from, which nobody wants to know; and a port.
        let length = match kind {
            ADDRESS_4 => 4,
            ADDRESS_6 => 16,
            _ => {
                let [length] = read(&mut stream).await.map_err(broke)?;
                usize::from(length)
            }
        };
        stream.read_exact(&mut vec![0; length + 2]).await.map_err(broke)?;
        Ok(stream)
    }
}

fn secured(host: &Host, trust: &Trust) -> Result<Tls, String> {
    let trust = match trust {
        Trust::Authority(pem) | Trust::SystemAnd(pem) => Trust::SystemAnd(pem.clone()),
        Trust::System | Trust::Key(_) | Trust::Anybody => Trust::System,
    };
    let tls = Tls::new(host, &Settings { trust, ..Settings::default() });
    tls.map_err(|unfit| format!("{} can't be used: {}", unfit.part.words(), unfit.why))
}

const SOCKS5: u8 = 5;
const OPEN: u8 = 0;
const BY_LOGIN: u8 = 2;
const CONNECT: u8 = 1;
const ADDRESS_4: u8 = 1;
const NAME: u8 = 3;
const ADDRESS_6: u8 = 4;

fn socks_request(to: &Authority) -> Result<Vec<u8>, String> {
    let mut message = vec![SOCKS5, CONNECT, 0];
    match to.host.parse() {
        Ok(IpAddr::V4(address)) => {
            message.push(ADDRESS_4);
            message.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            message.push(ADDRESS_6);
            message.extend(address.octets());
        }
        Err(_) => {
            let length = u8::try_from(to.host.len());
            message.push(NAME);
            message.push(length.map_err(|_| format!("`{}` is longer than 255 letters", to.host))?);
            message.extend_from_slice(to.host.as_bytes());
        }
    }
    message.extend(to.port.to_be_bytes());
    Ok(message)
}

fn socks_reason(said: u8) -> &'static str {
    match said {
        2 => "its rules don't allow it",
        3 | 4 => "there is no route to it, or its name is not known",
        5 => "connection refused",
        6 => "no connection in time",
        _ => "it can't be done",
    }
}

async fn read<const LENGTH: usize>(stream: &mut Box<dyn Stream>) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

fn is_left_out(list: &str, to: &Authority) -> bool {
    let through_any = Matcher::builder().all("http://proxy").no(list).build();
    let uri = Uri::try_from(format!("http://{to}/"));
    uri.is_ok_and(|uri| through_any.intercept(&uri).is_none())
}
