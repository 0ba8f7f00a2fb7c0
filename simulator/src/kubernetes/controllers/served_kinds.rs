//! APIServices of defined kinds: one for each group and version that some definition serves.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{Controller, Name, Tools, fields::Fields, owners, sides};
use crate::kubernetes::{answer::Refusal, client::Place, store::Change};

const STORED: &str = "apiservices.apiregistration.k8s.io";
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";
const PLACE: Place<'static> =
    Place { api_version: "apiregistration.k8s.io/v1", resource: "apiservices", namespace: "" };
/// Says who looks after one, with `true` for those that come and go with what is served.
const MARK: &str = "kube-aggregator.kubernetes.io/automanaged";

pub struct ServedKinds;

impl Controller for ServedKinds {
    fn concerned(&self, _: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            STORED => vec![Name::changed(change)],
            DEFINITIONS => sides(change).flat_map(served).collect(),
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some((version, group)) = name.name.split_once('.') else { return Ok(None) };
            let definitions = tools.client.cluster().store.list(&DEFINITIONS.into(), None).1;
            let is_served = definitions.iter().any(|(_, definition)| served(definition).contains(name));
            let spec =
                json!({"group": group, "groupPriorityMinimum": 1000, "version": version, "versionPriority": 100});
            let there = tools.there(STORED, name);
            let is_ours = there.as_deref().is_some_and(|there| there.label(MARK) == Some("true"));
            match there {
                None if is_served => {
                    let api = json!({"metadata": {"name": name.name, "labels": {MARK: "true"}}, "spec": spec});
                    tools.client.create(PLACE, &api).await?;
                }
                Some(_) if is_ours && !is_served => {
                    owners::gone_is_fine(tools.client.delete(PLACE, &name.name, &Value::Null).await)?;
                }
                Some(there) if is_ours && there["spec"] != spec => {
                    let mut api = (*there).clone();
                    api["spec"] = spec;
                    owners::gone_is_fine(tools.client.update(PLACE, "", &api).await)?;
                }
                _ => {}
            }
            Ok(None)
        })
    }
}

/// The APIServices of what a definition serves: `v1.example.org`.
fn served(definition: &Value) -> Vec<Name> {
    let group = definition.text("/spec/group");
    let versions = definition.list("/spec/versions").iter().filter(|version| version.flag("/served"));
    let names = versions.map(|version| format!("{}.{group}", version.text("/name")));
    names.map(|name| Name { namespace: String::new(), name }).collect()
}
