//! Rollouts of all three kinds of workloads.

use cozyscript::{event::EffectEnd, script::fault::Kind};
use rhai::Array;

use super::{
    Bed, Scripts,
    k8s::{WEB, assert_note, effects, in_space, run, waits},
    shared,
};
use crate::support::Planned;

const KINDS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// A workload of that kind, at its second revision: `web:1` and then `web:2`.
fn rolled_out(bed: &Bed, space: &str, kind: &str) {
    let replicas = if kind == "DaemonSet" { "" } else { "replicas: 1, " };
    bed.kubectl_with(
        &["create", "-n", space],
        &format!(
            "{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: web, annotations: {{kubernetes.io/change-cause: first}}}}, \
             spec: {{{replicas}selector: {{matchLabels: {{app: {kind}}}}}, template: {{metadata: {{labels: {{app: {kind}}}}}, \
             spec: {{containers: [{{name: web, image: 'web:1'}}]}}}}}}}}"
        ),
    );
    let kind = kind.to_lowercase();
    let status = ["rollout", "status", &kind, "web", "-n", space, "--timeout=60s"];
    bed.kubectl(&status);
    bed.kubectl(&["set", "image", &format!("{kind}/web"), "web=web:2", "-n", space]);
    bed.kubectl(&["annotate", &kind, "web", "kubernetes.io/change-cause=second", "--overwrite", "-n", space]);
    bed.kubectl(&status);
}

fn image(bed: &Bed, space: &str, kind: &str) -> String {
    bed.kubectl(&["get", kind, "web", "-n", space, "-o", "jsonpath={.spec.template.spec.containers[0].image}"])
}

#[test]
fn every_kind_of_workload_goes_back_to_an_earlier_revision() {
    let Some(bed) = shared() else { return };
    let space = bed.space("undo");
    for kind in KINDS {
        rolled_out(&bed, &space, kind);
        let script = bed.script();
        let history = format!(
            "cluster.rollout_history(\"{kind}\", \"web\").map(|each| `${{each.revision}} ${{each.current}} ${{each.images}}`)"
        );
        let told = |script: &crate::support::Script| -> Vec<String> {
            let told: Array = script.value(&in_space(&space, &history));
            told.iter().map(ToString::to_string).collect()
        };
        assert_eq!(told(&script), [r#"1 false ["web:1"]"#, r#"2 true ["web:2"]"#], "{kind}");

        run(&script, &in_space(&space, &format!("cluster.rollout_undo(\"{kind}\", \"web\")")));
        assert_eq!(image(&bed, &space, kind), "web:1", "{kind}");
        bed.kubectl(&["rollout", "status", kind, "web", "-n", &space, "--timeout=60s"]);
        assert_eq!(told(&script), [r#"2 false ["web:2"]"#, r#"3 true ["web:1"]"#], "{kind}");
        let (effect, end) = effects(&script).pop().unwrap();
        assert_eq!((effect.repeatable, end), (false, Some(EffectEnd::Done)), "{kind}");
        let detail = script.recorded.effects.lock().unwrap().last().unwrap().1.clone().unwrap().2;
        assert_eq!(detail.as_deref(), Some("back to revision 1 (web:1)"), "{kind}");

        let fault =
            script.fault(&in_space(&space, &format!("cluster.rollout_undo(\"{kind}\", \"web\", #{{ to: 7 }})")));
        assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::NotFound, Some("it has 2, 3")), "{kind}");
        // What it has already is not brought back once more.
        let generation = ["get", kind, "web", "-n", &space, "-o", "jsonpath={.metadata.generation}"];
        let before = bed.kubectl(&generation);
        run(&script, &in_space(&space, &format!("cluster.rollout_undo(\"{kind}\", \"web\", #{{ to: 3 }})")));
        assert_eq!(bed.kubectl(&generation), before, "{kind}");
    }
}

#[test]
fn the_change_cause_goes_back_with_the_template() {
    let Some(bed) = shared() else { return };
    let space = bed.space("cause");
    rolled_out(&bed, &space, "Deployment");
    let causes: Array = bed.script().value(&in_space(
        &space,
        r#"let causes = cluster.rollout_history("deployment", "web").map(|each| each.cause);
        cluster.rollout_undo("deployment", "web");
        causes + [cluster.get("deployment", "web").metadata.annotations["kubernetes.io/change-cause"]]"#,
    ));
    assert_eq!(causes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["first", "second", "first"]);
}

#[test]
fn a_restart_replaces_every_pod_and_a_resumed_run_does_not_repeat_it() {
    let Some(bed) = shared() else { return };
    let space = bed.space("restart-pods");
    for kind in KINDS {
        rolled_out(&bed, &space, kind);
        let names =
            ["get", "pods", "-n", &space, "-l", &format!("app={kind}"), "-o", "jsonpath={.items[*].metadata.uid}"];
        let before = bed.kubectl(&names);
        let script = bed.script();
        let restart = in_space(
            &space,
            &format!(
                r#"cluster.rollout_restart("{kind}", "web").spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]"#
            ),
        );
        let at: String = script.value(&restart);
        let status = format!("cluster.rollout_status(\"{kind}\", \"web\", #{{ timeout: \"1m\" }}).metadata.name");
        assert_eq!(script.value::<String>(&in_space(&space, &status)), "web", "{kind}");
        let after = bed.kubectl(&names);
        assert!(before.split(' ').all(|uid| !after.contains(uid)), "{kind}: {before} → {after}");

        script.recorded.decisions.lock().unwrap().push(Planned::Done(serde_json::Value::Null));
        assert_eq!(script.value::<String>(&restart), at, "{kind}");
        // Nobody can tell one restart from another: a person has to say.
        script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
        drop(script.run(&restart).expect_err("nobody answers"));
        let question = script.recorded.questions.lock().unwrap().pop().unwrap();
        assert!(question.preface[1].ends_with(&format!("was told to start its pods anew at {at}")), "{question:?}");
    }
}

#[test]
fn a_restart_in_doubt_that_never_came_is_made_now() {
    let Some(bed) = shared() else { return };
    let space = bed.space("restart-doubt");
    rolled_out(&bed, &space, "Deployment");
    let script = bed.script();
    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    run(&script, &in_space(&space, r#"cluster.rollout_restart("deployment", "web")"#));
    assert!(script.recorded.questions.lock().unwrap().is_empty());
    assert!(bed.kubectl(&["get", "deploy", "web", "-n", &space, "-o", "yaml"]).contains("restartedAt"));
}

#[test]
fn an_undo_in_doubt_is_settled_by_the_revisions_there_are() {
    let Some(bed) = shared() else { return };
    let space = bed.space("undo-doubt");
    rolled_out(&bed, &space, "Deployment");
    let undo = in_space(&space, r#"cluster.rollout_undo("deployment", "web", #{ to: 1 })"#);
    let doubted = || {
        let script = bed.script();
        script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
        run(&script, &undo);
        assert!(script.recorded.questions.lock().unwrap().is_empty());
        bed.kubectl(&["rollout", "status", "deployment", "web", "-n", &space, "--timeout=60s"]);
        bed.kubectl(&["get", "deploy", "web", "-n", &space, "-o", "jsonpath={.metadata.generation}"])
    };
    // It did not happen, so it does now; then it had, and nothing is done.
    let first = doubted();
    assert_eq!(image(&bed, &space, "deployment"), "web:1");
    assert_eq!(doubted(), first);
    assert_eq!(image(&bed, &space, "deployment"), "web:1");
}

#[test]
fn a_paused_deployment_holds_its_changes_back() {
    let Some(bed) = shared() else { return };
    let space = bed.space("paused");
    rolled_out(&bed, &space, "Deployment");
    let script = bed.script();
    let told: Array = script.value(&in_space(
        &space,
        r#"[cluster.rollout_pause("deployment", "web"), cluster.rollout_pause("deployment", "web")]"#,
    ));
    assert_eq!(told.into_iter().map(|each| each.as_bool().unwrap()).collect::<Vec<_>>(), [true, false]);
    for change in ["restart", "undo"] {
        let fault = script.fault(&in_space(&space, &format!("cluster.rollout_{change}(\"deployment\", \"web\")")));
        assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::Failed, Some("`rollout_resume` it first")), "{change}");
    }
    let told: Array = script.value(&in_space(
        &space,
        r#"[cluster.rollout_resume("deployment", "web"), cluster.rollout_resume("deployment", "web")]"#,
    ));
    assert_eq!(told.into_iter().map(|each| each.as_bool().unwrap()).collect::<Vec<_>>(), [true, false]);
    let fault = script.fault(&in_space(&space, r#"cluster.rollout_pause("statefulset", "web")"#));
    assert_eq!(fault.kind, Kind::Unsupported);
}

#[test]
fn a_rollout_of_what_is_not_there_or_not_allowed_says_so() {
    let Some(bed) = shared() else { return };
    let space = bed.space("rollout-faults");
    let script = bed.script();
    run(&script, &in_space(&space, &format!("cluster.apply({WEB})")));
    let fault = |context: &str, kind: &str| {
        script.fault(&format!(
            "k8s::connect(\"{context}\", #{{ namespace: \"{space}\" }}).rollout_status(\"{kind}\", \"web\")"
        ))
    };
    assert_eq!(fault("testbed", "configmap").kind, Kind::Unsupported);
    assert_eq!(fault("viewer@testbed", "deployment").kind, Kind::Denied);
    for function in ["rollout_history", "rollout_restart", "rollout_undo", "rollout_pause", "rollout_resume"] {
        let fault = |cluster: &str, kind: &str, name: &str| {
            script.fault(&format!(
                "k8s::connect(\"{cluster}\", #{{ namespace: \"{space}\" }}).{function}(\"{kind}\", \"{name}\")"
            ))
        };
        assert_eq!(fault("testbed", "deployment", "wob").kind, Kind::NotFound, "{function}");
        assert_eq!(fault("testbed", "configmap", "web").kind, Kind::Unsupported, "{function}");
        assert_eq!(fault("viewer@testbed", "deployment", "web").kind, Kind::Denied, "{function}");
    }
    let fault = script.fault(&in_space(&space, r#"cluster.rollout_undo("deployment", "web")"#));
    assert_eq!(fault.kind, Kind::NotFound);
    assert_eq!(fault.message, format!("deployment/web in {space} has no revision before the current one"));
    let fault = script.fault(&in_space(&space, r#"cluster.rollout_undo("deployment", "web", #{ to: "first" })"#));
    assert_eq!(fault.kind, Kind::Usage);
}

#[test]
fn a_rollout_that_can_not_succeed_ends_at_once_and_says_why() {
    let Some(bed) = shared() else { return };
    let space = bed.space("rollout-in-vain");
    bed.kubectl(&["create", "quota", "none", "-n", &space, "--hard=pods=0"]);
    let script = bed.script();
    let late = WEB.replace("replicas: 3", "progressDeadlineSeconds: 1, replicas: 3");
    run(&script, &in_space(&space, &format!("cluster.apply({late})")));
    let fault = script.fault(&in_space(&space, r#"cluster.rollout_status("deployment", "web", #{ timeout: "1m" })"#));
    assert_eq!(fault.kind, Kind::Failed);
    assert!(fault.message.contains("ProgressDeadlineExceeded"), "{fault}");
    assert_note(&fault, "exceeded quota: none");

    let patient = r#"cluster.rollout_status("deployment", "web", #{ timeout: "2s", fail_fast: false })"#;
    assert_eq!(script.fault(&in_space(&space, patient)).kind, Kind::Timeout);
    assert!(
        waits(&script).iter().any(|why| why.contains("0 of 3 replicas are of the new version")),
        "{:?}",
        waits(&script)
    );

    bed.kubectl_with(&["create", "-n", &space], "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: by-hand}, spec: {updateStrategy: {type: OnDelete}, selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: x}}, spec: {containers: [{name: c, image: c}]}}}}");
    let fault = script.fault(&in_space(&space, r#"cluster.rollout_status("ds", "by-hand", #{ timeout: "1m" })"#));
    assert_eq!(fault.kind, Kind::Failed);
    assert!(fault.message.contains("only when somebody deletes them"), "{fault}");
}
