//! What needs a webhook that is not up yet, against a real control plane.

use std::{net::TcpListener, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use cozyscript::event::What;
use serde_json::{Value, json};

use super::{Scripts, shared};
use crate::support::{
    Script, runtime,
    server::{Reply, Server},
};

fn config_map(space: &str, name: &str, timeout: &str) -> String {
    format!(
        r#"k8s::connect().apply(
            #{{ apiVersion: "v1", kind: "ConfigMap", metadata: #{{ name: "{name}", namespace: "{space}" }} }},
            #{{ timeout: "{timeout}" }})"#
    )
}

#[track_caller]
fn run(script: &Script, text: &str) {
    drop(script.run(text).unwrap_or_else(|error| panic!("{text}: {error}")));
}

/// A server that gives each review the response made for it.
fn webhook(response: impl Fn(&Value) -> Value + Send + Sync + 'static) -> (Server, String) {
    let (server, authority) = Server::start_with_tls(move |seen| {
        let mut review: Value = serde_json::from_str(&seen.body).unwrap();
        let mut response = response(&review["request"]);
        response["uid"] = review["request"]["uid"].clone();
        review["response"] = response;
        Reply::new(200, review.to_string()).header("content-type", "application/json")
    });
    (server, STANDARD.encode(authority))
}

/// A port at which nobody listens for now.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Opens the port, after a while, and has it lead to the server.
fn open_late(port: u16, to: std::net::SocketAddr, pause: Duration) {
    runtime().spawn(async move {
        tokio::time::sleep(pause).await;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        while let Ok((mut from, _)) = listener.accept().await {
            let mut to = tokio::net::TcpStream::connect(to).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut from, &mut to).await });
        }
    });
}

/// Why the script's wait took longer than what is passed over in silence.
#[track_caller]
fn why_it_waited(script: &Script) -> String {
    let why = script.events().into_iter().find_map(|what| match what {
        What::WaitChanged { because, .. } => Some(because),
        _ => None,
    });
    why.expect("the wait says what it waits for")
}

#[test]
fn a_webhook_of_admission_that_comes_up_late_is_waited_for() {
    let Some(bed) = shared() else { return };
    let space = bed.space("webhook");
    let (server, authority) = webhook(|_| json!({ "allowed": true }));
    let port = closed_port();
    let configuration = format!(
        r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: late}}
webhooks:
- name: late.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  timeoutSeconds: 2
  clientConfig: {{url: "https://localhost:{port}/", caBundle: {authority}}}
  namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {space}}}}}
  rules: [{{apiGroups: [""], apiVersions: [v1], operations: ["*"], resources: [configmaps]}}]
"#
    );
    let script = bed.script();
    run(&script, &format!("k8s::connect().apply(`{configuration}`)"));
    // Until the server heeds it, anything is let in.
    let refused = (0..60).any(|number| {
        std::thread::sleep(Duration::from_millis(250));
        script.run(&config_map(&space, &format!("c{number}"), "300ms")).is_err()
    });
    assert!(refused);
    open_late(port, server.address, Duration::from_secs(4));
    let script = bed.script();
    run(&script, &config_map(&space, "a", "30s"));
    let why = why_it_waited(&script);
    assert!(why.contains("the webhook `late.example.org` is not up yet: connection refused"), "{why}");
    bed.kubectl(&["delete", "validatingwebhookconfiguration", "late"]);
}

#[test]
fn a_webhook_of_conversion_that_comes_up_late_is_waited_for() {
    let Some(bed) = shared() else { return };
    let (server, authority) = webhook(|request| {
        let wanted = &request["desiredAPIVersion"];
        let converted = request["objects"].as_array().unwrap().iter().cloned().map(|mut object| {
            object["apiVersion"] = wanted.clone();
            object
        });
        json!({ "result": { "status": "Success" }, "convertedObjects": converted.collect::<Vec<_>>() })
    });
    let port = closed_port();
    let version = |name: &str, stored: bool| {
        format!(
            "{{name: {name}, served: true, storage: {stored}, schema: {{openAPIV3Schema: {{type: object, \
             x-kubernetes-preserve-unknown-fields: true}}}}}}"
        )
    };
    let definition = format!(
        r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: latecomers.late.example.org}}
spec:
  group: late.example.org
  scope: Cluster
  names: {{kind: Latecomer, listKind: LatecomerList, plural: latecomers, singular: latecomer}}
  versions: [{}, {}]
  conversion:
    strategy: Webhook
    webhook:
      conversionReviewVersions: [v1]
      clientConfig: {{url: "https://localhost:{port}/", caBundle: {authority}}}
"#,
        version("v1", true),
        version("v2", false),
    );
    open_late(port, server.address, Duration::from_secs(4));
    let script = bed.script();
    let latecomer = r##"#{ apiVersion: "late.example.org/v2", kind: "Latecomer", metadata: #{ name: "a" }, spec: #{ why: "traffic" } }"##;
    run(&script, &format!("k8s::connect().apply([`{definition}`, {latecomer}])"));
    let why = why_it_waited(&script);
    let wanted = "the webhook `late.example.org/v2, Kind=Latecomer` is not up yet: connection refused";
    assert!(why.contains(wanted), "{why}");
    let stored =
        bed.kubectl(&["get", "latecomers.v1.late.example.org", "a", "-o", "jsonpath={.apiVersion} {.spec.why}"]);
    assert_eq!(stored, "late.example.org/v1 traffic");
    bed.kubectl(&["delete", "crd", "latecomers.late.example.org"]);
}
