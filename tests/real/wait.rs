//! Waits for one object and for many, against a real control plane.

use std::{thread, time::Duration};

use cozyscript::{event::What, script::fault::Kind};
use rhai::{Array, Dynamic};

use super::{
    Scripts,
    k8s::{WEB, assert_note, in_space, run, waits},
    shared,
};
use crate::support::transcript::{program, said};

#[test]
fn several_objects_are_waited_for_by_names_by_labels_and_across_kinds() {
    let Some(bed) = shared() else { return };
    let space = bed.space("several");
    let script = bed.script();
    let shop = WEB.replace("\"web\"", "\"shop\"");
    run(&script, &in_space(&space, &format!("cluster.apply([{WEB}, {shop}])")));
    for (call, count) in [
        (r#"cluster.wait("deployment", ["web", "shop"])"#, 2),
        (r#"cluster.wait("deployment", ["web", "shop"], |o| o.status.readyReplicas == 3)"#, 2),
        (r#"cluster.wait("deploy", ["web", "shop"], "condition=Available", #{ timeout: "1m" })"#, 2),
        (r#"cluster.wait("pods", #{ labels: "app=web", timeout: "1m" })"#, 3),
        (r#"cluster.wait("pods", #{ labels: "app in (web, shop)", count: 6 })"#, 6),
        (r#"cluster.wait("pods", #{ labels: "app=shop", all_namespaces: true, until: "status.phase=Running" })"#, 3),
        (r#"cluster.wait_for(["deployment/web", "apps/v1/Deployment/shop", "cm/kube-root-ca.crt"])"#, 3),
        (r#"cluster.wait_for([cluster.get("deploy", "web"), "deploy/shop"], "ready")"#, 2),
        (r#"cluster.wait("cm", ["nope", "kube-root-ca.crt"], "exists", #{ any: true })"#, 1),
        (r#"cluster.wait_for(["cm/nope", "cm/kube-root-ca.crt"], #{ until: "exists", count: 1 })"#, 1),
        (r#"cluster.wait("pods", #{ labels: "app=nobody", until: "deleted" })"#, 0),
        (r#"cluster.wait("cm", ["nope", "neither"], "deleted")"#, 0),
    ] {
        let met: Array = script.value(&in_space(&space, call));
        assert_eq!(met.len(), count, "{call}");
    }
}

#[test]
fn the_example_waits_in_all_the_ways_there_are() {
    let Some(bed) = shared() else { return };
    let journal = tempfile::tempdir().unwrap();
    let mut command = program(journal.path());
    command.env("KUBECONFIG", bed.kubeconfig()).args(["examples/wait.rhai", "--yes", "clear away@*"]);
    let (status, told) = said(&mut command);
    assert_eq!(status, 0, "{told}");
    for part in [
        "wait wait for both: deployment shelves and till in waiting to be ready, up to 2m",
        "wait wait for pods: 2 pods with of=shop in waiting to have status.phase=Running, up to 1m",
        "there are 3 shelves",
        "timeout: last seen: 1 of 2; secret/key: it is not there yet",
        "5 of 5 are up",
        "all pods with app=till in waiting to be gone: met after",
    ] {
        assert!(told.contains(part), "`{part}` is not in {told}");
    }
}

#[test]
fn a_field_is_waited_for_as_kubectl_writes_it_or_plainly() {
    let Some(bed) = shared() else { return };
    let space = bed.space("fields");
    let script = bed.script();
    run(&script, &in_space(&space, &format!("cluster.apply({WEB})")));
    for until in [
        "status.replicas=3",
        "{.status.replicas}=3",
        "jsonpath={.status.readyReplicas}=3",
        r#"{.status.conditions[?(@.type=="Available")].status}=True"#,
        "{.spec.template.spec.containers[*].image}=web",
        "spec.template.spec.containers[0].image=web",
        "metadata.annotations[\"deployment.kubernetes.io/revision\"]=1",
        "{.metadata.annotations.deployment\\.kubernetes\\.io/revision}=1",
        "status.observedGeneration",
    ] {
        bed.kubectl(&["wait", "deploy/web", "-n", &space, "--for=condition=Available", "--timeout=60s"]);
        let name: String =
            script.value(&in_space(&space, &format!("cluster.wait(\"deploy\", \"web\", `{until}`).metadata.name")));
        assert_eq!(name, "web", "{until}");
    }
    let fault =
        script.fault(&in_space(&space, r#"cluster.wait("deploy", "web", "status.replicas=9", #{ timeout: "1s" })"#));
    assert_eq!(
        fault.message,
        format!("gave up waiting for deployment/web in {space} to have status.replicas=9 after 1s")
    );
    assert_note(&fault, "last seen: `status.replicas` is 3");
    for (until, hint) in [
        ("Available", "a condition is written `condition=Available`"),
        ("raedy", "did you mean `ready`?"),
        ("{.status.phase=Running", "write `status.phase=Running`, or `{.status.phase}=Running` as for `kubectl wait`"),
    ] {
        let fault = script.fault(&in_space(&space, &format!("cluster.wait(\"deploy\", \"web\", \"{until}\")")));
        assert_eq!((fault.kind, fault.hint.as_deref()), (Kind::Usage, Some(hint)), "{until}");
    }
}

#[test]
fn what_is_missing_of_several_is_told_by_name() {
    let Some(bed) = shared() else { return };
    let space = bed.space("missing");
    let script = bed.script();
    run(&script, &in_space(&space, "cluster.wait(\"cm\", \"kube-root-ca.crt\", \"exists\")"));
    let fault = script
        .fault(&in_space(&space, r#"cluster.wait("cm", ["kube-root-ca.crt", "later"], "exists", #{ timeout: "1s" })"#));
    assert_eq!(
        fault.message,
        format!("gave up waiting for configmap kube-root-ca.crt and later in {space} to be there after 1s")
    );
    assert_note(&fault, "last seen: 1 of 2; later: it is not there yet");
    assert_note(&fault, &format!("configmap/later in {space}: it is not there yet"));
    let fault = script.fault(&in_space(&space, r#"cluster.wait("pods", #{ labels: "app=web", timeout: "1s" })"#));
    assert_eq!(fault.message, format!("gave up waiting for all pods with app=web in {space} to be ready after 1s"));
    assert_note(&fault, &format!("there are no pods with app=web in {space} yet"));
    for wrong in [
        r#"cluster.wait("cm", ["a", "b"], "exists", #{ count: 3 })"#,
        r#"cluster.wait("cm", [], "exists")"#,
        r#"cluster.wait("cm", "a", "exists", #{ labels: "a=b" })"#,
        r#"cluster.wait("cm", "a", "exists", #{ condition: "Ready" })"#,
        r#"cluster.wait("cm", #{ labels: "a=b", until: "deleted", any: true })"#,
        r#"cluster.wait_for(["web"])"#,
        r#"cluster.wait_for([1])"#,
    ] {
        assert_eq!(script.fault(&in_space(&space, wrong)).kind, Kind::Usage, "{wrong}");
    }
}

#[test]
fn the_object_that_is_waited_for_to_go_is_gone_though_another_has_its_name() {
    let Some(bed) = shared() else { return };
    let space = bed.space("successor");
    let script = bed.script();
    bed.kubectl(&["create", "configmap", "a", "-n", &space]);
    let waiting = {
        let (script, space) = (script.clone(), space.clone());
        let text = r#"cluster.wait("cm", "a", "deleted", #{ timeout: "30s" })"#;
        thread::spawn(move || script.run(&in_space(&space, text)).map_err(|error| error.to_string()))
    };
    let asked = || waits(&script).iter().any(|why| why == "nobody has deleted it");
    while !asked() {
        thread::sleep(Duration::from_millis(20));
    }
    // It deletes the one, and at once creates the other.
    bed.kubectl_with(&["replace", "--force", "-n", &space], "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
    assert!(waiting.join().unwrap().unwrap().is_unit());
    let fault = script.fault(&in_space(&space, r#"cluster.wait("gizmo", "a", "deleted")"#));
    assert_eq!(fault.kind, Kind::Unsupported);
}

#[test]
fn one_lost_job_of_two_ends_a_wait_for_both_and_not_one_for_any() {
    let Some(bed) = shared() else { return };
    let space = bed.space("jobs");
    let script = bed.script();
    let set = |name: &str, kinds: [&str; 2]| {
        let conditions = kinds.map(|kind| {
            format!(
                r#"{{"type":"{kind}","status":"True","reason":"Tested","message":"so it is","lastProbeTime":"2026-01-01T00:00:00Z","lastTransitionTime":"2026-01-01T00:00:00Z"}}"#
            )
        });
        let more = if kinds[1] == "Complete" { r#","completionTime":"2026-01-01T00:00:01Z""# } else { "" };
        let status = format!(
            r#"{{"status":{{"startTime":"2026-01-01T00:00:00Z"{more},"conditions":[{}]}}}}"#,
            conditions.join(",")
        );
        bed.kubectl(&["patch", "job", name, "-n", &space, "--subresource=status", "--type=merge", "-p", &status]);
    };
    for name in ["a", "b"] {
        bed.kubectl_with(&["create", "-n", &space], &format!("{{apiVersion: batch/v1, kind: Job, metadata: {{name: {name}}}, spec: {{suspend: true, template: {{spec: {{restartPolicy: Never, containers: [{{name: c, image: c}}]}}}}}}}}"));
    }
    set("a", ["FailureTarget", "Failed"]);
    let fault = script.fault(&in_space(&space, r#"cluster.wait("job", ["a", "b"], "condition=Complete")"#));
    assert_eq!(fault.kind, Kind::Failed);
    assert!(fault.message.ends_with("is in vain: 0 of 2; a: Failed is True: Tested: so it is"), "{fault}");
    let both = r#"cluster.wait("job", ["a", "b"], "ready", #{ fail_fast: false, timeout: "1s" })"#;
    assert_eq!(script.fault(&in_space(&space, both)).kind, Kind::Timeout, "it waits on if it is told to");
    let any = {
        let (script, space) = (script.clone(), space.clone());
        let text = r#"cluster.wait("job", ["a", "b"], #{ condition: "Complete", any: true })[0].metadata.name"#;
        thread::spawn(move || script.value::<String>(&in_space(&space, text)))
    };
    thread::sleep(Duration::from_millis(500));
    set("b", ["SuccessCriteriaMet", "Complete"]);
    assert_eq!(any.join().unwrap(), "b");
}

#[test]
fn objects_are_read_by_name_one_or_several() {
    let Some(bed) = shared() else { return };
    let space = bed.space("named");
    let script = bed.script();
    for name in ["a", "b"] {
        bed.kubectl(&["create", "configmap", name, "-n", &space]);
    }
    let names: Array = script.value(&in_space(
        &space,
        r#"cluster.get("cm", ["b", "nope", "a"], #{ missing_ok: true }).map(|o| o.metadata.name)"#,
    ));
    assert_eq!(names.into_iter().map(Dynamic::cast::<String>).collect::<Vec<_>>(), ["b", "a"]);
    let nothing: bool = script.value(&in_space(&space, r#"cluster.get("cm", "nope", #{ missing_ok: true }) == ()"#));
    assert!(nothing);
    let fault = script.fault(&in_space(&space, r#"cluster.get("cm", ["a", "nope", "neither"])"#));
    assert_eq!(fault.kind, Kind::NotFound);
    assert!(fault.message.contains("nope"), "{fault}");
    assert_note(&fault, "neither");
}

#[test]
fn warnings_about_what_is_waited_for_are_told_once_while_it_is_waited_for() {
    let Some(bed) = shared() else { return };
    let space = bed.space("warned-of");
    bed.kubectl(&["create", "deployment", "other", "-n", &space, "--image=other"]);
    bed.kubectl(&["create", "deployment", "web", "-n", &space, "--image=web", "--replicas=0"]);
    bed.kubectl(&["create", "quota", "none", "-n", &space, "--hard=pods=0"]);
    bed.kubectl(&["wait", "quota/none", "-n", &space, "--for=jsonpath={.status.hard.pods}=0", "--timeout=60s"]);
    let script = bed.script();
    let text = r#"
        cluster.scale("deployment", "web", 1);
        cluster.wait("deployment", "web", "ready", #{ timeout: "8s", fail_fast: false })"#;
    assert_eq!(script.fault(&in_space(&space, text)).kind, Kind::Timeout);
    let noted: Vec<String> = (script.events().into_iter())
        .filter_map(|what| match what {
            What::Noted { text, minor: false } => Some(text),
            _ => None,
        })
        .collect();
    let about = |text: &str| noted.iter().filter(|noted| noted.contains(text)).count();
    assert!(about("warning about replicaset web-") > 0 && about("exceeded quota: none") > 0, "{noted:?}");
    assert_eq!(about("other"), 0, "{noted:?}");
    let mut once = noted.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), noted.len(), "{noted:?}");
}

#[test]
fn a_rollout_may_be_waited_for_by_its_revision() {
    let Some(bed) = shared() else { return };
    let space = bed.space("revision");
    bed.kubectl(&["create", "deployment", "web", "-n", &space, "--image=web:1"]);
    bed.kubectl(&["rollout", "status", "deployment/web", "-n", &space, "--timeout=60s"]);
    let script = bed.script();
    let status = |revision: i64, timeout: &str| {
        in_space(
            &space,
            &format!(
                "cluster.rollout_status(\"deployment\", \"web\", #{{ revision: {revision}, timeout: \"{timeout}\" }}).metadata.name"
            ),
        )
    };
    assert_eq!(script.value::<String>(&status(1, "30s")), "web");
    let fault = script.fault(&status(2, "1s"));
    assert_eq!(fault.kind, Kind::Timeout);
    assert!(fault.notes.iter().any(|note| note.contains("it is at revision 1, and not yet 2")), "{fault:?}");
    bed.kubectl(&["set", "image", "deployment/web", "web=web:2", "-n", &space]);
    assert_eq!(script.value::<String>(&status(2, "60s")), "web");
    let fault = script.fault(&status(1, "30s"));
    assert_eq!(fault.kind, Kind::Failed);
    assert!(fault.message.ends_with("it is at revision 2, and no longer 1"), "{fault:?}");
    let text = in_space(&space, "cluster.rollout_status(\"daemonset\", \"web\", #{ revision: 1 })");
    assert_eq!(script.fault(&text).kind, Kind::Unsupported);
}
