//! Provisioners of the world make volumes for claims that ask for one of theirs, and delete those that are no longer needed.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    CLAIMS, CLASSES, NODE, PROVISIONED_BY, PROVISIONERS, VOLUMES, VOLUMES_PLACE, is_bound, named, waits_for_a_pod,
};
use crate::kubernetes::{
    answer::Refusal,
    controllers::{Controller, Name, Tools, fields::Fields, owners},
    store::Change,
};

const FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";

/// Names without a namespace are those of volumes.
pub struct Provisioning;

impl Controller for Provisioning {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        matches!(&*change.key.resource, CLAIMS | VOLUMES).then(|| Name::changed(change)).into_iter().collect()
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            match name.namespace.is_empty() {
                true => reclaim(tools, name).await,
                false => provide(tools, name).await,
            }
        })
    }
}

async fn provide(tools: &Tools, name: &Name) -> Result<Option<Duration>, Refusal> {
    let Some(claim) = tools.there(CLAIMS, name).filter(|claim| !is_bound(claim) && !claim.is_going()) else {
        return Ok(None);
    };
    let Some(provisioner) = PROVISIONERS.iter().find_map(|key| claim.annotation(key)) else { return Ok(None) };
    let class = tools.there(CLASSES, &named(claim.text("/spec/storageClassName")));
    let (Some(takes), Some(class)) = (tools.client.cluster().provisioners.takes(provisioner), class) else {
        return Ok(None);
    };
    if waits_for_a_pod(&class) && claim.annotation(NODE).is_none() || claim.has("/spec/volumeName") {
        return Ok(None);
    }
    let own = format!("pvc-{}", claim.uid());
    if tools.there(VOLUMES, &named(&own)).is_some() {
        return Ok(None);
    }
    let shown = format!("{}/{}", name.namespace, name.name);
    let message = format!("External provisioner is provisioning volume for claim {shown:?}");
    tools.normal(&claim, "Provisioning", &message).await;
    tokio::time::sleep(takes).await;
    tools.client.create(VOLUMES_PLACE, &made(&own, provisioner, &class, &claim)).await?;
    tools.normal(&claim, "ProvisioningSucceeded", &format!("Successfully provisioned volume {own}")).await;
    Ok(None)
}

fn made(name: &str, provisioner: &str, class: &Value, claim: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
            "annotations": {PROVISIONED_BY: provisioner},
            "finalizers": [FINALIZER],
        },
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": claim.namespace(),
                "name": claim.name(),
                "uid": claim.uid(),
                "resourceVersion": claim["metadata"]["resourceVersion"],
            },
            "csi": {"driver": provisioner, "volumeHandle": name},
            "persistentVolumeReclaimPolicy": class["reclaimPolicy"],
            "storageClassName": class.name(),
            "volumeMode": claim["spec"]["volumeMode"],
        },
    })
}

/// A volume that its claim has left is deleted, and let go of when that is all that keeps it.
async fn reclaim(tools: &Tools, name: &Name) -> Result<Option<Duration>, Refusal> {
    let Some(volume) = tools.there(VOLUMES, name) else { return Ok(None) };
    let provisioner = volume.annotation(PROVISIONED_BY).unwrap_or_default();
    if tools.client.cluster().provisioners.takes(provisioner).is_none() || is_bound(&volume) {
        return Ok(None);
    }
    if volume.is_going() {
        let mut free = (*volume).clone();
        let finalizers = free["metadata"]["finalizers"].as_array_mut();
        let before = finalizers.as_ref().map_or(0, |list| list.len());
        if let Some(finalizers) = finalizers {
            finalizers.retain(|finalizer| finalizer != FINALIZER);
            if finalizers.len() < before {
                owners::gone_is_fine(tools.client.update(VOLUMES_PLACE, "", &free).await)?;
            }
        }
    } else if volume.text("/status/phase") == "Released"
        && volume.text("/spec/persistentVolumeReclaimPolicy") == "Delete"
    {
        owners::gone_is_fine(tools.client.delete(VOLUMES_PLACE, &name.name, &Value::Null).await)?;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kubernetes::{
            client::{Client, Place},
            control_plane,
            user::User,
        },
        time::Calendar,
    };

    #[tokio::test(start_paused = true)]
    async fn a_volume_is_made_when_it_is_claimed_and_deleted_after_that() {
        let cluster = control_plane::begin(Calendar::beginning("2026-01-01T09:00:00Z".parse().unwrap()), 1);
        cluster.provisioners.provide("disk.example.com", Duration::from_secs(3));
        let client = Client::new(&cluster, User::administrator(), "test");
        let classes = Place { api_version: "storage.k8s.io/v1", resource: "storageclasses", namespace: "" };
        let claims = Place { api_version: "v1", resource: "persistentvolumeclaims", namespace: "default" };
        let class = json!({"metadata": {"name": "fast"}, "provisioner": "disk.example.com"});
        client.create(classes, &class).await.unwrap();
        let claim = json!({"metadata": {"name": "data"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "fast",
        }});
        client.create(claims, &claim).await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(client.get(claims, "data").await.unwrap()["status"]["phase"], "Pending");
        tokio::time::sleep(Duration::from_secs(2)).await;
        let bound = client.get(claims, "data").await.unwrap();
        assert_eq!(
            bound["status"],
            json!({"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}})
        );
        let volume = bound.text("/spec/volumeName").to_owned();
        assert_eq!(volume, format!("pvc-{}", bound.uid()));
        client.delete(claims, "data", &Value::Null).await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(client.get(VOLUMES_PLACE, &volume).await.unwrap_err().code, 404);
    }
}
