//! Volumes are free, bound, or left behind by their claims.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{CLAIMS, PROVISIONED_BY, VOLUMES, VOLUMES_PLACE, claim_of, is_for, named};
use crate::kubernetes::{
    answer::Refusal,
    controllers::{Controller, Name, Tools, fields::Fields, owners},
    store::Change,
};

pub struct Volumes;

impl Controller for Volumes {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            VOLUMES => vec![named(&change.key.name)],
            CLAIMS if change.after.is_none() => {
                let name = change.before.as_deref().map(|claim| claim.text("/spec/volumeName").to_owned());
                name.filter(|name| !name.is_empty() && tools.there(VOLUMES, &named(name)).is_some())
                    .map(|name| named(&name))
                    .into_iter()
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(volume) = tools.there(VOLUMES, name) else { return Ok(None) };
            let is_taken = !volume.text("/spec/claimRef/uid").is_empty();
            let claim = claim_of(&volume).and_then(|claim| tools.there(CLAIMS, &claim));
            let phase = volume.text("/status/phase");
            if !is_taken {
                return become_so(tools, &volume, phase, "Available", None).await;
            }
            if claim.is_some_and(|claim| is_for(&volume, &claim)) {
                return Ok(None);
            }
            if phase == "Failed" {
                return Ok(None);
            }
            // It is let go of before it is deleted: what is bound stays.
            if phase != "Released" {
                return become_so(tools, &volume, phase, "Released", None).await;
            }
            if volume.text("/spec/persistentVolumeReclaimPolicy") != "Delete"
                || volume.annotation(PROVISIONED_BY).is_some()
            {
                return Ok(None);
            }
            if let Some(why) = obstacle(&volume) {
                tools.warning(&volume, "VolumeFailedDelete", &why).await;
                return become_so(tools, &volume, phase, "Failed", Some(&why)).await;
            }
            owners::gone_is_fine(tools.client.delete(VOLUMES_PLACE, volume.name(), &Value::Null).await)?;
            Ok(None)
        })
    }
}

async fn become_so(
    tools: &Tools,
    volume: &Value,
    phase: &str,
    wanted: &str,
    message: Option<&str>,
) -> Result<Option<Duration>, Refusal> {
    if phase != wanted {
        let mut changed = volume.clone();
        changed["status"]["phase"] = json!(wanted);
        if let Some(message) = message {
            changed["status"]["message"] = json!(message);
        }
        owners::gone_is_fine(tools.client.update(VOLUMES_PLACE, "status", &changed).await)?;
    }
    Ok(None)
}

/// Why the controllers of the cluster can't delete what is in a volume.
fn obstacle(volume: &Value) -> Option<String> {
    let path = volume.text("/spec/hostPath/path");
    match volume.has("/spec/hostPath") {
        true if path.strip_prefix("/tmp/").is_some_and(|rest| !rest.is_empty()) => None,
        true => Some(format!("host_path deleter only supports /tmp/.+ but received provided {path}")),
        false => {
            let name = volume.name();
            Some(format!("error getting deleter volume plugin for volume {name:?}: no deletable volume plugin matched"))
        }
    }
}
