//! Volumes of the cluster, classes of storage, and what drivers say.

use serde_json::{Value, json};

use super::arms::Arm;

const VOLUMES: &str = "/api/v1/persistentvolumes?dryRun=All";
const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";

bodies! {
    volumes_are_checked
    fractions_are_of_thousandths
    classes_of_storage_are_filled_in_and_checked
    a_class_of_storage_hardly_changes
    drivers_of_storage_are_filled_in
    nodes_of_drivers_are_checked
    attachments_are_checked
}

fn volume(more: Value) -> Value {
    let mut spec =
        json!({"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/data"}});
    for (field, value) in more.as_object().unwrap() {
        spec[field] = value.clone();
    }
    json!({"metadata": {"name": "SPACE"}, "spec": spec})
}

fn volumes_are_checked(arm: &Arm) {
    for more in [
        json!({}),
        json!({"accessModes": []}),
        json!({"accessModes": ["Sometimes"]}),
        json!({"accessModes": ["ReadWriteOncePod", "ReadOnlyMany"]}),
        json!({"capacity": {}}),
        json!({"capacity": {"storage": "0"}}),
        json!({"capacity": {"storage": "1Gi", "cpu": "1"}}),
        json!({"hostPath": null}),
        json!({"nfs": {"server": "a", "path": "/b"}}),
        json!({"hostPath": {"path": "/a/../b"}}),
        json!({"hostPath": {"path": ""}}),
        json!({"persistentVolumeReclaimPolicy": "Burn"}),
        json!({"persistentVolumeReclaimPolicy": "Recycle", "hostPath": {"path": "/"}}),
        json!({"volumeMode": "Tape"}),
        json!({"storageClassName": "Fast_1", "mountOptions": ["ro"]}),
        json!({"hostPath": null, "nfs": {"server": "", "path": "b"}}),
        json!({"hostPath": null, "csi": {"driver": "", "volumeHandle": ""}}),
        json!({"hostPath": null, "csi": {"driver": "example.com", "volumeHandle": "a"}}),
        json!({"hostPath": null, "local": {"path": "/data"}}),
        json!({"claimRef": {"name": "data", "namespace": "SPACE"}}),
    ] {
        arm.create(VOLUMES, volume(more));
    }
}

fn classes_of_storage_are_filled_in_and_checked(arm: &Arm) {
    for class in [
        json!({"provisioner": "example.com/disk"}),
        json!({}),
        json!({"provisioner": "Not A Name"}),
        json!({"provisioner": "example.com/disk", "reclaimPolicy": "Burn"}),
        json!({"provisioner": "example.com/disk", "volumeBindingMode": "Later"}),
        json!({"provisioner": "example.com/disk", "parameters": {"": "a"}}),
        json!({"provisioner": "example.com/disk", "parameters": {"size": "large"}, "allowVolumeExpansion": true, "mountOptions": ["ro"]}),
        json!({"provisioner": "example.com/disk", "allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": ["a"]}]}]}),
    ] {
        let mut class = class;
        class["metadata"] = json!({"name": "SPACE"});
        arm.create(&format!("{CLASSES}?dryRun=All"), class);
    }
}

fn a_class_of_storage_hardly_changes(arm: &Arm) {
    let own = format!("{CLASSES}/SPACE");
    arm.create(CLASSES, json!({"metadata": {"name": "SPACE"}, "provisioner": "example.com/disk"}));
    for change in [
        json!({"provisioner": "example.com/tape"}),
        json!({"parameters": {"size": "large"}}),
        json!({"reclaimPolicy": "Retain"}),
        json!({"volumeBindingMode": "WaitForFirstConsumer"}),
        json!({"allowVolumeExpansion": true}),
    ] {
        arm.patch(&own, "merge", change);
    }
    arm.delete(&own);
}

fn drivers_of_storage_are_filled_in(arm: &Arm) {
    for spec in [
        json!({}),
        json!({"attachRequired": false, "volumeLifecycleModes": ["Ephemeral"], "fsGroupPolicy": "File"}),
        json!({"volumeLifecycleModes": ["Sometimes"]}),
        json!({"fsGroupPolicy": "Sometimes"}),
        json!({"tokenRequests": [{"audience": "a"}, {"audience": "a"}]}),
    ] {
        arm.create(
            "/apis/storage.k8s.io/v1/csidrivers?dryRun=All",
            json!({"metadata": {"name": "SPACE"}, "spec": spec}),
        );
    }
}

fn nodes_of_drivers_are_checked(arm: &Arm) {
    for drivers in [
        json!([{"name": "example.com", "nodeID": "a"}]),
        json!([{"name": "", "nodeID": ""}]),
        json!([{"name": "example.com", "nodeID": "a"}, {"name": "example.com", "nodeID": "a"}]),
        json!([{"name": "example.com", "nodeID": "a", "allocatable": {"count": -1}}]),
    ] {
        arm.create(
            "/apis/storage.k8s.io/v1/csinodes?dryRun=All",
            json!({"metadata": {"name": "SPACE"}, "spec": {"drivers": drivers}}),
        );
    }
}

fn attachments_are_checked(arm: &Arm) {
    for spec in [
        json!({"attacher": "example.com", "nodeName": "a", "source": {"persistentVolumeName": "b"}}),
        json!({"attacher": "", "nodeName": "", "source": {}}),
    ] {
        arm.create(
            "/apis/storage.k8s.io/v1/volumeattachments?dryRun=All",
            json!({"metadata": {"name": "SPACE"}, "spec": spec}),
        );
    }
}

fn fractions_are_of_thousandths(arm: &Arm) {
    const CLAIMS: &str = "/api/v1/namespaces/SPACE/persistentvolumeclaims?dryRun=All";
    for size in ["0.0001", "1.0005", "1e-4", "100u", "0.1e-7"] {
        arm.create(VOLUMES, volume(json!({"capacity": {"storage": size}})));
        let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}});
        arm.create(CLAIMS, json!({"metadata": {"name": "data"}, "spec": spec}));
    }
    let quotas = "/api/v1/namespaces/SPACE/resourcequotas?dryRun=All";
    arm.create(quotas, json!({"metadata": {"name": "all"}, "spec": {"hard": {"cpu": "0.0001"}}}));
    let ranges = "/api/v1/namespaces/SPACE/limitranges?dryRun=All";
    let limit = json!({"type": "Container", "max": {"cpu": "1.0001"}, "min": {"cpu": "100u"}});
    arm.create(ranges, json!({"metadata": {"name": "all"}, "spec": {"limits": [limit]}}));
}
