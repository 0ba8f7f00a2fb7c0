//! Configurations for the machines of a new cluster, as `talosctl gen config` writes them.

use serde_json::{Map, Value, json};

use crate::{
    configuration::{Configuration, Contract, Document, Invalid, Url, shapes::ORIGINAL},
    patch::{self, Patch},
    pem,
    secrets::{Secrets, Source},
    talosconfig::{Context, Talosconfig},
};

const KUBELET: &str = "ghcr.io/siderolabs/kubelet";
const KUBERNETES: &str = "registry.k8s.io/kube-";
const INSTALLER: &str = "ghcr.io/siderolabs/installer";

const PODS: &str = "10.244.0.0/16";
const SERVICES: &str = "10.96.0.0/12";

/// The local way to the control plane listens there.
const KUBEPRISM_PORT: u16 = 7445;

/// A node with it isn't asked by load balancers from outside.
const NOT_BALANCED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// What the cluster is to be.
#[derive(Debug, Clone)]
pub struct Plan {
    pub name: String,
    /// Where the control plane is asked, as a URL.
    pub endpoint: String,
    pub contract: Contract,
    /// The version of Talos in full, for the image of its installer.
    pub talos: String,
    /// The version of Kubernetes, without a `v`; whatever the machine takes if it is empty.
    pub kubernetes: String,
    pub additional_names: Vec<String>,
    pub dns_domain: String,
    pub install_disk: String,
    pub install_image: Option<String>,
    /// Registries, and where they are asked instead.
    pub registry_mirrors: Vec<(String, Vec<String>)>,
    pub persist: bool,
    pub discovery: bool,
    pub kubespan: bool,
    pub patches: Vec<Patch>,
    pub patches_of_control_planes: Vec<Patch>,
    pub patches_of_workers: Vec<Patch>,
    /// Where the talosconfig asks.
    pub endpoints: Vec<String>,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Generated {
    pub control_plane: String,
    pub worker: String,
    pub talosconfig: Talosconfig,
}

impl Plan {
    /// The plan that `talosctl gen config` has for a cluster of that version of Talos, such as `v1.11.5`.
    ///
    /// # Errors
    /// The version isn't known here, or the endpoint is none.
    pub fn new(name: &str, endpoint: &str, talos: &str) -> Result<Self, Invalid> {
        let contract = Contract::of(talos).map_err(|unknown| Invalid::new(unknown.to_string()))?;
        check(endpoint)?;
        Ok(Self {
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
            contract,
            talos: full(talos),
            kubernetes: contract.kubernetes().to_owned(),
            additional_names: Vec::new(),
            dns_domain: "cluster.local".to_owned(),
            install_disk: "/dev/sda".to_owned(),
            install_image: None,
            registry_mirrors: Vec::new(),
            persist: true,
            discovery: true,
            kubespan: false,
            patches: Vec::new(),
            patches_of_control_planes: Vec::new(),
            patches_of_workers: Vec::new(),
            endpoints: Vec::new(),
        })
    }

    /// # Errors
    /// A patch can't be applied, or the authority among the secrets can't sign.
    pub fn generate<S: Source>(&self, secrets: &Secrets, source: &S) -> Result<Generated, Invalid> {
        let identity = secrets.admin(source)?;
        let authority = pem::unwrap(secrets.text("certs.os.crt")).unwrap_or_default();
        let context = Context::new(self.endpoints.clone(), &authority, &identity);
        Ok(Generated {
            control_plane: self.machine(secrets, true)?,
            worker: self.machine(secrets, false)?,
            talosconfig: Talosconfig::of(&self.name, context),
        })
    }

    /// The configuration of one kind of machine.
    ///
    /// # Errors
    /// A patch can't be applied.
    pub fn machine(&self, secrets: &Secrets, control_plane: bool) -> Result<String, Invalid> {
        let original = json!({
            "version": ORIGINAL,
            "debug": false,
            "persist": self.persist,
            "machine": self.machine_part(secrets, control_plane),
            "cluster": self.cluster_part(secrets, control_plane),
        });
        let mut documents = vec![Document::new(ORIGINAL, fields(original))];
        if self.contract >= Contract::V1_12 {
            let mut mirrors = self.registry_mirrors.clone();
            mirrors.sort();
            documents.extend(mirrors.iter().map(|(registry, endpoints)| {
                let endpoints: Vec<Value> = endpoints.iter().map(|url| json!({ "url": url })).collect();
                Document::new("RegistryMirrorConfig", fields(json!({ "name": registry, "endpoints": endpoints })))
            }));
            documents.push(Document::new("HostnameConfig", fields(json!({ "auto": "stable" }))));
        }
        let text = Configuration::of(documents)?.text();
        let own = if control_plane { &self.patches_of_control_planes } else { &self.patches_of_workers };
        let all = patched(&text, &self.patches, self.contract).map_err(|why| why.about("error patching configs"))?;
        let kind = if control_plane { "control plane configs" } else { "worker config" };
        patched(&all, own, self.contract).map_err(|why| why.about(&format!("error patching {kind}")))
    }

    fn machine_part(&self, secrets: &Secrets, control_plane: bool) -> Value {
        let before_1_12 = self.contract < Contract::V1_12;
        let image = self.install_image.clone().unwrap_or_else(|| format!("{INSTALLER}:{}", self.talos));
        let mut install = json!({ "disk": self.install_disk, "image": image, "wipe": false });
        let mut features = json!({
            "diskQuotaSupport": true,
            "kubePrism": { "enabled": true, "port": KUBEPRISM_PORT },
            "hostDNS": { "enabled": true, "forwardKubeDNSToHost": true },
        });
        if before_1_12 {
            for feature in ["rbac", "stableHostname", "apidCheckExtKeyUsage"] {
                features[feature] = true.into();
            }
        } else {
            install["grubUseUKICmdline"] = true.into();
        }
        let mut machine = json!({
            "type": if control_plane { "controlplane" } else { "worker" },
            "token": secrets.text("trustdinfo.token"),
            "ca": secrets.pair("os", control_plane),
            "certSANs": self.additional_names,
            "kubelet": {
                "image": self.kubernetes_image(KUBELET),
                "defaultRuntimeSeccompProfileEnabled": true,
                "disableManifestsDirectory": true,
            },
            "network": if self.kubespan { json!({ "kubespan": { "enabled": true } }) } else { json!({}) },
            "install": install,
            "features": features,
        });
        if control_plane {
            machine["nodeLabels"] = json!({ NOT_BALANCED: "" });
        }
        if before_1_12 && !self.registry_mirrors.is_empty() {
            let mirrors = self.registry_mirrors.iter();
            let mirrors = mirrors.map(|(registry, endpoints)| (registry.clone(), json!({ "endpoints": endpoints })));
            machine["registries"] = json!({ "mirrors": mirrors.collect::<Map<_, _>>() });
        }
        machine
    }

    fn cluster_part(&self, secrets: &Secrets, control_plane: bool) -> Value {
        let mut cluster = json!({
            "id": secrets.text("cluster.id"),
            "secret": secrets.text("cluster.secret"),
            "controlPlane": { "endpoint": self.endpoint },
            "clusterName": self.name,
            "network": { "dnsDomain": self.dns_domain, "podSubnets": [PODS], "serviceSubnets": [SERVICES] },
            "token": secrets.text("secrets.bootstraptoken"),
            "ca": secrets.pair("k8s", control_plane),
            "discovery": { "enabled": self.discovery, "registries": { "kubernetes": { "disabled": true } } },
        });
        if control_plane {
            cluster["secretboxEncryptionSecret"] = secrets.text("secrets.secretboxencryptionsecret").into();
            cluster["aggregatorCA"] = secrets.pair("k8saggregator", true);
            cluster["serviceAccount"] = json!({ "key": secrets.text("certs.k8sserviceaccount.key") });
            cluster["etcd"] = json!({ "ca": secrets.pair("etcd", true) });
            cluster["apiServer"] = self.api_server();
            for (part, name) in
                [("controllerManager", "controller-manager"), ("proxy", "proxy"), ("scheduler", "scheduler")]
            {
                cluster[part] = json!({ "image": self.kubernetes_image(&format!("{KUBERNETES}{name}")) });
            }
        }
        cluster
    }

    fn api_server(&self) -> Value {
        let before_1_12 = self.contract < Contract::V1_12;
        let endpoint = Url::read(&self.endpoint).unwrap_or_default();
        let host = before_1_12.then(|| endpoint.hostname().to_owned());
        let names: Vec<String> = host.into_iter().chain(self.additional_names.iter().cloned()).collect();
        let mut server = json!({
            "image": self.kubernetes_image(&format!("{KUBERNETES}apiserver")),
            "certSANs": names,
            "admissionControl": [{
                "name": "PodSecurity",
                "configuration": {
                    "apiVersion": "pod-security.admission.config.k8s.io/v1alpha1",
                    "kind": "PodSecurityConfiguration",
                    "defaults": {
                        "enforce": "baseline", "enforce-version": "latest",
                        "audit": "restricted", "audit-version": "latest",
                        "warn": "restricted", "warn-version": "latest",
                    },
                    "exemptions": { "usernames": [], "runtimeClasses": [], "namespaces": ["kube-system"] },
                },
            }],
            "auditPolicy": { "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{ "level": "Metadata" }] },
        });
        if before_1_12 {
            server["disablePodSecurityPolicy"] = true.into();
        }
        server
    }

    fn kubernetes_image(&self, image: &str) -> String {
        match self.kubernetes.as_str() {
            "" => String::new(),
            version => format!("{image}:v{version}"),
        }
    }
}

fn patched(text: &str, patches: &[Patch], contract: Contract) -> Result<String, Invalid> {
    let text = patch::apply(text, patches, contract)?;
    // What a patch of steps makes is read again, so that it is known to be a configuration.
    Ok(Configuration::read(&text, contract)?.text())
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!("a document has fields"),
    }
}

/// `v1.11.5`, whatever was left out.
fn full(talos: &str) -> String {
    let version = talos.trim_start_matches('v');
    match version.matches('.').count() {
        1 => format!("v{version}.0"),
        _ => format!("v{version}"),
    }
}

/// Whether it is a URL with everything that one needs.
fn check(endpoint: &str) -> Result<(), Invalid> {
    let wrong = |why: &str| Invalid::new(format!("the endpoint `{endpoint}` {why}"));
    let url = Url::read(endpoint).map_err(|why| wrong(&format!("is no URL: {why}")))?;
    if url.scheme.is_empty() || url.host.is_empty() {
        return Err(wrong(&format!("is no URL; is `https://{endpoint}:6443` meant?")));
    }
    url.as_endpoint().map_err(|why| wrong(&format!("can't be asked: {why}")))
}
