//! Taking nodes out of service, on nodes of the tests' own: whoever else uses the cluster keeps theirs.

use std::{
    thread,
    time::{Duration, Instant},
};

use cozyscript::{
    event::{EffectEnd, What},
    script::fault::Kind,
};
use rhai::Array;

use super::{
    Bed, Scripts, alone,
    k8s::{assert_note, effects, in_space, run, waits},
    shared,
};
use crate::support::transcript::{program, said};

/// A node that only pods come to which are made for it, in a namespace of the same name.
fn node(bed: &Bed, name: &str) -> String {
    bed.kubectl_with(
        &["create"],
        &format!(
            "{{apiVersion: v1, kind: Node, metadata: {{name: {name}, labels: {{for: {name}}}}}, \
             spec: {{taints: [{{key: for, value: {name}, effect: NoSchedule}}]}}}}"
        ),
    );
    bed.kubectl(&["wait", "--for=condition=Ready", &format!("node/{name}"), "--timeout=60s"]);
    bed.space(name)
}

/// A pod's template that is placed there, with whatever else its spec has.
fn template(node: &str, more: &str) -> String {
    format!(
        "{{metadata: {{labels: {{app: {node}}}}}, spec: {{nodeSelector: {{for: {node}}}, \
         tolerations: [{{key: for, operator: Exists}}], containers: [{{name: c, image: c}}]{more}}}}}"
    )
}

fn workload(bed: &Bed, kind: &str, node: &str, more: &str) {
    let replicas = if kind == "DaemonSet" { "" } else { "replicas: 2, " };
    let template = template(node, more);
    bed.kubectl_with(
        &["create", "-n", node],
        &format!(
            "{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: {}}}, \
             spec: {{{replicas}selector: {{matchLabels: {{app: {node}}}}}, template: {template}}}}}",
            kind.to_lowercase()
        ),
    );
    bed.kubectl(&["rollout", "status", &kind.to_lowercase(), "-n", node, "--timeout=60s"]);
}

fn bare_pod(bed: &Bed, node: &str, name: &str, annotations: &str) {
    bed.kubectl_with(
        &["create", "-n", node],
        &format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, annotations: {{{annotations}}}}}, \
             spec: {{nodeName: {node}, containers: [{{name: c, image: c}}]}}}}"
        ),
    );
    bed.kubectl(&["wait", "--for=condition=Ready", &format!("pod/{name}"), "-n", node, "--timeout=60s"]);
}

fn budget(bed: &Bed, node: &str, name: &str, min_available: u32) {
    bed.kubectl_with(
        &["create", "-n", node],
        &format!(
            "{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{name: {name}}}, \
             spec: {{minAvailable: {min_available}, selector: {{matchLabels: {{app: {node}}}}}}}}}"
        ),
    );
    let observed = "jsonpath={.status.expectedPods}=2";
    bed.kubectl(&["wait", &format!("--for={observed}"), &format!("pdb/{name}"), "-n", node, "--timeout=60s"]);
}

fn is_cordoned(bed: &Bed, node: &str) -> bool {
    bed.kubectl(&["get", "node", node, "-o", "jsonpath={.spec.unschedulable}"]) == "true"
}

fn pods(bed: &Bed, node: &str) -> String {
    let there = ["get", "pods", "-A", "-o", "name", "--field-selector", &format!("spec.nodeName={node}")];
    bed.kubectl(&there)
}

#[test]
fn a_node_is_cordoned_once_and_uncordoned_once() {
    let Some(bed) = shared() else { return };
    let node = node(&bed, "cordoned");
    let script = bed.script();
    let told: Array = script.value(&format!(
        r#"let cluster = k8s::connect();
        [cluster.cordon("{node}"), cluster.cordon("{node}"), cluster.get("node", "{node}").spec.unschedulable,
         cluster.uncordon("{node}"), cluster.uncordon("{node}")]"#
    ));
    let told: Vec<bool> = told.into_iter().map(|each| each.as_bool().unwrap()).collect();
    assert_eq!(told, [true, false, true, true, false]);
    assert!(!is_cordoned(&bed, &node));
    let (effect, end) = effects(&script).remove(0);
    assert_eq!((effect.verb.as_str(), effect.object.as_str()), ("cordon", "testbed: node/cordoned"));
    assert_eq!((effect.repeatable, end), (true, Some(EffectEnd::Done)));

    assert_eq!(script.fault(r#"k8s::connect().cordon("nowhere")"#).kind, Kind::NotFound);
    assert_eq!(script.fault(&format!(r#"k8s::connect("viewer@testbed").cordon("{node}")"#)).kind, Kind::Denied);
}

#[test]
fn a_drain_touches_nothing_while_anything_would_be_lost() {
    let Some(bed) = shared() else { return };
    let node = node(&bed, "objections");
    workload(&bed, "Deployment", &node, ", volumes: [{name: scratch, emptyDir: {}}]");
    workload(&bed, "DaemonSet", &node, "");
    bare_pod(&bed, &node, "alone", "");
    bare_pod(&bed, &node, "mirrored", "kubernetes.io/config.mirror: abc");
    let script = bed.script();

    let fault = script.fault(&format!("k8s::connect().drain(\"{node}\")"));
    assert_eq!(fault.kind, Kind::Refused);
    assert_eq!(fault.message, "node/objections is not drained: 4 pods speak against it");
    assert_note(&fault, "pod/alone in objections would not come back: nothing makes it again");
    assert_note(&fault, "would come back at once: it is of daemonset/daemonset");
    assert_note(&fault, "has data in its emptyDir `scratch`, which goes with it");
    let hint = fault.hint.unwrap();
    for answer in ["ignore_daemon_sets: true", "delete_empty_dir: true", "force: true"] {
        assert!(hint.contains(answer), "{hint}");
    }
    assert!(!is_cordoned(&bed, &node) && effects(&script).is_empty(), "not even cordoned");

    let fault =
        script.fault(&format!("k8s::connect().drain(\"{node}\", #{{ ignore_daemon_sets: true, force: true }})"));
    assert_eq!(fault.message, "node/objections is not drained: 2 pods speak against it");

    let everything = "#{ ignore_daemon_sets: true, delete_empty_dir: true, force: true, timeout: \"1m\" }";
    let gone: Array = script.value(&format!("k8s::connect().drain(\"{node}\", {everything}).map(|pod| pod.name)"));
    assert_eq!(gone.len(), 3);
    assert_eq!(gone[0].to_string(), "alone");
    assert!(is_cordoned(&bed, &node));
    let left = pods(&bed, &node);
    assert!(left.contains("pod/mirrored") && left.contains("pod/daemonset-") && left.lines().count() == 2, "{left}");

    let (effect, end) = effects(&script).pop().unwrap();
    assert_eq!((effect.verb.as_str(), effect.object.as_str()), ("drain", "testbed: node/objections"));
    let dies = effect.destroys.unwrap();
    assert_eq!(dies[0], "pod/alone in objections, which nothing makes again");
    assert!(dies[1].ends_with(", with what is in its emptyDirs") && dies[1].contains(", of replicaset/deployment-"));
    assert_eq!(end, Some(EffectEnd::Done));

    // A node that is empty is drained already.
    let gone: Array = script.value(&format!("k8s::connect().drain(\"{node}\", {everything})"));
    assert!(gone.is_empty());
}

#[test]
fn a_disruption_budget_holds_a_drain_until_it_gives_way() {
    let Some(bed) = shared() else { return };
    let node = node(&bed, "budgets");
    workload(&bed, "StatefulSet", &node, "");
    budget(&bed, &node, "two", 2);
    let script = bed.script();
    let held = "disruption budget two needs 2 healthy pods and has 2";

    let fault = script.fault(&format!("k8s::connect().drain(\"{node}\", #{{ timeout: \"2s\" }})"));
    assert_eq!(fault.kind, Kind::Timeout);
    assert_eq!(fault.message.split(" after ").next(), Some("gave up waiting for 2 pods to leave node/budgets"));
    assert_note(&fault, &format!("pod/statefulset-0 in budgets stays: {held}"));
    assert!(fault.hint.unwrap().contains("stays cordoned"));
    assert!(waits(&script).iter().any(|why| why.contains(held)), "{:?}", waits(&script));

    // Whoever stops it is told how things stand.
    let stopped = bed.script();
    stopped.stop_after(Duration::from_secs(1));
    let (_, reason) = stopped.end(&format!("k8s::connect().drain(\"{node}\", #{{ timeout: \"1m\" }})"));
    assert!(reason.is_some());
    let warned =
        |what: &What| matches!(what, What::Warned { text } if text.contains(held) && text.contains("stays cordoned"));
    assert!(stopped.events().iter().any(warned), "{:?}", stopped.events());

    let draining = {
        let (script, node) = (bed.script(), node.clone());
        thread::spawn(move || {
            script.value::<Array>(&format!("k8s::connect().drain(\"{node}\", #{{ timeout: \"1m\", grace: 1 }})"))
        })
    };
    thread::sleep(Duration::from_secs(1));
    bed.kubectl(&["delete", "pdb", "two", "-n", &node]);
    assert_eq!(draining.join().unwrap().len(), 2);
    assert_eq!(pods(&bed, &node), "");
}

#[test]
fn pods_are_deleted_past_their_budgets_if_that_is_asked_for() {
    let Some(bed) = shared() else { return };
    let node = node(&bed, "past-budgets");
    workload(&bed, "StatefulSet", &node, "");
    budget(&bed, &node, "one", 2);
    budget(&bed, &node, "other", 1);
    let script = bed.script();

    // The server can't decide between two budgets, and waiting does not help.
    let fault = script.fault(&format!("k8s::connect().drain(\"{node}\", #{{ timeout: \"1m\" }})"));
    assert_eq!((fault.kind, fault.message.as_str()), (Kind::Unavailable, "2 of 2 pods can't be evicted"));
    assert_note(&fault, "more than one PodDisruptionBudget");

    let gone: Array = script.value(&format!(
        "k8s::connect().drain(\"{node}\", #{{ disable_eviction: true, timeout: \"1m\" }}).map(|pod| pod.owner)"
    ));
    assert_eq!(gone.iter().map(ToString::to_string).collect::<Vec<_>>(), ["statefulset/statefulset"; 2]);
}

#[test]
fn only_the_pods_that_are_selected_leave_a_node() {
    let Some(bed) = shared() else { return };
    let node = node(&bed, "selected");
    workload(&bed, "Deployment", &node, "");
    bare_pod(&bed, &node, "stays", "");
    let script = bed.script();
    run(&script, &in_space(&node, "cluster.drain(space, #{ labels: #{ app: space }, timeout: \"1m\" })"));
    assert_eq!(pods(&bed, &node), "pod/stays\n");
}

#[test]
fn who_may_not_drain_is_told_so() {
    let Some(bed) = shared() else { return };
    let node = node(&bed, "not-allowed");
    let script = bed.script();
    assert_eq!(script.fault(r#"k8s::connect().drain("nowhere")"#).kind, Kind::NotFound);
    let fault = script.fault(&format!("k8s::connect(\"viewer@testbed\").drain(\"{node}\")"));
    assert_eq!(fault.kind, Kind::Denied);
    let fault = script.fault(&format!("k8s::connect().drain(\"{node}\", #{{ labels: \"a in (\" }})"));
    assert_eq!(fault.kind, Kind::Invalid);
}

#[test]
fn the_example_takes_a_node_out_of_service_and_back() {
    let Some(bed) = shared() else { return };
    let node = node(&bed, "example");
    workload(&bed, "StatefulSet", &node, "");
    let journal = tempfile::tempdir().unwrap();
    let drain = |more: &[&str]| {
        let mut command = program(journal.path());
        said(command.args(more).env("KUBECONFIG", bed.kubeconfig()))
    };
    let (status, told) = drain(&["examples/drain.rhai", "--set", "node=example"]);
    assert_eq!((status, is_cordoned(&bed, &node)), (4, true), "{told}");
    assert!(told.contains("pod/statefulset-0 in example, of statefulset/statefulset"), "{told}");
    assert!(told.contains("2 pods have left example"), "{told}");
    let (status, told) = drain(&["resume", "--yes", "wait for a person@is example ready to work again?"]);
    assert_eq!((status, is_cordoned(&bed, &node)), (0, false), "{told}");
}

#[test]
fn a_drain_outlasts_a_restart_of_the_api_server() {
    let Some(bed) = alone() else { return };
    let node = node(&bed, "restarted");
    workload(&bed, "StatefulSet", &node, "");
    budget(&bed, &node, "two", 2);
    let script = bed.script();
    let draining = {
        let (script, node) = (script.clone(), node.clone());
        thread::spawn(move || {
            script.value::<Array>(&format!("k8s::connect().drain(\"{node}\", #{{ timeout: \"3m\", grace: 1 }})"))
        })
    };
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
            thread::sleep(Duration::from_millis(50));
        }
    };
    let held = "disruption budget two needs 2 healthy pods";
    until("the budget holds it", &|| waits(&script).iter().any(|why| why.contains(held)));
    bed.part("stop", "kube-apiserver");
    thread::sleep(Duration::from_secs(3));
    bed.part("start", "kube-apiserver");
    let is_ready = || std::panic::catch_unwind(|| bed.testbed.kubectl(&["get", "--raw", "/readyz"])).is_ok();
    until("the API server comes back", &is_ready);
    bed.kubectl(&["delete", "pdb", "two", "-n", &node]);
    assert_eq!(draining.join().unwrap().len(), 2);
    assert_eq!(pods(&bed, &node), "");
    assert!(is_cordoned(&bed, &node));
    let ends: Vec<_> = effects(&script).into_iter().map(|(_, end)| end).collect();
    assert!(ends.iter().all(|end| *end == Some(EffectEnd::Done)), "{ends:?}");
}
