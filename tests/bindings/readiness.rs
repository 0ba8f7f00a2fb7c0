//! When an object is ready, by the rules of its kind.

use serde_json::{Value, json};

use super::script;
use crate::support::server::{Reply, Server};

/// A server that has these objects, which never change.
fn server(objects: &[(&str, Value)]) -> Server {
    let objects: Vec<(String, Value)> = (objects.iter().enumerate())
        .map(|(number, (of, body))| {
            let (kind, name) = of.split_once('/').unwrap();
            let mut object = json!({
                "kind": kind,
                "metadata": { "name": name, "namespace": "default", "uid": name, "resourceVersion": format!("{}", number + 1), "generation": 2 },
            });
            if kind == "Thing" {
                object["apiVersion"] = json!("example.org/v1");
            }
            merge(&mut object, body);
            (name.to_owned(), object)
        })
        .collect();
    let apis = json!({ "kind": "APIGroupDiscoveryList", "items": [{
        "metadata": { "name": "example.org" },
        "versions": [{ "version": "v1", "resources": [
            { "resource": "things", "responseKind": { "kind": "Thing" }, "scope": "Namespaced", "singularResource": "thing" },
        ]}],
    }]});
    Server::start(move |seen| {
        if seen.path.contains("watch=true") {
            return Reply::new(200, "").after(std::time::Duration::from_secs(30));
        }
        let asked = seen.path.replace("%2E", ".").replace("%3D", "=").replace("%2D", "-");
        let found = objects.iter().find(|(name, _)| asked.contains(&format!("metadata.name={name}&")));
        match (seen.path.as_str(), found) {
            ("/apis", _) => Reply::new(200, apis.to_string()),
            (_, Some((_, object))) => {
                Reply::new(200, json!({ "metadata": { "resourceVersion": "99" }, "items": [object] }).to_string())
            }
            _ => Reply::new(200, json!({ "kind": "APIGroupDiscoveryList", "items": [] }).to_string()),
        }
    })
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn wait_for(objects: &[(&str, Value)], timeout: &str) -> String {
    let server = server(objects);
    let names: Vec<String> = objects.iter().map(|(of, _)| format!("\"{of}\"")).collect();
    let text = format!(
        "let cluster = k8s::connect(#{{ text: `{{current-context: fake, clusters: [{{name: fake, cluster: {{server: \"{}\"}}}}], \
         contexts: [{{name: fake, context: {{cluster: fake}}}}]}}` }}); \
         let told; \
         try {{ told = cluster.wait_for([{}], #{{ timeout: \"{timeout}\" }}).len().to_string(); }} \
         catch (fault) {{ told = fault.kind; for note in fault.notes {{ told += \"\\n\" + note; }} }} told",
        server.url(""),
        names.join(", ")
    );
    let (script, _folder) = script(&[]);
    script.value(&text)
}

fn condition(kind: &str, status: &str) -> Value {
    json!({ "type": kind, "status": status, "reason": "Why", "message": "that is why" })
}

#[test]
fn what_is_ready_is_known_by_its_kind() {
    let ready = [
        (
            "Deployment/web",
            json!({ "spec": { "replicas": 2 }, "status": { "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2 } }),
        ),
        (
            "StatefulSet/by-hand",
            json!({ "spec": { "replicas": 1, "updateStrategy": { "type": "OnDelete" } }, "status": { "observedGeneration": 2, "readyReplicas": 1, "currentRevision": "a", "updateRevision": "b" } }),
        ),
        (
            "StatefulSet/in-part",
            json!({ "spec": { "replicas": 3, "updateStrategy": { "rollingUpdate": { "partition": 2 } } }, "status": { "observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b" } }),
        ),
        (
            "DaemonSet/agent",
            json!({ "status": { "observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2 } }),
        ),
        ("ReplicaSet/old", json!({ "spec": { "replicas": 0 }, "status": { "observedGeneration": 2 } })),
        ("Pod/done", json!({ "status": { "phase": "Succeeded" } })),
        ("Pod/up", json!({ "status": { "phase": "Running", "conditions": [condition("Ready", "True")] } })),
        ("PersistentVolumeClaim/data", json!({ "status": { "phase": "Bound" } })),
        ("Service/inside", json!({ "spec": { "type": "ClusterIP" } })),
        (
            "Service/outside",
            json!({ "spec": { "type": "LoadBalancer" }, "status": { "loadBalancer": { "ingress": [{ "ip": "10.0.0.1" }] } } }),
        ),
        ("Job/done", json!({ "status": { "conditions": [condition("Complete", "True")] } })),
        (
            "PodDisruptionBudget/web",
            json!({ "status": { "observedGeneration": 2, "desiredHealthy": 1, "currentHealthy": 2 } }),
        ),
        ("ConfigMap/a", json!({ "data": { "x": "y" } })),
        (
            "Thing/fine",
            json!({ "status": { "conditions": [condition("Ready", "True"), condition("Stalled", "False")] } }),
        ),
        ("Thing/there", json!({ "status": { "ready": true } })),
        ("Thing/plain", json!({})),
    ];
    assert_eq!(wait_for(&ready, "10s"), ready.len().to_string());
}

#[test]
fn what_is_not_ready_says_why() {
    let cases = [
        [
            (
                "Deployment/unseen",
                json!({ "status": { "observedGeneration": 1 } }),
                "its controller has seen generation 1 and not yet 2",
            ),
            (
                "Deployment/paused",
                json!({ "spec": { "replicas": 2, "paused": true }, "status": { "observedGeneration": 2, "replicas": 2, "updatedReplicas": 0 } }),
                "it is paused, with 0 of 2 replicas of the new version",
            ),
            (
                "Deployment/old",
                json!({ "spec": { "replicas": 2 }, "status": { "observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3 } }),
                "1 old replica is still there",
            ),
            (
                "Deployment/refused",
                json!({ "spec": { "replicas": 1 }, "status": { "observedGeneration": 2, "conditions": [condition("ReplicaFailure", "True")] } }),
                "0 of 1 replicas are of the new version: that is why",
            ),
            (
                "StatefulSet/db",
                json!({ "spec": { "replicas": 3 }, "status": { "observedGeneration": 2, "readyReplicas": 2 } }),
                "2 of 3 replicas are ready",
            ),
            (
                "DaemonSet/agent",
                json!({ "status": { "observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1 } }),
                "1 of 2 pods are available",
            ),
            (
                "ReplicaSet/web",
                json!({ "spec": { "replicas": 2 }, "status": { "observedGeneration": 2, "readyReplicas": 1 } }),
                "1 of 2 replicas are ready",
            ),
            (
                "Pod/going",
                json!({ "metadata": { "deletionTimestamp": "2026-01-01T00:00:00Z" } }),
                "it is being deleted",
            ),
            ("PersistentVolumeClaim/data", json!({ "status": { "phase": "Pending" } }), "it is Pending"),
        ],
        [
            ("Service/outside", json!({ "spec": { "type": "LoadBalancer" } }), "it has no address yet"),
            ("Job/later", json!({ "spec": { "suspend": true } }), "it is suspended"),
            ("Job/running", json!({ "status": { "active": 1 } }), "it has no condition `Complete` yet"),
            (
                "PodDisruptionBudget/web",
                json!({ "status": { "observedGeneration": 2, "desiredHealthy": 2, "currentHealthy": 1 } }),
                "1 of 2 pods are healthy",
            ),
            ("Thing/unseen", json!({ "status": { "observedGeneration": -1 } }), "its controller has not seen it yet"),
            (
                "Thing/busy",
                json!({ "status": { "conditions": [condition("Ready", "True"), condition("Reconciling", "True")] } }),
                "Reconciling is True: Why: that is why",
            ),
            (
                "Thing/no",
                json!({ "status": { "conditions": [condition("Ready", "False")] } }),
                "Ready is False: Why: that is why",
            ),
            (
                "Thing/early",
                json!({ "status": { "conditions": [condition("Begun", "True")] } }),
                "it has no condition `Ready` yet",
            ),
            ("Thing/pending", json!({ "status": { "phase": "Pending" } }), "it is Pending"),
        ],
    ];
    for cases in cases {
        let objects = cases.each_ref().map(|(of, body, _)| (*of, body.clone()));
        let told = wait_for(&objects, "3s");
        assert!(told.starts_with("timeout"), "{told}");
        for (of, _, because) in &cases {
            let name = of.split_once('/').unwrap().1;
            let line = told.lines().find(|line| line.contains(&format!("/{name} in default: "))).unwrap_or_default();
            assert!(line.ends_with(&format!(": {because}")), "{of}: {line}\n{told}");
        }
    }
}

#[test]
fn what_cannot_become_ready_ends_the_wait() {
    for (of, body, because) in [
        (
            "Pod/dead",
            json!({ "status": { "phase": "Failed", "reason": "Evicted", "message": "the node was low on memory" } }),
            "it has failed: the node was low on memory",
        ),
        (
            "Job/dead",
            json!({ "status": { "conditions": [condition("Failed", "True")] } }),
            "Failed is True: Why: that is why",
        ),
        (
            "Thing/stalled",
            json!({ "status": { "conditions": [condition("Stalled", "True"), condition("Ready", "False")] } }),
            "Stalled is True: Why: that is why",
        ),
        ("PersistentVolumeClaim/lost", json!({ "status": { "phase": "Lost" } }), "it has lost its volume"),
        (
            "Deployment/late",
            json!({ "spec": { "replicas": 1 }, "status": { "observedGeneration": 2, "conditions": [{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" }] } }),
            "Progressing is False: ProgressDeadlineExceeded",
        ),
    ] {
        let told = wait_for(&[(of, body), ("ConfigMap/a", json!({}))], "20s");
        assert!(told.starts_with("failed") && told.contains(because), "{of}: {told}");
    }
}
