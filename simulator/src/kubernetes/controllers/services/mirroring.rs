//! Endpoints that somebody wrote by hand are found as EndpointSlices, too.

use std::{collections::BTreeMap, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::slices::{MANAGED, SERVICE, STORED};
use crate::kubernetes::{
    answer::Refusal,
    client::Place,
    controllers::{
        Controller, Name, Tools,
        fields::{Fields, take},
        owners,
    },
    store::Change,
};

const MIRROR: &str = "endpointslicemirroring-controller.k8s.io";
const NOT_MIRRORED: &str = "endpointslice.kubernetes.io/skip-mirror";
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";

pub struct Mirrors;

impl Controller for Mirrors {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            "services" | "endpoints" => vec![Name::changed(change)],
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(endpoints) = tools.there("endpoints", name) else { return Ok(None) };
            let is_written_by_hand = |service: &Value| !service.has("/spec/selector") && !service.is_going();
            let mirrored = endpoints.label(NOT_MIRRORED) != Some("true")
                && endpoints.annotation(LEADER).is_none()
                && tools.there("services", name).is_some_and(|service| is_written_by_hand(&service));
            let mut there = tools.census.owned(STORED, endpoints.uid());
            there.retain(|slice| slice.label(MANAGED) == Some(MIRROR) && !slice.is_going());
            let wanted = if mirrored { wanted(&endpoints) } else { Vec::new() };
            let place =
                Place { api_version: "discovery.k8s.io/v1", resource: "endpointslices", namespace: &name.namespace };
            for slice in wanted {
                let alike =
                    |known: &Value| known["addressType"] == slice["addressType"] && known["ports"] == slice["ports"];
                let Some(known) = there.iter().position(|known| alike(known)) else {
                    tools.client.create(place, &slice).await?;
                    continue;
                };
                let known = there.remove(known);
                let is_same = known["endpoints"] == slice["endpoints"]
                    && known.at("/metadata/labels") == slice.at("/metadata/labels")
                    && known.at("/metadata/annotations") == slice.at("/metadata/annotations");
                if !is_same {
                    let mut changed = (*known).clone();
                    take(&mut changed["metadata"], "generateName");
                    changed["endpoints"] = slice["endpoints"].clone();
                    for field in ["labels", "annotations"] {
                        changed["metadata"][field] = slice["metadata"].get(field).cloned().unwrap_or_default();
                    }
                    tools.client.update(place, "", &changed).await?;
                }
            }
            for slice in there {
                owners::gone_is_fine(tools.client.delete(place, slice.name(), &Value::Null).await)?;
            }
            Ok(None)
        })
    }
}

/// The slices that show what Endpoints say: one for each set of ports and family of addresses.
fn wanted(endpoints: &Value) -> Vec<Value> {
    let mut labels = endpoints.at("/metadata/labels").as_object().cloned().unwrap_or_default();
    labels.insert(SERVICE.to_owned(), json!(endpoints.name()));
    labels.insert(MANAGED.to_owned(), json!(MIRROR));
    let mut by_ports: BTreeMap<String, (Value, &str, Vec<Value>)> = BTreeMap::new();
    for subset in endpoints.list("/subsets") {
        for (field, ready) in [("/notReadyAddresses", false), ("/addresses", true)] {
            for address in subset.list(field) {
                let family = if address.text("/ip").contains(':') { "IPv6" } else { "IPv4" };
                let ports = ports(subset);
                let key = format!("{family} {ports}");
                by_ports.entry(key).or_insert_with(|| (ports, family, Vec::new())).2.push(endpoint(address, ready));
            }
        }
    }
    let slice = |(ports, family, endpoints_there): (Value, &str, Vec<Value>)| {
        let mut slice = json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "generateName": format!("{}-", endpoints.name()),
                "labels": labels,
                "ownerReferences": [owners::reference(endpoints)],
            },
            "addressType": family,
            "endpoints": endpoints_there,
            "ports": ports,
        });
        if endpoints.has("/metadata/annotations") {
            slice["metadata"]["annotations"] = endpoints["metadata"]["annotations"].clone();
        }
        slice
    };
    by_ports.into_values().map(slice).collect()
}

fn ports(subset: &Value) -> Value {
    let port = |port: &Value| {
        let mut told = json!({"name": port.text("/name"), "port": port["port"], "protocol": port["protocol"]});
        if port.has("/appProtocol") {
            told["appProtocol"] = port["appProtocol"].clone();
        }
        told
    };
    subset.list("/ports").iter().map(port).collect()
}

fn endpoint(address: &Value, ready: bool) -> Value {
    let mut endpoint = json!({"addresses": [address["ip"]], "conditions": {"ready": ready}});
    for field in ["hostname", "nodeName", "targetRef"] {
        if address.get(field).is_some() {
            endpoint[field] = address[field].clone();
        }
    }
    endpoint
}
