//! What smaller controllers do: tokens in secrets, autoscalers without metrics, services of APIs, and mirrors of Endpoints.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{condition, each, fields, items},
};

const SECRETS: &str = "/api/v1/namespaces/SPACE/secrets";
const ACCOUNTS: &str = "/api/v1/namespaces/SPACE/serviceaccounts";
const SERVICES: &str = "/api/v1/namespaces/SPACE/services";
const ENDPOINTS: &str = "/api/v1/namespaces/SPACE/endpoints";
const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/SPACE/endpointslices";
const APIS: &str = "/apis/apiregistration.k8s.io/v1/apiservices";
const SCALERS: &str = "/apis/autoscaling/v2/namespaces/SPACE/horizontalpodautoscalers";

bodies! {
    a_secret_gets_the_token_of_its_account
    a_token_in_a_secret_is_known
    a_secret_of_no_account_is_deleted
    a_secret_goes_with_its_account
    an_api_without_its_service_is_not_available
    an_api_at_another_port_is_not_available
    an_api_that_the_server_answers_is_available
    endpoints_written_by_hand_are_mirrored
    mirrors_follow_what_they_mirror
    endpoints_that_say_so_are_not_mirrored
    an_autoscaler_without_metrics_says_so
    an_autoscaler_without_a_target_says_so
}

fn exchange(arm: &Arm, method: &str, path: &str, body: Value) {
    let content = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let answer = arm.exchange(method, &arm.placed(path), content, &arm.placed_in(&body));
    assert!(answer.code < 300, "{method} {path}: {:#}", answer.body);
}

fn secret(arm: &Arm, account: &str) {
    let annotations = json!({"kubernetes.io/service-account.name": account});
    let secret = json!({
        "metadata": {"name": "token", "annotations": annotations}, "type": "kubernetes.io/service-account-token",
    });
    exchange(arm, "POST", SECRETS, secret);
}

fn account(arm: &Arm) {
    exchange(arm, "POST", ACCOUNTS, json!({"metadata": {"name": "robot"}}));
}

fn filled(arm: &Arm) {
    arm.settle(&format!("{SECRETS}/token"), |secret| {
        let keys: Vec<&String> = secret["data"].as_object()?.keys().collect();
        let mut told = fields(secret, &["/metadata/annotations", "/type", "/data/namespace"]);
        told["keys"] = json!(keys.iter().collect::<std::collections::BTreeSet<_>>());
        (keys.len() == 3).then_some(told)
    });
}

fn a_secret_gets_the_token_of_its_account(arm: &Arm) {
    account(arm);
    secret(arm, "robot");
    filled(arm);
}

fn a_token_in_a_secret_is_known(arm: &Arm) {
    account(arm);
    secret(arm, "robot");
    filled(arm);
    let there = arm.look(&format!("{SECRETS}/token")).body;
    let token = base64(there["data"]["token"].as_str().unwrap());
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token},
    });
    let reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
    arm.ask_until(reviews, &review, |answer| answer.body["status"]["authenticated"] == true);
    let told = arm.exchange("POST", reviews, "application/json", &review);
    arm.note(
        "whose token it is",
        fields(&told.body, &["/status/authenticated", "/status/user/username", "/status/user/groups"]),
    );
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = text
        .bytes()
        .filter_map(|letter| LETTERS.iter().position(|known| *known == letter))
        .map(|digit| u32::try_from(digit).unwrap())
        .collect();
    let bytes = digits.chunks(4).flat_map(|four| {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        bits.to_be_bytes()[1..four.len()].to_vec()
    });
    String::from_utf8(bytes.collect()).unwrap()
}

fn a_secret_of_no_account_is_deleted(arm: &Arm) {
    secret(arm, "nobody");
    arm.look_until(&format!("{SECRETS}/token"), |answer| answer.code == 404);
}

fn a_secret_goes_with_its_account(arm: &Arm) {
    account(arm);
    secret(arm, "robot");
    filled(arm);
    exchange(arm, "DELETE", &format!("{ACCOUNTS}/robot"), Value::Null);
    arm.look_until(&format!("{SECRETS}/token"), |answer| answer.code == 404);
}

fn api(arm: &Arm, spec: Value) -> String {
    let own = format!("{APIS}/v1.SPACE.example.com");
    let mut api = json!({"metadata": {"name": "v1.SPACE.example.com"}, "spec": {
        "group": "SPACE.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10,
    }});
    for (field, value) in spec.as_object().unwrap() {
        api["spec"][field] = value.clone();
    }
    exchange(arm, "POST", APIS, api);
    own
}

fn available(arm: &Arm, path: &str, reason: &str) {
    arm.settle(path, |api| {
        condition(api, "Available")
            .filter(|told| told["reason"] == reason)
            .map(|told| fields(told, &["/status", "/reason", "/message"]))
    });
}

fn an_api_without_its_service_is_not_available(arm: &Arm) {
    let own = api(arm, json!({"insecureSkipTLSVerify": true, "service": {"name": "web", "namespace": "SPACE"}}));
    available(arm, &own, "ServiceNotFound");
    exchange(arm, "DELETE", &own, Value::Null);
}

fn an_api_at_another_port_is_not_available(arm: &Arm) {
    exchange(arm, "POST", SERVICES, json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}));
    let own = api(arm, json!({"insecureSkipTLSVerify": true, "service": {"name": "web", "namespace": "SPACE"}}));
    available(arm, &own, "ServicePortError");
    exchange(arm, "DELETE", &own, Value::Null);
}

fn an_api_that_the_server_answers_is_available(arm: &Arm) {
    let own = api(arm, json!({}));
    available(arm, &own, "Local");
    exchange(arm, "DELETE", &own, Value::Null);
}

fn written_by_hand(arm: &Arm, labels: Value) {
    exchange(arm, "POST", SERVICES, json!({"metadata": {"name": "out"}, "spec": {"ports": [{"port": 80}]}}));
    let endpoints = json!({
        "metadata": {"name": "out", "labels": labels},
        "subsets": [{
            "addresses": [{"ip": "192.0.2.1"}, {"ip": "192.0.2.2", "hostname": "second"}],
            "notReadyAddresses": [{"ip": "192.0.2.3"}],
            "ports": [{"port": 80, "name": "http"}],
        }],
    });
    exchange(arm, "POST", ENDPOINTS, endpoints);
}

fn mirrored(arm: &Arm, count: usize) {
    arm.settle(SLICES, |list| {
        let told = |slice: &Value| {
            let mut told = fields(
                slice,
                &[
                    "/metadata/generateName",
                    "/metadata/labels",
                    "/metadata/annotations",
                    "/metadata/ownerReferences",
                    "/addressType",
                    "/ports",
                ],
            );
            let mut endpoints = slice["endpoints"].as_array().cloned().unwrap_or_default();
            endpoints.sort_by_key(|endpoint| endpoint["addresses"].to_string());
            told["endpoints"] = json!(endpoints);
            told
        };
        let all: usize = items(list).iter().map(|slice| slice["endpoints"].as_array().map_or(0, Vec::len)).sum();
        (all == count).then(|| each(list, told))
    });
}

fn endpoints_written_by_hand_are_mirrored(arm: &Arm) {
    written_by_hand(arm, json!({"tier": "front"}));
    mirrored(arm, 3);
}

fn mirrors_follow_what_they_mirror(arm: &Arm) {
    written_by_hand(arm, json!({}));
    mirrored(arm, 3);
    let fewer = json!({"subsets": [{"addresses": [{"ip": "192.0.2.9"}], "ports": [{"port": 80, "name": "http"}]}]});
    exchange(arm, "PATCH", &format!("{ENDPOINTS}/out"), fewer);
    mirrored(arm, 1);
    exchange(arm, "PATCH", &format!("{ENDPOINTS}/out"), json!({"subsets": null}));
    mirrored(arm, 0);
}

fn endpoints_that_say_so_are_not_mirrored(arm: &Arm) {
    written_by_hand(arm, json!({"endpointslice.kubernetes.io/skip-mirror": "true"}));
    mirrored(arm, 0);
    exchange(arm, "PATCH", &format!("{ENDPOINTS}/out"), json!({"metadata": {"labels": null}}));
    mirrored(arm, 3);
}

fn scaler(arm: &Arm, kind: &str) {
    let scaler = json!({"metadata": {"name": "scaler"}, "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": "web"},
        "maxReplicas": 5,
        "metrics": [{"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 50}}}],
    }});
    exchange(arm, "POST", SCALERS, scaler);
}

fn scaled(arm: &Arm, reason: &str) {
    arm.settle(&format!("{SCALERS}/scaler"), |scaler| {
        scaler["status"]["conditions"].is_array().then(|| fields(scaler, &["/status"]))
    });
    arm.settle("/api/v1/namespaces/SPACE/events?fieldSelector=involvedObject.name=scaler", |list| {
        let said = |event: &Value| fields(event, &["/type", "/reason", "/message", "/source"]);
        items(list).iter().any(|event| event["reason"] == reason).then(|| each(list, said))
    });
}

fn an_autoscaler_without_metrics_says_so(arm: &Arm) {
    let set = super::settled::workload("web", 1);
    let sets = "/apis/apps/v1/namespaces/SPACE/replicasets";
    exchange(arm, "POST", sets, set);
    arm.look_until(&format!("{sets}/web"), |answer| answer.body["status"]["readyReplicas"] == 1);
    scaler(arm, "ReplicaSet");
    scaled(arm, "FailedComputeMetricsReplicas");
}

fn an_autoscaler_without_a_target_says_so(arm: &Arm) {
    scaler(arm, "Deployment");
    scaled(arm, "FailedGetScale");
}
