//! Events: one storage, two shapes.

use serde_json::{Value, json};

use super::arms::Arm;

const CORE: &str = "/api/v1/namespaces/SPACE/events";
const NEWER: &str = "/apis/events.k8s.io/v1/namespaces/SPACE/events";

bodies! {
    an_event_has_two_shapes
    a_newer_event_is_seen_by_older_clients
    events_are_checked
    newer_events_are_checked
    events_are_found_by_their_fields
    newer_events_are_found_by_other_words
}

fn event(name: &str, more: Value) -> Value {
    let mut event = json!({
        "metadata": {"name": name}, "involvedObject": {"kind": "Pod", "namespace": "SPACE", "name": "web"},
        "reason": "Started", "message": "it has started", "type": "Normal",
    });
    for (field, value) in more.as_object().unwrap() {
        event[field] = value.clone();
    }
    event
}

fn an_event_has_two_shapes(arm: &Arm) {
    let more = json!({"source": {"component": "kubelet", "host": "node-1"}, "firstTimestamp": "2026-01-01T09:00:00Z", "lastTimestamp": "2026-01-01T09:00:00Z", "count": 2});
    arm.create(CORE, event("a", more));
    arm.get(&format!("{CORE}/a"));
    arm.get(&format!("{NEWER}/a"));
    arm.patch(&format!("{CORE}/a"), "merge", json!({"count": 3}));
    arm.get(NEWER);
    arm.delete(&format!("{CORE}/a"));
}

fn newer(more: Value) -> Value {
    let mut event = json!({
        "metadata": {"name": "b"}, "eventTime": "2026-01-01T09:00:00.000000Z", "regarding": {"kind": "Pod", "namespace": "SPACE", "name": "web"},
        "reason": "Started", "note": "it has started", "type": "Normal", "action": "Start",
        "reportingController": "example.com/own", "reportingInstance": "own-1",
    });
    for (field, value) in more.as_object().unwrap() {
        event[field] = value.clone();
    }
    event
}

fn a_newer_event_is_seen_by_older_clients(arm: &Arm) {
    arm.create(NEWER, newer(json!({"series": {"count": 2, "lastObservedTime": "2026-01-01T09:00:01.000000Z"}, "related": {"kind": "Node", "name": "a"}})));
    arm.get(&format!("{CORE}/b"));
    arm.get(&format!("{NEWER}/b"));
}

fn events_are_checked(arm: &Arm) {
    for more in [
        json!({"involvedObject": {}}),
        json!({"involvedObject": {"kind": "Pod", "name": "web", "namespace": "elsewhere"}}),
        json!({"involvedObject": {"kind": "Node", "name": "a"}}),
        json!({"type": "", "reason": "", "message": ""}),
        json!({"type": "Odd"}),
    ] {
        arm.create(&format!("{CORE}?dryRun=All"), event("c", more));
    }
}

fn newer_events_are_checked(arm: &Arm) {
    for more in [
        json!({"eventTime": null}),
        json!({"reportingController": "", "reportingInstance": ""}),
        json!({"reportingController": "a b/c"}),
        json!({"action": "", "reason": ""}),
        json!({"type": "Odd"}),
        json!({"note": "x".repeat(1025)}),
        json!({"reason": "x".repeat(129)}),
    ] {
        arm.create(&format!("{NEWER}?dryRun=All"), newer(more));
    }
}

fn events_are_found_by_their_fields(arm: &Arm) {
    arm.create(CORE, event("d", json!({})));
    for field in [
        "involvedObject.name=web",
        "reason=Stopped",
        "type!=Normal",
        "involvedObject.kind=Pod,reason=Started",
        "color=red",
    ] {
        arm.get(&format!("{CORE}?fieldSelector={field}"));
    }
}

fn newer_events_are_found_by_other_words(arm: &Arm) {
    arm.create(NEWER, newer(json!({})));
    for field in [
        "regarding.name=web",
        "reportingController=example.com/own",
        "reportingController!=example.com/own",
        "reportingComponent=example.com/own",
    ] {
        arm.get(&format!("{NEWER}?fieldSelector={field}"));
    }
    for field in ["source=example.com/own", "source=other", "reportingController=example.com/own"] {
        arm.get(&format!("{CORE}?fieldSelector={field}"));
    }
}
