//! Pods and services asked through the API server: whoever the world puts behind a port answers.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use simulator::{
    kubernetes::cluster::Cluster,
    network::{Network, Server},
    stream::Stream,
    time::{Calendar, During},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Arm, PODS, begin, is_running, pod, simulated};

/// Answers with what it was asked.
struct Shop;

impl Server for Shop {
    fn serve(self: Arc<Self>, mut stream: Box<dyn Stream>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(stream.read_u8().await.unwrap());
            }
            let asked = String::from_utf8(asked).unwrap().replace("\r\n", "\n");
            let told = format!(
                "HTTP/1.1 418 Teapot\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{asked}",
                asked.len()
            );
            stream.write_all(told.as_bytes()).await.unwrap();
        })
    }
}

fn beside_a_shop(calendar: Calendar, seed: u64) -> Arc<Cluster> {
    let cluster = begin(calendar, seed);
    let network = Arc::new(Network::default());
    network.place("shop.example.test", 80, Arc::new(Shop), During::default());
    cluster.join(network);
    cluster
}

/// A cluster with the pod `server`.
fn arm() -> Arm {
    let arm = simulated::arm_of("streams", beside_a_shop);
    arm.look_until("/api/v1/namespaces/SPACE/serviceaccounts/default", |answer| answer.code == 200);
    let spec = json!({"containers": [{"name": "web", "image": "server:1", "ports": [{"containerPort": 80}]}]});
    pod(&arm, "server", spec, is_running);
    arm
}

fn refusal(arm: &Arm, path: &str) -> (u16, String) {
    let answer = arm.look(path);
    (answer.code, answer.body["message"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn who_is_behind_a_port_of_a_pod_answers() {
    let arm = arm();
    let answer = arm.look(&format!("{PODS}/server/proxy/a%20b/?c=d"));
    assert_eq!((answer.code, answer.form.as_str()), (418, "text/plain"));
    let asked = answer.body.as_str().unwrap();
    assert!(asked.starts_with("GET /a%20b/?c=d HTTP/1.1\n"), "{asked}");
    assert!(
        !asked.to_lowercase().contains("authorization"),
        "who asks shows the pod what opens the API server: {asked}"
    );
}

#[test]
fn who_is_behind_a_service_answers() {
    let arm = arm();
    arm.patch(&format!("{PODS}/server"), "merge", json!({"metadata": {"labels": {"app": "shop"}}}));
    let ports = json!([{"name": "http", "port": 8080, "targetPort": 80}, {"name": "closed", "port": 81}]);
    let service = json!({"metadata": {"name": "shop"}, "spec": {"selector": {"app": "shop"}, "ports": ports}});
    let services = "/api/v1/namespaces/SPACE/services";
    arm.create(services, service);
    arm.look_until(&format!("{services}/shop:http/proxy/"), |answer| answer.code != 503);
    for whom in ["shop:http", "shop:8080", "http:shop:8080"] {
        assert_eq!(arm.look(&format!("{services}/{whom}/proxy/")).code, 418, "{whom}");
    }
    let (code, why) = refusal(&arm, &format!("{services}/shop:closed/proxy/"));
    assert_eq!(code, 503, "{why}");
    assert!(
        why.starts_with("error trying to reach service: dial tcp ")
            && why.ends_with(":81: connect: connection refused"),
        "{why}"
    );
    let (code, why) = refusal(&arm, &format!("{services}/https:shop:8080/proxy/"));
    assert_eq!((code, why.as_str()), (501, "the simulator has no model of this: a proxy that speaks TLS"));
}

#[test]
fn a_port_of_which_the_world_says_nothing_has_no_model() {
    let (code, why) = refusal(&arm(), &format!("{PODS}/server:82/proxy/"));
    assert_eq!(code, 501);
    assert!(why.ends_with("port 82 of pod `server` in `streams`"), "{why}");
}

#[test]
fn what_is_given_is_handed_on() {
    let arm = arm();
    let answer = arm.send("PUT", &format!("{PODS}/server:80/proxy/order"), "application/json", &json!({"tea": 1}));
    let asked = answer.body.as_str().unwrap().to_owned();
    assert!(asked.starts_with("PUT /order HTTP/1.1\n") && asked.contains("content-length: 9\n"), "{asked}");
    assert_eq!(arm.send("DELETE", &format!("{PODS}/server:80/proxy/"), "", &Value::Null).code, 418);
}
