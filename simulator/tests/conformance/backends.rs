//! What is behind services: Endpoints and EndpointSlices.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{Scene, each, fields, items, workload},
};

const SERVICES: &str = "/api/v1/namespaces/SPACE/services";
const ENDPOINTS: &str = "/api/v1/namespaces/SPACE/endpoints/web";
const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/SPACE/endpointslices";

bodies! {
    nothing_is_behind_a_service_whose_pods_are_not_there
    a_service_without_a_selector_is_left_alone
    what_is_behind_a_service_goes_with_it
}

fn service(spec: Value) -> Value {
    let mut service = json!({
        "metadata": {"name": "web", "labels": {"of": "service"}},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        service["spec"][field] = value.clone();
    }
    service
}

/// Writes down both forms, as soon as there are so many addresses.
fn backends(arm: &Arm, ready: usize, others: usize) {
    let count = |list: &Value| list.as_array().map_or(0, Vec::len);
    arm.settle(ENDPOINTS, |endpoints| {
        let subsets = endpoints["subsets"].as_array().cloned().unwrap_or_default();
        let sum = |field: &str| subsets.iter().map(|subset| count(&subset[field])).sum::<usize>();
        let is_so = endpoints["kind"] == "Endpoints" && sum("addresses") == ready && sum("notReadyAddresses") == others;
        is_so.then(|| fields(endpoints, &["/metadata/labels", "/subsets"]))
    });
    arm.settle(SLICES, |list| {
        let endpoints = items(list).iter().map(|slice| count(&slice["endpoints"])).sum::<usize>();
        let of = |ready: bool| {
            let all = items(list).iter().flat_map(|slice| items_of(&slice["endpoints"]));
            all.filter(|endpoint| endpoint["conditions"]["ready"] == ready).count()
        };
        let told = each(list, |slice| {
            let mut told = fields(
                slice,
                &[
                    "/metadata/name",
                    "/metadata/labels",
                    "/metadata/ownerReferences",
                    "/addressType",
                    "/endpoints",
                    "/ports",
                ],
            );
            for list in ["/endpoints", "/ports"] {
                if let Some(endpoints) = told[list].as_array_mut() {
                    endpoints.sort_by_key(Value::to_string);
                }
            }
            told
        });
        (!items(list).is_empty() && endpoints == ready + others && of(true) == ready).then_some(told)
    });
}

fn items_of(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

fn nothing_is_behind_a_service_whose_pods_are_not_there(arm: &Arm) {
    arm.make(SERVICES, service(json!({})));
    backends(arm, 0, 0);
}

fn a_service_without_a_selector_is_left_alone(arm: &Arm) {
    arm.make(SERVICES, service(json!({"selector": null})));
    arm.make(
        SERVICES,
        json!({"metadata": {"name": "later"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
    );
    arm.settle(SLICES, |list| (items(list).len() == 1).then(|| each(list, |slice| fields(slice, &["/metadata/name"]))));
    arm.look_until(ENDPOINTS, |answer| answer.code == 404);
}

fn what_is_behind_a_service_goes_with_it(arm: &Arm) {
    arm.make("/apis/apps/v1/namespaces/SPACE/deployments", workload("web", 1));
    arm.make(SERVICES, service(json!({})));
    arm.look_until(ENDPOINTS, |answer| items_of(&answer.body["subsets"]).len() == 1);
    arm.drop("/api/v1/namespaces/SPACE/services/web");
    arm.look_until(ENDPOINTS, |answer| answer.code == 404);
    arm.look_until(SLICES, |answer| items(&answer.body).is_empty());
}
