//! The containers on a node: those of its services, and those of the pods that its kubelet runs.

use std::sync::Arc;

use futures::{StreamExt as _, stream};
use serde_json::Value;
use talos::api::{
    common::ContainerDriver,
    machine::{self, ContainerInfo},
};

use super::{Asked, streams::data};
use crate::{
    kubernetes::{
        cluster::Cluster,
        store::Key,
        streams::{Written, kept},
    },
    talos::{
        grpc::{Code, Messages, Status, one},
        services::pid,
    },
};

/// Services that run in containers of their own.
const CONTAINED: [&str; 2] = ["apid", "trustd"];

const SYSTEM: &str = "system";
const PODS: &str = "k8s.io";

/// How many letters of a container's number are shown.
const SHOWN: usize = 12;

pub fn list(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: machine::ContainersRequest = asked.call.message()?;
    let containers = match (request.driver(), request.namespace.as_str()) {
        (ContainerDriver::Cri, PODS) => pods(asked)?,
        (ContainerDriver::Cri, _) => return Err(Status::plain("CRI inspector is supported only for K8s namespace")),
        (ContainerDriver::Containerd, SYSTEM) => services(asked),
        (ContainerDriver::Containerd, _) => Vec::new(),
    };
    Ok(one(&machine::ContainersResponse { messages: vec![machine::Container { metadata: None, containers }] }))
}

fn services(asked: &Asked<'_>) -> Vec<ContainerInfo> {
    let running = CONTAINED.into_iter().filter(|name| asked.node.runs(name));
    let container = |name: &str| ContainerInfo {
        namespace: SYSTEM.to_owned(),
        id: name.to_owned(),
        name: name.to_owned(),
        pod_id: name.to_owned(),
        pid: pid(name),
        status: "RUNNING".to_owned(),
        ..ContainerInfo::default()
    };
    running.map(container).collect()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

type Pods = Vec<Arc<Value>>;

/// The pods that run here, as the cluster knows them.
fn own_pods(asked: &Asked<'_>) -> Result<(Option<Arc<Cluster>>, Pods), Status> {
    if !asked.node.runs("cri") {
        let why = "connection error: desc = \"transport: Error while dialing: dial unix /run/containerd/containerd.sock: \
                   connect: no such file or directory\"";
        return Err(Status::new(Code::Unavailable, why));
    }
    let Some(cluster) = asked.node.estate().cluster(asked.node).filter(|_| asked.node.runs("kubelet")) else {
        return Ok((None, Vec::new()));
    };
    let hostname = asked.node.hostname();
    let all = cluster.store.list(&"pods".into(), None).1.into_iter().map(|(_, pod)| pod);
    let own = all.filter(|pod| text(pod, "/spec/nodeName") == hostname).collect();
    Ok((Some(cluster), own))
}

/// What a pod says of its containers: the name, the number, and whether it runs.
fn containers(pod: &Value) -> impl Iterator<Item = (&str, &str, bool)> {
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"].into_iter();
    let statuses = statuses.filter_map(|path| pod.pointer(path)?.as_array()).flatten();
    statuses.filter_map(|status| {
        let number = text(status, "/containerID").rsplit('/').next().filter(|number| !number.is_empty())?;
        Some((text(status, "/name"), number, status.pointer("/state/running").is_some()))
    })
}

fn named(pod: &Value) -> String {
    format!("{}/{}", text(pod, "/metadata/namespace"), text(pod, "/metadata/name"))
}

fn pods(asked: &Asked<'_>) -> Result<Vec<ContainerInfo>, Status> {
    let mut infos = Vec::new();
    for pod in own_pods(asked)?.1 {
        let pod_id = named(&pod);
        if containers(&pod).next().is_none() {
            continue;
        }
        infos.push(ContainerInfo {
            namespace: PODS.to_owned(),
            id: pod_id.clone(),
            name: pod_id.clone(),
            pod_id: pod_id.clone(),
            image: "registry.k8s.io/pause:3.10".to_owned(),
            pid: pid(&pod_id),
            status: "SANDBOX_READY".to_owned(),
            ..ContainerInfo::default()
        });
        let images = |name: &str| {
            let specs = ["/spec/initContainers", "/spec/containers"].into_iter();
            let mut specs = specs.filter_map(|path| pod.pointer(path)?.as_array()).flatten();
            specs.find(|spec| text(spec, "/name") == name).map(|spec| text(spec, "/image").to_owned())
        };
        infos.extend(containers(&pod).map(|(name, number, runs)| ContainerInfo {
            namespace: PODS.to_owned(),
            id: format!("{pod_id}:{name}:{}", &number[..number.len().min(SHOWN)]),
            internal_id: number.to_owned(),
            uid: text(&pod, "/metadata/uid").to_owned(),
            name: name.to_owned(),
            image: images(name).unwrap_or_default(),
            pid: if runs { pid(number) } else { 0 },
            status: if runs { "CONTAINER_RUNNING" } else { "CONTAINER_EXITED" }.to_owned(),
            pod_id: pod_id.clone(),
            ..ContainerInfo::default()
        }));
    }
    Ok(infos)
}

/// A line as it stands in the file of a container's log.
fn line(written: &Written) -> String {
    let at = written.at.strftime("%Y-%m-%dT%H:%M:%S%.9fZ");
    let stream = if written.error { "stderr" } else { "stdout" };
    format!("{at} {stream} F {}\n", written.text)
}

/// What a container of a pod has written, and what it writes from now on if somebody follows.
pub fn logs(asked: &Asked<'_>, request: &machine::LogsRequest) -> Result<Messages, Status> {
    let missing = || Status::plain(format!("container {:?} not found", request.id));
    if (request.driver(), request.namespace.as_str()) != (ContainerDriver::Cri, PODS) {
        return Err(missing());
    }
    let mut parts = request.id.splitn(3, ':');
    let (pod, name, number) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let (cluster, pods) = own_pods(asked)?;
    let found = pods.iter().find(|known| named(known) == pod).zip(cluster).zip(name).ok_or_else(missing)?;
    let ((pod, cluster), name) = found;
    let fits = |(known, own, _): (&str, &str, bool)| known == name && number.is_none_or(|number| own.contains(number));
    if !containers(pod).any(fits) {
        return Err(missing());
    }
    let key = Key {
        resource: "pods".into(),
        namespace: text(pod, "/metadata/namespace").to_owned(),
        name: text(pod, "/metadata/name").to_owned(),
    };
    let (mut written, following) = kept(&cluster, key, name).ok_or_else(missing)?;
    if let Ok(tail) = usize::try_from(request.tail_lines) {
        written.drain(..written.len().saturating_sub(tail));
    }
    let before: String = written.iter().map(line).collect();
    let before = stream::iter(data(before.as_bytes()).into_iter().map(Ok));
    if !request.follow {
        return Ok(before.boxed());
    }
    let from_now_on = stream::unfold(following, |mut following| async move {
        let text: String = following.lines().await?.iter().map(line).collect();
        Some((stream::iter(data(text.as_bytes()).into_iter().map(Ok)), following))
    });
    Ok(before.chain(from_now_on.flatten()).boxed())
}
