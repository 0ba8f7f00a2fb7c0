//! Watches, against a real control plane.

use std::{collections::BTreeMap, thread, time::Duration};

use cozyscript::script::fault::Kind;
use rhai::{Array, Dynamic};

use super::{
    Scripts,
    k8s::{in_space, run},
    shared,
};

fn texts(value: Array) -> Vec<String> {
    value.into_iter().map(Dynamic::cast::<String>).collect()
}

#[test]
fn every_change_is_told_in_its_order_until_the_closure_has_seen_enough() {
    let Some(bed) = shared() else { return };
    let space = bed.space("changes");
    let script = bed.script();
    bed.kubectl(&["create", "configmap", "a", "-n", &space, "--from-literal=n=0"]);
    let watching = {
        let (script, space) = (script.clone(), space.clone());
        thread::spawn(move || {
            texts(script.value(&in_space(
                &space,
                r#"
                let told = [];
                let last = cluster.watch("configmaps", |change, map| {
                    if map.metadata.name != "kube-root-ca.crt" {
                        told.push(`${change} ${map.metadata.name} ${map.data.n}`);
                        print(told[told.len() - 1]);
                    }
                    map.metadata.name == "end"
                }, #{ timeout: "1m" });
                told.push(last.metadata.name);
                told"#,
            )))
        })
    };
    while script.printed().is_empty() {
        thread::sleep(Duration::from_millis(20));
    }
    for n in 1..=2 {
        let data = format!(r#"{{"data":{{"n":"{n}"}}}}"#);
        bed.kubectl(&["patch", "cm", "a", "-n", &space, "--type=merge", "-p", &data]);
    }
    bed.kubectl(&["delete", "cm", "a", "-n", &space]);
    bed.kubectl(&["create", "configmap", "end", "-n", &space, "--from-literal=n=9"]);
    assert_eq!(
        watching.join().unwrap(),
        ["added a 0", "modified a 1", "modified a 2", "deleted a 2", "added end 9", "end"]
    );
}

#[test]
fn thousands_of_changes_come_once_each() {
    let Some(bed) = shared() else { return };
    let space = bed.space("thousands");
    let script = bed.script();
    let watching = {
        let (script, space) = (script.clone(), space.clone());
        thread::spawn(move || {
            texts(script.value(&in_space(
                &space,
                r#"
                let told = [];
                cluster.watch("configmaps", |change, map| {
                    told.push(`${change} ${map.metadata.name}`);
                    print(change);
                    change == "deleted" && map.metadata.name == "end"
                }, #{ labels: "many", timeout: "3m" });
                told"#,
            )))
        })
    };
    let apply = |data: &str| {
        let many = format!(
            r#"let many = [];
               for i in 0..1000 {{ many.push(#{{ apiVersion: "v1", kind: "ConfigMap",
                   metadata: #{{ name: `c${{i}}`, labels: #{{ many: "yes" }} }}, data: #{{ x: "{data}" }} }}); }}
               cluster.apply(many)"#
        );
        run(&bed.script(), &in_space(&space, &many));
    };
    bed.kubectl(&["create", "configmap", "end", "-n", &space]);
    bed.kubectl(&["label", "configmap", "end", "-n", &space, "many=yes"]);
    while script.printed().is_empty() {
        thread::sleep(Duration::from_millis(20));
    }
    apply("1");
    apply("2");
    bed.kubectl(&["delete", "configmaps", "-n", &space, "-l", "many", "--wait=false"]);
    let told = watching.join().unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in told.iter().filter(|line| !line.ends_with(" end")) {
        *counts.entry(line.as_str()).or_default() += 1;
    }
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    let of = |change: &str| counts.keys().filter(|line| line.starts_with(change)).count();
    assert_eq!((of("added"), of("modified")), (1000, 1000));
}

#[test]
fn who_only_looks_on_is_shown_changes_until_the_time_is_up() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    let quiet: bool = script.value(
        r#"k8s::connect().watch("namespaces", |change, space| { print(space.metadata.name); }, #{ timeout: "1s" }) == ()"#,
    );
    assert!(quiet);
    assert!(script.printed().contains(&"default".to_owned()));
    let fault = script.fault(r#"k8s::connect().watch("namespaces", |change, space| false, #{ timeout: "1s" })"#);
    assert_eq!(fault.kind, Kind::Timeout, "{fault:?}");
    assert_eq!(fault.message, "gave up waiting for changes of namespaces after 1s");
    let only_new =
        r#"k8s::connect().watch("namespaces", |change, space| { print("x"); }, #{ existing: false, timeout: "1s" })"#;
    let fresh = bed.script();
    run(&fresh, only_new);
    assert!(fresh.printed().len() < 3, "what is there already is not told: {:?}", fresh.printed());
    let fault = script.fault(r#"k8s::connect().watch("namespaces", |change, space| 7)"#);
    assert_eq!(fault.kind, Kind::Usage);
    let fault = script.fault(r#"k8s::connect("viewer@testbed").watch("pods", |change, pod| true)"#);
    assert_eq!(fault.kind, Kind::Denied);
    let fault = script.fault(r#"k8s::connect().watch("pods", |change, pod| true, #{ labels: "a in (" })"#);
    assert_eq!(fault.kind, Kind::Invalid);
}
