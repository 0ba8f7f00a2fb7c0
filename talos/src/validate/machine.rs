//! The machine: its kind, its authorities, disks, features.

use serde_json::{Map, Value};

use super::{Findings, Mode, cluster, entries, items, labels, network, number, on, text, texts};
use crate::configuration::Url;

/// What the kubelet must be told by Talos alone.
const OF_TALOS: [&str; 13] = [
    "apiVersion",
    "authentication",
    "authorization",
    "cgroupRoot",
    "kind",
    "kubeletCgroups",
    "port",
    "protectKernelDefaults",
    "resolvConf",
    "rotateCertificates",
    "systemCgroups",
    "staticPodPath",
    "seccompDefault",
];

const ROLES: [&str; 5] = ["os:admin", "os:operator", "os:reader", "os:etcd:backup", "os:impersonator"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    ControlPlane,
    Worker,
    Unknown,
}

pub fn check(original: &Map<String, Value>, mode: Mode, found: &mut Findings) {
    let Some(machine) = original.get("machine").filter(|machine| machine.is_object()) else {
        return found.error("machine instructions are required");
    };
    let cluster = original.get("cluster").unwrap_or(&Value::Null);
    let said = text(&machine["type"]);
    let (kind, name) = match said {
        "init" | "controlplane" => (Kind::ControlPlane, said),
        "worker" | "join" | "" => (Kind::Worker, "worker"),
        _ => (Kind::Unknown, said),
    };
    cluster::check(cluster, kind == Kind::ControlPlane, found);
    if mode == Mode::Metal {
        install(&machine["install"], found);
    }
    if mode == Mode::Container {
        names(&machine["features"]["hostDNS"], found);
    }
    if kind != Kind::Unknown && name != said {
        found.warnings.push(format!("use {name:?} instead of {said:?} for machine type"));
    }
    authorities(machine, cluster, kind, found);
    network::check(&machine["network"], found);
    disks(&machine["disks"], found);
    kubelet(&machine["kubelet"], found);
    for (part, label) in [("ephemeral", "EPHEMERAL"), ("state", "STATE")] {
        encryption(&machine["systemDiskEncryption"][part], label, found);
    }
    network::kubespan(&machine["network"]["kubespan"], cluster, found);
    for destination in items(&machine["logging"]["destinations"]) {
        logging(destination, found);
    }
    extensions(&machine["install"]["extensions"], found);
    labels::check(&machine["nodeLabels"], found);
    labels::check_annotations(&machine["nodeAnnotations"], found);
    labels::check_taints(&machine["nodeTaints"], found);
    features(&machine["features"], kind, found);
    if original.get("persist") == Some(&Value::Bool(false)) {
        found.error(".persist should be enabled");
    }
    for (part, place) in [("config", "config"), ("mirrors", "mirrors")] {
        for (name, _) in entries(&machine["registries"][part]).filter(|(_, value)| value.is_null()) {
            found.error(format!("registries.{place}[{name:?}] is null"));
        }
    }
}

fn install(install: &Value, found: &mut Findings) {
    if install.is_null() {
        return found.error("install instructions are required in \"metal\" mode");
    }
    let selector = &install["diskSelector"];
    let wrong = match (text(&selector["name"]), text(&selector["type"])) {
        ("", "" | "nvme" | "sd" | "hdd" | "ssd") => None,
        ("", other) => Some(format!("unsupported disk type {other:?}")),
        _ => Some("selector on name is not supported".to_owned()),
    };
    if let Some(wrong) = &wrong {
        found.error(format!("install disk selector is invalid: {wrong}"));
    }
    if text(&install["disk"]).is_empty() && (selector.is_null() || wrong.is_some()) {
        found.error("either install disk or diskSelector should be defined");
    }
}

fn names(host_dns: &Value, found: &mut Findings) {
    if !on(&host_dns["enabled"]) {
        found.error("feature HostDNS should be enabled in container mode (.machine.features.hostDNS.enabled)");
    }
    if !on(&host_dns["forwardKubeDNSToHost"]) {
        found.error(
            "feature HostDNS should forward kube-dns to host in container mode \
             (.machine.features.hostDNS.forwardKubeDNSToHost)",
        );
    }
}

fn authorities(machine: &Value, cluster: &Value, kind: Kind, found: &mut Findings) {
    let (own, accepted) = (&machine["ca"], items(&machine["acceptedCAs"]));
    if own.is_null() && accepted.is_empty() {
        found.error("issuing CA or some accepted CAs are required (.machine.ca, machine.acceptedCAs)");
    }
    match kind {
        Kind::ControlPlane => {
            cluster::check_cni(&cluster["network"]["cni"], found);
            if own.is_null() {
                found.error("issuing CA is required (.machine.ca)");
            } else if text(&own["key"]).is_empty() {
                found.error("issuing CA key is required for controlplane nodes (.machine.ca.key)");
            }
        }
        Kind::Worker => {
            for device in items(&machine["network"]["interfaces"]) {
                for holder in std::iter::once(device).chain(items(&device["vlans"])) {
                    if !holder["vip"].is_null() {
                        found.error("virtual (shared) IP is not allowed on non-controlplane nodes");
                    }
                }
            }
            if !own.is_null() {
                if !text(&own["key"]).is_empty() {
                    found.error("issuing Talos API CA key is not allowed on non-controlplane nodes (.machine.ca)");
                }
                if text(&own["crt"]).is_empty() && accepted.is_empty() {
                    found.error(
                        "trusted CA certificates are required on non-controlplane nodes \
                         (.machine.ca.crt, .machine.acceptedCAs)",
                    );
                }
            }
            if !text(&cluster["ca"]["key"]).is_empty() {
                found.error("issuing Kubernetes API CA key is not allowed on non-controlplane nodes (.cluster.ca)");
            }
        }
        Kind::Unknown => found.error(format!("unknown machine type {:?}", text(&machine["type"]))),
    }
}

fn disks(disks: &Value, found: &mut Findings) {
    for (index, disk) in items(disks).iter().enumerate() {
        if disk.is_null() {
            found.error(format!("machine.disks[{index}] is null"));
            continue;
        }
        let partitions = items(&disk["partitions"]);
        let (_, inner) = partitions.split_last().unwrap_or((&Value::Null, &[]));
        for _ in inner.iter().filter(|partition| partition["size"].is_null()) {
            let device = text(&disk["device"]);
            found.error(format!(
                "partition for disk {device:?} is set to occupy full disk, but it's not the last partition in the list"
            ));
        }
    }
}

fn kubelet(kubelet: &Value, found: &mut Findings) {
    network::subnets(&kubelet["nodeIP"]["validSubnets"], "kubelet nodeIP subnet", found);
    for field in OF_TALOS.iter().filter(|field| kubelet["extraConfig"].get(field).is_some()) {
        found.error(format!("kubelet configuration field {field:?} can't be overridden"));
    }
}

fn encryption(encryption: &Value, label: &str, found: &mut Findings) {
    if encryption.is_null() {
        return;
    }
    let keys = items(&encryption["keys"]);
    if keys.is_empty() {
        found.error(format!("partition {label:?}: no encryption keys provided"));
    }
    for (index, key) in keys.iter().enumerate() {
        let slot = number(&key["slot"]);
        if keys[..index].iter().any(|other| number(&other["slot"]) == slot) {
            found.error(format!("partition {label:?}: encryption key slot {slot} is already in use"));
        }
        if ["nodeID", "static", "kms", "tpm"].iter().all(|kind| key[kind].is_null()) {
            found.error(format!(
                "partition {label:?}: encryption key at slot {slot} doesn't have the configuration parameters"
            ));
        }
    }
}

fn logging(destination: &Value, found: &mut Findings) {
    match destination["endpoint"].as_str().map(Url::read) {
        Some(Ok(url)) => {
            if url.host.is_empty() {
                found.error("empty logging endpoint's host");
            }
            if url.scheme != "tcp" && url.scheme != "udp" {
                found.error(format!("unexpected logging endpoint scheme {:?}", url.scheme));
            }
        }
        _ => found.error("empty logging endpoint"),
    }
    let format = text(&destination["format"]);
    if format != "json_lines" {
        found.error(format!("unknown logging format {format:?}"));
    }
}

fn extensions(extensions: &Value, found: &mut Findings) {
    let images: Vec<&str> = items(extensions).iter().map(|extension| text(&extension["image"])).collect();
    for (index, image) in images.iter().enumerate() {
        if images[..index].contains(image) {
            found.error(format!("duplicate system extension {image:?}"));
        }
    }
    if !images.is_empty() {
        found.warnings.push(
            ".machine.install.extensions is deprecated, please see \
             https://www.talos.dev/latest/talos-guides/install/boot-assets/"
                .to_owned(),
        );
    }
}

fn features(features: &Value, kind: Kind, found: &mut Findings) {
    let access = &features["kubernetesTalosAPIAccess"];
    if on(&access["enabled"]) {
        if features["rbac"] == Value::Bool(false) {
            found.error("feature API RBAC should be enabled when Kubernetes Talos API Access feature is enabled");
        }
        if kind != Kind::ControlPlane {
            found.error("feature Kubernetes Talos API Access can only be enabled on control plane machines");
        }
        for role in texts(&access["allowedRoles"]).filter(|role| !ROLES.contains(role)) {
            found.error(format!("invalid role {role:?} in allowed roles for Kubernetes Talos API Access"));
        }
    }
    let algorithm = text(&features["nodeAddressSortAlgorithm"]);
    if !["", "v1", "v2"].contains(&algorithm.to_lowercase().as_str()) {
        found.error(format!(
            "invalid node address sort algorithm: {algorithm} does not belong to AddressSortAlgorithm values"
        ));
    }
}
