//! Whether a cluster is well, as the node that is asked sees it: one check after the other, each until it holds.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use prost::Message;
use serde_json::Value;
use talos::api::{
    cluster::{HealthCheckProgress, HealthCheckRequest},
    machine::machine_status_event::MachineStage,
};
use tokio::time::{Instant, sleep, sleep_until};

use super::{Asked, unmodelled};
use crate::talos::{
    config::Config,
    feed::Feed,
    grpc::{Code, Messages, Status},
    node::Node,
    startup::STATIC_PODS,
};

/// How long is waited if nobody says.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

/// How often a check is made.
const EVERY: Duration = Duration::from_secs(5);

/// What a check finds: nothing, if it isn't meant here.
type Found = Result<Option<()>, String>;

/// What is looked at.
struct Patient {
    nodes: Vec<Arc<Node>>,
}

type Check = (&'static str, fn(&Patient) -> Found);

const CHECKS: &[Check] = &[
    ("etcd to be healthy", |patient| service(&patient.control_planes(), "etcd")),
    ("etcd members to be consistent across nodes", consistent),
    ("etcd members to be control plane nodes", control_planes),
    ("apid to be ready", |patient| service(&patient.nodes, "apid")),
    ("all nodes memory sizes", |patient| sizes(patient, |node| node.machine.memory > 1_700_000, "memory")),
    ("all nodes disk sizes", |patient| {
        sizes(patient, |node| node.machine.disks.iter().any(|disk| disk.size > 5 << 30), "disk")
    }),
    ("no diagnostics", |_| Ok(Some(()))),
    ("kubelet to be healthy", |patient| service(&patient.nodes, "kubelet")),
    ("all nodes to finish boot sequence", booted),
    ("all k8s nodes to report", |patient| nodes(patient, |_| true, "can't find expected node with IPs")),
    ("all control plane static pods to be running", static_pods),
    ("all control plane components to be ready", components),
    ("all k8s nodes to report ready", |patient| nodes(patient, ready, "some nodes are not ready:")),
    ("kube-proxy to report ready", |patient| pods(patient, "kube-proxy")),
    ("coredns to report ready", |patient| pods(patient, "kube-dns")),
    ("all k8s nodes to report schedulable", |patient| nodes(patient, schedulable, "some nodes are not schedulable:")),
];

impl Patient {
    fn control_planes(&self) -> Vec<Arc<Node>> {
        let runs = |node: &&Arc<Node>| node.state().config.as_ref().is_some_and(Config::is_control_plane);
        self.nodes.iter().filter(runs).cloned().collect()
    }

    /// The objects of a kind in the cluster.
    fn objects(&self, resource: &str) -> Result<Vec<Arc<Value>>, String> {
        let first = self.nodes.first().ok_or("no nodes")?;
        let refused = || {
            let endpoint = first.state().config.as_ref().map(|config| config.endpoint().to_owned());
            format!("Get \"{}/api/v1/{resource}\": connection refused", endpoint.unwrap_or_default())
        };
        let serves = self.control_planes().iter().any(|node| node.state().control_plane);
        let cluster = first.estate().cluster(first).filter(|_| serves).ok_or_else(refused)?;
        Ok(cluster.store.list(&resource.into(), None).1.into_iter().map(|(_, object)| object).collect())
    }
}

fn addresses(nodes: &[Arc<Node>]) -> Vec<String> {
    nodes.iter().map(|node| node.state().address.to_string()).collect()
}

fn service(nodes: &[Arc<Node>], name: &str) -> Found {
    for node in nodes {
        let address = node.state().address;
        let Some((events, health, state)) = node.told_of(name) else {
            return Err(format!("{address}: service {name:?} not found"));
        };
        let message = events.events.last().map(|event| event.msg.clone()).unwrap_or_default();
        if state != "Running" {
            return Err(format!(
                "{address}: service {name:?} not in expected state \"Running\": current state [{state}] {message}"
            ));
        }
        if !health.healthy {
            return Err(format!("{address}: service is not healthy: {name}"));
        }
    }
    Ok(Some(()))
}

fn consistent(patient: &Patient) -> Found {
    let members = patient.control_planes().into_iter().map(|node| {
        let ids = node.estate().ring(&node, |ring, _| ring.members.iter().map(|member| member.id).collect::<Vec<_>>());
        ids.unwrap_or_default()
    });
    let members: BTreeSet<Vec<u64>> = members.collect();
    match members.len() {
        1 => Ok(Some(())),
        _ => Err("etcd members don't match".to_owned()),
    }
}

fn control_planes(patient: &Patient) -> Found {
    let nodes = patient.control_planes();
    let known = addresses(&nodes);
    let members = nodes.first().and_then(|node| {
        node.estate()
            .ring(node, |ring, _| ring.members.iter().map(|member| member.address.to_string()).collect::<Vec<_>>())
    });
    let members = members.unwrap_or_default();
    match members.iter().all(|member| known.contains(member)) && members.len() == known.len() {
        true => Ok(Some(())),
        false => Err(format!("etcd member ips {members:?} are not subset of control plane node ips {known:?}")),
    }
}

fn sizes(patient: &Patient, enough: impl Fn(&Node) -> bool, what: &str) -> Found {
    match patient.nodes.iter().find(|node| !enough(node)) {
        Some(node) => Err(format!("{}: {what} size is less than recommended", node.state().address)),
        None => Ok(Some(())),
    }
}

fn booted(patient: &Patient) -> Found {
    let late: Vec<String> = patient
        .nodes
        .iter()
        .filter(|node| node.state().stage != MachineStage::Running)
        .map(|node| node.state().address.to_string())
        .collect();
    match late.is_empty() {
        true => Ok(Some(())),
        false => Err(format!("nodes are not running: booting: {late:?}")),
    }
}

fn nodes(patient: &Patient, is_well: fn(&Value) -> bool, wrong: &str) -> Found {
    let objects = patient.objects("nodes")?;
    let has = |object: &Value, address: &str| {
        let addresses = object["status"]["addresses"].as_array().into_iter().flatten();
        addresses.clone().any(|known| known["address"] == address)
    };
    let ill: Vec<String> = patient
        .nodes
        .iter()
        .filter(|node| {
            let address = node.state().address.to_string();
            !objects.iter().any(|object| has(object, &address) && is_well(object))
        })
        .map(|node| node.hostname())
        .collect();
    if ill.is_empty() { Ok(Some(())) } else { Err(format!("{wrong} {ill:?}")) }
}

fn condition(object: &Value, kind: &str) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.clone().any(|known| known["type"] == kind && known["status"] == "True")
}

fn ready(node: &Value) -> bool {
    condition(node, "Ready")
}

fn schedulable(node: &Value) -> bool {
    node["spec"]["unschedulable"] != true
}

fn static_pods(patient: &Patient) -> Found {
    let late: Vec<String> = patient
        .control_planes()
        .iter()
        .filter(|node| !node.state().control_plane)
        .map(|node| node.state().address.to_string())
        .collect();
    if late.is_empty() { Ok(Some(())) } else { Err(format!("missing static pods on node(s) {late:?}")) }
}

fn components(patient: &Patient) -> Found {
    let pods = patient.objects("pods")?;
    for node in patient.control_planes() {
        for component in STATIC_PODS {
            let name = format!("{component}-{}", node.hostname());
            let well = pods.iter().any(|pod| pod["metadata"]["name"] == name.as_str() && condition(pod, "Ready"));
            if !well {
                return Err(format!("can't find expected ready pod {name:?}"));
            }
        }
    }
    Ok(Some(()))
}

/// Pods that not every cluster has.
fn pods(patient: &Patient, app: &str) -> Found {
    let pods = patient.objects("pods")?;
    let own: Vec<&Arc<Value>> = pods.iter().filter(|pod| pod["metadata"]["labels"]["k8s-app"] == app).collect();
    let late: Vec<&str> =
        own.iter().filter(|pod| !condition(pod, "Ready")).filter_map(|pod| pod["metadata"]["name"].as_str()).collect();
    match (own.is_empty(), late.is_empty()) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(())),
        (false, false) => Err(format!("some pods are not ready: {late:?}")),
    }
}

pub fn answer(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    if method != "HealthCheck" {
        return Err(unmodelled(asked));
    }
    asked.of_control_planes("cluster health check")?;
    let request: HealthCheckRequest = asked.call.message()?;
    let patience = request.wait_timeout.and_then(|timeout| Duration::try_from(timeout).ok());
    let given = request.cluster_info.unwrap_or_default();
    let named: Vec<String> = [given.control_plane_nodes, given.worker_nodes].concat();
    let estate = asked.node.estate();
    let nodes = match named.is_empty() {
        true => estate.peers(asked.node),
        false => named.iter().filter_map(|name| estate.find(name)).collect(),
    };
    let progress: Arc<Feed<Option<String>>> = Arc::default();
    let patient = Patient { nodes };
    let told = progress.clone();
    let examination = async move {
        let deadline = Instant::now() + patience.filter(|patience| !patience.is_zero()).unwrap_or(PATIENCE);
        let done = tokio::select! {
            biased;
            () = examine(&patient, &told) => true,
            () = sleep_until(deadline) => false,
        };
        if !done {
            told.tell(None);
        }
        told.end();
    };
    let task = tokio::spawn(examination);
    // Whoever doesn't listen any more needs no examination.
    let task = Ends(task);
    let messages = stream::unfold((progress, 0, task), |(progress, at, task)| async move {
        let said = match progress.after(at).await? {
            Some(message) => Ok(Bytes::from(HealthCheckProgress { metadata: None, message }.encode_to_vec())),
            None => Err(Status::new(Code::DeadlineExceeded, "context deadline exceeded")),
        };
        Some((said, (progress, at + 1, task)))
    });
    Ok(messages.boxed())
}

struct Ends(tokio::task::JoinHandle<()>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn examine(patient: &Patient, progress: &Feed<Option<String>>) {
    let quoted: Vec<String> = addresses(&patient.nodes).iter().map(|address| format!("{address:?}")).collect();
    progress.tell(Some(format!("discovered nodes: [{}]", quoted.join(" "))));
    for (name, check) in CHECKS {
        progress.tell(Some(format!("waiting for {name}: ...")));
        let mut last = String::new();
        let word = loop {
            match check(patient) {
                Ok(Some(())) => break "OK",
                Ok(None) => break "SKIP",
                Err(why) if why == last => {}
                Err(why) => {
                    progress.tell(Some(format!("waiting for {name}: {why}")));
                    last = why;
                }
            }
            sleep(EVERY).await;
        };
        progress.tell(Some(format!("waiting for {name}: {word}")));
    }
}
