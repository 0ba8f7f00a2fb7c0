//! A world as it is described: plain data, of the form that `world.schema.json` says.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use crate::{
    duration::Length,
    kubernetes::{behaviour, operators},
};

/// What answers in a rehearsal.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Description {
    pub seed: Option<u64>,
    /// A moment.
    pub start: Option<String>,
    pub answers: Answers,
    pub environment: BTreeMap<String, String>,
    pub files: BTreeMap<String, String>,
    pub current: Option<String>,
    pub networks: BTreeMap<String, String>,
    pub clusters: Named<Cluster>,
    pub machines: Named<Machine>,
    pub charts: Named<Vec<Chart>>,
    pub repositories: Named<Repository>,
    pub names: Named<Name>,
    pub nameservers: Vec<IpAddr>,
    pub sites: Named<Site>,
    pub redis: Named<Redis>,
    pub ports: Named<Port>,
    pub faults: Vec<Fault>,
    /// More goes wrong than the file says.
    #[serde(skip)]
    pub bad_day: bool,
}

/// What a person would say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answers {
    pub params: Map<String, Value>,
    pub confirm: BTreeMap<String, bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cluster {
    pub context: Option<String>,
    pub server: Option<String>,
    pub bootstrapped: Option<bool>,
    pub version: Option<String>,
    pub certificate: Certificate,
    pub clock: Option<String>,
    pub network: Option<String>,
    pub nodes: Option<Nodes>,
    pub crds: Vec<String>,
    pub objects: Vec<Object>,
    pub pools: Named<Pool>,
    pub provisioners: BTreeMap<String, Length>,
    pub pods: Vec<behaviour::Rule>,
    pub operators: Vec<operators::Operator>,
    pub webhooks: Named<Webhook>,
    pub charts: Vec<String>,
    /// Flux's definitions are among its own.
    #[serde(skip)]
    pub flux: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Nodes {
    Count(usize),
    Named(Named<Node>),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Node {
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<String>,
    pub cpu: Option<String>,
    pub memory: Option<String>,
    pub address: Option<IpAddr>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Machine {
    pub address: Option<IpAddr>,
    pub network: Option<String>,
    pub disks: BTreeMap<String, String>,
    pub memory: Option<String>,
    pub version: Option<String>,
    pub cluster: Option<String>,
    pub role: Option<String>,
    pub netboot: Option<bool>,
    pub clock: Option<String>,
    pub takes: BTreeMap<String, Length>,
}

/// A pool of addresses: its ranges, or more about it.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Pool {
    Ranges(Vec<String>),
    Described(DescribedPool),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribedPool {
    pub addresses: Vec<String>,
    pub auto_assign: Option<bool>,
    pub avoid_buggy_ips: Option<bool>,
    #[serde(default)]
    pub namespaces: Vec<String>,
    pub priority: Option<u32>,
}

impl Default for Pool {
    fn default() -> Self {
        Self::Ranges(Vec::new())
    }
}

impl Pool {
    pub fn addresses(&self) -> &[String] {
        match self {
            Self::Ranges(ranges) => ranges,
            Self::Described(described) => &described.addresses,
        }
    }
}

/// An object, or the file with objects.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Object {
    File(String),
    Inline(Value),
}

/// One version of a chart.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    pub version: String,
    pub app_version: Option<String>,
    #[serde(default)]
    pub values: Map<String, Value>,
    #[serde(default)]
    pub needs: Vec<String>,
    #[serde(default)]
    pub parts: Vec<Part>,
}

/// Objects of a chart that are there at once.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Part {
    pub takes: Option<Length>,
    pub only_if: Option<String>,
    pub objects: Vec<Object>,
}

/// What can be fetched from an address: charts by their names, or manifests.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Repository {
    pub charts: Vec<String>,
    pub revisions: Vec<Revision>,
    pub login: bool,
    pub down: Vec<Period>,
}

/// Manifests as they are from some time on.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Revision {
    pub names: Vec<String>,
    pub from: Option<Length>,
    pub message: Option<String>,
    pub folders: Named<Vec<Object>>,
    pub files: BTreeMap<String, String>,
}

/// A part of the world's time.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Period {
    pub from: Option<Length>,
    pub until: Option<Length>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    pub resources: Vec<String>,
    pub operations: Vec<String>,
    pub may_fail: bool,
    pub timeout: Option<Length>,
    pub answers: Vec<Verdict>,
}

impl Webhook {
    pub fn operations(&self) -> Vec<&str> {
        match self.operations.as_slice() {
            [] => vec!["CREATE", "UPDATE"],
            own => own.iter().map(String::as_str).collect(),
        }
    }
}

/// What a webhook says of some writes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Verdict {
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub user: Option<String>,
    pub lacks: Option<String>,
    pub has: BTreeMap<String, String>,
    pub refuse: Option<String>,
    pub code: Option<u16>,
    pub patch: Vec<Value>,
    pub warn: Vec<String>,
    pub after: Option<Length>,
    pub from: Option<Length>,
    pub until: Option<Length>,
}

/// A DNS name: its addresses, or its records.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Name {
    Address(IpAddr),
    Addresses(Vec<IpAddr>),
    Records(Box<Records>),
}

impl Default for Name {
    fn default() -> Self {
        Self::Addresses(Vec::new())
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Records {
    pub address: Several<IpAddr>,
    #[serde(rename = "CNAME")]
    pub cname: Several<String>,
    #[serde(rename = "MX")]
    pub mx: Several<String>,
    #[serde(rename = "NS")]
    pub ns: Several<String>,
    #[serde(rename = "PTR")]
    pub ptr: Several<String>,
    #[serde(rename = "SRV")]
    pub srv: Several<String>,
    #[serde(rename = "TXT")]
    pub txt: Several<String>,
    pub from: Option<Length>,
    pub until: Option<Length>,
}

/// One, or a list of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Several<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Default for Several<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T> Several<T> {
    pub fn all(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    pub certificate: Certificate,
    pub answers: Vec<Answer>,
    pub from: Option<Length>,
    pub until: Option<Length>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Certificate {
    pub names: Option<Vec<String>>,
    /// A moment.
    pub expires: Option<String>,
    pub trusted: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    pub path: Option<String>,
    pub method: Option<String>,
    pub status: Option<u16>,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    pub json: Option<Value>,
    pub after: Option<Length>,
    pub slowly: Option<Length>,
    pub breaks: bool,
    pub from: Option<Length>,
    pub until: Option<Length>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    pub password: Option<String>,
    pub tls: bool,
    pub data: BTreeMap<String, String>,
    pub loading: Option<Length>,
    pub from: Option<Length>,
    pub until: Option<Length>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Port {
    pub says: String,
    pub from: Option<Length>,
    pub until: Option<Length>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub of: Option<String>,
    #[serde(default)]
    pub verb: String,
    #[serde(default)]
    pub resource: String,
    #[serde(default)]
    pub namespace: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub path: String,
    #[serde(default)]
    pub node: String,
    pub nth: Option<u64>,
    pub every: Option<u64>,
    pub times: Option<u64>,
    pub chance: Option<f64>,
    pub gives: Gives,
    pub message: Option<String>,
    pub retry_after: Option<Length>,
    pub lasts: Option<Length>,
    pub with: Option<u16>,
    pub to: Option<IpAddr>,
    pub disk: Option<String>,
    pub from: Option<Length>,
    pub until: Option<Length>,
}

impl Fault {
    /// It strikes no requests.
    pub fn is_of_a_node(&self) -> bool {
        self.is_off() || self.is_of_a_machine()
    }

    pub fn is_off(&self) -> bool {
        matches!(&self.gives, Gives::Word(word) if word == "off")
    }

    /// Only machines of their own have it.
    pub fn is_of_a_machine(&self) -> bool {
        const ILLS: [&str; 6] = ["away", "moves", "installs_forever", "wrong_image", "no_disk", "mute"];
        matches!(&self.gives, Gives::Word(word) if ILLS.contains(&word.as_str()))
    }
}

/// What a fault is: a status, or a word.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Gives {
    Status(u16),
    Word(String),
}

/// Things by their names, in the order in which they are written. What is empty is as if nothing were said of it.
#[derive(Debug, Clone)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Default + serde::de::DeserializeOwned> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let read = |(name, value): (String, Value)| match value {
            Value::Null => Ok((name, T::default())),
            value => serde_json::from_value(value).map(|value| (name, value)).map_err(D::Error::custom),
        };
        Map::deserialize(from)?.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}
