//! What is applied, patched, edited and taken away.

use super::console::Console;

const APP: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}}
data: {colour: blue, size: '3'}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'nginx:1', env: [{name: COLOUR, value: blue}]}]}
";

pub fn files_are_applied(console: &Console) {
    console.file("app.yaml", APP);
    console.run("kubectl diff -f app.yaml");
    console.run("kubectl apply -f app.yaml --dry-run=server");
    console.run("kubectl apply -f app.yaml");
    console.run("kubectl apply -f app.yaml");
    console.run("kubectl diff -f app.yaml");
    let changed = APP.replace("colour: blue, size: '3'", "colour: green").replace("'nginx:1', env", "'nginx:2', env");
    console.file("app.yaml", &changed);
    console.run("kubectl diff -f app.yaml");
    console.run("kubectl apply -f app.yaml");
    console.run("kubectl get configmap settings -o jsonpath={.data}");
    console.run("kubectl get deployment web -o jsonpath={.spec.template.spec.containers[0].image}");
    console.run("kubectl apply -f app.yaml -l app=nobody");
    console.run("kubectl apply view-last-applied configmap/settings");
    console.file("settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: red}\n");
    console.run("kubectl apply --server-side --field-manager=me -f settings.yaml");
    console.run("kubectl apply --server-side --field-manager=me -f settings.yaml --force-conflicts");
    console.run("kubectl diff --server-side --field-manager=me -f settings.yaml");
    console.run("kubectl get configmap settings -o yaml --show-managed-fields");
    console.run("kubectl replace -f settings.yaml");
    console.run("kubectl get configmap settings -o jsonpath={.data}{.metadata.labels}");
    console.run("kubectl delete -f app.yaml");
    console.run("kubectl delete -f app.yaml --ignore-not-found");
    console.run("kubectl delete configmap settings");
    console.run("kubectl replace -f settings.yaml");
}

pub fn objects_are_changed(console: &Console) {
    console.quietly("kubectl create configmap settings --from-literal=colour=blue");
    console.quietly("kubectl create deployment web --image=nginx:1 --replicas=0");
    for line in [
        "kubectl patch configmap settings --type=merge -p '{\"data\":{\"size\":\"3\"}}'",
        "kubectl patch configmap settings --type=merge -p '{\"data\":{\"size\":\"3\"}}'",
        "kubectl patch configmap settings --type=json -p '[{\"op\":\"remove\",\"path\":\"/data/size\"}]'",
        "kubectl patch configmap settings --type=json -p '[{\"op\":\"remove\",\"path\":\"/data/size\"}]'",
        "kubectl patch configmap settings --type=json -p 'nonsense'",
        "kubectl patch configmap nobody --type=merge -p '{}'",
        "kubectl patch deployment web -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"side\",\"image\":\"a:1\"}]}}}}'",
        "kubectl patch deployment web -p '{\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"other\"}}}}'",
        "kubectl edit configmap settings",
        "kubectl edit configmap settings",
        "kubectl get configmap settings -o jsonpath={.data}",
        "kubectl label configmap settings tier=front",
        "kubectl label configmap settings tier=back",
        "kubectl label configmap settings tier=back --overwrite",
        "kubectl label configmap settings tier-",
        "kubectl label configmap settings tier='-no-'",
        "kubectl annotate configmap settings note='some words'",
        "kubectl annotate configmap settings note-",
        "kubectl set image deployment/web nginx=nginx:2",
        "kubectl set image deployment/web nginx=nginx:2",
        "kubectl set image deployment/web nobody=nginx:2",
        "kubectl set env deployment/web COLOUR=blue --containers=nginx",
        "kubectl set env deployment/web --list",
        "kubectl set resources deployment/web -c=nginx --limits=cpu=200m,memory=64Mi",
        "kubectl set serviceaccount deployment/web robot",
        "kubectl get deployment web -o jsonpath={.spec.template.spec.containers}",
        "kubectl scale deployment web --replicas=1 --current-replicas=5",
        "kubectl scale deployment web --replicas=0 --current-replicas=0",
        "kubectl scale configmap settings --replicas=1",
        "kubectl scale deployment nobody --replicas=1",
        "kubectl delete deployment web --cascade=orphan",
        "kubectl delete configmap settings nobody",
        "kubectl delete pods --all",
        "kubectl delete configmap",
    ] {
        console.run(line);
    }
}
