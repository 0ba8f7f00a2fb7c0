//! The file by which `talosctl` finds its nodes and says who it is: contexts, one of them the current one.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{pem, secrets::Pair, yaml};

/// The port of a node's API, where none is named.
pub const PORT: u16 = 50_000;

/// A talosconfig as it stands in its file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Talosconfig {
    #[serde(default)]
    pub context: String,
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

/// How the nodes of one cluster are reached.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Context {
    #[serde(default)]
    pub endpoints: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// An endpoint as old files have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// What else stands there, and isn't lost when it is written again.
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// A context that got another name, for its own was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    pub from: String,
    pub to: String,
}

/// The key is not for anybody's eyes.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("endpoints", &self.endpoints)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

/// A certificate and its key, in PEM.
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

/// Whom to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub host: String,
    pub port: u16,
}

/// Why a talosconfig can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("it is no talosconfig: {0}")]
    Malformed(String),
    #[error("there is no context in it")]
    Empty,
    #[error("it has no current context")]
    NoCurrent,
    #[error("it has no context `{name}`, only {}", shown(there))]
    NoContext { name: String, there: Vec<String> },
    #[error("its `{part}` is not base64 of PEM")]
    Part { part: &'static str },
    #[error("it has a `{there}` and no `{missing}`")]
    Half { there: &'static str, missing: &'static str },
    #[error("its endpoint `{0}` is neither a host, nor a host with a port, nor a URL")]
    Endpoint(String),
}

fn shown(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Reads the text of a talosconfig.
///
/// # Errors
/// Where it is malformed.
pub fn read(text: &str) -> Result<Talosconfig, Unusable> {
    if text.trim().is_empty() {
        return Ok(Talosconfig::default());
    }
    serde_saphyr::from_str(text).map_err(|error| Unusable::Malformed(error.to_string()))
}

impl Talosconfig {
    /// The context of that name, or the current one.
    ///
    /// # Errors
    /// If there is none.
    pub fn chosen(&self, name: Option<&str>) -> Result<(&str, &Context), Unusable> {
        if self.contexts.is_empty() {
            return Err(Unusable::Empty);
        }
        let name = match name {
            Some(name) => name,
            None if self.context.is_empty() => return Err(Unusable::NoCurrent),
            None => &self.context,
        };
        self.contexts.get_key_value(name).map(|(name, context)| (name.as_str(), context)).ok_or_else(|| {
            Unusable::NoContext { name: name.to_owned(), there: self.contexts.keys().cloned().collect() }
        })
    }
}

impl Talosconfig {
    /// One with a single context, the current one.
    #[must_use]
    pub fn of(name: &str, context: Context) -> Self {
        Self { context: name.to_owned(), contexts: BTreeMap::from([(name.to_owned(), context)]) }
    }

    /// Takes over the contexts of another one. Nothing is lost: where a name is taken, the new context is called `name-1`, and so on.
    /// The current context becomes the other one's.
    pub fn merge(&mut self, other: &Self) -> Vec<Renamed> {
        let mut renamed = Vec::new();
        for (from, context) in &other.contexts {
            let mut names = std::iter::once(from.clone()).chain((1_u64..).map(|number| format!("{from}-{number}")));
            let to = names.find(|name| !self.contexts.contains_key(name)).expect("numbers don't end");
            self.contexts.insert(to.clone(), context.clone());
            if other.context == *from {
                self.context.clone_from(&to);
            }
            if to != *from {
                renamed.push(Renamed { from: from.clone(), to });
            }
        }
        renamed
    }

    /// As its file has it.
    ///
    /// # Panics
    /// Never: it is made of what YAML can say.
    #[must_use]
    pub fn text(&self) -> String {
        yaml::write(&[serde_json::to_value(self).expect("it is made of texts")])
    }
}

impl Context {
    /// Endpoints, whom they are to be, and who we are, each in PEM.
    #[must_use]
    pub fn new(endpoints: Vec<String>, authority: &str, identity: &Pair) -> Self {
        let part = |text: &str| Some(pem::wrap(text));
        let (ca, crt, key) = (part(authority), part(&identity.certificate), part(&identity.key));
        Self { endpoints, ca, crt, key, ..Self::default() }
    }

    /// Where its endpoints are, in their order.
    ///
    /// # Errors
    /// The first that can't be read.
    pub fn endpoints(&self) -> Result<Vec<Endpoint>, Unusable> {
        self.endpoints.iter().chain(&self.target).map(|text| endpoint(text)).collect()
    }

    /// Who vouches for its nodes, in PEM; nobody of its own if it says nothing.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn authority(&self) -> Result<Option<String>, Unusable> {
        pem(self.ca.as_deref(), "ca")
    }

    /// Who we are to its nodes, if it says so.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn identity(&self) -> Result<Option<Identity>, Unusable> {
        match (pem(self.crt.as_deref(), "crt")?, pem(self.key.as_deref(), "key")?) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(Identity { certificate, key: plain_key(&key) })),
            (Some(_), None) => Err(Unusable::Half { there: "crt", missing: "key" }),
            (None, Some(_)) => Err(Unusable::Half { there: "key", missing: "crt" }),
        }
    }
}

fn pem(text: Option<&str>, part: &'static str) -> Result<Option<String>, Unusable> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let bytes = STANDARD.decode(text.trim()).ok();
    let read = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|pem| pem.contains("-----BEGIN"));
    read.map(Some).ok_or(Unusable::Part { part })
}

/// Talos calls a key of Ed25519 by a label of its own; others look for the usual one.
fn plain_key(pem: &str) -> String {
    pem.replace(" ED25519 PRIVATE KEY-----", " PRIVATE KEY-----")
}

/// Reads `host`, `host:port`, `[address]:port`, an address, or a URL.
///
/// # Errors
/// If it is none of them.
pub fn endpoint(text: &str) -> Result<Endpoint, Unusable> {
    let unreadable = || Unusable::Endpoint(text.to_owned());
    let (rest, default) = match text.split_once("://") {
        Some(("https", rest)) => (rest.split('/').next().unwrap_or_default(), 443),
        Some((_, rest)) => (rest.split('/').next().unwrap_or_default(), PORT),
        None => (text, PORT),
    };
    let (host, port) = match rest.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']').ok_or_else(unreadable)?;
            (host, after.strip_prefix(':'))
        }
        None if rest.matches(':').count() > 1 => (rest, None),
        None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Ok(default), str::parse).map_err(|_| unreadable())?;
    match host.is_empty() || host.contains(char::is_whitespace) {
        true => Err(unreadable()),
        false => Ok(Endpoint { host: host.to_owned(), port }),
    }
}
