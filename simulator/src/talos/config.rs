//! A machine configuration: what a node reads in it, and what it has against it.

use std::{ops::Deref, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use talos::{
    configuration::{Configuration, Contract, Document},
    validate::{Mode, validate},
};

use super::grpc::{Code, Status};

/// A configuration, for as many as look at it.
#[derive(Debug, Clone)]
pub struct Config(Arc<Given>);

/// A configuration as it was given, and as it was read.
#[derive(Debug)]
pub struct Given {
    pub text: String,
    /// The document with `machine` and `cluster`.
    main: Value,
    /// The other documents.
    others: Vec<Value>,
    whole: Configuration,
}

impl Deref for Config {
    type Target = Given;

    fn deref(&self) -> &Given {
        &self.0
    }
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// What configurations of a version may have; later ones read what was written for 1.12.
pub fn contract(minor: u32) -> Contract {
    Contract::of(&format!("v1.{}", minor.clamp(8, 12))).expect("these are known")
}

/// A certificate and its key, as PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Config {
    /// Reads a configuration as a node of that minor version does.
    ///
    /// # Errors
    /// If it can't be read, or has no main document.
    pub fn read(bytes: &[u8], minor: u32) -> Result<Self, Status> {
        let wrong = |why: String| Status::new(Code::InvalidArgument, why);
        let text = String::from_utf8(bytes.to_vec()).map_err(|error| wrong(error.to_string()))?;
        let whole = Configuration::read(&text, contract(minor)).map_err(|invalid| wrong(invalid.to_string()))?;
        let main = whole.original().map(Document::value).ok_or_else(|| {
            wrong(
                "the applied machine configuration doesn't contain v1alpha1 config, did you mean to patch the machine \
                 config instead?"
                    .to_owned(),
            )
        })?;
        let others = whole.documents().iter().filter(|document| !document.is_original()).map(Document::value).collect();
        Ok(Self(Arc::new(Given { text, main, others, whole })))
    }

    /// Everything that is wrong with it on a machine with its own disks, and what is only warned of.
    ///
    /// # Errors
    /// All of it, in the words of a node.
    pub fn check(&self) -> Result<Vec<String>, String> {
        let findings = validate(&self.whole, Mode::Metal, false);
        if findings.errors.is_empty() { Ok(findings.warnings) } else { Err(findings.text()) }
    }

    fn at(&self, pointer: &str) -> &Value {
        const NONE: &Value = &Value::Null;
        self.main.pointer(pointer).unwrap_or(NONE)
    }

    fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    fn texts(&self, pointer: &str) -> Vec<String> {
        let all = self.at(pointer).as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn pair(&self, pointer: &str) -> Option<Pair> {
        let part = |name: &str| {
            let bytes = STANDARD.decode(self.text(&format!("{pointer}/{name}"))).ok()?;
            String::from_utf8(bytes).ok()
        };
        Some(Pair { certificate: part("crt").filter(|text| !text.is_empty())?, key: part("key").unwrap_or_default() })
    }

    pub fn is_control_plane(&self) -> bool {
        matches!(self.text("/machine/type"), "controlplane" | "init")
    }

    pub fn machine_type(&self) -> &'static str {
        if self.is_control_plane() { "controlplane" } else { "worker" }
    }

    /// Who vouches for the API of the nodes.
    pub fn system_authority(&self) -> Option<Pair> {
        self.pair("/machine/ca")
    }

    pub fn kubernetes_authority(&self) -> Option<Pair> {
        self.pair("/cluster/ca")
    }

    /// Other names by which the node is called.
    pub fn names(&self) -> Vec<String> {
        self.texts("/machine/certSANs")
    }

    /// Other names by which the API server is called.
    pub fn api_server_names(&self) -> Vec<String> {
        self.texts("/cluster/apiServer/certSANs")
    }

    pub fn hostname(&self) -> Option<String> {
        let other = self.others.iter().find(|document| document["kind"] == "HostnameConfig");
        let other = other.and_then(|document| document["hostname"].as_str());
        other.or_else(|| self.at("/machine/network/hostname").as_str()).map(str::to_owned)
    }

    pub fn cluster_name(&self) -> &str {
        self.text("/cluster/clusterName")
    }

    /// What nodes of one cluster have in common, by which they find each other.
    pub fn cluster_id(&self) -> &str {
        self.text("/cluster/id")
    }

    pub fn endpoint(&self) -> &str {
        self.text("/cluster/controlPlane/endpoint")
    }

    /// The host and the port of the endpoint.
    pub fn endpoint_address(&self) -> Option<(String, u16)> {
        let address = self.endpoint().strip_prefix("https://")?.trim_end_matches('/');
        match address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?))) {
            Some((host, port)) => Some((host.trim_matches(['[', ']']).to_owned(), port)),
            None => Some((address.to_owned(), 443)),
        }
    }

    /// Addresses that one of the control plane nodes has at a time.
    pub fn shared_addresses(&self) -> Vec<String> {
        let interfaces = self.at("/machine/network/interfaces").as_array().into_iter().flatten();
        interfaces.filter_map(|interface| interface.pointer("/vip/ip")?.as_str().map(str::to_owned)).collect()
    }

    pub fn install_disk(&self) -> &str {
        self.text("/machine/install/disk")
    }

    pub fn install_image(&self) -> &str {
        self.text("/machine/install/image")
    }

    /// The version of Kubernetes that its kubelet has.
    pub fn kubelet_version(&self) -> &str {
        self.text("/machine/kubelet/image").rsplit_once(':').map_or("v1.34.1", |(_, tag)| tag)
    }

    pub fn makes_no_network(&self) -> bool {
        self.text("/cluster/network/cni/name") == "none"
    }

    pub fn proxies(&self) -> bool {
        self.at("/cluster/proxy/disabled") != &json!(true)
    }

    pub fn node_labels(&self) -> Value {
        self.at("/machine/nodeLabels").clone()
    }

    pub fn schedules_on_control_planes(&self) -> bool {
        self.at("/cluster/allowSchedulingOnControlPlanes") == &json!(true)
    }

    /// True if a node can take this in place of another one without a restart.
    pub fn follows_without_restart(&self, before: &Self) -> bool {
        const AT_ONCE: [&str; 14] = [
            "ca",
            "acceptedCAs",
            "time",
            "certSANs",
            "install",
            "network",
            "sysfs",
            "sysctls",
            "logging",
            "controlPlane",
            "kubelet",
            "kernel",
            "registries",
            "pods",
        ];
        const AT_ONCE_TOO: [&str; 4] = ["seccompProfiles", "nodeAnnotations", "nodeLabels", "nodeTaints"];
        const FEATURES: [&str; 5] =
            ["kubernetesTalosAPIAccess", "kubePrism", "hostDNS", "imageCache", "nodeAddressSortAlgorithm"];
        let rest = |config: &Self| {
            let mut rest = config.main.clone();
            let fields = rest.as_object_mut().expect("it was read as an object");
            fields.remove("debug");
            fields.remove("cluster");
            if let Some(machine) = rest["machine"].as_object_mut() {
                AT_ONCE.iter().chain(&AT_ONCE_TOO).for_each(|name| drop(machine.remove(*name)));
                if let Some(features) = machine.get_mut("features").and_then(Value::as_object_mut) {
                    FEATURES.iter().for_each(|name| drop(features.remove(*name)));
                }
            }
            rest
        };
        rest(self) == rest(before)
    }

    /// What differs from another one, as nodes show it.
    pub fn difference(&self, before: &str) -> String {
        if before == self.text {
            return "No changes.".to_owned();
        }
        let lines = similar::TextDiff::from_lines(before, &self.text);
        lines.unified_diff().context_radius(3).header("a", "b").to_string()
    }
}
