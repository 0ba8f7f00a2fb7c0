//! Endpoints and their slices.

use serde_json::{Value, json};

use super::arms::Arm;

const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/SPACE/endpointslices";

bodies! {
    slices_of_endpoints_are_checked
    a_slice_keeps_its_type
}

fn slice(more: Value) -> Value {
    let mut slice = json!({"metadata": {"name": "web"}, "addressType": "IPv4", "endpoints": [{"addresses": ["192.0.2.1"]}], "ports": [{"port": 80}]});
    for (field, value) in more.as_object().unwrap() {
        slice[field] = value.clone();
    }
    slice
}

fn slices_of_endpoints_are_checked(arm: &Arm) {
    for more in [
        json!({}),
        json!({"addressType": null}),
        json!({"addressType": "IPv5"}),
        json!({"addressType": "IPv6"}),
        json!({"endpoints": null, "ports": null}),
        json!({"endpoints": [{"addresses": []}]}),
        json!({"endpoints": [{"addresses": ["abc"]}]}),
        json!({"endpoints": [{"addresses": ["192.0.2.1"], "hostname": "A_b", "conditions": {"ready": true}}]}),
        json!({"endpoints": [{"addresses": ["127.0.0.1"]}]}),
        json!({"endpoints": [{"addresses": ["192.0.2.1"], "deprecatedTopology": {"a": "b"}}]}),
        json!({"ports": [{"port": 80}, {"port": 81}]}),
        json!({"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b", "protocol": "UDP"}]}),
        json!({"ports": [{"port": 80, "name": "A", "protocol": "X", "appProtocol": "a b"}]}),
        json!({"ports": [{}]}),
    ] {
        arm.create(&format!("{SLICES}?dryRun=All"), slice(more));
    }
}

fn a_slice_keeps_its_type(arm: &Arm) {
    arm.create(SLICES, slice(json!({})));
    arm.patch(&format!("{SLICES}/web"), "merge", json!({"addressType": "FQDN", "endpoints": []}));
    arm.patch(&format!("{SLICES}/web"), "merge", json!({"endpoints": []}));
}
