//! Machines taken out of use and back.

use super::console::Console;

const APP: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {tier: web}}
  template:
    metadata: {labels: {app: drained, tier: web}}
    spec:
      nodeSelector: {kubernetes.io/hostname: node-2}
      containers: [{name: web, image: 'nginx:1'}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {tier: web}}}
---
apiVersion: v1
kind: Pod
metadata: {name: alone, labels: {app: drained}}
spec:
  nodeName: node-2
  containers: [{name: web, image: 'nginx:1'}]
  volumes: [{name: data, emptyDir: {}}]
";

pub fn a_machine_is_drained(console: &Console) {
    console.file("app.yaml", APP);
    console.quietly("kubectl apply -f app.yaml");
    console.quietly("kubectl rollout status deployment/web --timeout=60s");
    console.quietly("kubectl wait pod/alone --for=condition=Ready --timeout=60s");
    console.quietly("kubectl wait pdb/web --for=jsonpath={.status.currentHealthy}=1 --timeout=60s");
    for line in [
        "kubectl cordon node-2",
        "kubectl cordon node-2",
        "kubectl get node node-2 -o jsonpath='{.spec.unschedulable}{.spec.taints[*].key}'",
        "kubectl drain node-2 --pod-selector=app=drained",
        "kubectl drain node-2 --pod-selector=app=drained --force --delete-emptydir-data --timeout=2s",
        "kubectl delete pdb web",
        "kubectl drain node-2 --pod-selector=app=drained --force --delete-emptydir-data --timeout=60s",
        "kubectl get pods -o jsonpath={.items[*].status.phase}",
        "kubectl uncordon node-2",
        "kubectl uncordon node-2",
        "kubectl taint node node-2 special=yes:NoExecute",
        "kubectl taint node node-2 special=no:NoExecute",
        "kubectl taint node node-2 special=no:NoExecute --overwrite",
        "kubectl taint node node-2 special-",
        "kubectl taint node node-2 special-",
        "kubectl taint node node-2 special=yes:Sometimes",
        "kubectl cordon node-9",
        "kubectl drain node-9",
        "kubectl label node node-2 room=3",
        "kubectl label node node-2 room-",
        "kubectl delete deployment web",
    ] {
        match line.starts_with("kubectl drain") {
            // Pods are evicted at the same time.
            true => console.run_in_any_order(line),
            false => drop(console.run(line)),
        }
    }
}
