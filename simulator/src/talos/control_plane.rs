//! The cluster that nodes make: its API server, its nodes and static pods, and what Talos puts into a new one.

use std::{sync::Arc, time::Duration};

use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};

use super::{
    config::Config,
    estate::Unmodelled,
    node::Node,
    pki::{Authority, Clients, subject},
    startup::STATIC_PODS,
};
use crate::{
    certificates::Key,
    faults::At,
    kubernetes::{
        access::identities::Identities, client::Client, cluster::Cluster, manifests, server::ApiServer, user::User,
    },
    time::Calendar,
    tls::Tls,
};

/// How often something is tried that has to be there in the end.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// An API server that knows whoever shows a certificate of its cluster's authority.
///
/// # Errors
/// If the configuration has no such authority.
pub fn server(
    (cluster, identities, faults): &(Arc<Cluster>, Identities, At),
    config: &Config,
    hosts: &[String],
    unmodelled: Unmodelled,
    calendar: Calendar,
) -> Result<ApiServer, String> {
    let authority = Authority::read(&config.kubernetes_authority().ok_or("cluster.ca is missing")?)?;
    let mut names = vec!["kube-apiserver".to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned()];
    names.extend(["kubernetes".to_owned(), "kubernetes.default.svc.cluster.local".to_owned()]);
    names.extend(config.api_server_names());
    names.extend(hosts.iter().cloned());
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&(hosts.len() as u64).to_le_bytes());
    let key = Key::ed25519(seed);
    let tls = Tls::new(faults.clone(), move |validity| {
        let mut tls = authority.server(&names, &key, calendar, (Clients::KnownOrNone, validity));
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        tls
    });
    Ok(ApiServer {
        cluster: cluster.clone(),
        tls,
        identities: identities.clone().shown_by(user),
        faults: faults.clone(),
        unmodelled,
    })
}

/// Whom a certificate is of.
fn user(certificate: &CertificateDer<'_>) -> User {
    let (name, groups) = subject(certificate);
    User::named(&name, &groups.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Puts into a new cluster what Talos does.
pub fn furnish(cluster: &Arc<Cluster>, config: &Config) {
    let mut objects = vec![coredns()];
    if config.proxies() {
        objects.push(everywhere("kube-proxy", "registry.k8s.io/kube-proxy", config.kubelet_version()));
    }
    if !config.makes_no_network() {
        objects.push(everywhere("kube-flannel", "ghcr.io/siderolabs/flannel", "v0.27.4"));
    }
    for object in objects {
        create(cluster, User::administrator(), "talos", object);
    }
}

fn everywhere(name: &str, image: &str, version: &str) -> Value {
    let labels = json!({"k8s-app": name, "tier": "node"});
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "hostNetwork": true,
                    "priorityClassName": "system-cluster-critical",
                    "tolerations": [
                        {"operator": "Exists", "effect": "NoSchedule"},
                        {"operator": "Exists", "effect": "NoExecute"},
                    ],
                    "containers": [{"name": name, "image": format!("{image}:{version}")}],
                },
            },
        },
    })
}

fn coredns() -> Value {
    let labels = json!({"k8s-app": "kube-dns"});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "coredns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "priorityClassName": "system-cluster-critical",
                    "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
                    "containers": [{"name": "coredns", "image": "registry.k8s.io/coredns/coredns:v1.12.3"}],
                },
            },
        },
    })
}

/// A kubelet makes itself known to its cluster, and with it the static pods that it runs.
pub fn join(cluster: &Arc<Cluster>, node: &Arc<Node>) {
    let (known, shown, runs_pods, config) = {
        let state = node.state();
        let known = state.joined.as_ref().is_some_and(|joined| Arc::ptr_eq(joined, cluster));
        (known, state.pods_shown, state.control_plane, state.config.clone())
    };
    let Some(config) = config else { return };
    if !known {
        node.state().joined = Some(cluster.clone());
        cluster.machines.turn_on(&node.hostname());
        create(cluster, User::administrator(), "kubelet", object(node, &config));
    }
    if runs_pods && !shown {
        node.state().pods_shown = true;
        for name in STATIC_PODS {
            create(cluster, User::administrator(), "kubelet", static_pod(node, name, &config));
        }
    }
}

fn object(node: &Node, config: &Config) -> Value {
    let name = node.hostname();
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
    });
    let mut spec = json!({});
    if config.is_control_plane() {
        labels["node-role.kubernetes.io/control-plane"] = json!("");
        if !config.schedules_on_control_planes() {
            spec = json!({"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]});
        }
    }
    for (key, value) in config.node_labels().as_object().into_iter().flatten() {
        labels[key] = value.clone();
    }
    let room = json!({"cpu": "8", "memory": format!("{}Ki", node.machine.memory), "pods": "110"});
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {
            "allocatable": room, "capacity": room,
            "addresses": [
                {"type": "InternalIP", "address": node.state().address},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": {
                "architecture": "amd64", "bootID": node.state().boot.id, "containerRuntimeVersion": "containerd://2.1.5",
                "kernelVersion": "6.12.57-talos", "kubeProxyVersion": "", "kubeletVersion": config.kubelet_version(),
                "machineID": node.uuid(0).replace('-', ""), "operatingSystem": "linux",
                "osImage": format!("Talos ({})", node.version()), "systemUUID": node.uuid(0),
            },
        },
    })
}

fn static_pod(node: &Node, name: &str, config: &Config) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("{name}-{}", node.hostname()), "namespace": "kube-system",
            "labels": {"component": name, "k8s-app": name, "tier": "control-plane"},
            "annotations": {"kubernetes.io/config.source": "file", "kubernetes.io/config.mirror": node.uuid(1)},
        },
        "spec": {
            "nodeName": node.hostname(), "hostNetwork": true, "priorityClassName": "system-cluster-critical",
            "tolerations": [{"operator": "Exists", "effect": "NoExecute"}],
            "containers": [{"name": name, "image": format!("registry.k8s.io/{name}:{}", config.kubelet_version())}],
        },
    })
}

/// Puts an object there, as soon as it can be; what is there already stays as it is, except for its status.
fn create(cluster: &Arc<Cluster>, user: User, manager: &'static str, object: Value) {
    let client = Client::new(cluster, user, manager);
    tokio::spawn(async move {
        for _ in 0..60 {
            match manifests::create(&client, &object, "default").await {
                Ok(()) => break,
                Err(manifests::Unfit::Refused(refusal)) if refusal.reason == "AlreadyExists" => break,
                Err(_) => tokio::time::sleep(AGAIN_AFTER).await,
            }
        }
        if let Some(status) = object.get("status") {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let place = crate::kubernetes::client::Place { api_version: "v1", resource: "nodes", namespace: "" };
            // A node that is gone again needs none.
            drop(client.patch(place, (name, "status"), "merge", &json!({ "status": status })).await);
        }
    });
}
