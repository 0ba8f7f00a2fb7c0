//! Claims of volumes.

use serde_json::{Value, json};

use super::arms::Arm;

const CLAIMS: &str = "/api/v1/namespaces/SPACE/persistentvolumeclaims";
const DATA: &str = "/api/v1/namespaces/SPACE/persistentvolumeclaims/data";

bodies! {
    a_claim_waits_for_its_volume
    claims_that_are_wrong_are_refused
    sources_of_claims_are_checked
    a_claim_hardly_changes
}

fn claim(more: Value) -> Value {
    let mut spec = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}});
    for (field, value) in more.as_object().unwrap() {
        spec[field] = value.clone();
    }
    json!({"metadata": {"name": "data"}, "spec": spec})
}

fn a_claim_waits_for_its_volume(arm: &Arm) {
    arm.create(CLAIMS, claim(json!({})));
    arm.get(DATA);
}

fn claims_that_are_wrong_are_refused(arm: &Arm) {
    for more in [
        json!({"accessModes": []}),
        json!({"accessModes": ["Sometimes"]}),
        json!({"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]}),
        json!({"resources": {}}),
        json!({"resources": {"requests": {"storage": "0"}}}),
        json!({"resources": {"requests": {"storage": "-1Gi"}}}),
        json!({"resources": {"requests": {"storage": "1.5"}}}),
        json!({"storageClassName": "Fast_1"}),
        json!({"volumeMode": "Tape"}),
        json!({"selector": {"matchLabels": {"a b": "c"}}}),
        json!({"selector": {"matchExpressions": [{"key": "a", "operator": "Is"}]}}),
        json!({"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}),
        json!({"selector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}}),
    ] {
        arm.create(CLAIMS, claim(more));
    }
}

fn sources_of_claims_are_checked(arm: &Arm) {
    for more in [
        json!({"dataSource": {"kind": "PersistentVolumeClaim", "name": "other"}}),
        json!({"dataSource": {"kind": "Pod", "name": "other"}}),
        json!({"dataSourceRef": {"kind": "PersistentVolumeClaim"}}),
        json!({"dataSourceRef": {"apiGroup": "Example.com", "kind": "Backup", "name": "other"}}),
    ] {
        arm.create(&format!("{CLAIMS}?dryRun=All"), claim(more));
    }
}

fn a_claim_hardly_changes(arm: &Arm) {
    arm.create(CLAIMS, claim(json!({})));
    arm.patch(DATA, "merge", json!({"metadata": {"labels": {"app": "web"}}}));
    arm.patch(DATA, "merge", json!({"spec": {"accessModes": ["ReadWriteMany"]}}));
    arm.patch(DATA, "merge", json!({"spec": {"volumeMode": "Block"}}));
    arm.patch(DATA, "merge", json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}}));
    arm.patch(DATA, "merge", json!({"spec": {"resources": {"requests": {"storage": "0.5Gi"}}}}));
}
