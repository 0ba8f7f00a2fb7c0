//! Patching, marking, replacing and deleting, against a real control plane.

use cozyscript::{
    event::EffectEnd,
    script::{fault::Kind, values::object::Object},
};
use rhai::Array;

use super::{Scripts, shared};
use crate::support::{Planned, Script};

fn in_space(space: &str, text: &str) -> String {
    format!("let space = \"{space}\"; let cluster = k8s::connect(#{{ namespace: space }}); {text}")
}

#[track_caller]
fn run(script: &Script, text: &str) {
    drop(script.run(text).unwrap_or_else(|error| panic!("{text}: {error}")));
}

/// What came of the last change, as it was shown.
fn detail(script: &Script) -> String {
    let effects = script.recorded.effects.lock().unwrap();
    effects.last().and_then(|(_, end)| end.clone()).and_then(|(.., detail)| detail).unwrap_or_default()
}

const WEB: &str = "cluster.apply(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, labels: {app: web}}, spec: {replicas: 1, \
    selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {schedulerName: nobody, containers: [{name: web, image: web:1}, {name: side, image: side:1}]}}}}`);";

#[test]
fn an_object_is_patched_in_three_ways() {
    let Some(bed) = shared() else { return };
    let space = bed.space("patch");
    let script = bed.script();
    run(&script, &in_space(&space, WEB));
    let image = |text: &str| -> String {
        let text = format!(
            "cluster.patch(\"deploy\", \"web\", {text}).spec.template.spec.containers.map(|c| c.image).reduce(|sum, image| if sum == () {{ image }} else {{ `${{sum}} ${{image}}` }})"
        );
        script.value(&in_space(&space, &text))
    };
    let strategic = "#{ spec: #{ template: #{ spec: #{ containers: [#{ name: \"side\", image: \"side:2\" }] } } } }, #{ type: \"strategic\" }";
    assert_eq!(image(strategic), "web:1 side:2");
    assert_eq!(detail(&script), "changed: spec.template.spec.containers[side].image: side:1 → side:2");
    assert_eq!(
        image("[#{ op: \"replace\", path: \"/spec/template/spec/containers/0/image\", value: \"web:2\" }]"),
        "web:2 side:2"
    );
    assert_eq!(image("`{spec: {template: {spec: {containers: [{name: web, image: web:3}]}}}}`"), "web:3");
    run(&script, &in_space(&space, "cluster.patch(\"deploy\", \"web\", #{ metadata: #{ labels: #{ app: () } } })"));
    assert_eq!(detail(&script), "changed: metadata.labels: {\"app\":\"web\"} → none");
    run(&script, &in_space(&space, "cluster.patch(\"deploy\", \"web\", #{ spec: #{ replicas: 1 } })"));
    assert_eq!(detail(&script), "unchanged");
    let scale = "cluster.patch(\"deploy\", \"web\", #{ spec: #{ replicas: 3 } }, #{ subresource: \"scale\" }).kind";
    assert_eq!(script.value::<String>(&in_space(&space, scale)), "Scale");

    let fault = |text: &str| script.fault(&in_space(&space, text)).kind;
    assert_eq!(fault("cluster.patch(\"deploy\", \"nobody\", #{ spec: #{} })"), Kind::NotFound);
    assert_eq!(fault("cluster.patch(\"deploy\", \"web\", #{ spec: #{ replicaz: 1 } })"), Kind::Invalid);
    assert_eq!(fault("cluster.patch(\"deploy\", \"web\", #{ spec: #{ replicas: -1 } })"), Kind::Invalid);
    assert_eq!(
        fault("cluster.patch(\"deploy\", \"web\", [#{ op: \"test\", path: \"/spec/replicas\", value: 7 }])"),
        Kind::Invalid
    );
    assert_eq!(
        fault("cluster.patch(\"deploy\", \"web\", #{ metadata: #{ resourceVersion: \"1\", labels: #{ a: \"b\" } } })"),
        Kind::Conflict
    );
    assert_eq!(fault("cluster.patch(\"deploy\", \"web\", #{}, #{ type: \"json\" })"), Kind::Usage);
    assert_eq!(fault("cluster.patch(\"deploy\", \"web\", [], #{ type: \"merge\" })"), Kind::Usage);
    assert_eq!(fault("cluster.patch(\"deploy\", \"web\", #{}, #{ type: \"best\" })"), Kind::Usage);
    run(
        &script,
        &in_space(
            &space,
            "cluster.patch(\"deploy\", \"web\", #{ spec: #{ replicaz: 1 } }, #{ validation: \"ignore\" })",
        ),
    );
}

#[test]
fn a_patch_that_adds_to_a_list_is_asked_about_when_it_is_in_doubt() {
    let Some(bed) = shared() else { return };
    let space = bed.space("patch-doubt");
    let script = bed.script();
    run(&script, &in_space(&space, WEB));
    script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
    let add = "cluster.patch(\"deploy\", \"web\", [#{ op: \"add\", path: \"/spec/template/spec/containers/-\", value: #{ name: \"third\", image: \"third\" } }])";
    let (_, reason) = script.end(&in_space(&space, add));
    assert!(reason.unwrap().to_string().contains("leaves no trace"));
    let repeatable = |text: &str| {
        run(&script, &in_space(&space, text));
        script.recorded.effects.lock().unwrap().last().unwrap().0.repeatable
    };
    assert!(!repeatable(add));
    assert!(repeatable(
        "cluster.patch(\"deploy\", \"web\", [#{ op: \"add\", path: \"/metadata/labels/a\", value: \"b\" }])"
    ));
}

#[test]
fn labels_and_annotations_are_set_removed_and_not_overwritten_unawares() {
    let Some(bed) = shared() else { return };
    let space = bed.space("label");
    let script = bed.script();
    bed.kubectl(&["create", "configmap", "a", "-n", &space]);
    let labels =
        "cluster.label(\"cm\", \"a\", #{ tier: \"web\", \"example.org/zone\": \"north\" }).metadata.labels.tier";
    assert_eq!(script.value::<String>(&in_space(&space, labels)), "web");
    run(&script, &in_space(&space, labels));
    assert_eq!(detail(&script), "unchanged");
    let fault = script.fault(&in_space(&space, "cluster.label(\"cm\", \"a\", #{ tier: \"db\" })"));
    assert_eq!(
        (fault.kind, fault.notes.as_slice()),
        (Kind::Conflict, ["`tier` is `web`, not `db`".to_owned()].as_slice())
    );
    run(
        &script,
        &in_space(
            &space,
            "cluster.label(\"cm\", \"a\", #{ tier: \"db\", \"example.org/zone\": () }, #{ overwrite: true })",
        ),
    );
    assert_eq!(
        detail(&script),
        "changed: metadata.labels.example.org/zone: north → none, metadata.labels.tier: web → db"
    );
    run(&script, &in_space(&space, "cluster.annotate(\"cm\", \"a\", #{ note: \"a long word\" })"));
    assert_eq!(
        bed.kubectl(&["get", "cm", "a", "-n", &space, "-o", "jsonpath={.metadata.labels} {.metadata.annotations}"]),
        r#"{"tier":"db"} {"note":"a long word"}"#
    );
    assert_eq!(
        script.fault(&in_space(&space, "cluster.annotate(\"cm\", \"a\", #{ note: \"another\" })")).kind,
        Kind::Conflict
    );
    assert_eq!(
        script.fault(&in_space(&space, "cluster.annotate(\"cm\", \"b\", #{ note: \"x\" })")).kind,
        Kind::NotFound
    );
    assert_eq!(
        script
            .fault(&in_space(&space, "cluster.label(\"cm\", \"a\", #{ tier: \"no label\" }, #{ overwrite: true })"))
            .kind,
        Kind::Invalid
    );
    assert_eq!(script.fault(&in_space(&space, "cluster.label(\"cm\", \"a\", #{ tier: 1 })")).kind, Kind::Usage);
}

#[test]
fn an_object_is_replaced_unless_it_was_changed_since_it_was_read() {
    let Some(bed) = shared() else { return };
    let space = bed.space("replace");
    let script = bed.script();
    bed.kubectl(&["create", "configmap", "a", "-n", &space, "--from-literal=x=1", "--from-literal=y=1"]);
    run(&script, &in_space(&space, "let a = cluster.get(\"cm\", \"a\"); a.data = #{ x: \"2\" }; cluster.replace(a)"));
    assert_eq!(bed.kubectl(&["get", "cm", "a", "-n", &space, "-o", "jsonpath={.data}"]), r#"{"x":"2"}"#);
    let stale = "let a = cluster.get(\"cm\", \"a\"); cluster.annotate(\"cm\", \"a\", #{ n: a.metadata.resourceVersion }, #{ overwrite: true }); a.data.x = \"3\"; cluster.replace(a";
    let fault = script.fault(&in_space(&space, &format!("{stale})")));
    assert_eq!(fault.kind, Kind::Conflict);
    run(&script, &in_space(&space, &format!("{stale}, #{{ force: true }})")));
    let bare = |name: &str| {
        format!(
            "cluster.replace(#{{ apiVersion: \"v1\", kind: \"ConfigMap\", metadata: #{{ name: \"{name}\" }}, data: #{{ x: \"4\" }} }}"
        )
    };
    assert_eq!(script.fault(&in_space(&space, &format!("{})", bare("a")))).kind, Kind::Usage);
    run(&script, &in_space(&space, &format!("{}, #{{ force: true }})", bare("a"))));
    assert_eq!(bed.kubectl(&["get", "cm", "a", "-n", &space, "-o", "jsonpath={.data}"]), r#"{"x":"4"}"#);
    assert_eq!(script.fault(&in_space(&space, &format!("{}, #{{ force: true }})", bare("b")))).kind, Kind::NotFound);

    // In doubt, it is looked at: it was not sent, then it was.
    let replace = in_space(&space, "let a = read; a.data = #{ x: \"5\" }; cluster.replace(a).data.x");
    let read: Object = script.value(&in_space(&space, "cluster.get(\"cm\", \"a\")"));
    let replace = replace.replace("read;", &format!("yaml::parse(`{}`);", read.tree()));
    for _ in 0..2 {
        script.recorded.decisions.lock().unwrap().push(Planned::Doubt);
        assert_eq!(script.value::<String>(&replace), "5");
    }
    let ends: Vec<_> =
        script.recorded.effects.lock().unwrap().iter().rev().take(2).map(|(_, end)| end.as_ref().unwrap().0).collect();
    assert_eq!(ends, [EffectEnd::Done, EffectEnd::Done]);
}

#[test]
fn several_objects_are_deleted_after_they_were_shown() {
    let Some(bed) = shared() else { return };
    let space = bed.space("delete-all");
    let script = bed.script();
    let destroyed = || script.recorded.effects.lock().unwrap().last().unwrap().0.destroys.clone().unwrap();
    for name in ["a", "b", "c", "d"] {
        bed.kubectl(&["create", "configmap", name, "-n", &space]);
    }
    bed.kubectl(&["label", "configmap", "a", "b", "-n", &space, "old=yes"]);
    let gone: Array = script
        .value(&in_space(&space, "cluster.delete_all(\"cm\", #{ labels: #{ old: \"yes\" } }).map(|gone| gone.name)"));
    assert_eq!(gone.into_iter().map(|name| name.into_string().unwrap()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(destroyed(), [format!("configmap/a in {space}"), format!("configmap/b in {space}")]);
    assert_eq!(detail(&script), "2 deleted");
    let gone: i64 =
        script.value(&in_space(&space, "cluster.delete_all(\"cm\", #{ names: [\"c\", \"nobody\"] }).len()"));
    assert_eq!(gone, 1);

    // What a manifest made goes in the opposite order: what stands in a namespace before the namespace.
    let manifest = r#"let made = `
apiVersion: v1
kind: Namespace
metadata: {name: delete-all-inner}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk, namespace: delete-all-inner}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: never, namespace: delete-all-inner}
spec: {containers: [{name: c, image: c}]}
---
apiVersion: nowhere.example.org/v1
kind: Nothing
metadata: {name: nothing}
`;"#;
    run(
        &script,
        &in_space(
            &space,
            &format!(
                "{manifest} let made = yaml::parse(made); cluster.apply(made.filter(|one| one.kind == \"Namespace\" || one.kind == \"PersistentVolumeClaim\"))"
            ),
        ),
    );
    let gone: i64 = script.value(&in_space(&space, &format!("{manifest} cluster.delete_all(yaml::parse(made)).len()")));
    assert_eq!(gone, 2);
    let lines = destroyed();
    assert!(
        lines.contains(&"namespace/delete-all-inner".to_owned()) && lines.contains(&"  its data".to_owned()),
        "{lines:?}"
    );
    assert!(!bed.kubectl(&["get", "namespaces", "-o", "name"]).contains("delete-all-inner"));
    let nothing: Array = script.value(&in_space(&space, &format!("{manifest} cluster.delete_all(yaml::parse(made))")));
    assert!(nothing.is_empty());

    let fault = |text: &str| script.fault(&in_space(&space, text)).kind;
    assert_eq!(fault("cluster.delete_all(\"cm\")"), Kind::Usage);
    assert_eq!(fault("cluster.delete_all(\"cm\", #{ all: true, names: [\"d\"] })"), Kind::Usage);
    assert_eq!(fault("cluster.delete_all(\"nothings\", #{ all: true })"), Kind::Unsupported);
    bed.kubectl(&[
        "patch",
        "configmap",
        "d",
        "-n",
        &space,
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":["example.org/hold"]}}"#,
    ]);
    let fault = script
        .fault(&in_space(&space, "cluster.delete_all(\"cm\", #{ fields: \"metadata.name=d\", timeout: \"2s\" })"));
    assert_eq!(fault.kind, Kind::Timeout);
    assert!(format!("{fault:?}").contains("example.org/hold"), "{fault:?}");
    bed.kubectl(&[
        "patch",
        "configmap",
        "d",
        "-n",
        &space,
        "--type=merge",
        "-p",
        r#"{"metadata":{"finalizers":null}}"#,
    ]);
}

#[test]
fn whoever_may_not_change_is_told_so() {
    let Some(bed) = shared() else { return };
    for text in [
        r#"lab.diff(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } })"#,
        r#"lab.patch("configmap", "a", #{ data: #{} })"#,
        r#"lab.label("configmap", "a", #{ a: "b" })"#,
        r#"lab.annotate("configmap", "a", #{ a: "b" })"#,
        r#"lab.replace(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a", resourceVersion: "1" } })"#,
        r#"lab.delete_all("configmap", #{ all: true })"#,
        r#"lab.delete_all([#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } }])"#,
        r#"lab.apply([#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "a" } }], #{ prune: "a" })"#,
    ] {
        let fault = bed.script().fault(&format!("let lab = k8s::connect(\"viewer@testbed\"); {text}"));
        assert_eq!(fault.kind, Kind::Denied, "{text}: {fault:?}");
    }
}

#[test]
fn who_may_write_and_not_read_applies_all_the_same() {
    let Some(bed) = shared() else { return };
    let space = bed.space("blind");
    bed.kubectl(&["create", "role", "writer", "-n", &space, "--verb=patch,create", "--resource=configmaps"]);
    bed.kubectl(&["create", "rolebinding", "writer", "-n", &space, "--role=writer", "--user=viewer"]);
    let script = bed.script();
    let apply = format!(
        "k8s::connect(\"viewer@testbed\").apply(#{{ apiVersion: \"v1\", kind: \"ConfigMap\", metadata: #{{ name: \"a\", namespace: \"{space}\" }} }})"
    );
    run(&script, &apply);
    assert_eq!(detail(&script), "created");
    run(&script, &apply);
    assert_eq!(detail(&script), "applied");
}
