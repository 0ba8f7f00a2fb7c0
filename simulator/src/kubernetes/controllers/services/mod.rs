//! Services: which pods are behind them, as Endpoints and as EndpointSlices.

mod endpoints;
mod mirroring;
mod slices;

use std::sync::Arc;

use serde_json::{Value, json};

pub use self::{endpoints::Endpoints, mirroring::Mirrors, slices::EndpointSlices};
use super::{Name, Tools, fields::Fields, pods, sides};
use crate::kubernetes::store::Change;

const TRIGGERED: &str = "endpoints.kubernetes.io/last-change-trigger-time";
const HEADLESS: &str = "service.kubernetes.io/headless";

/// The services that a change concerns, of themselves, of a pod, or of an object made for them.
fn concerned(tools: &Tools, change: &Change, made: impl Fn(&Change) -> Option<String>) -> Vec<Name> {
    let named = |name: String| vec![Name { namespace: change.key.namespace.clone(), name }];
    match &*change.key.resource {
        "services" => named(change.key.name.clone()),
        "pods" => {
            let both = change.before.as_deref().zip(change.after.as_deref());
            if both.is_some_and(|(before, after)| what_matters(before) == what_matters(after)) {
                return Vec::new();
            }
            let services = tools.client.cluster().store.list(&"services".into(), Some(&change.key.namespace)).1;
            let behind = services.into_iter().filter(|(_, service)| {
                let selector = &service["spec"]["selector"];
                sides(change).any(|pod| is_selected(selector, pod))
            });
            behind.map(|(key, _)| Name { namespace: key.namespace, name: key.name }).collect()
        }
        _ => made(change).map(named).unwrap_or_default(),
    }
}

/// What of a pod decides what is behind a service.
fn what_matters(pod: &Value) -> (Vec<&Value>, bool, bool) {
    let fields = ["/metadata/labels", "/status/podIPs", "/spec/nodeName", "/metadata/deletionTimestamp"];
    (fields.map(|path| pod.at(path)).to_vec(), pods::is_ready(pod), pods::has_ended(pod))
}

fn is_selected(selector: &Value, pod: &Value) -> bool {
    let pairs = selector.as_object().filter(|pairs| !pairs.is_empty());
    pairs.is_some_and(|pairs| pairs.iter().all(|(key, value)| pod.label(key) == value.as_str()))
}

/// True for a service whose backends are found by their labels.
fn selects(service: &Value) -> bool {
    service.at("/spec/selector").as_object().is_some_and(|selector| !selector.is_empty())
        && service.text("/spec/type") != "ExternalName"
        && !service.is_going()
}

/// The pods that are behind a service, or could be.
fn backends(tools: &Tools, service: &Value) -> Vec<Arc<Value>> {
    let mut pods = tools.census.labelled(service.namespace(), &service["spec"]["selector"]);
    pods.retain(|pod| !pod.text("/status/podIP").is_empty() && !pods::has_ended(pod));
    pods
}

/// The ports of a service as they are at a pod; a port of a name that the pod doesn't have is left out.
fn ports(service: &Value, pod: &Value) -> Vec<Value> {
    let found = service.list("/spec/ports").iter().filter_map(|port| {
        let protocol = port.text("/protocol");
        let number = match port.at("/targetPort") {
            Value::String(name) => {
                let sidecars = pod.list("/spec/initContainers").iter().filter(|one| one["restartPolicy"] == "Always");
                let ports = pod.list("/spec/containers").iter().chain(sidecars).flat_map(|one| one.list("/ports"));
                let mut ports = ports.filter(|known| known["name"] == name.as_str() && known["protocol"] == protocol);
                ports.next()?["containerPort"].clone()
            }
            Value::Null => port["port"].clone(),
            number => number.clone(),
        };
        let mut found = json!({"name": port.text("/name"), "port": number, "protocol": protocol});
        if port.has("/appProtocol") {
            found["appProtocol"] = port["appProtocol"].clone();
        }
        Some(found)
    });
    found.collect()
}

fn reference(pod: &Value) -> Value {
    json!({"kind": "Pod", "namespace": pod.namespace(), "name": pod.name(), "uid": pod.uid()})
}

/// The name of a pod behind a headless service, if it has one there.
fn hostname<'p>(service: &Value, pod: &'p Value) -> Option<&'p str> {
    let hostname = pod.text("/spec/hostname");
    (!hostname.is_empty() && pod.text("/spec/subdomain") == service.name()).then_some(hostname)
}

fn is_headless(service: &Value) -> bool {
    service["spec"]["clusterIP"] == "None"
}

/// When what is behind a service changed last, as far as is known.
fn triggered(service: &Value, pods: &[Arc<Value>]) -> Value {
    let ready = pods.iter().filter_map(|pod| pod.condition("Ready"));
    let times =
        ready.map(|ready| ready.text("/lastTransitionTime")).chain([service.text("/metadata/creationTimestamp")]);
    json!(times.max().unwrap_or_default())
}
