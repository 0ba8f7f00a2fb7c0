//! The EndpointSlices of services.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{HEADLESS, TRIGGERED};
use crate::kubernetes::{
    answer::Refusal,
    client::Place,
    controllers::{
        Controller, Name, Tools,
        fields::{Fields, map},
        owners, pods,
    },
    store::Change,
};

pub const SERVICE: &str = "kubernetes.io/service-name";
pub const MANAGED: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGER: &str = "endpointslice-controller.k8s.io";
pub const STORED: &str = "endpointslices.discovery.k8s.io";
/// How many endpoints a slice has at most.
const FULL: usize = 100;

pub struct EndpointSlices;

impl Controller for EndpointSlices {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        super::concerned(tools, change, |change| {
            let slice =
                change.after.as_deref().or(change.before.as_deref()).filter(|_| &*change.key.resource == STORED)?;
            slice.label(SERVICE).map(str::to_owned)
        })
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            // What belonged to a service that is gone is collected as garbage.
            let Some(service) = tools.there("services", name).filter(|service| super::selects(service)) else {
                return Ok(None);
            };
            let mut there = tools.census.owned(STORED, service.uid());
            there.retain(|slice| slice.label(MANAGED) == Some(MANAGER) && !slice.is_going());
            let pods = super::backends(tools, &service);
            let wanted = wanted(tools, &service, &pods);
            let mut labels = service["metadata"]["labels"].as_object().cloned().unwrap_or_default();
            labels.insert(SERVICE.to_owned(), json!(service.name()));
            labels.insert(MANAGED.to_owned(), json!(MANAGER));
            if super::is_headless(&service) {
                labels.insert(HEADLESS.to_owned(), json!(""));
            }
            let place =
                Place { api_version: "discovery.k8s.io/v1", resource: "endpointslices", namespace: &name.namespace };
            for (ports, endpoints) in wanted {
                // A slice of the same ports is taken again.
                let known = there.iter().position(|slice| json!(slice.list("/ports")) == json!(ports));
                let known = known.map(|at| there.remove(at));
                let same = known.as_ref().is_some_and(|slice| {
                    json!(slice.list("/endpoints")) == json!(endpoints) && slice["metadata"]["labels"] == json!(labels)
                });
                if !same {
                    put(
                        tools,
                        place,
                        &service,
                        known,
                        (&labels, &super::triggered(&service, &pods)),
                        (&ports, &endpoints),
                    )
                    .await?;
                }
            }
            for slice in there {
                owners::gone_is_fine(tools.client.delete(place, slice.name(), &Value::Null).await)?;
            }
            Ok(None)
        })
    }
}

async fn put(
    tools: &Tools,
    place: Place<'_>,
    service: &Value,
    known: Option<Arc<Value>>,
    (labels, triggered): (&serde_json::Map<String, Value>, &Value),
    (ports, endpoints): (&[Value], &[Value]),
) -> Result<(), Refusal> {
    let is_there = known.is_some();
    let mut slice = known.as_deref().cloned().unwrap_or_else(|| {
        json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "generateName": format!("{}-", service.name()),
                "ownerReferences": [owners::reference(service)],
            },
            "addressType": service.list("/spec/ipFamilies").first().map_or("IPv4", |family| family.as_str().unwrap_or("IPv4")),
        })
    });
    slice["metadata"]["labels"] = json!(labels);
    map(&mut slice["metadata"], "annotations").insert(TRIGGERED.to_owned(), triggered.clone());
    slice["ports"] = if ports.is_empty() { Value::Null } else { json!(ports) };
    slice["endpoints"] = if endpoints.is_empty() { Value::Null } else { json!(endpoints) };
    match is_there {
        true => tools.client.update(place, "", &slice).await?,
        false => tools.client.create(place, &slice).await?,
    };
    Ok(())
}

/// The slices that a service should have: ports and endpoints of each. One without any, if there is nothing behind it.
fn wanted(tools: &Tools, service: &Value, pods: &[Arc<Value>]) -> Vec<(Vec<Value>, Vec<Value>)> {
    let mut by_ports: BTreeMap<String, (Vec<Value>, Vec<Value>)> = BTreeMap::new();
    for pod in pods {
        let ports = super::ports(service, pod);
        let endpoint = endpoint(tools, service, pod);
        by_ports.entry(json!(ports).to_string()).or_insert_with(|| (ports, Vec::new())).1.push(endpoint);
    }
    let slices = by_ports.into_values().flat_map(|(ports, endpoints)| {
        let chunks: Vec<_> = endpoints.chunks(FULL).map(|chunk| (ports.clone(), chunk.to_vec())).collect();
        chunks
    });
    let slices: Vec<_> = slices.collect();
    if slices.is_empty() { vec![(Vec::new(), Vec::new())] } else { slices }
}

fn endpoint(tools: &Tools, service: &Value, pod: &Value) -> Value {
    let serving = pods::is_ready(pod);
    let terminating = pod.is_going();
    let ready = service.flag("/spec/publishNotReadyAddresses") || serving && !terminating;
    let node = pod.text("/spec/nodeName");
    let mut endpoint = json!({
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
    });
    if let Some(hostname) = super::hostname(service, pod) {
        endpoint["hostname"] = json!(hostname);
    }
    endpoint["nodeName"] = json!(node);
    endpoint["targetRef"] = super::reference(pod);
    let machine = tools.there("nodes", &Name { namespace: String::new(), name: node.to_owned() });
    if let Some(zone) = machine.as_deref().and_then(|node| node.label("topology.kubernetes.io/zone")) {
        endpoint["zone"] = json!(zone);
    }
    endpoint
}
