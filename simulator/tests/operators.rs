//! Operators of a world: what comes of the objects of a kind, over time.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use simulator::{time::pass, world::World};

use crate::lived::{ask, within};

const WORLD: &str = "
clusters:
  lab:
    crds: [vcluster-capi]
    operators:
      - of: vclusters.infrastructure.cluster.x-k8s.io
        name: m*
        phases:
          - takes: 20s
            objects:
              - {apiVersion: v1, kind: Namespace, metadata: {name: 'vcluster-${/metadata/name}'}}
              - {apiVersion: v1, kind: Secret, metadata: {name: '${/metadata/name}-kubeconfig'}, stringData: {value: text}}
            status: {conditions: [{type: Ready, status: 'False', reason: Deploying}]}
          - has: {/metadata/labels/size: large}
            objects:
              - {apiVersion: v1, kind: ConfigMap, metadata: {generateName: '${/metadata/name}-node-'}}
            times: 3
          - awaits: [{of: configmaps, namespace: '${/metadata/namespace}', name: go, has: {/data/go: 'yes'}}]
            takes: 10s
            status: {ready: true, conditions: [{type: Ready, status: 'True', reason: Deployed}]}
            events: [{reason: Deployed, message: 'vcluster ${/metadata/name} is there'}]
";

const VCLUSTERS: &str = "/apis/infrastructure.cluster.x-k8s.io/v1alpha1/namespaces/default/vclusters";

async fn create(world: &World, path: &str, object: Value) {
    let came = ask(world, "POST", path, object).await.unwrap();
    assert_eq!(came.code, 201, "{}", came.json());
}

async fn vcluster(world: &World, name: &str, labels: Value) {
    let spec = json!({"controlPlaneEndpoint": {"host": "", "port": 0}});
    create(
        world,
        VCLUSTERS,
        json!({
            "apiVersion": "infrastructure.cluster.x-k8s.io/v1alpha1", "kind": "VCluster",
            "metadata": {"name": name, "labels": labels}, "spec": spec,
        }),
    )
    .await;
}

async fn get(world: &World, path: &str) -> Value {
    ask(world, "GET", path, Value::Null).await.unwrap().json()
}

async fn code(world: &World, path: &str) -> u16 {
    ask(world, "GET", path, Value::Null).await.unwrap().code
}

/// How many ConfigMaps have a name that was made up.
async fn nodes(world: &World) -> Vec<String> {
    let maps = get(world, "/api/v1/namespaces/default/configmaps").await;
    let names =
        maps["items"].as_array().unwrap().iter().map(|map| map["metadata"]["name"].as_str().unwrap().to_owned());
    names.filter(|name| name.contains("-node-")).collect()
}

#[test]
fn phase_comes_after_phase_and_waits_for_what_it_needs() {
    within(WORLD, async |world| {
        vcluster(&world, "moo", json!({})).await;
        vcluster(&world, "other", json!({})).await;
        let moo = format!("{VCLUSTERS}/moo");
        let secret = "/api/v1/namespaces/default/secrets/moo-kubeconfig";
        pass(Duration::from_secs(19)).await;
        assert_eq!((code(&world, secret).await, get(&world, &moo).await["status"].clone()), (404, Value::Null));
        pass(Duration::from_secs(2)).await;
        assert_eq!((code(&world, secret).await, code(&world, "/api/v1/namespaces/vcluster-moo").await), (200, 200));
        let before = get(&world, &moo).await["status"]["conditions"][0].clone();
        assert_eq!((&before["status"], &before["reason"]), (&json!("False"), &json!("Deploying")));
        pass(Duration::from_secs(60)).await;
        create(
            &world,
            "/api/v1/namespaces/default/configmaps",
            json!({"metadata": {"name": "go"}, "data": {"go": "yes"}}),
        )
        .await;
        pass(Duration::from_secs(9)).await;
        assert_eq!(get(&world, &moo).await["status"]["ready"], Value::Null);
        pass(Duration::from_secs(2)).await;
        let status = get(&world, &moo).await["status"].clone();
        assert_eq!((&status["ready"], status["conditions"].as_array().map(Vec::len)), (&json!(true), Some(1)));
        assert_ne!(status["conditions"][0]["lastTransitionTime"], before["lastTransitionTime"]);
        let events = get(&world, "/api/v1/namespaces/default/events").await;
        let told: Vec<&str> =
            events["items"].as_array().unwrap().iter().filter_map(|event| event["message"].as_str()).collect();
        assert_eq!(told, ["vcluster moo is there"]);
        assert_eq!(get(&world, &format!("{VCLUSTERS}/other")).await["status"], Value::Null);
    });
}

#[test]
fn what_is_taken_away_comes_back_and_all_goes_with_the_object() {
    within(WORLD, async |world| {
        vcluster(&world, "moo", json!({"size": "large"})).await;
        pass(Duration::from_secs(30)).await;
        let before = nodes(&world).await;
        assert_eq!(before.len(), 3);
        let gone = format!("/api/v1/namespaces/default/configmaps/{}", before[1]);
        assert_eq!(ask(&world, "DELETE", &gone, Value::Null).await.unwrap().code, 200);
        pass(Duration::from_secs(1)).await;
        let after = nodes(&world).await;
        assert_eq!((after.len(), after.contains(&before[0]), after.contains(&before[1])), (3, true, false));
        assert_eq!(ask(&world, "DELETE", &format!("{VCLUSTERS}/moo"), Value::Null).await.unwrap().code, 200);
        pass(Duration::from_secs(30)).await;
        let left = [
            code(&world, "/api/v1/namespaces/default/secrets/moo-kubeconfig").await,
            code(&world, "/api/v1/namespaces/vcluster-moo").await,
        ];
        assert_eq!((nodes(&world).await.len(), left), (0, [404, 404]));
    });
}

const INNER: &str = "
clusters:
  lab:
    crds: [vcluster-capi]
    operators:
      - of: vclusters.infrastructure.cluster.x-k8s.io
        phases:
          - takes: 20s
            clusters: [inner]
            objects: [{apiVersion: v1, kind: Secret, metadata: {name: '${/metadata/name}-kubeconfig'}, stringData: {value: '${kubeconfig of inner}'}}]
  inner: {nodes: 1}
";

#[test]
fn a_cluster_that_an_operator_makes_begins_then_and_ends_with_the_object() {
    within(INNER, async |world| {
        assert_eq!(world.clusters.len(), 1);
        let server = "inner.example.test";
        let is_refused = async || world.network.dial(server, 6443).await.is_err();
        vcluster(&world, "moo", json!({})).await;
        pass(Duration::from_secs(10)).await;
        assert!(is_refused().await);
        pass(Duration::from_secs(20)).await;
        assert!(!is_refused().await);
        let secret = get(&world, "/api/v1/namespaces/default/secrets/moo-kubeconfig").await;
        let kubeconfig = STANDARD.decode(secret["data"]["value"].as_str().unwrap()).unwrap();
        let kubeconfig = String::from_utf8(kubeconfig).unwrap();
        assert!(kubeconfig.contains("https://inner.example.test:6443"), "{kubeconfig}");
        assert_eq!(ask(&world, "DELETE", &format!("{VCLUSTERS}/moo"), Value::Null).await.unwrap().code, 200);
        pass(Duration::from_secs(5)).await;
        assert!(is_refused().await);
    });
}

#[test]
fn a_cluster_that_nobody_described_is_made_by_no_operator() {
    let text = INNER.replace("clusters: [inner]", "clusters: [iner]");
    let problems = simulator::world::read(&text, &|_| Err(String::new())).unwrap_err();
    let told: Vec<String> = problems.iter().map(|problem| format!("{}; {:?}", problem.message, problem.hint)).collect();
    assert_eq!(told, [r#"the world has no cluster `iner`; Some("did you mean `inner`?")"#]);
}
