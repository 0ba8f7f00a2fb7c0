//! Claims get their volumes.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    BY_CONTROLLER, CLAIMS, CLASSES, COMPLETED, NODE, PROVISIONERS, VOLUMES, VOLUMES_PLACE, claim_of, claims, is_for,
    matching, named, waits_for_a_pod,
};
use crate::kubernetes::{
    answer::Refusal,
    controllers::{Controller, Name, Tools, fields::Fields, fields::map, owners, sides},
    store::Change,
};

/// How often a claim without a volume is looked at again.
const AGAIN: Duration = Duration::from_secs(15);
const NOBODY: &str = "kubernetes.io/no-provisioner";

pub struct Claims;

impl Controller for Claims {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            CLAIMS => vec![Name::changed(change)],
            VOLUMES => {
                let mut names: Vec<Name> = sides(change).filter_map(claim_of).collect();
                names.dedup();
                names
            }
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(claim) = tools.there(CLAIMS, name) else { return Ok(None) };
            let volume = tools.there(VOLUMES, &named(claim.text("/spec/volumeName")));
            if claim.annotation(COMPLETED).is_some() {
                keep(tools, &claim, volume).await?;
                return Ok(None);
            }
            let is_named = claim.has("/spec/volumeName");
            match volume {
                Some(volume) if !volume.has("/spec/claimRef") || is_for(&volume, &claim) => {
                    bind(tools, &claim, &volume).await?;
                    return Ok(None);
                }
                _ if is_named => return Ok(Some(AGAIN)),
                _ => {}
            }
            let class = tools.there(CLASSES, &named(claim.text("/spec/storageClassName")));
            let waits = class.as_deref().is_some_and(waits_for_a_pod) && claim.annotation(NODE).is_none();
            if let Some(volume) = matching::find(tools, &claim, waits) {
                bind(tools, &claim, &volume).await?;
                return Ok(None);
            }
            ask_for_one(tools, &claim, class, waits).await?;
            Ok(Some(AGAIN))
        })
    }
}

/// A claim that had its volume once has lost it, if that is gone.
async fn keep(tools: &Tools, claim: &Value, volume: Option<Arc<Value>>) -> Result<(), Refusal> {
    match volume {
        Some(volume) if is_for(&volume, claim) => {
            if !super::is_bound(claim) {
                be_bound(tools, claim, &volume).await?;
            }
        }
        _ if claim.text("/status/phase") == "Lost" => {}
        _ => {
            let mut lost = claim.clone();
            lost["status"] = json!({"phase": "Lost"});
            owners::gone_is_fine(tools.client.update(claims(claim.namespace()), "status", &lost).await)?;
            let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
            tools.warning(claim, "ClaimLost", message).await;
        }
    }
    Ok(())
}

/// Binds both to each other: the volume first, so that nobody else takes it.
async fn bind(tools: &Tools, claim: &Value, volume: &Value) -> Result<(), Refusal> {
    let mut taken = volume.clone();
    if !volume.has("/spec/claimRef") {
        map(&mut taken["metadata"], "annotations").insert(BY_CONTROLLER.to_owned(), json!("yes"));
    }
    if volume.text("/spec/claimRef/uid").is_empty() {
        taken["spec"]["claimRef"] = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": claim.namespace(),
            "name": claim.name(),
            "uid": claim.uid(),
            "resourceVersion": claim["metadata"]["resourceVersion"],
        });
        taken = tools.client.update(VOLUMES_PLACE, "", &taken).await?;
    }
    if taken.text("/status/phase") != "Bound" {
        taken["status"]["phase"] = json!("Bound");
        taken = tools.client.update(VOLUMES_PLACE, "status", &taken).await?;
    }
    let mut bound = claim.clone();
    let annotations = map(&mut bound["metadata"], "annotations");
    annotations.insert(COMPLETED.to_owned(), json!("yes"));
    if !claim.has("/spec/volumeName") {
        annotations.insert(BY_CONTROLLER.to_owned(), json!("yes"));
        bound["spec"]["volumeName"] = json!(volume.name());
    }
    let bound = tools.client.update(claims(claim.namespace()), "", &bound).await?;
    be_bound(tools, &bound, &taken).await
}

async fn be_bound(tools: &Tools, claim: &Value, volume: &Value) -> Result<(), Refusal> {
    let mut bound = claim.clone();
    bound["status"]["phase"] = json!("Bound");
    bound["status"]["accessModes"] = volume["spec"]["accessModes"].clone();
    bound["status"]["capacity"] = json!({"storage": volume["spec"]["capacity"]["storage"]});
    owners::gone_is_fine(tools.client.update(claims(claim.namespace()), "status", &bound).await)?;
    Ok(())
}

/// Has a volume made for a claim, or says why it has none yet.
async fn ask_for_one(tools: &Tools, claim: &Value, class: Option<Arc<Value>>, waits: bool) -> Result<(), Refusal> {
    let name = claim.text("/spec/storageClassName");
    if waits {
        let message = "waiting for first consumer to be created before binding";
        tools.normal(claim, "WaitForFirstConsumer", message).await;
        return Ok(());
    }
    if name.is_empty() {
        let message = "no persistent volumes available for this claim and no storage class is set";
        tools.normal(claim, "FailedBinding", message).await;
        return Ok(());
    }
    let Some(class) = class else {
        let message = format!("storageclass.storage.k8s.io {name:?} not found");
        tools.warning(claim, "ProvisioningFailed", &message).await;
        return Ok(());
    };
    let provisioner = class.text("/provisioner");
    if provisioner == NOBODY {
        let message = "no volume plugin matched name: kubernetes.io/no-provisioner";
        tools.warning(claim, "ProvisioningFailed", message).await;
        return Ok(());
    }
    if PROVISIONERS.iter().any(|key| claim.annotation(key) != Some(provisioner)) {
        let mut asking = claim.clone();
        for key in PROVISIONERS {
            map(&mut asking["metadata"], "annotations").insert(key.to_owned(), json!(provisioner));
        }
        tools.client.update(claims(claim.namespace()), "", &asking).await?;
    }
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system \
         administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
    );
    tools.normal(claim, "ExternalProvisioning", &message).await;
    Ok(())
}
