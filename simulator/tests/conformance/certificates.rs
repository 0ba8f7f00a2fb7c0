//! Requests for certificates: who makes them, and who says yes or no.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::arms::Arm;

const REQUESTS: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const JANE: &str = include_str!("../certificates/jane.csr");
const ROOT: &str = include_str!("../certificates/root.csr");

bodies! {
    who_asks_for_a_certificate_is_noted
    requests_for_certificates_are_checked
    a_request_is_approved_once
    a_request_is_denied
    nobody_becomes_an_administrator_by_asking
    requests_are_found_by_their_signer
}

fn request(more: Value) -> Value {
    let mut request = json!({
        "metadata": {"name": "SPACE"},
        "spec": {"request": BASE64.encode(JANE), "signerName": "example.com/own", "usages": ["client auth"]},
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        request["spec"][field] = value.clone();
    }
    request
}

fn condition(kind: &str, status: &str) -> Value {
    json!({"type": kind, "status": status, "reason": "Own", "message": "so it is"})
}

fn approval(arm: &Arm, conditions: Value) {
    arm.patch(&format!("{REQUESTS}/SPACE/approval"), "merge", json!({"status": {"conditions": conditions}}));
}

fn who_asks_for_a_certificate_is_noted(arm: &Arm) {
    let claims = json!({"username": "somebody", "uid": "1", "groups": ["else"], "expirationSeconds": 3600});
    arm.create(REQUESTS, request(claims));
    let path = format!("{REQUESTS}/SPACE");
    arm.patch(&path, "merge", json!({"metadata": {"labels": {"a": "b"}}, "spec": {"signerName": "example.com/other"}}));
    arm.delete(&path);
}

fn requests_for_certificates_are_checked(arm: &Arm) {
    for more in [
        json!({"usages": []}),
        json!({"usages": ["client auth", "flying", "client auth"]}),
        json!({"signerName": "kubernetes.io/legacy-unknown"}),
        json!({"signerName": "own"}),
        json!({"signerName": "example/own"}),
        json!({"signerName": ""}),
        json!({"expirationSeconds": 599}),
    ] {
        arm.create(&format!("{REQUESTS}?dryRun=All"), request(more));
    }
}

fn a_request_is_approved_once(arm: &Arm) {
    arm.create(REQUESTS, request(json!({})));
    approval(arm, json!([condition("Approved", "False")]));
    approval(arm, json!([condition("Approved", "True"), condition("Denied", "True")]));
    approval(arm, json!([condition("Approved", "True")]));
    approval(arm, json!([]));
    arm.patch(&format!("{REQUESTS}/SPACE/status"), "merge", json!({"status": {"conditions": []}}));
    let both = json!([condition("Approved", "True"), condition("Own", "Unknown")]);
    arm.patch(&format!("{REQUESTS}/SPACE/status"), "merge", json!({"status": {"conditions": both}}));
    arm.get(&format!("{REQUESTS}/SPACE/approval"));
    arm.delete(&format!("{REQUESTS}/SPACE"));
}

fn a_request_is_denied(arm: &Arm) {
    arm.create(REQUESTS, request(json!({})));
    approval(arm, json!([condition("Denied", "True")]));
    approval(arm, json!([condition("Denied", "True"), condition("Approved", "True")]));
    arm.delete(&format!("{REQUESTS}/SPACE"));
}

fn nobody_becomes_an_administrator_by_asking(arm: &Arm) {
    let signer = "kubernetes.io/kube-apiserver-client";
    arm.create(
        &format!("{REQUESTS}?dryRun=All"),
        request(json!({"request": BASE64.encode(ROOT), "signerName": signer})),
    );
    arm.as_viewer(|| approval(arm, json!([condition("Approved", "True")])));
}

fn requests_are_found_by_their_signer(arm: &Arm) {
    arm.create(REQUESTS, request(json!({"signerName": "example.com/SPACE"})));
    for signer in ["example.com/SPACE", "example.com/SPACE-2"] {
        arm.get(&format!("{REQUESTS}?fieldSelector=spec.signerName={signer}"));
    }
    arm.delete(&format!("{REQUESTS}/SPACE"));
}
