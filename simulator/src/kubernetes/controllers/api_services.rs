//! APIServices: whether those who answer for a group and version can be reached.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Name, Tools,
    conditions::{self, Condition},
    fields::Fields,
    owners,
};
use crate::kubernetes::{answer::Refusal, client::Place, store::Change};

const STORED: &str = "apiservices.apiregistration.k8s.io";
const SLICES: &str = "endpointslices.discovery.k8s.io";

pub struct ApiServices;

impl Controller for ApiServices {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        let changed = change.after.as_deref().or(change.before.as_deref());
        let service = match &*change.key.resource {
            STORED => return vec![Name::changed(change)],
            "services" => change.key.name.as_str(),
            SLICES => changed.and_then(|slice| slice.label("kubernetes.io/service-name")).unwrap_or_default(),
            _ => return Vec::new(),
        };
        let all = tools.client.cluster().store.list(&STORED.into(), None).1;
        let led_to = all.into_iter().filter(|(_, api)| {
            api.text("/spec/service/name") == service && api.text("/spec/service/namespace") == change.key.namespace
        });
        led_to.map(|(key, _)| Name { namespace: String::new(), name: key.name }).collect()
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(there) = tools.there(STORED, name) else { return Ok(None) };
            let (status, reason, message) = match obstacle(tools, &there) {
                None => ("True", "Local", "Local APIServices are always available".to_owned()),
                Some((reason, message)) => ("False", reason, message),
            };
            let mut api = (*there).clone();
            if !api["status"].is_object() {
                api["status"] = json!({});
            }
            let condition = Condition { kind: "Available", status, reason, message: &message };
            if conditions::set(&mut api["status"], condition, &tools.client.cluster().now(), &Value::Null) {
                let place = Place { api_version: "apiregistration.k8s.io/v1", resource: "apiservices", namespace: "" };
                owners::gone_is_fine(tools.client.update(place, "status", &api).await)?;
            }
            Ok(None)
        })
    }
}

/// Why the service that an API leads to can't be reached; nothing, if the server answers itself. What runs in pods answers no
/// requests in a rehearsal, so there is always a reason.
fn obstacle(tools: &Tools, api: &Value) -> Option<(&'static str, String)> {
    let reference = api.at("/spec/service");
    if reference.is_null() {
        return None;
    }
    let (namespace, name) = (reference.text("/namespace"), reference.text("/name"));
    let shown = format!("service/{name} in {namespace:?}");
    let place = Name { namespace: namespace.to_owned(), name: name.to_owned() };
    let Some(service) = tools.there("services", &place) else {
        return Some(("ServiceNotFound", format!("{shown} is not present")));
    };
    let number = reference.number("/port");
    let Some(port) = service.list("/spec/ports").iter().find(|port| port["port"] == number) else {
        return Some(("ServicePortError", format!("{shown} is not listening on port {number}")));
    };
    let slices = tools.client.cluster().store.list(&SLICES.into(), Some(namespace)).1;
    let own = slices.iter().filter(|(_, slice)| slice.label("kubernetes.io/service-name") == Some(name));
    let (mut any, mut reachable) = (false, false);
    for (_, slice) in own {
        any = true;
        let ready = slice.list("/endpoints").iter().any(|endpoint| endpoint.flag("/conditions/ready"));
        reachable |= ready && slice.list("/ports").iter().any(|known| known.text("/name") == port.text("/name"));
    }
    if !any {
        return Some(("EndpointsNotFound", format!("cannot find endpointslices for {shown}")));
    }
    if !reachable {
        let port = port.text("/name");
        return Some((
            "MissingEndpoints",
            format!("endpointslices for {shown} have no addresses with port name {port:?}"),
        ));
    }
    let (group, version) = (api.text("/spec/group"), api.text("/spec/version"));
    let address = format!("{}:{number}", service.text("/spec/clusterIP"));
    let url = format!("https://{address}/apis/{group}/{version}");
    Some((
        "FailedDiscoveryCheck",
        format!("failing or missing response from {url}: Get {url:?}: dial tcp {address}: connect: connection refused"),
    ))
}
