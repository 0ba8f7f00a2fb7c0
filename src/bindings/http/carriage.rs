//! How a request is carried: whom to trust, who asks, and by which way.

use std::{sync::Arc, time::Duration};

use rhai::Dynamic;
use zeroize::Zeroizing;

use crate::{
    host::{Host, secrets::Secret, tunnel::Tunnel},
    script::{
        fault::{Fault, Kind},
        options::Options,
    },
    wire::{
        authority::Authority,
        proxy::Proxy,
        route::Route,
        tls::{Identity, Settings, Tls, Trust},
    },
};

/// How a request is carried.
#[derive(Clone)]
pub struct Carriage {
    settings: Settings,
    /// Made of the settings when something was given that may be unfit.
    tls: Option<Tls>,
    connect_timeout: Duration,
    detour: Option<Detour>,
    proxying: Proxying,
    /// The host that it was meant for.
    host: String,
}

/// Where connections go in place of the host that a request was meant for.
#[derive(Clone)]
enum Detour {
    Tunnel(Tunnel),
    /// For connections to that port alone, if it has a port of its own.
    Address {
        instead: Authority,
        port: Option<u16>,
    },
}

#[derive(Clone)]
enum Proxying {
    Environment,
    Given(Proxy),
    Never,
}

impl Carriage {
    /// Reads the options of a request to `to`.
    ///
    /// # Errors
    /// A `usage`, `file` or `tls` fault for what can't be used.
    pub fn read(host: &Host, to: &Authority, options: &Options) -> Result<Self, Fault> {
        let settings = Settings {
            trust: trust(host, options)?,
            identity: identity(host, options)?,
            server_name: options.text("server_name"),
        };
        let given = matches!(settings.trust, Trust::Authority(_))
            || settings.identity.is_some()
            || settings.server_name.is_some();
        let tls = given.then(|| made(host, &settings)).transpose()?;
        Ok(Self {
            tls,
            connect_timeout: options.deadline("connect_timeout")?,
            detour: detour(to, options)?,
            proxying: proxying(host, options, &settings.trust)?,
            settings,
            host: to.host.clone(),
        })
    }

    /// The way to a server.
    ///
    /// # Errors
    /// A `usage` fault, if the environment names a proxy that is none.
    pub fn route(&self, host: &Host, to: &Authority, secure: bool) -> Result<Route, Fault> {
        let mut route = Route::of(host, self.connect_timeout);
        match &self.detour {
            Some(Detour::Tunnel(tunnel)) if to.host == self.host => return Ok(route.through(tunnel)),
            Some(Detour::Address { instead, port })
                if to.host == self.host && port.is_none_or(|port| port == to.port) =>
            {
                let port = if port.is_some() { instead.port } else { to.port };
                route.instead = Some(Authority { port, ..instead.clone() });
            }
            _ => {}
        }
        route.proxy = match &self.proxying {
            Proxying::Given(proxy) => Some(proxy.clone()),
            Proxying::Never => None,
            Proxying::Environment => Proxy::of_environment(host, secure, to, &self.settings.trust).map_err(|why| {
                Fault::new(Kind::Usage, why).hint("correct it, or go around it with the option `proxy: false`")
            })?,
        };
        Ok(route)
    }

    /// TLS as it was asked for; that anybody is trusted is warned of.
    ///
    /// # Errors
    /// A `tls` fault, if it can't be set up.
    pub fn tls(&self, host: &Host) -> Result<Tls, Fault> {
        match &self.tls {
            Some(tls) => Ok(tls.clone()),
            None => made(host, &self.settings),
        }
    }

    pub fn trusts_anybody(&self) -> bool {
        self.settings.trust == Trust::Anybody
    }

    /// The same for another server than the one that it was meant for: who asks is not told there.
    #[must_use]
    pub fn for_a_stranger(&self) -> Self {
        let settings = Settings { identity: None, server_name: None, ..self.settings.clone() };
        Self { settings, tls: None, ..self.clone() }
    }
}

fn made(host: &Host, settings: &Settings) -> Result<Tls, Fault> {
    let tls = Tls::new(host, settings).map_err(|unfit| {
        Fault::new(Kind::Tls, format!("{} can't be used: {}", unfit.part.words(), unfit.why))
            .hint("certificates and keys are given in PEM, as a text or as a file below the runbook's folder")
    })?;
    Ok(tls.speaking(&["h2", "http/1.1"]))
}

fn trust(host: &Host, options: &Options) -> Result<Trust, Fault> {
    match (options.value("ca"), options.flag("insecure")) {
        (Some(_), true) => Err(Fault::new(Kind::Usage, "`ca` says whom to trust and `insecure` to trust anybody")
            .hint("leave one of them out")),
        (None, true) => Ok(Trust::Anybody),
        (None, false) => Ok(Trust::System),
        (Some(ca), false) => Ok(Trust::Authority(pem(host, &ca)?.as_bytes().into())),
    }
}

fn identity(host: &Host, options: &Options) -> Result<Option<Identity>, Fault> {
    let Some(certificate) = options.value("client_certificate") else {
        return match options.value("client_key") {
            None => Ok(None),
            Some(_) => Err(Fault::new(Kind::Usage, "`client_key` is of no use without `client_certificate`")),
        };
    };
    let certificate = pem(host, &certificate)?;
    // Both may stand in one text.
    let key = match options.value("client_key") {
        Some(key) => pem(host, &key)?,
        None => certificate.clone(),
    };
    host.secrets.remember(&Secret::new("option client_key", key.to_string()));
    let key = Arc::new(Zeroizing::new(key.as_bytes().to_vec()));
    Ok(Some(Identity { certificate: certificate.as_bytes().into(), key }))
}

/// A text in PEM, or that of a file below the runbook's folder.
fn pem(host: &Host, given: &Dynamic) -> Result<Zeroizing<String>, Fault> {
    let text = match given.read_lock::<Secret>() {
        Some(secret) => return Ok(Zeroizing::new(secret.expose().to_owned())),
        None => given.to_string(),
    };
    match text.contains("-----BEGIN") {
        true => Ok(Zeroizing::new(text)),
        false => Ok(Zeroizing::new(host.files.read(&text)?)),
    }
}

fn detour(to: &Authority, options: &Options) -> Result<Option<Detour>, Fault> {
    match (options.value("through"), options.text("resolve")) {
        (Some(_), Some(_)) => Err(Fault::new(Kind::Usage, "`through` and `resolve` both say where to connect to")
            .hint("leave one of them out")),
        (Some(tunnel), None) => Ok(tunnel.try_cast().map(Detour::Tunnel)),
        (None, Some(address)) => {
            let instead = Authority::parse(&address, Some(to.port))
                .map_err(|why| Fault::new(Kind::Usage, format!("option `resolve`: {why}")))?;
            let has_port = Authority::parse(&address, None).is_ok();
            Ok(Some(Detour::Address { instead, port: has_port.then_some(to.port) }))
        }
        (None, None) => Ok(None),
    }
}

fn proxying(host: &Host, options: &Options, trust: &Trust) -> Result<Proxying, Fault> {
    let Some(given) = options.value("proxy") else { return Ok(Proxying::Environment) };
    let text = match (given.as_bool(), given.read_lock::<Secret>()) {
        (Ok(false), _) => return Ok(Proxying::Never),
        (Ok(true), _) => return Ok(Proxying::Environment),
        (Err(_), Some(secret)) => secret.expose().to_owned(),
        (Err(_), None) => given.to_string(),
    };
    let proxy = Proxy::parse(host, &text, trust).map_err(|why| {
        Fault::new(Kind::Usage, format!("option `proxy`: {why}")).hint("such as `http://proxy.example.org:3128`")
    })?;
    Ok(Proxying::Given(proxy))
}
