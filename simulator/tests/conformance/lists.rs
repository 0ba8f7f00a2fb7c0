//! Lists: page by page, of one revision or another, and what of that can't be had.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    arms::{Answer, Arm},
    settled::Scene as _,
};

const SECRETS: &str = "/api/v1/namespaces/SPACE/secrets";

bodies! {
    a_list_comes_page_by_page
    pages_are_of_the_revision_of_the_first
    a_list_can_be_of_an_earlier_revision
    a_list_is_not_older_than_it_should_be
    a_limit_without_a_match_asks_for_exactly_that_revision
    revisions_and_how_they_match_go_together
    a_revision_is_a_number
    a_revision_that_is_to_come_is_no_list
    a_revision_that_is_to_come_is_no_object
    options_of_lists_are_numbers
    tokens_that_nobody_gave_are_refused
    a_token_names_its_revision_itself
    a_token_can_go_on_with_what_is_there_now
    of_what_is_selected_nobody_counts_the_rest
    all_namespaces_are_in_the_order_of_their_keys
    lists_may_be_empty
    lists_of_defined_kinds_come_page_by_page
    a_collection_is_deleted_as_it_is_selected
    whether_a_list_is_watched_can_be_said_in_many_words
}

fn secrets(arm: &Arm, names: &[&str]) {
    for name in names {
        arm.make(SECRETS, json!({"metadata": {"name": name, "labels": {"odd": (name.len() % 2 == 1).to_string()}}}));
    }
}

/// Asks for one page after the other.
fn pages(arm: &Arm, path: &str) {
    let first = arm.get(path);
    rest(arm, path, first);
}

fn rest(arm: &Arm, path: &str, first: Answer) {
    let mut answer = first;
    while let Some(token) = answer.body["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
        answer = arm.get(&format!("{path}&continue={token}"));
    }
}

fn revision(answer: &Value) -> String {
    answer["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

fn a_list_comes_page_by_page(arm: &Arm) {
    secrets(arm, &["a", "b", "c", "d", "e"]);
    pages(arm, &format!("{SECRETS}?limit=2"));
    pages(arm, &format!("{SECRETS}?limit=5"));
    let first = arm.get(&format!("{SECRETS}?limit=3")).body;
    // The rest may come in one go, or in other steps.
    let token = first["metadata"]["continue"].as_str().unwrap();
    arm.get(&format!("{SECRETS}?continue={token}"));
    arm.get(&format!("{SECRETS}?limit=1&continue={token}"));
    arm.get(&format!("{SECRETS}?limit=1&resourceVersion=0&continue={token}"));
}

fn pages_are_of_the_revision_of_the_first(arm: &Arm) {
    secrets(arm, &["a", "b", "d", "e"]);
    let first = arm.get(&format!("{SECRETS}?limit=1")).body;
    arm.drop(&format!("{SECRETS}/b"));
    arm.adjust(&format!("{SECRETS}/d"), json!({"metadata": {"labels": {"odd": "no"}}}));
    secrets(arm, &["c"]);
    let token = first["metadata"]["continue"].as_str().unwrap();
    let rest = arm.get(&format!("{SECRETS}?continue={token}")).body;
    assert_eq!(revision(&first), revision(&rest));
    arm.get(&format!("{SECRETS}?limit=2&continue={token}"));
    arm.get(SECRETS);
}

fn a_list_can_be_of_an_earlier_revision(arm: &Arm) {
    secrets(arm, &["a", "b"]);
    let before = revision(&arm.get(SECRETS).body);
    arm.drop(&format!("{SECRETS}/a"));
    let between = revision(&arm.get(SECRETS).body);
    secrets(arm, &["a", "c"]);
    arm.adjust(&format!("{SECRETS}/b"), json!({"data": {"key": "Yg=="}}));
    for revision in [&before, &between] {
        arm.get(&format!("{SECRETS}?resourceVersion={revision}&resourceVersionMatch=Exact"));
        pages(arm, &format!("{SECRETS}?limit=1&resourceVersion={revision}&resourceVersionMatch=Exact"));
        arm.get(&format!("{SECRETS}?labelSelector=odd%3Dtrue&resourceVersion={revision}&resourceVersionMatch=Exact"));
    }
    arm.get(SECRETS);
}

fn a_list_is_not_older_than_it_should_be(arm: &Arm) {
    secrets(arm, &["a"]);
    let before = revision(&arm.get(SECRETS).body);
    secrets(arm, &["b"]);
    let now = revision(&arm.get(SECRETS).body);
    for revision in [&before, &now] {
        let answer = arm.get(&format!("{SECRETS}?resourceVersion={revision}")).body;
        assert_eq!(answer["items"].as_array().unwrap().len(), 2);
        arm.get(&format!("{SECRETS}?resourceVersion={revision}&resourceVersionMatch=NotOlderThan"));
        arm.get(&format!("{SECRETS}?limit=1&resourceVersion={revision}&resourceVersionMatch=NotOlderThan"));
        arm.get(&format!("{SECRETS}/a?resourceVersion={revision}"));
    }
    arm.get(&format!("{SECRETS}/a?resourceVersion=0"));
    arm.get(&format!("{SECRETS}/none?resourceVersion={now}"));
}

fn a_limit_without_a_match_asks_for_exactly_that_revision(arm: &Arm) {
    secrets(arm, &["a", "b"]);
    let before = revision(&arm.get(SECRETS).body);
    arm.drop(&format!("{SECRETS}/a"));
    pages(arm, &format!("{SECRETS}?limit=1&resourceVersion={before}"));
    arm.get(&format!("{SECRETS}?limit=0&resourceVersion={before}"));
    arm.get(&format!("{SECRETS}?limit=-1&resourceVersion={before}"));
    secrets(arm, &["c"]);
    arm.get(&format!("{SECRETS}?limit=1"));
}

fn revisions_and_how_they_match_go_together(arm: &Arm) {
    for query in [
        "resourceVersionMatch=Exact",
        "resourceVersionMatch=NotOlderThan",
        "resourceVersionMatch=Foo",
        "resourceVersionMatch=",
        "resourceVersionMatch=exact&resourceVersion=1",
        "resourceVersionMatch=Exact&resourceVersion=0",
        "resourceVersionMatch=NotOlderThan&resourceVersion=0",
        "resourceVersionMatch=Exact&resourceVersion=0&continue=x",
        "resourceVersionMatch=Exact&continue=x",
        "sendInitialEvents=true",
        "sendInitialEvents=false",
        "sendInitialEvents=true&resourceVersionMatch=Exact",
    ] {
        arm.get(&format!("{SECRETS}?{query}"));
        arm.delete(&format!("{SECRETS}?{query}"));
    }
}

fn a_revision_is_a_number(arm: &Arm) {
    secrets(arm, &["a"]);
    for revision in ["abc", "-1", "1.5", "%2B1", "18446744073709551616"] {
        arm.get(&format!("{SECRETS}?resourceVersion={revision}"));
        arm.get(&format!("{SECRETS}?limit=1&resourceVersion={revision}"));
        arm.get(&format!("{SECRETS}/a?resourceVersion={revision}"));
    }
    arm.get(&format!("{SECRETS}?resourceVersion=abc&limit=x"));
    arm.get(&format!("{SECRETS}?resourceVersion="));
    arm.get(&format!("{SECRETS}?resourceVersion=0001"));
}

fn a_revision_that_is_to_come_is_no_list(arm: &Arm) {
    arm.get(&format!("{SECRETS}?resourceVersion=999999999"));
}

fn a_revision_that_is_to_come_is_no_object(arm: &Arm) {
    arm.get(&format!("{SECRETS}/a?resourceVersion=999999999"));
}

fn options_of_lists_are_numbers(arm: &Arm) {
    for number in ["abc", "1.5", "", "99999999999999999999", "-99999999999999999999", "%2B2", "-1", "007"] {
        arm.get(&format!("{SECRETS}?limit={number}"));
        arm.get(&format!("{SECRETS}?timeoutSeconds={number}"));
    }
    arm.get(&format!("{SECRETS}?limit=1&limit=x"));
    arm.get(&format!("{SECRETS}?allowWatchBookmarks=x"));
}

fn tokens_that_nobody_gave_are_refused(arm: &Arm) {
    secrets(arm, &["a"]);
    for token in ["abc", "%25", "e30", "e30%3D", "e30x", "eyJ2Ij", "bnVsbA", "W10"] {
        arm.get(&format!("{SECRETS}?continue={token}"));
    }
    for token in [
        json!({"v": "meta.k8s.io/v2", "rv": 5, "start": "a"}),
        json!({"v": "meta.k8s.io/v1", "rv": 0, "start": "a"}),
        json!({"v": "meta.k8s.io/v1", "start": ""}),
        json!({"v": "meta.k8s.io/v1", "rv": -1, "start": ""}),
        json!({"v": "meta.k8s.io/v1", "rv": "1", "start": "a"}),
        json!({"v": "meta.k8s.io/v1", "rv": {}, "start": "a"}),
        json!({"v": "meta.k8s.io/v1", "rv": -1, "start": "../a"}),
        json!({"v": "meta.k8s.io/v1", "rv": -1, "start": "a/./b"}),
        json!({"v": "meta.k8s.io/v1", "rv": -1, "start": "/a//b"}),
    ] {
        let token = URL_SAFE_NO_PAD.encode(token.to_string());
        arm.get(&format!("{SECRETS}?limit=1&continue={token}"));
        arm.delete(&format!("{SECRETS}?limit=1&continue={token}"));
    }
}

fn a_token_names_its_revision_itself(arm: &Arm) {
    secrets(arm, &["a", "b"]);
    let first = arm.get(&format!("{SECRETS}?limit=1")).body;
    let token = first["metadata"]["continue"].as_str().unwrap();
    let now = revision(&first);
    for query in [
        format!("resourceVersion={now}"),
        "resourceVersion=0".to_owned(),
        "resourceVersion=x".to_owned(),
        format!("resourceVersion={now}&resourceVersionMatch=Exact"),
    ] {
        arm.get(&format!("{SECRETS}?limit=1&continue={token}&{query}"));
    }
}

fn a_token_can_go_on_with_what_is_there_now(arm: &Arm) {
    secrets(arm, &["a", "b", "c", "d"]);
    for start in ["b\0", "/b\0", "b", "bb", "x"] {
        let token = URL_SAFE_NO_PAD.encode(json!({"v": "meta.k8s.io/v1", "rv": -1, "start": start}).to_string());
        let path = format!("{SECRETS}?limit=1");
        let first = arm.get(&format!("{path}&continue={token}"));
        rest(arm, &path, first);
    }
}

fn of_what_is_selected_nobody_counts_the_rest(arm: &Arm) {
    secrets(arm, &["a", "b", "c", "dd"]);
    for selector in [
        "labelSelector=odd%3Dtrue",
        "fieldSelector=metadata.namespace%3DSPACE",
        "fieldSelector=metadata.name!%3Da",
        "labelSelector=",
        "fieldSelector=metadata.name%3Db",
        "labelSelector=odd%3Dnever",
    ] {
        pages(arm, &format!("{SECRETS}?{selector}&limit=2"));
    }
}

fn all_namespaces_are_in_the_order_of_their_keys(arm: &Arm) {
    arm.make("/api/v1/namespaces", json!({"metadata": {"name": "SPACE-b"}}));
    for space in ["SPACE", "SPACE-b"] {
        for name in ["a", "b"] {
            let labels = json!({"of": "SPACE"});
            arm.make(
                &format!("/api/v1/namespaces/{space}/secrets"),
                json!({"metadata": {"name": name, "labels": labels}}),
            );
        }
    }
    arm.get("/api/v1/secrets?labelSelector=of%3DSPACE");
    arm.drop("/api/v1/namespaces/SPACE-b");
}

fn lists_may_be_empty(arm: &Arm) {
    for path in
        ["/api/v1/namespaces/SPACE/pods", "/api/v1/namespaces/none-SPACE/pods", "/apis/batch/v1/namespaces/SPACE/jobs"]
    {
        arm.get(path);
        arm.get(&format!("{path}?limit=1"));
        arm.get(&format!("{path}?resourceVersion=0"));
        arm.delete(path);
    }
}

fn lists_of_defined_kinds_come_page_by_page(arm: &Arm) {
    let tops = "/apis/pages.SPACE.com/v1/namespaces/SPACE/tops";
    define(arm, "pages.SPACE.com");
    for name in ["a", "b", "c"] {
        arm.make(
            tops,
            json!({"apiVersion": arm.placed("pages.SPACE.com/v1"), "kind": "Top", "metadata": {"name": name}}),
        );
    }
    pages(arm, &format!("{tops}?limit=2"));
    arm.get(tops);
    arm.get("/apis/pages.SPACE.com/v1/tops?limit=1");
    arm.get(&format!("{tops}?resourceVersionMatch=Exact"));
    arm.delete(&format!("{tops}?fieldSelector=metadata.name%3Db"));
    arm.drop("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tops.pages.SPACE.com");
}

/// Defines the kind `Top` in a group, and waits until it is there.
pub fn define(arm: &Arm, group: &str) {
    let names = json!({"kind": "Top", "plural": "tops", "singular": "top", "listKind": "TopList"});
    define_with(arm, group, names, json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}), &[]);
}

/// The same with names, a schema and columns.
pub fn define_with(arm: &Arm, group: &str, names: Value, schema: Value, columns: &[Value]) {
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let name = format!("tops.{group}");
    let version = json!({
        "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
        "subresources": {
            "status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"},
        },
        "additionalPrinterColumns": columns,
    });
    arm.make(
        path,
        json!({
            "metadata": {"name": name},
            "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": [version]},
        }),
    );
    arm.look_until(&format!("/apis/{group}/v1/tops"), |answer| answer.code == 200);
}

fn a_collection_is_deleted_as_it_is_selected(arm: &Arm) {
    secrets(arm, &["a", "b", "c", "dd", "ee"]);
    arm.delete(&format!("{SECRETS}?dryRun=All"));
    arm.delete(&format!("{SECRETS}?labelSelector=odd%3Dfalse&fieldSelector=metadata.name%3Dee"));
    arm.get(SECRETS);
    arm.delete(&format!("{SECRETS}?labelSelector=x%3D%3D%3D"));
    arm.delete(&format!("{SECRETS}?fieldSelector=x%3Dy"));
    arm.delete(&format!("{SECRETS}?limit=2"));
    arm.get(SECRETS);
    arm.delete(SECRETS);
    arm.delete(SECRETS);
    arm.delete("/api/v1/secrets");
}

fn whether_a_list_is_watched_can_be_said_in_many_words(arm: &Arm) {
    secrets(arm, &["a"]);
    for word in ["0", "false", "False", "FALSE"] {
        arm.get(&format!("{SECRETS}?watch={word}"));
    }
    for word in ["1", "true", "no", "x", ""] {
        arm.watch_as(&format!("{SECRETS}?watch={word}&timeoutSeconds=1"), "application/json");
    }
}
