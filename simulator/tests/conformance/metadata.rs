//! What every object has besides what its kind gives it.

use serde_json::{Value, json};

use super::arms::Arm;

const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";
const MAP: &str = "/api/v1/namespaces/SPACE/configmaps/m";
const CLASSES: &str = "/apis/node.k8s.io/v1/runtimeclasses";

bodies! {
    names_that_are_none
    names_are_made_from_a_stem
    stems_that_are_none
    labels_that_are_none
    annotations_that_are_none
    annotations_that_are_too_large
    owners_that_are_none
    owners_that_contradict_each_other
    owners_that_come_twice
    finalizers_that_are_none
    managers_that_somebody_gives
    what_only_the_server_says
    what_is_wrong_is_told_of_changes_too
    versions_of_replacements
    versions_that_are_none
    replacements_of_what_is_not_there
    creations_with_a_version
    identities_of_replacements
    some_kinds_are_created_by_replacing
    some_kinds_are_replaced_by_version_only
    generations_count_changes
    replacing_by_the_same_changes_nothing
    more_is_wrong_than_one_thing
}

fn metadata(arm: &Arm, metadata: Value) {
    arm.create(&format!("{MAPS}?dryRun=All"), json!({"metadata": metadata}));
}

fn names_that_are_none(arm: &Arm) {
    for name in ["M", "-m", "m-", "m_n", "m..n", "a/b", "", "ü", "m.", "..", "m%20n"] {
        metadata(arm, json!({"name": name}));
    }
    metadata(arm, json!({"name": "m".repeat(254)}));
    metadata(arm, json!({"name": "m".repeat(253)}));
    metadata(arm, json!({"name": "1.2-3.x"}));
}

fn names_are_made_from_a_stem(arm: &Arm) {
    metadata(arm, json!({"generateName": "m-"}));
    metadata(arm, json!({"generateName": "m-", "name": "given"}));
    let long = arm.dismiss(
        "POST",
        &format!("{MAPS}?dryRun=All"),
        "application/json",
        &json!({"metadata": {"generateName": "m".repeat(80)}}).to_string(),
    );
    assert_eq!(long.body["metadata"]["name"].as_str().unwrap().len(), 63);
}

fn stems_that_are_none(arm: &Arm) {
    for stem in ["M-", "m_", "-m"] {
        let answer = arm.dismiss(
            "POST",
            &format!("{MAPS}?dryRun=All"),
            "application/json",
            &json!({"metadata": {"generateName": stem}}).to_string(),
        );
        assert_eq!(answer.code, 422);
        arm.answered(stem, &answer, false);
    }
}

fn labels_that_are_none(arm: &Arm) {
    for (key, value) in [
        ("a b", "1"),
        ("", "1"),
        ("a", "x y"),
        ("a", "-x"),
        ("example.com/", "1"),
        ("/a", "1"),
        ("a/b/c", "1"),
        ("Example.com/a", "1"),
        ("a", "x_y.z-1"),
        ("A", "X"),
    ] {
        metadata(arm, json!({"name": "m", "labels": {key: value}}));
    }
    metadata(arm, json!({"name": "m", "labels": {"a": "x".repeat(64)}}));
    metadata(arm, json!({"name": "m", "labels": {"k".repeat(64): "x"}}));
    metadata(arm, json!({"name": "m", "labels": {format!("{}.com/a", "k".repeat(250)): "x"}}));
}

fn annotations_that_are_none(arm: &Arm) {
    for key in ["a b", "", "Example.com/A", "a/b/c", "-a"] {
        metadata(arm, json!({"name": "m", "annotations": {key: "any thing\n"}}));
    }
}

fn annotations_that_are_too_large(arm: &Arm) {
    let answer = arm.dismiss(
        "POST",
        MAPS,
        "application/json",
        &json!({"metadata": {"name": "m", "annotations": {"a": "x".repeat(256 << 10)}}}).to_string(),
    );
    arm.answered("a large annotation", &answer, true);
    let answer = arm.dismiss(
        "POST",
        MAPS,
        "application/json",
        &json!({"metadata": {"name": "m", "annotations": {"a": "x".repeat((256 << 10) - 1)}}}).to_string(),
    );
    arm.answered("an annotation that is as large as can be", &answer, false);
}

fn owner(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "name": name, "uid": "00000000-0000-4000-8000-00000000000a"})
}

fn owners_that_are_none(arm: &Arm) {
    for field in ["apiVersion", "kind", "name", "uid"] {
        let mut without = owner("a");
        without[field] = json!("");
        metadata(arm, json!({"name": "m", "ownerReferences": [without]}));
    }
    metadata(arm, json!({"name": "m", "ownerReferences": [{}]}));
    metadata(
        arm,
        json!({"name": "m", "ownerReferences": [{"apiVersion": "v1", "kind": "Event", "name": "e", "uid": "u"}]}),
    );
    metadata(
        arm,
        json!({"name": "m", "ownerReferences": [{"apiVersion": "a/b/c", "kind": "X", "name": "e", "uid": "u"}]}),
    );
}

fn owners_that_contradict_each_other(arm: &Arm) {
    let controller = |name: &str, uid: &str| {
        let mut owner = owner(name);
        owner["controller"] = json!(true);
        owner["uid"] = json!(uid);
        owner
    };
    metadata(arm, json!({"name": "m", "ownerReferences": [controller("a", "u"), controller("b", "v")]}));
}

fn owners_that_come_twice(arm: &Arm) {
    metadata(arm, json!({"name": "m", "ownerReferences": [owner("a"), owner("a")]}));
    arm.create(MAPS, json!({"metadata": {"name": "m"}}));
    arm.patch(
        &format!("{MAP}?dryRun=All"),
        "merge",
        json!({"metadata": {"ownerReferences": [owner("a"), owner("a")]}}),
    );
}

fn finalizers_that_are_none(arm: &Arm) {
    for finalizers in [
        json!(["a"]),
        json!(["example.com/a b"]),
        json!([""]),
        json!(["orphan", "foregroundDeletion"]),
        json!(["kubernetes"]),
        json!(["foregroundDeletion"]),
        json!(["example.com/a", "example.com/a"]),
    ] {
        metadata(arm, json!({"name": "m", "finalizers": finalizers}));
    }
}

fn managers_that_somebody_gives(arm: &Arm) {
    let fields = json!({"f:data": {"f:a": {}}});
    let entry = |manager: &str, operation: &str| json!({"manager": manager, "operation": operation, "apiVersion": "v1", "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields});
    arm.create(
        MAPS,
        json!({"metadata": {"name": "m", "managedFields": [entry("other", "Update")]}, "data": {"a": "1", "b": "2"}}),
    );
    arm.create(
        &format!("{MAPS}?dryRun=All"),
        json!({"metadata": {"name": "n", "managedFields": [entry("other", "Nothing")]}, "data": {"a": "1"}}),
    );
    arm.patch(MAP, "merge", json!({"metadata": {"managedFields": [entry("third", "Apply")]}}));
    arm.patch(MAP, "merge", json!({"metadata": {"managedFields": null}}));
    arm.patch(MAP, "merge", json!({"metadata": {"managedFields": []}}));
    arm.patch(MAP, "merge", json!({"data": {"c": "3"}}));
}

fn what_only_the_server_says(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "m", "uid": "53b00d6b-8260-44ce-ac31-b8020962872e", "creationTimestamp": "2020-01-01T00:00:00Z", "generation": 5, "selfLink": "/x"}}));
    arm.replace(MAP, json!({"metadata": {"name": "m", "generation": 9, "creationTimestamp": "2020-01-01T00:00:00Z"}, "data": {"a": "1"}}));
    metadata(arm, json!({"name": "m2", "generation": -1}));
}

fn what_is_wrong_is_told_of_changes_too(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "m"}}));
    arm.patch(MAP, "merge", json!({"metadata": {"labels": {"a b": "1"}}}));
    arm.patch(MAP, "merge", json!({"metadata": {"annotations": {"a b": "1"}}}));
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": ["a b"]}}));
    arm.patch(MAP, "merge", json!({"metadata": {"ownerReferences": [{"uid": "u"}]}}));
    arm.patch(MAP, "merge", json!({"metadata": {"generateName": "X"}}));
    arm.get(MAP);
}

fn versions_of_replacements(arm: &Arm) {
    let first = arm.create(MAPS, json!({"metadata": {"name": "m"}, "data": {"a": "1"}})).body;
    let mut second = first.clone();
    second["data"]["a"] = json!("2");
    arm.replace(MAP, second.clone());
    second["data"]["a"] = json!("3");
    arm.replace(MAP, second);
    arm.replace(MAP, json!({"metadata": {"name": "m"}, "data": {"a": "4"}}));
    arm.replace(MAP, json!({"metadata": {"name": "m", "resourceVersion": ""}, "data": {"a": "5"}}));
    arm.replace(MAP, json!({"metadata": {"name": "m", "resourceVersion": "0"}, "data": {"a": "6"}}));
}

fn versions_that_are_none(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "m"}}));
    for version in ["x", "-1", "1.5"] {
        arm.replace(MAP, json!({"metadata": {"name": "m", "resourceVersion": version}}));
        arm.patch(MAP, "merge", json!({"metadata": {"resourceVersion": version}}));
    }
    arm.patch(MAP, "merge", json!({"metadata": {"resourceVersion": "0"}}));
    arm.patch(MAP, "merge", json!({"metadata": {"resourceVersion": null}, "data": {"a": "1"}}));
}

fn replacements_of_what_is_not_there(arm: &Arm) {
    arm.replace(MAP, json!({"metadata": {"name": "m"}}));
    arm.replace(
        MAP,
        json!({"metadata": {"name": "m", "uid": "53b00d6b-8260-44ce-ac31-b8020962872e", "resourceVersion": "1"}}),
    );
}

fn creations_with_a_version(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "m", "resourceVersion": "1"}}));
    arm.create(MAPS, json!({"metadata": {"name": "m", "resourceVersion": "0"}}));
    arm.create(MAPS, json!({"metadata": {"name": "n", "resourceVersion": "x"}}));
}

fn identities_of_replacements(arm: &Arm) {
    let uid = arm.create(MAPS, json!({"metadata": {"name": "m"}})).body["metadata"]["uid"].clone();
    arm.replace(MAP, json!({"metadata": {"name": "m", "uid": "53b00d6b-8260-44ce-ac31-b8020962872e"}}));
    arm.replace(MAP, json!({"metadata": {"name": "m", "uid": uid}, "data": {"a": "1"}}));
}

fn some_kinds_are_created_by_replacing(arm: &Arm) {
    let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/SPACE/roles/r";
    arm.replace(
        roles,
        json!({"metadata": {"name": "r"}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]}),
    );
    arm.replace(roles, json!({"metadata": {"name": "r", "labels": {"a": "1"}}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]}));
    arm.replace(
        "/apis/rbac.authorization.k8s.io/v1/namespaces/SPACE/roles/s",
        json!({"metadata": {"name": "s", "uid": "53b00d6b-8260-44ce-ac31-b8020962872e"}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]}),
    );
}

fn some_kinds_are_replaced_by_version_only(arm: &Arm) {
    let class = format!("{CLASSES}/SPACE");
    let made = arm.create(CLASSES, json!({"metadata": {"name": "SPACE"}, "handler": "run"})).body;
    arm.replace(&class, json!({"metadata": {"name": "SPACE", "labels": {"a": "1"}}, "handler": "run"}));
    let mut next = made;
    next["metadata"]["labels"] = json!({"a": "2"});
    arm.replace(&class, next);
    arm.patch(&class, "merge", json!({"metadata": {"labels": {"a": "3"}}}));
    arm.delete(&class);
    arm.replace(&class, json!({"metadata": {"name": "SPACE"}, "handler": "run"}));
    arm.delete(&class);
}

fn generations_count_changes(arm: &Arm) {
    let templates = "/apis/apps/v1/namespaces/SPACE/deployments";
    let dry = |metadata: Value| json!({"metadata": metadata, "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}});
    arm.create(&format!("{templates}?dryRun=All"), dry(json!({"name": "web", "generation": 7})));
    arm.create(MAPS, json!({"metadata": {"name": "m", "generation": 3}}));
    arm.patch(MAP, "merge", json!({"data": {"a": "1"}, "metadata": {"generation": 8}}));
}

fn replacing_by_the_same_changes_nothing(arm: &Arm) {
    let made = arm.create(MAPS, json!({"metadata": {"name": "m"}, "data": {"a": "1"}})).body;
    let again = arm.replace(MAP, made.clone()).body;
    assert_eq!(made["metadata"]["resourceVersion"], again["metadata"]["resourceVersion"]);
    let other =
        arm.replace(&format!("{MAP}?fieldManager=other"), json!({"metadata": {"name": "m"}, "data": {"a": "1"}})).body;
    assert_eq!(made["metadata"]["resourceVersion"], other["metadata"]["resourceVersion"]);
}

fn more_is_wrong_than_one_thing(arm: &Arm) {
    metadata(
        arm,
        json!({"name": "M", "labels": {"a b": "c d"}, "finalizers": ["a b"], "annotations": {"-": ""}, "ownerReferences": [{}]}),
    );
}
