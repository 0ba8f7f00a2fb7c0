//! What controllers do after times that nobody waits for on a real cluster.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use simulator::{
    certificates::CertificateAuthority,
    kubernetes::{client::Client, client::Place, cluster::Cluster, control_plane, user::User},
    time::Calendar,
};
use tokio::time::sleep;

use super::arms::simulated;

const PODS: Place<'static> = Place { api_version: "v1", resource: "pods", namespace: "default" };
const NODES: Place<'static> = Place { api_version: "v1", resource: "nodes", namespace: "" };
const LEASES: Place<'static> =
    Place { api_version: "coordination.k8s.io/v1", resource: "leases", namespace: "kube-node-lease" };
const WEBHOOKS: Place<'static> = Place {
    api_version: "admissionregistration.k8s.io/v1",
    resource: "validatingwebhookconfigurations",
    namespace: "",
};
const REQUESTS: Place<'static> =
    Place { api_version: "certificates.k8s.io/v1", resource: "certificatesigningrequests", namespace: "" };

/// Plays with a cluster with two nodes, as its administrator.
fn play(play: impl AsyncFnOnce(&Arc<Cluster>, &Client)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let cluster = control_plane::begin(Calendar::beginning("2026-01-01T09:00:00Z".parse().unwrap()), 1);
        let known = cluster.authority.set(Arc::new(CertificateAuthority::new("world", 1)));
        assert!(known.is_ok());
        simulated::two_nodes(&cluster);
        let client = Client::new(&cluster, User::administrator(), "test");
        // Namespaces get their accounts first.
        sleep(Duration::from_secs(1)).await;
        play(&cluster, &client).await;
    });
}

fn count(cluster: &Cluster, resource: &str) -> usize {
    cluster.store.list(&resource.into(), Some("default")).1.len()
}

fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "main", "image": "image:1"}], "nodeSelector": {"kubernetes.io/hostname": "node-1"}},
    })
}

#[test]
fn events_are_forgotten_an_hour_after_they_were_told() {
    play(async |cluster, client| {
        client.create(PODS, &pod("web")).await.unwrap();
        sleep(Duration::from_secs(60)).await;
        let told = count(cluster, "events");
        assert!(told > 3, "only {told} events");
        sleep(Duration::from_secs(3500)).await;
        assert_eq!(count(cluster, "events"), told);
        sleep(Duration::from_secs(100)).await;
        assert_eq!(count(cluster, "events"), 0);
    });
}

#[test]
fn a_heartbeat_is_what_a_request_for_it_would_make_of_its_lease() {
    // Where a webhook might be asked, there is a request.
    let lease = |asks: bool| {
        let mut lease = Value::Null;
        play(async |_, client| {
            let hooks = json!({"metadata": {"name": "others"}, "webhooks": []});
            if asks {
                client.create(WEBHOOKS, &hooks).await.unwrap();
            }
            sleep(Duration::from_secs(35)).await;
            lease = client.get(LEASES, "node-1").await.unwrap();
        });
        lease["metadata"]["resourceVersion"].take();
        lease
    };
    let renewed = lease(false);
    assert_eq!(renewed["spec"]["renewTime"], "2026-01-01T09:00:30.000000Z");
    assert_eq!(renewed, lease(true));
}

#[test]
fn pods_of_a_node_that_is_gone_go_after_a_while() {
    play(async |cluster, client| {
        client.create(PODS, &pod("web")).await.unwrap();
        sleep(Duration::from_secs(30)).await;
        assert_eq!(client.get(PODS, "web").await.unwrap()["status"]["phase"], "Running");
        client.delete(NODES, "node-1", &Value::Null).await.unwrap();
        sleep(Duration::from_secs(35)).await;
        assert_eq!(count(cluster, "pods"), 1);
        sleep(Duration::from_secs(10)).await;
        assert_eq!(count(cluster, "pods"), 0);
        let (_, last) = cluster
            .store
            .since(&"pods".into(), 1)
            .unwrap()
            .1
            .into_iter()
            .filter_map(|change| change.after.clone().map(|after| (change.revision, after)))
            .next_back()
            .unwrap();
        let reasons: Vec<&Value> =
            last["status"]["conditions"].as_array().unwrap().iter().map(|condition| &condition["message"]).collect();
        assert!(reasons.contains(&&json!("PodGC: node no longer exists")), "{reasons:?}");
        assert_eq!(last["status"]["phase"], "Failed");
    });
}

async fn approved(client: &Client, name: &str, request: &str, signer: &str, usages: &[&str]) -> Value {
    let request = json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": {"request": BASE64.encode(request), "signerName": signer, "usages": usages},
    });
    client.create(REQUESTS, &request).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let verdict = json!([{"type": "Approved", "status": "True", "reason": "Own"}]);
    let patch = json!({"status": {"conditions": verdict}});
    client.patch(REQUESTS, (name, "approval"), "merge", &patch).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    client.get(REQUESTS, name).await.unwrap()
}

#[test]
fn approved_requests_get_a_certificate_of_the_clusters_authority() {
    play(async |_, client| {
        let jane = include_str!("certificates/jane.csr");
        let node = include_str!("certificates/node.csr");
        for (name, request, signer) in [
            ("jane", jane, "kubernetes.io/kube-apiserver-client"),
            ("node", node, "kubernetes.io/kube-apiserver-client-kubelet"),
        ] {
            let signed = approved(client, name, request, signer, &["client auth", "digital signature"]).await;
            let certificate = BASE64.decode(signed["status"]["certificate"].as_str().unwrap()).unwrap();
            assert!(certificate.starts_with(b"-----BEGIN CERTIFICATE-----"));
        }
    });
}

#[test]
fn what_a_signer_does_not_sign_has_failed() {
    play(async |_, client| {
        let jane = include_str!("certificates/jane.csr");
        let signer = "kubernetes.io/kube-apiserver-client-kubelet";
        let failed = approved(client, "jane", jane, signer, &["client auth"]).await;
        let condition = &failed["status"]["conditions"][1];
        assert_eq!(condition["reason"], "SignerValidationFailure");
        assert_eq!(condition["message"], "subject organization is not system:nodes");
        assert!(failed["status"].get("certificate").is_none());
        let foreign = approved(client, "foreign", jane, "example.com/own", &["client auth"]).await;
        assert_eq!(foreign["status"]["conditions"].as_array().unwrap().len(), 1);
    });
}
