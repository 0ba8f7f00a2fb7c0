//! How objects go away.

use serde_json::json;

use super::arms::Arm;

const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";
const MAP: &str = "/api/v1/namespaces/SPACE/configmaps/m";
const CLAIMS: &str = "/api/v1/namespaces/SPACE/serviceaccounts";
const CLAIM: &str = "/api/v1/namespaces/SPACE/serviceaccounts/c";

bodies! {
    what_has_finalizers_is_marked
    what_is_marked_goes_with_its_last_finalizer
    what_is_marked_takes_no_new_finalizers
    what_is_marked_can_be_changed
    what_is_marked_is_created_by_nobody
    dependents_are_deleted_in_the_foreground
    dependents_are_orphaned
    dependents_in_older_words
    policies_that_nobody_knows
    options_come_by_the_path_or_in_the_body
    preconditions_hold_or_not
    a_dry_run_deletes_nothing
    a_deletion_of_many
    a_deletion_of_many_selected_ones
    a_deletion_of_many_by_a_dry_run
    bodies_of_deletions_that_are_none
    some_kinds_are_shown_when_they_go
    an_apply_can_let_go
    grace_is_not_for_what_has_none
    a_namespace_of_its_own_can_be_seen_to_end
    lists_of_cluster_wide_things_are_deleted
}

fn make(arm: &Arm, name: &str, finalizers: &[&str]) {
    arm.create(MAPS, json!({"metadata": {"name": name, "finalizers": finalizers, "labels": {"name": name}}}));
}

fn what_has_finalizers_is_marked(arm: &Arm) {
    make(arm, "m", &["example.com/a"]);
    arm.delete(MAP);
    arm.get(MAP);
    arm.delete(MAP);
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": null}}));
    arm.get(MAP);
}

fn what_is_marked_goes_with_its_last_finalizer(arm: &Arm) {
    make(arm, "m", &["example.com/a", "example.com/b"]);
    arm.delete(MAP);
    arm.patch(MAP, "json", json!([{"op": "remove", "path": "/metadata/finalizers/0"}]));
    let mut object = arm.get(MAP).body;
    object["metadata"]["finalizers"] = json!([]);
    arm.replace(MAP, object);
    arm.get(MAP);
}

fn what_is_marked_takes_no_new_finalizers(arm: &Arm) {
    make(arm, "m", &["example.com/a"]);
    arm.delete(MAP);
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": ["example.com/a", "example.com/b", "example.com/c"]}}));
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": ["example.com/d"]}}));
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": []}}));
}

fn what_is_marked_can_be_changed(arm: &Arm) {
    make(arm, "m", &["example.com/a"]);
    arm.delete(MAP);
    arm.patch(MAP, "merge", json!({"data": {"a": "1"}}));
    arm.patch(MAP, "merge", json!({"metadata": {"deletionTimestamp": null}}));
    arm.patch(
        MAP,
        "merge",
        json!({"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z", "deletionGracePeriodSeconds": 7}}),
    );
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": null}}));
}

fn what_is_marked_is_created_by_nobody(arm: &Arm) {
    let object = json!({"metadata": {"name": "m", "deletionTimestamp": "2020-01-01T00:00:00Z", "deletionGracePeriodSeconds": 7, "generation": 4, "selfLink": "/x"}});
    arm.create(MAPS, object);
    arm.patch(MAP, "merge", json!({"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}}));
    arm.patch(MAP, "merge", json!({"metadata": {"deletionGracePeriodSeconds": 7}}));
}

fn dependents_are_deleted_in_the_foreground(arm: &Arm) {
    make(arm, "m", &["example.com/a"]);
    arm.delete_with(MAP, json!({"propagationPolicy": "Foreground"}));
    arm.delete_with(MAP, json!({"propagationPolicy": "Background"}));
    arm.until(MAP, |object| object["metadata"]["finalizers"] == json!(["example.com/a"]));
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": null}}));
}

fn dependents_are_orphaned(arm: &Arm) {
    make(arm, "m", &["example.com/a"]);
    arm.delete_with(
        &format!("{MAP}?dryRun=All"),
        json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Orphan", "dryRun": ["All"]}),
    );
    arm.delete_with(MAP, json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}));
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": null}}));
    arm.get(MAP);
}

fn dependents_in_older_words(arm: &Arm) {
    make(arm, "m", &["example.com/a"]);
    arm.delete_with(MAP, json!({"orphanDependents": false, "propagationPolicy": "Orphan"}));
    arm.delete_with(MAP, json!({"orphanDependents": false}));
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": null}}));
}

fn policies_that_nobody_knows(arm: &Arm) {
    make(arm, "m", &[]);
    arm.delete_with(MAP, json!({"propagationPolicy": "Sideways"}));
    arm.delete_with(MAP, json!({"propagationPolicy": "foreground", "dryRun": ["Some"]}));
    arm.delete_with(MAP, json!({"propagationPolicy": ""}));
    arm.delete(&format!("{MAP}?propagationPolicy=None"));
    arm.get(MAP);
}

fn options_come_by_the_path_or_in_the_body(arm: &Arm) {
    make(arm, "m", &["example.com/a"]);
    arm.delete(&format!("{MAP}?dryRun=All"));
    arm.delete_with(&format!("{MAP}?dryRun=All"), json!({"propagationPolicy": "Background", "gracePeriodSeconds": 3}));
    arm.get(MAP);
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": null}}));
}

fn preconditions_hold_or_not(arm: &Arm) {
    make(arm, "m", &[]);
    let metadata = arm.look(MAP).body["metadata"].clone();
    arm.delete_with(MAP, json!({"preconditions": {"uid": "53b00d6b-8260-44ce-ac31-b8020962872e"}}));
    let options = json!({"preconditions": {"resourceVersion": "other"}});
    let old = arm.dismiss("DELETE", MAP, "application/json", &options.to_string());
    arm.answered("an old version", &old, false);
    arm.delete_with(
        MAP,
        json!({"preconditions": {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}}),
    );
}

fn a_dry_run_deletes_nothing(arm: &Arm) {
    make(arm, "m", &[]);
    arm.delete_with(MAP, json!({"dryRun": ["All"]}));
    arm.delete(&format!("{MAP}?dryRun=All"));
    arm.delete_with(MAP, json!({"dryRun": ["None"]}));
    arm.delete_with(MAP, json!({"dryRun": []}));
    arm.get(MAP);
}

fn a_deletion_of_many(arm: &Arm) {
    arm.look_until(&format!("{MAPS}/kube-root-ca.crt"), |answer| answer.code == 200);
    for name in ["a", "b", "c"] {
        make(arm, name, if name == "b" { &["example.com/a"] } else { &[] });
    }
    arm.delete(&format!("{MAPS}?labelSelector=name"));
    arm.get(&format!("{MAPS}?labelSelector=name"));
    arm.patch(&format!("{MAPS}/b"), "merge", json!({"metadata": {"finalizers": null}}));
    arm.delete(&format!("{MAPS}?labelSelector=name"));
}

fn a_deletion_of_many_selected_ones(arm: &Arm) {
    for name in ["a", "b", "c"] {
        make(arm, name, &[]);
    }
    arm.delete(&format!("{MAPS}?labelSelector=name%20in%20(a,b)&fieldSelector=metadata.name!=b"));
    arm.get(&format!("{MAPS}?labelSelector=name"));
    arm.delete(&format!("{MAPS}?fieldSelector=data=x"));
    arm.delete(&format!("{MAPS}?labelSelector=name&limit=1"));
    arm.get(&format!("{MAPS}?labelSelector=name"));
}

fn a_deletion_of_many_by_a_dry_run(arm: &Arm) {
    make(arm, "a", &[]);
    arm.delete(&format!("{MAPS}?labelSelector=name&dryRun=All"));
    arm.delete_with(&format!("{MAPS}?labelSelector=name"), json!({"dryRun": ["All"]}));
    arm.delete_with(&format!("{MAPS}?labelSelector=name"), json!({"propagationPolicy": "Sideways"}));
    arm.get(&format!("{MAPS}?labelSelector=name"));
    arm.delete("/api/v1/configmaps?labelSelector=name");
    arm.delete("/api/v1/namespaces");
}

fn bodies_of_deletions_that_are_none(arm: &Arm) {
    make(arm, "m", &[]);
    arm.delete_with(MAP, json!({"kind": "ConfigMap", "apiVersion": "v1"}));
    arm.delete_with(MAP, json!({"gracePeriodSeconds": "soon"}));
    arm.delete_with(MAP, json!({"colour": "red", "dryRun": ["All"]}));
    arm.send_text("DELETE", MAP, "application/json", "{");
    arm.send_text("DELETE", MAP, "text/plain", "{}");
    arm.get(MAP);
}

fn some_kinds_are_shown_when_they_go(arm: &Arm) {
    arm.create(CLAIMS, json!({"metadata": {"name": "c"}}));
    arm.delete_with(CLAIM, json!({"dryRun": ["All"]}));
    arm.delete(CLAIM);
    arm.delete(CLAIM);
}

fn an_apply_can_let_go(arm: &Arm) {
    let object = |finalizers: serde_json::Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "finalizers": finalizers}});
    arm.apply(MAP, "me", object(json!(["example.com/a"])));
    arm.delete(MAP);
    arm.apply(MAP, "me", object(json!([])));
    arm.get(MAP);
}

fn grace_is_not_for_what_has_none(arm: &Arm) {
    make(arm, "m", &["example.com/a"]);
    arm.delete_with(MAP, json!({"gracePeriodSeconds": 60}));
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": null}}));
    make(arm, "m", &[]);
    arm.delete_with(MAP, json!({"gracePeriodSeconds": -5}));
}

fn a_namespace_of_its_own_can_be_seen_to_end(arm: &Arm) {
    arm.create("/api/v1/namespaces", json!({"metadata": {"name": "SPACE-a"}}));
    arm.delete_with("/api/v1/namespaces/SPACE-a", json!({"dryRun": ["All"]}));
    arm.delete_with(
        "/api/v1/namespaces/SPACE-a",
        json!({"preconditions": {"uid": "53b00d6b-8260-44ce-ac31-b8020962872e"}}),
    );
    arm.delete("/api/v1/namespaces/SPACE-a");
}

fn lists_of_cluster_wide_things_are_deleted(arm: &Arm) {
    let classes = "/apis/node.k8s.io/v1/runtimeclasses";
    for name in ["SPACE-a", "SPACE-b"] {
        arm.create(classes, json!({"metadata": {"name": name, "labels": {"of": "SPACE"}}, "handler": "run"}));
    }
    arm.delete(&format!("{classes}?labelSelector=of=SPACE"));
    arm.get(&format!("{classes}/SPACE-a"));
}
