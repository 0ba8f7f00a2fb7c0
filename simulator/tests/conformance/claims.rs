//! Claims and the volumes that they get.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{condition, each, fields, is_going, is_ready, items},
};

const CLAIMS: &str = "/api/v1/namespaces/SPACE/persistentvolumeclaims";
const CLAIM: &str = "/api/v1/namespaces/SPACE/persistentvolumeclaims/data";
const PODS: &str = "/api/v1/namespaces/SPACE/pods";
const VOLUMES: &str = "/api/v1/persistentvolumes";
const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";

bodies! {
    the_smallest_volume_that_suits_is_taken
    volumes_that_do_not_suit_are_left_alone
    a_claim_can_name_its_volume
    a_claim_without_a_class_waits_for_a_volume
    a_claim_of_an_unknown_class_is_told_so
    a_claim_of_a_class_waits_for_its_provisioner
    a_claim_waits_for_its_first_pod
    a_volume_that_a_provisioner_made_is_bound
    a_volume_that_is_reserved_is_free_until_it_is_claimed
    a_retained_volume_is_released
    a_volume_is_deleted_after_its_claim
    a_volume_that_can_not_be_deleted_has_failed
    a_claim_can_lose_its_volume
    a_claim_that_is_used_stays
    a_volume_that_is_bound_stays
    a_pod_waits_for_its_claims
}

fn exchange(arm: &Arm, method: &str, path: &str, body: Value) {
    let content = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let answer = arm.exchange(method, &arm.placed(path), content, &arm.placed_in(&body));
    assert!(answer.code < 300, "{method} {path}: {:#}", answer.body);
}

fn with(mut object: Value, more: Value) -> Value {
    for (field, value) in more.as_object().into_iter().flatten() {
        object["spec"][field] = value.clone();
    }
    object
}

/// A volume of the body's own class, which has no object.
fn volume(arm: &Arm, name: &str, more: Value) {
    let volume = json!({"metadata": {"name": format!("SPACE-{name}")}, "spec": {
        "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "storageClassName": "SPACE", "hostPath": {"path": "/data"},
    }});
    exchange(arm, "POST", VOLUMES, with(volume, more));
    arm.look_until(&own(name), |answer| answer.body["status"]["phase"] == "Available");
}

fn claim(arm: &Arm, more: Value) {
    let claim = json!({"metadata": {"name": "data"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "SPACE",
    }});
    exchange(arm, "POST", CLAIMS, with(claim, more));
}

fn class(arm: &Arm, mode: &str) {
    let class = json!({"metadata": {"name": "SPACE"}, "provisioner": "disk.example.com", "volumeBindingMode": mode});
    exchange(arm, "POST", CLASSES, class);
}

/// A pod that uses the claim.
fn pod(arm: &Arm) {
    let pod = json!({"metadata": {"name": "user"}, "spec": {
        "containers": [{"name": "main", "image": "image:1"}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
    }});
    exchange(arm, "POST", PODS, pod);
}

fn own(name: &str) -> String {
    format!("{VOLUMES}/SPACE-{name}")
}

#[track_caller]
fn claim_is(arm: &Arm, phase: &str) {
    arm.settle(CLAIM, |claim| {
        (claim["status"]["phase"] == phase)
            .then(|| fields(claim, &["/metadata/annotations", "/metadata/finalizers", "/spec", "/status"]))
    });
}

#[track_caller]
fn volume_is(arm: &Arm, name: &str, phase: &str) {
    arm.settle(&own(name), |volume| {
        (volume["status"]["phase"] == phase)
            .then(|| fields(volume, &["/metadata/annotations", "/metadata/finalizers", "/spec", "/status"]))
    });
}

/// Waits until something with this reason is told of an object, and writes that down; how often it was is a matter of time.
#[track_caller]
fn told(arm: &Arm, namespace: &str, name: &str, reason: &str) {
    let path =
        format!("/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.name={name},reason={reason}");
    arm.settle(&path, |list| {
        let said = |event: &Value| {
            fields(event, &["/involvedObject/kind", "/type", "/reason", "/message", "/source", "/reportingComponent"])
        };
        (!items(list).is_empty()).then(|| each(list, said))
    });
}

#[track_caller]
fn gone(arm: &Arm, path: &str) {
    arm.look_until(path, |answer| answer.code == 404);
}

/// Takes away what other bodies would see.
fn tidy(arm: &Arm, volumes: &[&str]) {
    arm.exchange("DELETE", &arm.placed(CLAIM), "", &Value::Null);
    for name in volumes {
        arm.exchange("DELETE", &arm.placed(&own(name)), "", &Value::Null);
    }
    arm.exchange("DELETE", &arm.placed(&format!("{CLASSES}/SPACE")), "", &Value::Null);
}

fn the_smallest_volume_that_suits_is_taken(arm: &Arm) {
    for (name, size) in [("large", "5Gi"), ("middle", "2Gi"), ("small", "500Mi")] {
        volume(arm, name, json!({"capacity": {"storage": size}}));
    }
    claim(arm, json!({}));
    claim_is(arm, "Bound");
    volume_is(arm, "middle", "Bound");
    volume_is(arm, "large", "Available");
    tidy(arm, &["large", "middle", "small"]);
}

fn volumes_that_do_not_suit_are_left_alone(arm: &Arm) {
    volume(arm, "alone", json!({"accessModes": ["ReadWriteOnce"]}));
    volume(
        arm,
        "block",
        json!({"accessModes": ["ReadWriteMany"], "volumeMode": "Block", "hostPath": null, "local": {"path": "/dev/a"}, "nodeAffinity": {
            "required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-1"]}]}]},
        }}),
    );
    volume(arm, "other", json!({"accessModes": ["ReadWriteMany"], "storageClassName": "SPACE-other"}));
    claim(arm, json!({"accessModes": ["ReadWriteMany"]}));
    told(arm, "SPACE", "data", "ProvisioningFailed");
    claim_is(arm, "Pending");
    tidy(arm, &["alone", "block", "other"]);
}

fn a_claim_can_name_its_volume(arm: &Arm) {
    for name in ["a", "b"] {
        volume(arm, name, json!({}));
    }
    claim(arm, json!({"volumeName": "SPACE-b"}));
    claim_is(arm, "Bound");
    volume_is(arm, "b", "Bound");
    tidy(arm, &["a", "b"]);
}

fn a_claim_without_a_class_waits_for_a_volume(arm: &Arm) {
    claim(arm, json!({"storageClassName": "", "selector": {"matchLabels": {"SPACE": "true"}}}));
    told(arm, "SPACE", "data", "FailedBinding");
    claim_is(arm, "Pending");
}

fn a_claim_of_an_unknown_class_is_told_so(arm: &Arm) {
    claim(arm, json!({}));
    told(arm, "SPACE", "data", "ProvisioningFailed");
    claim_is(arm, "Pending");
}

fn a_claim_of_a_class_waits_for_its_provisioner(arm: &Arm) {
    class(arm, "Immediate");
    claim(arm, json!({}));
    told(arm, "SPACE", "data", "ExternalProvisioning");
    claim_is(arm, "Pending");
    tidy(arm, &[]);
}

fn a_claim_waits_for_its_first_pod(arm: &Arm) {
    class(arm, "WaitForFirstConsumer");
    claim(arm, json!({}));
    told(arm, "SPACE", "data", "WaitForFirstConsumer");
    claim_is(arm, "Pending");
    pod(arm);
    told(arm, "SPACE", "data", "ExternalProvisioning");
    arm.settle(CLAIM, |claim| {
        let annotations = claim["metadata"]["annotations"].as_object()?;
        annotations.get("volume.kubernetes.io/selected-node")?;
        Some(json!(annotations.keys().collect::<std::collections::BTreeSet<_>>()))
    });
    exchange(arm, "DELETE", &format!("{PODS}/user"), json!({"gracePeriodSeconds": 0}));
    tidy(arm, &[]);
}

fn a_volume_that_a_provisioner_made_is_bound(arm: &Arm) {
    class(arm, "Immediate");
    claim(arm, json!({}));
    told(arm, "SPACE", "data", "ExternalProvisioning");
    let uid = arm.look(CLAIM).body["metadata"]["uid"].clone();
    let reference =
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "SPACE", "name": "data", "uid": uid});
    let made = json!({
        "metadata": {"name": "SPACE-made", "annotations": {"pv.kubernetes.io/provisioned-by": "disk.example.com"}},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "storageClassName": "SPACE", "claimRef": reference,
            "csi": {"driver": "disk.example.com", "volumeHandle": "a"}, "persistentVolumeReclaimPolicy": "Delete",
        },
    });
    exchange(arm, "POST", VOLUMES, made);
    claim_is(arm, "Bound");
    volume_is(arm, "made", "Bound");
    exchange(arm, "DELETE", CLAIM, Value::Null);
    gone(arm, CLAIM);
    volume_is(arm, "made", "Released");
    tidy(arm, &["made"]);
}

fn a_volume_that_is_reserved_is_free_until_it_is_claimed(arm: &Arm) {
    volume(arm, "reserved", json!({"claimRef": {"namespace": "SPACE", "name": "data"}}));
    volume(arm, "other", json!({}));
    volume_is(arm, "reserved", "Available");
    claim(arm, json!({}));
    claim_is(arm, "Bound");
    volume_is(arm, "reserved", "Bound");
    volume_is(arm, "other", "Available");
    tidy(arm, &["reserved", "other"]);
}

fn a_retained_volume_is_released(arm: &Arm) {
    volume(arm, "kept", json!({}));
    claim(arm, json!({}));
    claim_is(arm, "Bound");
    exchange(arm, "DELETE", CLAIM, Value::Null);
    gone(arm, CLAIM);
    volume_is(arm, "kept", "Released");
    // Nobody else gets it.
    claim(arm, json!({}));
    told(arm, "SPACE", "data", "ProvisioningFailed");
    tidy(arm, &["kept"]);
}

fn a_volume_is_deleted_after_its_claim(arm: &Arm) {
    let path = json!({"hostPath": {"path": "/tmp/SPACE"}, "persistentVolumeReclaimPolicy": "Delete"});
    volume(arm, "deleted", path);
    claim(arm, json!({}));
    claim_is(arm, "Bound");
    exchange(arm, "DELETE", CLAIM, Value::Null);
    gone(arm, &own("deleted"));
}

fn a_volume_that_can_not_be_deleted_has_failed(arm: &Arm) {
    volume(arm, "stubborn", json!({"persistentVolumeReclaimPolicy": "Delete"}));
    claim(arm, json!({}));
    claim_is(arm, "Bound");
    exchange(arm, "DELETE", CLAIM, Value::Null);
    volume_is(arm, "stubborn", "Failed");
    told(arm, "default", "SPACE-stubborn", "VolumeFailedDelete");
    tidy(arm, &["stubborn"]);
}

fn a_claim_can_lose_its_volume(arm: &Arm) {
    volume(arm, "lost", json!({}));
    claim(arm, json!({}));
    claim_is(arm, "Bound");
    exchange(arm, "DELETE", &own("lost"), Value::Null);
    exchange(arm, "PATCH", &own("lost"), json!({"metadata": {"finalizers": null}}));
    claim_is(arm, "Lost");
    told(arm, "SPACE", "data", "ClaimLost");
    tidy(arm, &[]);
}

fn a_claim_that_is_used_stays(arm: &Arm) {
    volume(arm, "used", json!({}));
    claim(arm, json!({}));
    claim_is(arm, "Bound");
    pod(arm);
    arm.look_until(&format!("{PODS}/user"), |answer| is_ready(&answer.body));
    exchange(arm, "DELETE", CLAIM, Value::Null);
    arm.settle(CLAIM, |claim| is_going(claim).then(|| fields(claim, &["/metadata/finalizers", "/status"])));
    volume_is(arm, "used", "Bound");
    exchange(arm, "DELETE", &format!("{PODS}/user"), json!({"gracePeriodSeconds": 0}));
    gone(arm, CLAIM);
    volume_is(arm, "used", "Released");
    tidy(arm, &["used"]);
}

fn a_volume_that_is_bound_stays(arm: &Arm) {
    volume(arm, "bound", json!({}));
    claim(arm, json!({}));
    claim_is(arm, "Bound");
    exchange(arm, "DELETE", &own("bound"), Value::Null);
    arm.settle(&own("bound"), |volume| is_going(volume).then(|| fields(volume, &["/metadata/finalizers", "/status"])));
    exchange(arm, "DELETE", CLAIM, Value::Null);
    gone(arm, &own("bound"));
}

fn a_pod_waits_for_its_claims(arm: &Arm) {
    let scheduled =
        |pod: &Value| condition(pod, "PodScheduled").map(|told| fields(told, &["/status", "/reason", "/message"]));
    claim(arm, json!({}));
    pod(arm);
    arm.settle(&format!("{PODS}/user"), |pod| {
        scheduled(pod).filter(|told| told["/message"].as_str().is_some_and(|why| why.contains("unbound")))
    });
    exchange(arm, "DELETE", CLAIM, Value::Null);
    gone(arm, CLAIM);
    volume(arm, "late", json!({}));
    claim(arm, json!({}));
    claim_is(arm, "Bound");
    arm.settle(&format!("{PODS}/user"), |pod| scheduled(pod).filter(|told| told["/status"] == "True"));
    exchange(arm, "DELETE", &format!("{PODS}/user"), json!({"gracePeriodSeconds": 0}));
    tidy(arm, &["late"]);
}
