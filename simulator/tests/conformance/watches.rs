//! Watches: what they begin with, what they tell, in which form, and what of that can't be had.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    lists::define,
    representations::{METADATA, METADATA_LIST, TABLE},
    settled::Scene as _,
};

const SECRETS: &str = "/api/v1/namespaces/SPACE/secrets";
const SECRET: &str = "/api/v1/namespaces/SPACE/secrets/a";
const JSON: &str = "application/json";

bodies! {
    a_watch_begins_with_what_is_there
    a_watch_goes_on_from_a_revision
    a_watch_tells_what_comes_to_be_selected_and_ceases_to
    a_name_is_watched_by_its_field
    older_paths_are_watched
    older_paths_are_only_watched
    the_end_of_what_was_there_is_marked
    nothing_is_marked_that_nobody_asked_for
    options_of_watches_go_together
    the_revision_of_a_watch_is_a_number
    a_watch_tells_tables_with_columns_once
    a_watch_tells_metadata
    a_watch_has_its_own_forms
    bookmarks_are_objects_with_nothing_in_them
    defined_kinds_are_watched_in_each_form
}

fn secrets(arm: &Arm) {
    for (name, tier) in [("a", "web"), ("b", "data")] {
        arm.make(SECRETS, json!({"metadata": {"name": name, "labels": {"tier": tier}}}));
    }
}

fn now(arm: &Arm) -> String {
    arm.look(SECRETS).body["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

fn watch(arm: &Arm, path: &str) -> Vec<Value> {
    let mark = if path.contains('?') { '&' } else { '?' };
    arm.watch_as(&format!("{path}{mark}timeoutSeconds=1"), JSON)
}

fn a_watch_begins_with_what_is_there(arm: &Arm) {
    secrets(arm);
    watch(arm, &format!("{SECRETS}?watch=1"));
    watch(arm, &format!("{SECRETS}?watch=1&resourceVersion=0&limit=1"));
    watch(arm, &format!("{SECRETS}?watch=1&labelSelector=tier%3Ddata"));
}

fn a_watch_goes_on_from_a_revision(arm: &Arm) {
    secrets(arm);
    let from = now(arm);
    arm.adjust(SECRET, json!({"data": {"key": "Yg=="}}));
    arm.drop(SECRET);
    let between = now(arm);
    arm.make(SECRETS, json!({"metadata": {"name": "c"}}));
    watch(arm, &format!("{SECRETS}?watch=1&resourceVersion={from}"));
    watch(arm, &format!("{SECRETS}?watch=1&resourceVersion={between}"));
    let now = now(arm);
    watch(arm, &format!("{SECRETS}?watch=1&resourceVersion={now}"));
}

fn a_watch_tells_what_comes_to_be_selected_and_ceases_to(arm: &Arm) {
    secrets(arm);
    let from = now(arm);
    for tier in ["data", "web", "data"] {
        arm.adjust(SECRET, json!({"metadata": {"labels": {"tier": tier}}}));
    }
    arm.drop(SECRET);
    for selector in ["tier%3Dweb", "tier%3Ddata", "tier!%3Dweb", "!tier"] {
        watch(arm, &format!("{SECRETS}?watch=1&resourceVersion={from}&labelSelector={selector}"));
    }
}

fn a_name_is_watched_by_its_field(arm: &Arm) {
    secrets(arm);
    let from = now(arm);
    arm.drop(&format!("{SECRETS}/b"));
    arm.drop(SECRET);
    watch(arm, &format!("{SECRETS}?watch=1&resourceVersion={from}&fieldSelector=metadata.name%3Da"));
    watch(arm, &format!("/api/v1/secrets?watch=1&resourceVersion={from}&fieldSelector=metadata.namespace%3DSPACE"));
    arm.get(&format!("{SECRETS}?watch=1&fieldSelector=a%3Db"));
    // A name alone is not watched.
    arm.get("/api/v1/namespaces/SPACE?watch=1");
}

fn older_paths_are_watched(arm: &Arm) {
    secrets(arm);
    let from = now(arm);
    watch(arm, "/api/v1/watch/namespaces/SPACE/secrets");
    watch(arm, "/api/v1/watch/namespaces/SPACE/secrets/a");
    watch(arm, "/api/v1/watch/namespaces/SPACE/secrets/none");
    watch(arm, "/api/v1/watch/secrets?labelSelector=tier%3Ddata&fieldSelector=metadata.namespace%3DSPACE");
    arm.drop(SECRET);
    watch(arm, &format!("/api/v1/watch/namespaces/SPACE/secrets/a?resourceVersion={from}"));
    watch(
        arm,
        &format!("/api/v1/watch/namespaces/SPACE/secrets?resourceVersion={from}&fieldSelector=metadata.name%3Db"),
    );
    watch(arm, "/apis/apps/v1/watch/namespaces/SPACE/deployments?watch=0");
}

fn older_paths_are_only_watched(arm: &Arm) {
    arm.get("/api/v1/watch/nope");
    arm.get("/apis/apps/v1/watch/nope");
    arm.get("/api/v1/watch/namespaces/SPACE/secrets/a/status");
    arm.create("/api/v1/watch/namespaces/SPACE/secrets", json!({}));
    arm.delete("/api/v1/watch/namespaces/SPACE/secrets");
    arm.delete("/api/v1/watch/namespaces/SPACE/secrets/a");
    arm.as_viewer(|| {
        arm.get("/api/v1/watch/namespaces/SPACE/secrets");
        arm.get("/api/v1/watch/namespaces/SPACE/secrets/a");
        arm.get("/api/v1/watch/nodes");
    });
}

const INITIAL: &str = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";

fn the_end_of_what_was_there_is_marked(arm: &Arm) {
    secrets(arm);
    let from = now(arm);
    watch(arm, &format!("{SECRETS}?{INITIAL}&allowWatchBookmarks=true"));
    watch(arm, &format!("{SECRETS}?{INITIAL}&allowWatchBookmarks=true&resourceVersion=0&labelSelector=tier%3Dnone"));
    watch(arm, &format!("{SECRETS}?{INITIAL}&allowWatchBookmarks=true&resourceVersion={from}"));
}

fn nothing_is_marked_that_nobody_asked_for(arm: &Arm) {
    secrets(arm);
    let from = now(arm);
    watch(arm, &format!("{SECRETS}?{INITIAL}"));
    let without = INITIAL.replace("=true", "=false");
    watch(arm, &format!("{SECRETS}?{without}&allowWatchBookmarks=true"));
    watch(arm, &format!("{SECRETS}?{without}&allowWatchBookmarks=true&resourceVersion={from}"));
}

fn options_of_watches_go_together(arm: &Arm) {
    for query in [
        "sendInitialEvents=true",
        "sendInitialEvents=false",
        "sendInitialEvents=true&resourceVersionMatch=Exact",
        "resourceVersionMatch=NotOlderThan",
        "resourceVersionMatch=Exact&resourceVersion=1",
        "resourceVersionMatch=Foo&continue=x",
        "continue=x",
        "timeoutSeconds=abc",
        "limit=abc",
        "labelSelector=a%3D%3D%3D",
        "fieldSelector=a",
    ] {
        arm.get(&format!("{SECRETS}?watch=1&{query}"));
    }
}

fn the_revision_of_a_watch_is_a_number(arm: &Arm) {
    for revision in ["abc", "-1", "1.5"] {
        arm.get(&format!("{SECRETS}?watch=1&resourceVersion={revision}"));
        arm.get(&format!("{SECRETS}?{INITIAL}&resourceVersion={revision}"));
    }
}

fn a_watch_tells_tables_with_columns_once(arm: &Arm) {
    secrets(arm);
    let from = now(arm);
    arm.adjust(SECRET, json!({"data": {"key": "Yg=="}}));
    arm.drop(SECRET);
    let all = format!("{SECRETS}?watch=1&timeoutSeconds=1");
    arm.watch_as(&all, TABLE);
    arm.watch_as(&format!("{all}&resourceVersion={from}"), &format!("{TABLE},application/json"));
    arm.watch_as(&format!("{all}&includeObject=Object"), TABLE);
    arm.watch_as(&format!("{all}&includeObject=None"), &TABLE.replace("v=v1", "v=v1beta1"));
    arm.watch_as(&format!("{SECRETS}?{INITIAL}&allowWatchBookmarks=true&timeoutSeconds=1"), TABLE);
    arm.get_as(&format!("{all}&includeObject=All"), TABLE);
}

fn a_watch_tells_metadata(arm: &Arm) {
    secrets(arm);
    let all = format!("{SECRETS}?watch=1&timeoutSeconds=1");
    arm.watch_as(&all, METADATA);
    arm.watch_as(&all, &METADATA.replace("v=v1", "v=v1beta1"));
    arm.watch_as(&format!("{SECRETS}?{INITIAL}&allowWatchBookmarks=true&timeoutSeconds=1"), METADATA);
    arm.watch_as(&all, METADATA_LIST);
}

fn a_watch_has_its_own_forms(arm: &Arm) {
    secrets(arm);
    let all = format!("{SECRETS}?watch=1&timeoutSeconds=1");
    for accept in ["application/json;stream=watch", "*/*", "application/json;q=0.1, text/html", ""] {
        arm.watch_as(&all, accept);
    }
}

fn bookmarks_are_objects_with_nothing_in_them(arm: &Arm) {
    for kind in ["configmaps", "pods", "services"] {
        let path = format!("/api/v1/namespaces/none-SPACE/{kind}?{INITIAL}&allowWatchBookmarks=true&timeoutSeconds=1");
        arm.watch_as(&path, JSON);
        arm.watch_as(&path, TABLE);
    }
}

fn defined_kinds_are_watched_in_each_form(arm: &Arm) {
    let tops = "/apis/watched.SPACE.com/v1/namespaces/SPACE/tops";
    define(arm, "watched.SPACE.com");
    arm.make(
        tops,
        json!({"apiVersion": arm.placed("watched.SPACE.com/v1"), "kind": "Top", "metadata": {"name": "a"}, "spec": {"replicas": 1}}),
    );
    let all = format!("{tops}?{INITIAL}&allowWatchBookmarks=true&timeoutSeconds=1");
    for accept in [JSON, TABLE, METADATA] {
        arm.watch_as(&all, accept);
    }
    watch(arm, "/apis/watched.SPACE.com/v1/watch/namespaces/SPACE/tops/a");
    arm.drop("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tops.watched.SPACE.com");
}
