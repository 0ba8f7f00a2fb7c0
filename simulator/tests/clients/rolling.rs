//! New versions of what runs, and back again.

use super::console::Console;

pub fn versions_are_rolled_out(console: &Console) {
    console.quietly("kubectl create deployment web --image=nginx:1 --replicas=2");
    console.run_to_its_end("kubectl rollout status deployment/web --timeout=60s");
    console.run("kubectl rollout history deployment/web");
    console.run("kubectl set image deployment/web nginx=nginx:2");
    console.run_to_its_end("kubectl rollout status deployment/web --timeout=60s");
    console.run("kubectl annotate deployment/web kubernetes.io/change-cause='a new nginx'");
    console.run("kubectl rollout restart deployment/web");
    console.run_to_its_end("kubectl rollout status deployment/web --timeout=60s");
    for line in [
        "kubectl rollout history deployment/web",
        "kubectl rollout history deployment/web --revision=2",
        "kubectl rollout history deployment/web --revision=9",
        "kubectl rollout pause deployment/web",
        "kubectl rollout pause deployment/web",
        "kubectl rollout undo deployment/web",
        "kubectl rollout restart deployment/web",
        "kubectl rollout resume deployment/web",
        "kubectl rollout resume deployment/web",
        "kubectl rollout undo deployment/web --to-revision=1",
    ] {
        console.run(line);
    }
    console.run_to_its_end("kubectl rollout status deployment/web --timeout=60s");
    for line in [
        "kubectl get deployment web -o jsonpath={.spec.template.spec.containers[0].image}",
        "kubectl scale deployment web --replicas=3",
        "kubectl wait deployment/web --for=jsonpath='{.status.readyReplicas}'=3 --timeout=60s",
        "kubectl wait deployment/web --for=condition=Available --timeout=60s",
        "kubectl wait deployment/web --for=condition=Strange --timeout=1s",
        "kubectl wait deployment/nobody --for=delete --timeout=10s",
        "kubectl wait deployment/nobody --for=condition=Available --timeout=1s",
        "kubectl rollout status deployment/nobody",
        "kubectl rollout undo deployment/nobody",
        "kubectl rollout history configmap/nobody",
        "kubectl rollout status service/nobody",
        "kubectl delete deployment web",
    ] {
        console.run(line);
    }
}
