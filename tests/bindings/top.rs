//! What nodes and pods use, from a server that measures.

use cozyscript::script::{fault::Kind, values::object::Object};
use rhai::Array;

use super::k8s::{run, status, value};
use crate::support::server::{Reply, Seen, Server};

const DISCOVERY: &str = r#"{"kind":"APIResourceList","groupVersion":"metrics.k8s.io/v1beta1","resources":[
    {"name":"nodes","singularName":"","namespaced":false,"kind":"NodeMetrics","verbs":["get","list"]},
    {"name":"pods","singularName":"","namespaced":true,"kind":"PodMetrics","verbs":["get","list"]}]}"#;

const NODE_METRICS: &str = r#"{"kind":"NodeMetricsList","apiVersion":"metrics.k8s.io/v1beta1","metadata":{},"items":[
    {"metadata":{"name":"one"},"usage":{"cpu":"1500000001n","memory":"2Gi"}},
    {"metadata":{"name":"unknown"},"usage":{"cpu":"250m","memory":"1048576"}}]}"#;

const NODES: &str = r#"{"kind":"NodeList","apiVersion":"v1","metadata":{},"items":[
    {"metadata":{"name":"one"},"status":{"allocatable":{"cpu":"6","memory":"8192Mi"}}}]}"#;

const POD_METRICS: &str = r#"{"kind":"PodMetricsList","apiVersion":"metrics.k8s.io/v1beta1","metadata":{},"items":[
    {"metadata":{"name":"web-0","namespace":"shop"},"containers":[
        {"name":"web","usage":{"cpu":"12m","memory":"64Mi"}},{"name":"proxy","usage":{"cpu":"500u","memory":"1k"}}]}]}"#;

fn measuring(seen: &Seen) -> Reply {
    let path = seen.path.split('?').next().unwrap_or_default();
    Reply::new(
        200,
        match path {
            "/apis/metrics.k8s.io/v1beta1" => DISCOVERY,
            "/apis/metrics.k8s.io/v1beta1/nodes" => NODE_METRICS,
            "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods" => POD_METRICS,
            "/api/v1/nodes" => NODES,
            _ => return status(404, "NotFound", "the server could not find the requested resource"),
        },
    )
}

#[test]
fn nodes_use_a_share_of_what_they_have() {
    let used: Array = value(&Server::start(measuring), "cluster.top(\"nodes\")");
    let shown: Vec<String> = used.into_iter().map(|node| node.cast::<Object>().tree().to_string()).collect();
    assert_eq!(
        shown,
        [
            r#"{"cpu":1501,"cpu_percent":25,"memory":2147483648,"memory_percent":25,"name":"one"}"#,
            r#"{"cpu":250,"memory":1048576,"name":"unknown"}"#,
        ]
    );
}

#[test]
fn a_pod_uses_what_its_containers_use() {
    let server = Server::start(measuring);
    let used: Array = value(&server, "cluster.top(\"po\", #{ namespace: \"shop\", labels: \"app=web\" })");
    assert_eq!(
        used[0].clone().cast::<Object>().tree().to_string(),
        r#"{"containers":[{"cpu":12,"memory":67108864,"name":"web"},{"cpu":1,"memory":1000,"name":"proxy"}],"cpu":13,"memory":67109864,"name":"web-0","namespace":"shop"}"#
    );
    assert!(server.seen().iter().any(|seen| seen.path.contains("labelSelector=app%3Dweb")));
}

#[test]
fn whoever_measures_may_be_broken() {
    let server = Server::start(|seen| match seen.path.contains("/pods") {
        true => status(503, "ServiceUnavailable", "the server is currently unable to handle the request"),
        false => measuring(seen),
    });
    let (script, text) = run(&server, "cluster.top(\"pods\", #{ timeout: \"20s\" })");
    assert_eq!(script.fault(&text).kind, Kind::Unavailable);
    let server = Server::start(|seen| match seen.path.contains("/nodes") {
        true => Reply::new(200, NODE_METRICS.replace("250m", "much")),
        false => measuring(seen),
    });
    let (script, text) = run(&server, "cluster.top(\"nodes\")");
    let fault = script.fault(&text);
    assert_eq!((fault.kind, fault.message.contains("`much` is no quantity")), (Kind::Parse, true), "{fault}");
}
