//! What happened in a cluster, as its controllers tell it.

use cozyscript::script::fault::Kind;
use rhai::Array;

use super::{
    Bed, Scripts,
    k8s::{WEB, in_space, run},
    shared,
};

fn event(bed: &Bed, space: &str, name: &str, about: &str, rest: &str) {
    bed.kubectl_with(
        &["create", "-n", space],
        &format!(
            "{{apiVersion: v1, kind: Event, metadata: {{name: {name}}}, reason: Tested, message: '{name} ', \
             involvedObject: {{{about}, namespace: {space}}}, {rest}}}"
        ),
    );
}

fn lines(bed: &Bed, space: &str, events: &str) -> Vec<String> {
    let shown = "|event| `${event.type} ${event.about} ${event.reason} ${event.message} ${event.count}`";
    let told: Array = bed.script().value(&in_space(space, &format!("cluster.{events}.map({shown})")));
    told.iter().map(ToString::to_string).collect()
}

#[test]
fn events_come_in_the_order_of_time_and_are_counted() {
    let Some(bed) = shared() else { return };
    let space = bed.space("events");
    let pod = "kind: Pod, name: web-0";
    // The forms of old and new reporters, neither in the order of their names.
    event(
        &bed,
        &space,
        "third",
        pod,
        "type: Warning, count: 7, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:03Z'",
    );
    event(&bed, &space, "first", pod, "type: Normal, lastTimestamp: '2026-01-01T00:00:01Z'");
    event(
        &bed,
        &space,
        "second",
        "kind: Node, name: web-0",
        "type: Warning, eventTime: '2026-01-01T00:00:00.500000Z', action: Test, reportingComponent: example.org/test, \
         reportingInstance: t, series: {count: 3, lastObservedTime: '2026-01-01T00:00:02.500000Z'}",
    );
    let all =
        ["Normal pod/web-0 Tested first 1", "Warning node/web-0 Tested second 3", "Warning pod/web-0 Tested third 7"];
    assert_eq!(lines(&bed, &space, "events()"), all);
    assert_eq!(lines(&bed, &space, "events(#{ warnings: true })"), all[1..]);
    assert_eq!(lines(&bed, &space, "events(\"po\", \"web-0\")"), [all[0], all[2]]);
    assert_eq!(lines(&bed, &space, "events(\"pod\", \"web-0\", #{ warnings: true })"), all[2..]);
    assert!(lines(&bed, &space, "events(\"pod\", \"web-1\")").is_empty());
    assert!(lines(&bed, &space, "events(#{ since: \"1h\" })").is_empty());
    assert!(lines(&bed, &space, "events(#{ reason: \"Other\" })").is_empty());
    let everywhere = lines(&bed, "default", "events(#{ all_namespaces: true, reason: \"Tested\" })");
    assert!(all.iter().all(|line| everywhere.iter().any(|other| other == line)), "{everywhere:?}");
}

#[test]
fn a_controller_says_what_it_did() {
    let Some(bed) = shared() else { return };
    let space = bed.space("events-of-web");
    let script = bed.script();
    run(&script, &in_space(&space, &format!("cluster.apply({WEB}); cluster.wait(\"deployment\", \"web\")")));
    let told = lines(&bed, &space, "events(\"deployment\", \"web\", #{ since: \"10m\" })");
    assert!(told[0].starts_with("Normal deployment/web ScalingReplicaSet Scaled up replica set"), "{told:?}");
    let nodes = lines(&bed, &space, "events(\"node\", \"kwok-node-0\")");
    assert!(nodes.iter().all(|line| line.contains("node/node-1")), "{nodes:?}");
}

#[test]
fn who_may_not_see_events_is_told_so() {
    let Some(bed) = shared() else { return };
    let script = bed.script();
    assert_eq!(script.fault(r#"k8s::connect("viewer@testbed").events()"#).kind, Kind::Denied);
    let fault = script.fault(r#"k8s::connect().events(#{ namespace: "a", all_namespaces: true })"#);
    assert_eq!(fault.kind, Kind::Usage);
    assert_eq!(script.fault(r#"k8s::connect().events("pots", "a")"#).kind, Kind::Unsupported);
    assert_eq!(script.fault(r#"k8s::connect().events(#{ since: "soon" })"#).kind, Kind::Usage);
}
