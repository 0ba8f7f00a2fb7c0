//! A real cluster is recorded, and what was recorded is rehearsed on.

use super::alone;
use crate::support::program::Runbook;

const MANIFESTS: &str = r#"
apiVersion: v1
kind: Namespace
metadata: {name: bakery, labels: {tier: front}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: bakery}
data:
  greeting: hello
  api-token: hunter2
  ca.crt: |
    -----BEGIN CERTIFICATE-----
    hunter2
    -----END CERTIFICATE-----
---
apiVersion: v1
kind: Secret
metadata: {name: door, namespace: bakery}
stringData: {password: hunter2}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: till, namespace: bakery}
spec:
  replicas: 2
  selector: {matchLabels: {app: till}}
  template:
    metadata: {labels: {app: till}}
    spec:
      containers:
        - name: till
          image: registry.example.org/till:1
          env:
            - {name: COLOUR, value: green}
            - {name: DOOR_PASSWORD, value: hunter2}
            - {name: DOOR, valueFrom: {secretKeyRef: {name: door, key: password}}}
---
apiVersion: v1
kind: Service
metadata: {name: till, namespace: bakery}
spec: {selector: {app: till}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: elsewhere, namespace: default}
"#;

const DEFINITION: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: breads.shop.example.org}
spec:
  group: shop.example.org
  scope: Namespaced
  names: {kind: Bread, listKind: BreadList, plural: breads, singular: bread}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {flour: {type: string}}}}}}
"#;

#[test]
fn a_cluster_is_recorded_without_its_secrets_and_rehearsed_on() {
    let Some(bed) = alone() else { return };
    let book = Runbook::new(
        r#"
        let cluster = k8s::connect(#{ namespace: "bakery" });
        cluster.wait("deployment", "till");
        let settings = cluster.get("configmap", "settings").data;
        print(`${settings.greeting} ${settings["api-token"]} ${settings["ca.crt"]}`);
        for variable in cluster.get("deployment", "till").spec.template.spec.containers[0].env {
            print(`${variable.name} ${variable.value ?? variable.valueFrom.secretKeyRef.name}`);
        }
        print(`${cluster.get("bread", "rye").spec.flour} ${cluster.get("secret", "door").data.keys()}`);
        print(`${cluster.list("nodes").len()} nodes, ${cluster.list("pods").len()} pods`);
        try { cluster.get("configmap", "elsewhere", #{ namespace: "default" }); } catch (fault) { print(fault.kind); }
    "#,
    );
    let book = book.file("shop.yaml", MANIFESTS).file("kind.yaml", DEFINITION);
    let book = book.file(
        "bread.yaml",
        "{apiVersion: shop.example.org/v1, kind: Bread, metadata: {name: rye, namespace: bakery}, spec: {flour: rye}}",
    );
    let path = |name: &str| book.folder().join(name).to_string_lossy().into_owned();
    bed.kubectl(&["apply", "-f", &path("kind.yaml")]);
    bed.kubectl(&["wait", "--for", "condition=Established", "crd/breads.shop.example.org"]);
    bed.kubectl(&["apply", "-f", &path("shop.yaml"), "-f", &path("bread.yaml")]);
    let nodes = bed.kubectl(&["get", "nodes", "-o", "name"]).lines().count();

    let kubeconfig = bed.kubeconfig().to_string_lossy().into_owned();
    let record = book.call(["world", "record", "--namespace", "bakery", "--output", "recorded.yaml"]);
    record.variable("KUBECONFIG", &kubeconfig).done().stderr_has("recorded.yaml is written");
    let recorded = std::fs::read_to_string(book.folder().join("recorded.yaml")).unwrap();
    for secret in ["hunter2", "aHVudGVyMg", "managedFields", "uid:", "resourceVersion", "last-applied"] {
        assert!(!recorded.contains(secret), "`{secret}` is in:\n{recorded}");
    }
    book.call(["world", "check", "recorded.yaml"]).done().stderr_has("nothing wrong");
    let told = book.call(["rehearse", "book.rhai", "--world", "recorded.yaml"]).done();
    told.stdout(&format!(
        "hello left out left out\nCOLOUR green\nDOOR_PASSWORD left out\nDOOR door\nrye [\"password\"]\n{nodes} nodes, 2 pods\nnot_found\n"
    ));
}
