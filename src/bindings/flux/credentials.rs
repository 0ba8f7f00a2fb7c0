//! What a source logs in to its Git server with, as the Secret that Flux reads.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use url::Url;

use crate::{
    host::secrets::Secret,
    kubernetes::{
        client::Cluster,
        object::{entries, text},
    },
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
    ssh::{
        known,
        public::{PORT, Public},
    },
    wire::authority::Authority,
};

/// The keys of such a Secret.
pub const IDENTITY: &str = "identity";
pub const IDENTITY_PUB: &str = "identity.pub";
pub const KNOWN_HOSTS: &str = "known_hosts";
pub const USERNAME: &str = "username";
pub const PASSWORD: &str = "password";
pub const BEARER_TOKEN: &str = "bearerToken";
pub const CA: &str = "ca.crt";

/// Where a Git server is, and what is spoken there.
pub enum Server {
    Ssh(Authority),
    Http,
}

impl Server {
    /// # Errors
    /// `usage`, if Flux takes no such address.
    pub fn of(url: &str) -> Result<Self, Fault> {
        let wrong = |why: &str| {
            let fault = Fault::new(Kind::Usage, format!("`{url}` {why}"));
            fault.hint("such as `ssh://git@git.example.org/team/fleet` or `https://git.example.org/team/fleet`")
        };
        let read = Url::parse(url).map_err(|error| wrong(&format!("is no address of a repository: {error}")))?;
        let host = read.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("names no server"))?;
        match read.scheme() {
            "ssh" => Ok(Self::Ssh(Authority::new(host, read.port().unwrap_or(PORT)))),
            "http" | "https" => Ok(Self::Http),
            _ => Err(wrong("is an address that Flux does not fetch from")),
        }
    }
}

/// How the key of a server comes to be known.
pub enum Host {
    /// As somebody says.
    Given(String),
    /// It is asked, and has to have this fingerprint, if there is one.
    Asked(Option<String>),
}

impl Host {
    /// The lines of `known_hosts`.
    ///
    /// # Errors
    /// `unreachable`, or `refused` if the server has another key.
    pub async fn lines(self, cluster: &Cluster, server: &Authority, within: Duration) -> Result<String, Fault> {
        let wanted = match self {
            Self::Given(lines) => return Ok(lines),
            Self::Asked(wanted) => wanted,
        };
        let key = known::host_key(cluster.host(), server, within).await.map_err(|why| {
            Fault::new(Kind::Unreachable, why).hint("where it can't be asked from here, give the option `known_hosts`")
        })?;
        held_against(&key, server, wanted.as_deref())?;
        Ok(key.of_host(server))
    }
}

fn held_against(key: &Public, server: &Authority, wanted: Option<&str>) -> Result<(), Fault> {
    match wanted {
        Some(wanted) if wanted != key.fingerprint() => {
            let message = format!("`{server}` has the key {}, not {wanted}", key.fingerprint());
            Err(Fault::new(Kind::Refused, message).hint("somebody may stand between, or the server has a new key"))
        }
        _ => Ok(()),
    }
}

/// What stands in a Secret already, as far as it is text.
pub async fn present(cluster: &Cluster, namespace: &str, name: &str) -> Result<BTreeMap<String, Secret>, Fault> {
    let found = cluster.find(&cluster.resolve("secrets").await?, namespace, name).await?.unwrap_or_default();
    let decoded = entries(&found, &["data"]).filter_map(|(key, _)| {
        let value = STANDARD.decode(text(&found, &["data", key])?).ok()?;
        Some((key.to_string(), Secret::new(reference(namespace, name, key), String::from_utf8(value).ok()?)))
    });
    Ok(decoded.collect())
}

/// How a value of a Secret is called where it must not be shown.
pub fn reference(namespace: &str, name: &str, key: &str) -> String {
    format!("secret:{namespace}/{name}/{key}")
}

/// The Secret of these values.
pub fn manifest(namespace: &str, name: &str, values: &BTreeMap<&str, Secret>) -> Tree {
    let data: BTreeMap<&str, String> =
        values.iter().map(|(key, value)| (*key, STANDARD.encode(value.expose()))).collect();
    Tree::from_json(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "namespace": namespace },
        "data": data,
    }))
}
