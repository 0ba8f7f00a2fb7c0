//! Devices: their classes, and claims for them.

use serde_json::{Value, json};

use super::{arms::Arm, settled::Scene};

const CLASSES: &str = "/apis/resource.k8s.io/v1/deviceclasses";
const CLAIMS: &str = "/apis/resource.k8s.io/v1/namespaces/SPACE/resourceclaims";
const CLAIM: &str = "/apis/resource.k8s.io/v1/namespaces/SPACE/resourceclaims/gpu";
const TEMPLATES: &str = "/apis/resource.k8s.io/v1/namespaces/SPACE/resourceclaimtemplates";

bodies! {
    classes_of_devices_come_and_go
    classes_of_devices_are_checked
    claims_are_filled_in_and_stay_as_they_are
    claims_are_checked
    who_has_a_device_is_told
    templates_of_claims_stay_as_they_are
}

fn classes_of_devices_come_and_go(arm: &Arm) {
    let class = format!("{CLASSES}/SPACE");
    arm.create(CLASSES, json!({"metadata": {"name": "SPACE"}, "spec": {}}));
    arm.patch(&class, "merge", json!({"metadata": {"labels": {"a": "b"}}}));
    arm.patch(
        &class,
        "merge",
        json!({"spec": {"selectors": [{"cel": {"expression": "device.driver == 'example.com'"}}]}}),
    );
    arm.get(&class);
    arm.delete(&class);
    arm.get(&class);
}

fn classes_of_devices_are_checked(arm: &Arm) {
    let with = |spec: Value| {
        arm.create(&format!("{CLASSES}?dryRun=All"), json!({"metadata": {"name": "SPACE"}, "spec": spec}));
    };
    with(json!({"selectors": [{}]}));
    with(json!({"config": [{}]}));
    with(json!({"config": [{"opaque": {"driver": "Not a driver", "parameters": {"a": 1}}}]}));
    with(json!({"config": [{"opaque": {"driver": "example.com", "parameters": {"a": 1}}}]}));
    with(json!({"extendedResourceName": "gpu"}));
    with(json!({"extendedResourceName": "example.com/gpu"}));
}

fn claim(requests: Value) -> Value {
    json!({"metadata": {"name": "gpu"}, "spec": {"devices": {"requests": requests}}})
}

fn claims_are_filled_in_and_stay_as_they_are(arm: &Arm) {
    arm.create(
        CLAIMS,
        claim(json!([
            {"name": "one", "exactly": {"deviceClassName": "gpu.example.com"}},
            {"name": "all", "exactly": {"deviceClassName": "gpu.example.com", "allocationMode": "All"}},
            {"name": "some", "firstAvailable": [
                {"name": "large", "deviceClassName": "large.example.com"},
                {"name": "small", "deviceClassName": "small.example.com", "count": 2},
            ]},
            {"name": "worn", "exactly": {"deviceClassName": "gpu.example.com", "tolerations": [{"key": "worn", "effect": "NoSchedule", "value": "a"}]}},
        ])),
    );
    arm.patch(CLAIM, "json", json!([{"op": "replace", "path": "/spec/devices/requests/0/exactly/count", "value": 2}]));
    arm.patch(CLAIM, "merge", json!({"metadata": {"labels": {"a": "b"}}, "status": {"reservedFor": []}}));
    arm.delete(CLAIM);
}

fn claims_are_checked(arm: &Arm) {
    let with = |requests: Value| drop(arm.create(&format!("{CLAIMS}?dryRun=All"), claim(requests)));
    let exactly = json!({"deviceClassName": "gpu.example.com"});
    with(json!([{"name": "Bad Name", "exactly": exactly}]));
    with(json!([{"name": "none"}]));
    with(json!([{"name": "class", "exactly": {"deviceClassName": "Bad Name"}}]));
    with(json!([{"name": "count", "exactly": {"deviceClassName": "gpu.example.com", "count": -1}}]));
    with(
        json!([{"name": "all", "exactly": {"deviceClassName": "gpu.example.com", "allocationMode": "All", "count": 1}}]),
    );
    let mut claim = claim(json!([{"name": "one", "exactly": exactly}]));
    claim["spec"]["devices"]["constraints"] = json!([{"requests": ["two"], "matchAttribute": "example.com/numa"}]);
    arm.create(&format!("{CLAIMS}?dryRun=All"), claim.clone());
    claim["spec"]["devices"]["constraints"] = Value::Null;
    claim["spec"]["devices"]["config"] =
        json!([{"requests": ["one/more"], "opaque": {"driver": "example.com", "parameters": {}}}]);
    arm.create(&format!("{CLAIMS}?dryRun=All"), claim);
}

fn who_has_a_device_is_told(arm: &Arm) {
    arm.make(CLAIMS, claim(json!([{"name": "one", "exactly": {"deviceClassName": "gpu.example.com"}}])));
    let path = format!("{CLAIM}/status");
    let pod = json!({"resource": "pods", "name": "web", "uid": "11111111-2222-3333-4444-555555555555"});
    arm.patch(&path, "merge", json!({"status": {"reservedFor": [pod]}}));
    let result = json!({"request": "one", "driver": "example.com", "pool": "node-1", "device": "gpu-0"});
    let allocation = |results: Value| json!({"status": {"allocation": {"devices": {"results": results}}}});
    arm.patch(&path, "merge", allocation(json!([{"request": "two", "driver": "", "pool": "", "device": "GPU"}])));
    arm.patch(&path, "merge", allocation(json!([result])));
    arm.patch(&path, "merge", json!({"metadata": {"labels": {"a": "b"}}, "status": {"reservedFor": [pod]}}));
    let other = json!({"request": "one", "driver": "example.com", "pool": "node-1", "device": "gpu-1"});
    arm.patch(&path, "merge", allocation(json!([other])));
}

fn templates_of_claims_stay_as_they_are(arm: &Arm) {
    let spec = json!({"devices": {"requests": [{"name": "one", "exactly": {"deviceClassName": "gpu.example.com"}}]}});
    arm.create(
        TEMPLATES,
        json!({"metadata": {"name": "gpu"}, "spec": {"metadata": {"labels": {"a": "b"}}, "spec": spec}}),
    );
    let path = format!("{TEMPLATES}/gpu");
    arm.patch(&path, "merge", json!({"spec": {"metadata": {"labels": {"a": "c"}}}}));
    arm.patch(&path, "merge", json!({"metadata": {"labels": {"a": "c"}}}));
    arm.delete(&path);
}
