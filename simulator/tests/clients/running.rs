//! Programs in pods: what they wrote, commands beside them, files in and out.

use super::console::Console;

const PODS: &str = "
apiVersion: v1
kind: Pod
metadata: {name: greeter}
spec: {containers: [{name: main, image: 'greeter:1'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: done}
spec: {restartPolicy: Never, containers: [{name: main, image: 'crasher:1'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: server}
spec: {containers: [{name: web, image: 'server:1'}, {name: side, image: 'greeter:1'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: pulling}
spec: {containers: [{name: main, image: 'large:1'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: nowhere}
spec: {nodeSelector: {there-is: none}, containers: [{name: main, image: 'server:1'}]}
";

pub fn pods(console: &Console) {
    console.file("pods.yaml", PODS);
    console.quietly("kubectl apply -f pods.yaml");
    console.quietly("kubectl wait pod/server pod/greeter --for=condition=Ready --timeout=30s");
}

pub fn logs_are_read(console: &Console) {
    pods(console);
    console.quietly("kubectl wait pod/done --for=jsonpath={.status.phase}=Failed --timeout=30s");
    for line in [
        "kubectl logs done",
        "kubectl logs done --tail=1 --timestamps",
        "kubectl logs done --follow",
        "kubectl logs done --limit-bytes=7",
        "kubectl logs done --previous",
        "kubectl logs pod/done -c nobody",
        "kubectl logs server -c side --since=1h --tail=1",
        "kubectl logs server",
        "kubectl logs server --all-containers --prefix",
        "kubectl logs pulling",
        "kubectl logs nowhere",
        "kubectl logs nobody",
        "kubectl logs done --tail=-5",
        "kubectl logs done --since-time=yesterday",
    ] {
        console.run(line);
    }
}

pub fn commands_are_run(console: &Console) {
    pods(console);
    for line in [
        "kubectl exec server -c web -- hostname",
        "kubectl exec server -- hostname",
        "kubectl exec server -c web -- migrate up 3",
        "kubectl exec server -c web -- check",
        "kubectl exec server -c web -- rm -rf /",
        "kubectl exec server -c nobody -- hostname",
        "kubectl exec nowhere -- hostname",
        "kubectl exec pulling -- hostname",
        "kubectl exec done -- hostname",
        "kubectl exec nobody -- hostname",
    ] {
        console.run(line);
    }
    console.run_with("kubectl exec -i server -c web -- cat", "one\ntwo\n");
    let long = "0123456789abcdef".repeat(8192);
    assert_eq!(console.quietly_with("kubectl exec -i server -c web -- cat", &long), long);
}

pub fn files_are_copied(console: &Console) {
    pods(console);
    console.file("settings.yaml", "colour: blue\n");
    console.run("kubectl cp settings.yaml server:/srv -c web");
    console.run("kubectl cp settings.yaml server:/elsewhere -c web");
}

pub fn programs_are_attached_to(console: &Console) {
    pods(console);
    console.run("kubectl run short --image=crasher:1 --restart=Never --attach --quiet --pod-running-timeout=30s");
    console.run("kubectl attach nowhere");
    console.run("kubectl attach done");
    console.run("kubectl attach nobody");
}
