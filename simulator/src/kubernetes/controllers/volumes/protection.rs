//! Claims and volumes that are in use stay until they are not.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value;

use super::{CLAIMS, VOLUMES, VOLUMES_PLACE, claims, named};
use crate::kubernetes::{
    answer::Refusal,
    client::Place,
    controllers::{Controller, Name, Tools, fields::Fields, owners, pods, sides},
    store::Change,
};

const OF_CLAIMS: &str = "kubernetes.io/pvc-protection";
const OF_VOLUMES: &str = "kubernetes.io/pv-protection";

pub struct ProtectedClaims;

pub struct ProtectedVolumes;

impl Controller for ProtectedClaims {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            CLAIMS if change.after.as_deref().is_some_and(|claim| is_kept(claim, OF_CLAIMS)) => {
                vec![Name::changed(change)]
            }
            "pods" => {
                let used = sides(change).flat_map(claims_used).map(str::to_owned);
                let mut names: Vec<Name> =
                    used.map(|name| Name { namespace: change.key.namespace.clone(), name }).collect();
                names.retain(|name| tools.there(CLAIMS, name).is_some_and(|claim| is_kept(&claim, OF_CLAIMS)));
                names
            }
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(claim) = tools.there(CLAIMS, name).filter(|claim| is_kept(claim, OF_CLAIMS)) else {
                return Ok(None);
            };
            let pods = tools.client.cluster().store.list(&"pods".into(), Some(&name.namespace)).1;
            let uses = |pod: &Value| {
                claims_used(pod).any(|used| used == name.name)
                    && !pod.text("/spec/nodeName").is_empty()
                    && !pods::has_ended(pod)
            };
            if !pods.iter().any(|(_, pod)| uses(pod)) {
                let_go(tools, claims(&name.namespace), &claim, OF_CLAIMS).await?;
            }
            Ok(None)
        })
    }
}

impl Controller for ProtectedVolumes {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        let is_about = &*change.key.resource == VOLUMES
            && change.after.as_deref().is_some_and(|volume| is_kept(volume, OF_VOLUMES));
        if is_about { vec![named(&change.key.name)] } else { Vec::new() }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let volume = tools.there(VOLUMES, name).filter(|volume| is_kept(volume, OF_VOLUMES));
            if let Some(volume) = volume.filter(|volume| !super::is_bound(volume)) {
                let_go(tools, VOLUMES_PLACE, &volume, OF_VOLUMES).await?;
            }
            Ok(None)
        })
    }
}

/// True for an object that only its protection keeps from going.
fn is_kept(object: &Value, protection: &str) -> bool {
    object.is_going() && object.list("/metadata/finalizers").iter().any(|finalizer| finalizer == protection)
}

/// The claims that a pod's volumes are of.
fn claims_used(pod: &Value) -> impl Iterator<Item = &str> {
    let volumes = pod.list("/spec/volumes").iter();
    volumes.map(|volume| volume.text("/persistentVolumeClaim/claimName")).filter(|name| !name.is_empty())
}

async fn let_go(tools: &Tools, place: Place<'_>, object: &Value, protection: &str) -> Result<(), Refusal> {
    let mut free = object.clone();
    if let Some(finalizers) = free["metadata"]["finalizers"].as_array_mut() {
        finalizers.retain(|finalizer| finalizer != protection);
    }
    owners::gone_is_fine(tools.client.update(place, "", &free).await)?;
    Ok(())
}
