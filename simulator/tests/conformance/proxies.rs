//! Pods and services asked through the API server: what is said to those for whom nobody answers.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    logs::{create, running},
    settled::Scene as _,
};

const PODS: &str = "/api/v1/namespaces/SPACE/pods";
const SERVICES: &str = "/api/v1/namespaces/SPACE/services";

bodies! {
    pods_have_names_schemes_and_ports
    a_pod_without_an_address_is_not_asked
    services_have_names_schemes_and_ports
    a_service_without_endpoints_is_not_asked
    an_empty_path_leads_to_a_folder
    who_may_not_ask_is_told
}

fn pods_have_names_schemes_and_ports(arm: &Arm) {
    for name in ["nobody", "nobody:80", "http:nobody:80", "ftp:nobody:80", "a:b:c:d", "nobody:", ":80", "http:nobody:"]
    {
        arm.get(&format!("{PODS}/{name}/proxy/index.html"));
    }
    arm.get("/api/v1/namespaces/SPACE-none/pods/nobody/proxy/");
}

fn a_pod_without_an_address_is_not_asked(arm: &Arm) {
    create(arm, "web", json!({"nodeSelector": {"there-is": "none"}}));
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        arm.send(method, &format!("{PODS}/web:80/proxy/"), "application/json", &json!({}));
    }
    arm.get(&format!("{PODS}/web:http/proxy/"));
}

fn web(arm: &Arm, ports: Value) {
    arm.make(SERVICES, json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": ports}}));
    arm.look_until("/api/v1/namespaces/SPACE/endpoints/web", |answer| answer.code == 200);
}

fn services_have_names_schemes_and_ports(arm: &Arm) {
    arm.get(&format!("{SERVICES}/nobody/proxy/"));
    web(arm, json!([{"name": "http", "port": 80}, {"name": "other", "port": 81}]));
    for name in
        ["nobody:80", "web:82", "web:80", "web:http", "web:none", "https:web:81", "ftp:web:80", "a:b:c:d", "web:"]
    {
        arm.get(&format!("{SERVICES}/{name}/proxy/index.html?a=b"));
    }
}

fn a_service_without_endpoints_is_not_asked(arm: &Arm) {
    web(arm, json!([{"port": 80}]));
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        arm.send(method, &format!("{SERVICES}/web/proxy/"), "application/json", &json!({}));
    }
}

fn an_empty_path_leads_to_a_folder(arm: &Arm) {
    running(arm, "web", json!({}));
    for path in ["web/proxy", "web:80/proxy?a=b", "http:web:80/proxy"] {
        arm.get(&format!("{PODS}/{path}"));
    }
}

fn who_may_not_ask_is_told(arm: &Arm) {
    arm.as_viewer(|| {
        arm.get(&format!("{PODS}/nobody:80/proxy/index.html"));
        arm.create(&format!("{SERVICES}/nobody/proxy/"), json!({}));
    });
}
