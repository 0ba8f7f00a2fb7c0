//! Addresses as Talos takes them, in their parts.

/// `https://10.0.0.1:6443/path?query`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Url {
    pub scheme: String,
    /// With its port.
    pub host: String,
    pub path: String,
    /// The query, with its mark.
    pub rest: String,
}

impl Url {
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("parse {text:?}: {why}");
        if text.contains(|letter: char| letter.is_ascii_control()) {
            return Err(wrong("net/url: invalid control character in URL"));
        }
        let (scheme, after) = match text.split_once(':') {
            Some(("", _)) => return Err(wrong("missing protocol scheme")),
            Some((scheme, after)) if is_scheme(scheme) => (scheme, after),
            _ => ("", text),
        };
        let (main, rest) = match after.find(['?', '#']) {
            Some(at) => after.split_at(at),
            None => (after, ""),
        };
        let (host, path) = match main.strip_prefix("//") {
            Some(main) => main.split_at(main.find('/').unwrap_or(main.len())),
            None => ("", main),
        };
        if scheme.is_empty() && host.is_empty() && path.split('/').next().is_some_and(|first| first.contains(':')) {
            return Err(wrong("first path segment in URL cannot contain colon"));
        }
        if host.contains(' ') {
            return Err(wrong("invalid character \" \" in host name"));
        }
        let url =
            Self { scheme: scheme.to_lowercase(), host: host.to_owned(), path: path.to_owned(), rest: rest.to_owned() };
        if !url.port().bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(wrong(&format!("invalid port {:?} after host", format!(":{}", url.port()))));
        }
        Ok(url)
    }

    /// Without its port, nor the brackets of an address.
    #[must_use]
    pub fn hostname(&self) -> &str {
        let host = self.host.rsplit_once('@').map_or(self.host.as_str(), |(_, host)| host);
        match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
            Some((address, _)) => address,
            None => host.split(':').next().unwrap_or_default(),
        }
    }

    #[must_use]
    pub fn port(&self) -> &str {
        let after = self.host.rsplit(']').next().unwrap_or_default();
        after.rsplit_once(':').map_or("", |(_, port)| port)
    }

    /// What this says, and where it is silent, what the other one does.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let first = |one: String, other: String| if one.is_empty() { other } else { one };
        Self {
            scheme: first(self.scheme, other.scheme),
            host: first(self.host, other.host),
            path: first(self.path, other.path),
            rest: first(self.rest, other.rest),
        }
    }

    #[must_use]
    pub fn text(&self) -> String {
        let scheme = if self.scheme.is_empty() { String::new() } else { format!("{}:", self.scheme) };
        let slashes = if self.host.is_empty() { "" } else { "//" };
        format!("{scheme}{slashes}{}{}{}", self.host, self.path, self.rest)
    }

    /// # Errors
    /// Why nobody can be asked there.
    pub fn as_endpoint(&self) -> Result<(), String> {
        if self.host.matches(':').count() > 2 && !(self.host.contains('[') && self.host.contains(']')) {
            return Err("IPv6 addresses MUST be enclosed by square brackets".to_owned());
        }
        if self.hostname().is_empty() {
            return Err("hostname must not be blank".to_owned());
        }
        match self.port() {
            "" => Ok(()),
            port => match port.parse::<u32>() {
                Ok(1..=65535) => Ok(()),
                Ok(_) => Err("port number must be between 1 and 65535".to_owned()),
                Err(_) => Err("port number must be numeric".to_owned()),
            },
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
}
