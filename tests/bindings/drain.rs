//! What a drain meets that a healthy cluster rarely has: pods left behind, pods that never end, and servers in trouble.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use cozyscript::script::fault::Kind;
use rhai::Array;
use serde_json::{Value, json};

use super::k8s::{run, status, value};
use crate::support::server::{Reply, Seen, Server};

fn pod(name: &str, more: &Value) -> Value {
    let mut pod = json!({
        "metadata": { "name": name, "namespace": "shop", "uid": format!("uid-of-{name}") },
        "spec": { "nodeName": "one" }, "status": { "phase": "Running" },
    });
    for part in ["metadata", "status"] {
        if let Some(more) = more[part].as_object() {
            pod[part].as_object_mut().unwrap().extend(more.clone());
        }
    }
    pod
}

fn owned_by(kind: &str, name: &str) -> Value {
    json!({ "metadata": { "ownerReferences": [{ "kind": kind, "name": name, "uid": "u", "controller": true }] } })
}

/// A node with these pods, which go as soon as they are evicted; `refuse` may answer an eviction in another way.
fn node(pods: Vec<Value>, refuse: impl Fn(&str, usize) -> Option<Reply> + Send + Sync + 'static) -> Server {
    let gone: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let asked = Mutex::new(0);
    Server::start(move |seen: &Seen| {
        let path = seen.path.split('?').next().unwrap_or_default();
        let evicted = path.strip_prefix("/api/v1/namespaces/shop/pods/");
        match (evicted.and_then(|rest| rest.strip_suffix("/eviction")), path) {
            (Some(name), _) => {
                let count = {
                    let mut asked = asked.lock().unwrap();
                    *asked += 1;
                    *asked
                };
                if let Some(reply) = refuse(name, count) {
                    return reply;
                }
                gone.lock().unwrap().insert(name.to_owned());
                Reply::new(201, r#"{"kind":"Status","status":"Success"}"#)
            }
            (None, "/api/v1/nodes/one") => Reply::new(200, r#"{"kind":"Node","metadata":{"name":"one"},"spec":{}}"#),
            (None, "/api/v1/pods") => {
                let gone = gone.lock().unwrap();
                let left: Vec<&Value> =
                    pods.iter().filter(|pod| !gone.contains(pod["metadata"]["name"].as_str().unwrap())).collect();
                Reply::new(200, json!({ "kind": "PodList", "metadata": {}, "items": left }).to_string())
            }
            (None, "/apis/apps/v1/namespaces/shop/daemonsets/logs") => {
                Reply::new(200, r#"{"kind":"DaemonSet","metadata":{"name":"logs"}}"#)
            }
            _ => missing("daemonsets", "gone"),
        }
    })
}

fn missing(kind: &str, name: &str) -> Reply {
    Reply::new(
        404,
        json!({ "kind": "Status", "reason": "NotFound", "code": 404, "message": "not found",
                "details": { "name": name, "kind": kind } })
        .to_string(),
    )
}

fn evictions(server: &Server) -> Vec<Value> {
    let evictions = server.seen().into_iter().filter(|seen| seen.path.ends_with("/eviction"));
    evictions.map(|seen| serde_json::from_str(&seen.body).unwrap()).collect()
}

#[test]
fn a_pod_whose_daemon_set_is_gone_goes_only_by_force() {
    let pods =
        || vec![pod("left-behind", &owned_by("DaemonSet", "gone")), pod("logs-1", &owned_by("DaemonSet", "logs"))];
    let server = node(pods(), |_, _| None);
    let (script, text) = run(&server, "cluster.drain(\"one\", #{ ignore_daemon_sets: true })");
    let fault = script.fault(&text);
    assert_eq!(fault.kind, Kind::Refused);
    assert_eq!(fault.notes, ["pod/left-behind in shop would not come back: its daemonset/gone is gone"]);

    let force =
        "cluster.drain(\"one\", #{ ignore_daemon_sets: true, force: true, grace: \"30s\" }).map(|pod| pod.name)";
    let gone: Array = value(&node(pods(), |_, _| None), force);
    assert_eq!(gone.iter().map(ToString::to_string).collect::<Vec<_>>(), ["left-behind"]);
}

#[test]
fn finished_pods_go_without_a_word_and_endless_ones_are_not_waited_for() {
    let endless =
        json!({ "metadata": { "deletionTimestamp": "2020-01-01T00:00:00Z", "finalizers": ["example.org/hold"] } });
    let server = node(
        vec![pod("finished", &json!({ "status": { "phase": "Succeeded" } })), pod("endless", &endless)],
        |_, _| None,
    );
    let gone: Array = value(
        &server,
        "cluster.drain(\"one\", #{ skip_going: \"1m\", grace: 5, timeout: \"10s\" }).map(|pod| pod.name)",
    );
    assert_eq!(gone.iter().map(ToString::to_string).collect::<Vec<_>>(), ["finished"]);
    let asked = evictions(&server);
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0]["deleteOptions"],
        json!({ "preconditions": { "uid": "uid-of-finished" }, "gracePeriodSeconds": 5 })
    );
}

#[test]
fn a_pod_that_is_gone_before_it_is_asked_has_left() {
    let web = || vec![pod("web-0", &owned_by("StatefulSet", "web"))];
    let drain = "cluster.drain(\"one\", #{ timeout: \"10s\" }).len()";
    assert_eq!(value::<i64>(&node(web(), |name, _| Some(missing("pods", name))), drain), 1);
    let replaced = |_: &str, _| Some(status(409, "Conflict", "the UID in the precondition does not match"));
    assert_eq!(value::<i64>(&node(web(), replaced), drain), 1);
}

#[test]
fn an_eviction_that_the_server_could_not_take_is_asked_for_again() {
    let server = node(vec![pod("web-0", &owned_by("StatefulSet", "web"))], |_, count| {
        (count == 1).then(|| status(503, "ServiceUnavailable", "the server is starting"))
    });
    assert_eq!(value::<i64>(&server, "cluster.drain(\"one\", #{ timeout: \"30s\" }).len()"), 1);
    assert_eq!(evictions(&server).len(), 2);
}

#[test]
fn a_server_without_evictions_says_so() {
    let server = node(vec![pod("web-0", &owned_by("StatefulSet", "web"))], |_, _| {
        Some(status(404, "NotFound", "page not found"))
    });
    let (script, text) = run(&server, "cluster.drain(\"one\", #{ timeout: \"10s\" })");
    let fault = script.fault(&text);
    assert_eq!(fault.kind, Kind::Unsupported);
    assert!(fault.hint.unwrap().contains("disable_eviction: true"));
}
