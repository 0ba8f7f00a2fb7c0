//! Whom to connect to: a name or an address, and a port.

use std::{fmt, net::IpAddr};

/// A host without brackets, and its port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authority {
    pub host: String,
    pub port: u16,
}

impl Authority {
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.trim_start_matches('[').trim_end_matches(']').to_owned(), port }
    }

    /// Reads `host:port`, `[address]:port`, or a bare host if there is a `default` for its port.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str, default: Option<u16>) -> Result<Self, String> {
        let (host, port) = match text.parse::<IpAddr>() {
            Ok(_) => (text, None),
            Err(_) => match text.rsplit_once(':') {
                Some((host, port)) if !host.is_empty() && !port.is_empty() => (host, Some(port)),
                Some(_) => return Err(format!("`{text}` is not `host:port`")),
                None => (text, None),
            },
        };
        let port = match (port, default) {
            (Some(port), _) => port.parse().ok().filter(|port| *port > 0),
            (None, Some(default)) => Some(default),
            (None, None) => return Err(format!("`{text}` has no port, as in `{text}:443`")),
        };
        let port = port.ok_or_else(|| format!("the port of `{text}` is not a number from 1 to 65535"))?;
        let authority = Self::new(host, port);
        let is_host = match host.strip_prefix('[') {
            Some(_) => authority.host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()),
            None => http::Uri::try_from(authority.to_string()).is_ok_and(|uri| uri.host().is_some()),
        };
        if authority.host.is_empty() || !is_host {
            return Err(format!("`{host}` is neither a name nor an address"));
        }
        Ok(authority)
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
