//! Namespaces: what each of them has from its beginning, and how it comes to its end.

mod ending;

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

pub use self::ending::Endings;
use super::{Controller, Name, Tools, fields::Fields};
use crate::kubernetes::{answer::Refusal, client::Place, store::Change};

const DESCRIPTION: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as \
                           the internal service IP or kubernetes.default.svc. No other usage is guaranteed across \
                           distributions of Kubernetes clusters.";
const AUTHORITY: &str = "kube-root-ca.crt";

/// Each namespace has the certificate of the cluster's authority.
pub struct Authorities;

/// Each namespace has an account for its pods.
pub struct Accounts;

/// The namespaces that a change of themselves, or of an object of this name in them, is about.
fn concerned(change: &Change, resource: &str, name: &str) -> Vec<Name> {
    let namespace = match &*change.key.resource {
        "namespaces" => &change.key.name,
        other if other == resource && change.key.name == name => &change.key.namespace,
        _ => return Vec::new(),
    };
    vec![Name { namespace: String::new(), name: namespace.clone() }]
}

/// True for a namespace in which something can be made.
fn is_active(tools: &Tools, name: &Name) -> bool {
    tools.there("namespaces", name).is_some_and(|namespace| !namespace.is_going())
}

impl Controller for Authorities {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        concerned(change, "configmaps", AUTHORITY)
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(authority) = tools.client.cluster().authority.get().filter(|_| is_active(tools, name)) else {
                return Ok(None);
            };
            let place = Place { api_version: "v1", resource: "configmaps", namespace: &name.name };
            let own = Name { namespace: name.name.clone(), name: AUTHORITY.to_owned() };
            let data = json!({"ca.crt": authority.pem()});
            match tools.there("configmaps", &own) {
                Some(there) if there["data"] == data => {}
                Some(there) => {
                    let mut renewed = (*there).clone();
                    renewed["data"] = data;
                    tools.client.update(place, "", &renewed).await?;
                }
                None => {
                    let map = json!({
                        "apiVersion": "v1",
                        "kind": "ConfigMap",
                        "metadata": {"name": AUTHORITY, "annotations": {"kubernetes.io/description": DESCRIPTION}},
                        "data": data,
                    });
                    tools.client.create(place, &map).await?;
                }
            }
            Ok(None)
        })
    }
}

impl Controller for Accounts {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        concerned(change, "serviceaccounts", "default")
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let own = Name { namespace: name.name.clone(), name: "default".to_owned() };
            if is_active(tools, name) && tools.there("serviceaccounts", &own).is_none() {
                let place = Place { api_version: "v1", resource: "serviceaccounts", namespace: &name.name };
                let account: Value =
                    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
                tools.client.create(place, &account).await?;
            }
            Ok(None)
        })
    }
}
