//! The Endpoints of services.

use std::{collections::BTreeMap, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{HEADLESS, TRIGGERED};
use crate::kubernetes::{
    answer::Refusal,
    client::Place,
    controllers::{
        Controller, Name, Tools,
        fields::{Fields, map, take},
        owners, pods,
    },
    store::Change,
};

const MANAGED: &str = "endpoints.kubernetes.io/managed-by";

pub struct Endpoints;

impl Controller for Endpoints {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        super::concerned(tools, change, |change| {
            // What others write there stays.
            (&*change.key.resource == "endpoints" && change.after.is_none()).then(|| change.key.name.clone())
        })
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let place = Place { api_version: "v1", resource: "endpoints", namespace: &name.namespace };
            let there = tools.there("endpoints", name);
            let Some(service) = tools.there("services", name) else {
                if there.is_some() {
                    owners::gone_is_fine(tools.client.delete(place, &name.name, &Value::Null).await)?;
                }
                return Ok(None);
            };
            if !super::selects(&service) {
                return Ok(None);
            }
            let subsets = subsets(tools, &service);
            let mut labels = service["metadata"]["labels"].as_object().cloned().unwrap_or_default();
            labels.insert(MANAGED.to_owned(), json!("endpoint-controller"));
            if super::is_headless(&service) {
                labels.insert(HEADLESS.to_owned(), json!(""));
            }
            let known = there.as_deref().map(|there| json!(there.list("/subsets")));
            if known == Some(json!(subsets))
                && there.as_ref().is_some_and(|there| there["metadata"]["labels"] == json!(labels))
            {
                return Ok(None);
            }
            let mut endpoints = there
                .as_deref()
                .cloned()
                .unwrap_or_else(|| json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": name.name}}));
            endpoints["metadata"]["labels"] = json!(labels);
            let pods = super::backends(tools, &service);
            map(&mut endpoints["metadata"], "annotations")
                .insert(TRIGGERED.to_owned(), super::triggered(&service, &pods));
            match subsets.is_empty() {
                true => drop(take(&mut endpoints, "subsets")),
                false => endpoints["subsets"] = json!(subsets),
            }
            match there {
                Some(_) => tools.client.update(place, "", &endpoints).await?,
                None => tools.client.create(place, &endpoints).await?,
            };
            Ok(None)
        })
    }
}

/// What is behind a service: the ready and the others, by the ports at which they are.
fn subsets(tools: &Tools, service: &Value) -> Vec<Value> {
    let mut by_ports: BTreeMap<String, Subset> = BTreeMap::new();
    let all = service.flag("/spec/publishNotReadyAddresses");
    for pod in super::backends(tools, service) {
        if pod.is_going() && !all {
            continue;
        }
        let mut ports = super::ports(service, &pod);
        for port in &mut ports {
            if port["name"] == "" {
                take(port, "name");
            }
        }
        if ports.is_empty() && !service.list("/spec/ports").is_empty() {
            continue;
        }
        let mut address = json!({"ip": pod["status"]["podIP"]});
        if let Some(hostname) = super::hostname(service, &pod) {
            address["hostname"] = json!(hostname);
        }
        address["nodeName"] = pod["spec"]["nodeName"].clone();
        address["targetRef"] = super::reference(&pod);
        let key = json!(ports).to_string();
        let subset = by_ports.entry(key).or_insert_with(|| Subset { ports, ..Subset::default() });
        if all || pods::is_ready(&pod) { subset.ready.push(address) } else { subset.others.push(address) }
    }
    by_ports.into_values().map(Subset::written).collect()
}

/// The addresses that have the same ports.
#[derive(Default)]
struct Subset {
    ports: Vec<Value>,
    ready: Vec<Value>,
    others: Vec<Value>,
}

impl Subset {
    fn written(self) -> Value {
        let mut subset = json!({});
        for (field, mut addresses) in [("addresses", self.ready), ("notReadyAddresses", self.others)] {
            addresses.sort_by_key(|address| address["ip"].to_string());
            if !addresses.is_empty() {
                subset[field] = json!(addresses);
            }
        }
        if !self.ports.is_empty() {
            subset["ports"] = json!(self.ports);
        }
        subset
    }
}
