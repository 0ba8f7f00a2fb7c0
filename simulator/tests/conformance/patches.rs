//! JSON patches, merge patches and strategic merge patches.

use serde_json::{Value, json};

use super::arms::Arm;

const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";
const MAP: &str = "/api/v1/namespaces/SPACE/configmaps/m";

bodies! {
    json_patches_add_replace_and_remove
    json_patches_test_move_and_copy
    json_patches_that_do_not_fit_are_refused
    json_patches_count_from_the_end_of_a_list
    json_patches_of_keys_with_slashes
    merge_patches_remove_what_is_null
    merge_patches_replace_lists
    merge_patches_replace_what_is_no_map
    a_patch_may_name_the_version_it_was_made_for
    a_patch_that_changes_nothing_makes_no_version
    a_patch_cannot_rename_or_move
    a_patch_of_what_is_not_there
    patches_of_other_forms_are_refused
    a_patch_that_is_no_json_is_refused
    strategic_patches_of_maps
    strategic_patches_with_directives_on_maps
    strategic_patches_retain_keys
    strategic_patches_of_finalizers
    strategic_patches_delete_from_primitive_lists
    strategic_patches_set_the_order_of_primitives
    strategic_patches_of_owner_references_by_uid
    strategic_patches_with_unknown_directives_are_refused
    strategic_patches_that_are_malformed_are_refused
    strategic_patches_of_what_is_a_list_by_key
    a_patch_owns_what_it_changes
    a_dry_run_of_a_patch_changes_nothing
}

fn make(arm: &Arm, object: Value) {
    let mut object = object;
    object["metadata"]["name"] = json!("m");
    assert_eq!(arm.create(MAPS, object).code, 201);
}

fn json_patches_add_replace_and_remove(arm: &Arm) {
    make(arm, json!({"data": {"a": "1", "b": "2"}}));
    arm.patch(MAP, "json", json!([{"op": "add", "path": "/data/c", "value": "3"}]));
    arm.patch(
        MAP,
        "json",
        json!([{"op": "replace", "path": "/data/a", "value": "one"}, {"op": "remove", "path": "/data/b"}]),
    );
    arm.patch(MAP, "json", json!([{"op": "replace", "path": "/data/new", "value": "as well"}]));
    arm.patch(MAP, "json", json!([{"op": "add", "path": "/metadata/labels", "value": {"x": "y"}}]));
    arm.patch(MAP, "json", json!([{"op": "remove", "path": "/data"}]));
    arm.get(MAP);
}

fn json_patches_test_move_and_copy(arm: &Arm) {
    make(arm, json!({"data": {"a": "1"}}));
    arm.patch(
        MAP,
        "json",
        json!([
            {"op": "test", "path": "/data/a", "value": "1"},
            {"op": "move", "from": "/data/a", "path": "/data/b"},
            {"op": "copy", "from": "/data/b", "path": "/data/c"},
        ]),
    );
    arm.patch(
        MAP,
        "json",
        json!([{"op": "test", "path": "/data/a", "value": null}, {"op": "add", "path": "/data/d", "value": "4"}]),
    );
    arm.patch(MAP, "json", json!([{"op": "test", "path": "/data/b", "value": "2"}]));
    arm.patch(MAP, "json", json!([{"op": "test", "path": "/data", "value": {"d": "4", "c": "1", "b": "1"}}]));
}

fn json_patches_that_do_not_fit_are_refused(arm: &Arm) {
    make(arm, json!({"data": {"a": "1"}}));
    for patch in [
        json!([{"op": "remove", "path": "/data/none"}]),
        json!([{"op": "add", "path": "/none/a", "value": "1"}]),
        json!([{"op": "add", "path": "data", "value": "1"}]),
        json!([{"op": "jump", "path": "/data/a"}]),
        json!([{"path": "/data/a"}]),
        json!([{"op": "add", "value": "1"}]),
        json!([{"op": "move", "path": "/data/b"}]),
        json!([{"op": "add", "path": "/data/a/b", "value": "1"}]),
        json!({"op": "add"}),
        json!(["add"]),
    ] {
        arm.patch(MAP, "json", patch);
    }
    arm.patch(MAP, "json", json!([]));
}

fn json_patches_count_from_the_end_of_a_list(arm: &Arm) {
    make(arm, json!({"metadata": {"finalizers": ["example.com/a", "example.com/b"]}}));
    arm.patch(MAP, "json", json!([{"op": "add", "path": "/metadata/finalizers/-", "value": "example.com/c"}]));
    arm.patch(MAP, "json", json!([{"op": "add", "path": "/metadata/finalizers/1", "value": "example.com/d"}]));
    arm.patch(MAP, "json", json!([{"op": "replace", "path": "/metadata/finalizers/-1", "value": "example.com/last"}]));
    arm.patch(MAP, "json", json!([{"op": "remove", "path": "/metadata/finalizers/9"}]));
    arm.patch(MAP, "json", json!([{"op": "remove", "path": "/metadata/finalizers/0"}]));
    arm.patch(MAP, "json", json!([{"op": "remove", "path": "/metadata/finalizers"}]));
}

fn json_patches_of_keys_with_slashes(arm: &Arm) {
    make(arm, json!({"metadata": {"annotations": {"example.com/a": "1", "b": "2"}}}));
    arm.patch(MAP, "json", json!([{"op": "replace", "path": "/metadata/annotations/example.com~1a", "value": "one"}]));
    arm.patch(MAP, "json", json!([{"op": "test", "path": "/metadata/annotations/example.com~1a", "value": "one"}]));
}

fn merge_patches_remove_what_is_null(arm: &Arm) {
    make(arm, json!({"metadata": {"labels": {"a": "1", "b": "2"}}, "data": {"a": "1", "b": "2"}}));
    arm.patch(MAP, "merge", json!({"data": {"a": null, "c": "3"}, "metadata": {"labels": {"b": null}}}));
    arm.patch(MAP, "merge", json!({"data": {"none": null}}));
    arm.patch(MAP, "merge", json!({"data": null}));
    arm.patch(MAP, "merge", json!({"metadata": {"labels": null}}));
    arm.patch(MAP, "merge", json!({}));
}

fn merge_patches_replace_lists(arm: &Arm) {
    make(arm, json!({"metadata": {"finalizers": ["example.com/a", "example.com/b"]}}));
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": ["example.com/c"]}}));
    arm.patch(MAP, "merge", json!({"metadata": {"finalizers": []}}));
    arm.get(MAP);
}

fn merge_patches_replace_what_is_no_map(arm: &Arm) {
    make(arm, json!({"data": {"a": "1"}}));
    arm.patch(MAP, "merge", json!({"immutable": false}));
    arm.patch(MAP, "merge", json!({"immutable": null, "binaryData": {"x": "aGVsbG8="}}));
    arm.patch(MAP, "merge", json!([1]));
    arm.patch(MAP, "merge", json!("text"));
}

fn a_patch_may_name_the_version_it_was_made_for(arm: &Arm) {
    make(arm, json!({"data": {"a": "1"}}));
    let version = arm.look(MAP).body["metadata"]["resourceVersion"].clone();
    let uid = arm.look(MAP).body["metadata"]["uid"].clone();
    arm.patch(MAP, "merge", json!({"metadata": {"resourceVersion": version}, "data": {"a": "2"}}));
    arm.patch(MAP, "merge", json!({"metadata": {"resourceVersion": version}, "data": {"a": "3"}}));
    arm.patch(MAP, "merge", json!({"metadata": {"uid": uid}, "data": {"a": "4"}}));
    arm.patch(MAP, "merge", json!({"metadata": {"uid": "53b00d6b-8260-44ce-ac31-b8020962872e"}, "data": {"a": "5"}}));
    arm.patch(MAP, "json", json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}]));
}

fn a_patch_that_changes_nothing_makes_no_version(arm: &Arm) {
    make(arm, json!({"data": {"a": "1"}}));
    let before = arm.look(MAP).body;
    arm.patch(MAP, "merge", json!({"data": {"a": "1"}}));
    arm.patch(MAP, "json", json!([{"op": "replace", "path": "/data/a", "value": "1"}]));
    arm.patch(MAP, "strategic-merge", json!({"data": {"a": "1"}}));
    arm.patch(MAP, "merge", json!({"metadata": {"generation": 7, "creationTimestamp": "2020-01-01T00:00:00Z"}}));
    assert_eq!(arm.look(MAP).body, before);
}

fn a_patch_cannot_rename_or_move(arm: &Arm) {
    make(arm, json!({"data": {"a": "1"}}));
    arm.patch(MAP, "merge", json!({"metadata": {"name": "other"}}));
    arm.patch(MAP, "merge", json!({"metadata": {"namespace": "default"}}));
    arm.patch(MAP, "merge", json!({"metadata": {"name": null}}));
    arm.patch(MAP, "merge", json!({"metadata": {"namespace": null}}));
    arm.patch(MAP, "merge", json!({"metadata": null}));
    arm.patch(MAP, "merge", json!({"kind": "Namespace"}));
    arm.patch(MAP, "merge", json!({"apiVersion": "v2"}));
}

fn a_patch_of_what_is_not_there(arm: &Arm) {
    arm.patch(MAP, "json", json!([]));
    arm.patch(MAP, "merge", json!({}));
    arm.patch(MAP, "strategic-merge", json!({}));
    arm.apply(
        MAP,
        "me",
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "1"}}),
    );
}

fn patches_of_other_forms_are_refused(arm: &Arm) {
    make(arm, json!({}));
    for form in ["application/json", "", "text/plain", "application/apply-patch+cbor", "application/yaml"] {
        arm.send("PATCH", MAP, form, &json!({"data": {"a": "1"}}));
    }
    arm.send("PATCH", MAP, "application/merge-patch+json; charset=utf-8", &json!({"data": {"a": "1"}}));
}

fn a_patch_that_is_no_json_is_refused(arm: &Arm) {
    make(arm, json!({"data": {"a": "1"}}));
    for form in ["json", "merge", "strategic-merge"] {
        let form = format!("application/{form}-patch+json");
        for text in
            ["{", "", "{\"data\": x}", "{} {}", "[", "{\"data\": {\"a\": \"1\",}}", "null", "7", "\"text\"", "{'a': 1}"]
        {
            arm.send_text("PATCH", MAP, &form, text);
        }
    }
}

fn strategic_patches_of_maps(arm: &Arm) {
    make(arm, json!({"metadata": {"labels": {"a": "1"}}, "data": {"a": "1", "b": "2"}}));
    arm.patch(MAP, "strategic-merge", json!({"data": {"a": null, "c": "3"}}));
    arm.patch(
        MAP,
        "strategic-merge",
        json!({"metadata": {"labels": {"b": "2"}, "annotations": {"note": "x", "none": null}}}),
    );
    arm.patch(MAP, "strategic-merge", json!({"data": null, "immutable": true}));
}

fn strategic_patches_with_directives_on_maps(arm: &Arm) {
    make(arm, json!({"metadata": {"labels": {"a": "1"}}, "data": {"a": "1", "b": "2"}}));
    arm.patch(MAP, "strategic-merge", json!({"data": {"$patch": "replace", "c": "3"}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"labels": {"$patch": "delete"}}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"annotations": {"$patch": "delete", "a": "1"}}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"annotations": {"$patch": "replace", "a": "1"}}}));
    arm.get(MAP);
}

fn strategic_patches_retain_keys(arm: &Arm) {
    make(arm, json!({"data": {"a": "1", "b": "2", "c": "3"}}));
    arm.patch(MAP, "strategic-merge", json!({"data": {"$retainKeys": ["a", "d"], "d": "4"}}));
    arm.patch(MAP, "strategic-merge", json!({"data": {"$retainKeys": ["a"], "e": "5"}}));
    arm.patch(MAP, "strategic-merge", json!({"data": {"$retainKeys": "a"}}));
}

fn strategic_patches_of_finalizers(arm: &Arm) {
    make(arm, json!({"metadata": {"finalizers": ["example.com/a", "example.com/b"]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"finalizers": ["example.com/c"]}}));
    arm.patch(
        MAP,
        "strategic-merge",
        json!({"metadata": {"finalizers": ["example.com/c", "example.com/a", "example.com/d"]}}),
    );
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"finalizers": []}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"finalizers": null}}));
}

fn strategic_patches_delete_from_primitive_lists(arm: &Arm) {
    make(arm, json!({"metadata": {"finalizers": ["example.com/a", "example.com/b", "example.com/c"]}}));
    arm.patch(
        MAP,
        "strategic-merge",
        json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/b", "example.com/x"]}}),
    );
    arm.patch(
        MAP,
        "strategic-merge",
        json!({"metadata": {
            "$deleteFromPrimitiveList/finalizers": ["example.com/a"], "finalizers": ["example.com/d"],
        }}),
    );
    arm.patch(MAP, "strategic-merge", json!({"data": {"$deleteFromPrimitiveList/none": ["x"]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"$deleteFromPrimitiveList": ["example.com/c"]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"finalizers": null}}));
}

fn strategic_patches_set_the_order_of_primitives(arm: &Arm) {
    make(arm, json!({"metadata": {"finalizers": ["example.com/a", "example.com/b", "example.com/c"]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {
        "$setElementOrder/finalizers": ["example.com/c", "example.com/d", "example.com/a"], "finalizers": ["example.com/d"],
    }}));
    arm.patch(
        MAP,
        "strategic-merge",
        json!({"metadata": {"$setElementOrder/finalizers": ["example.com/a", "example.com/c"]}}),
    );
    arm.patch(
        MAP,
        "strategic-merge",
        json!({"metadata": {
            "$setElementOrder/finalizers": ["example.com/a"], "finalizers": ["example.com/d"],
        }}),
    );
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"$setElementOrder/finalizers": "example.com/a"}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"finalizers": null}}));
}

fn strategic_patches_of_owner_references_by_uid(arm: &Arm) {
    let owner = |name: &str, uid: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid});
    let made = |name: &str| {
        let made = arm.create(MAPS, json!({"metadata": {"name": name}})).body;
        made["metadata"]["uid"].as_str().unwrap().to_owned()
    };
    let (a, b) = (&*made("a"), &*made("b"));
    make(arm, json!({"metadata": {"finalizers": ["example.com/held"], "ownerReferences": [owner("a", a)]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"ownerReferences": [owner("b", b)]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"ownerReferences": [{"uid": a, "controller": true}]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"ownerReferences": [{"uid": b, "$patch": "delete"}]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"ownerReferences": [{"name": "a"}]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"ownerReferences": [{"$patch": "delete"}]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"ownerReferences": [{"$patch": "merge"}]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"ownerReferences": [{"$patch": "replace"}, owner("b", b)]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"ownerReferences": [{"$patch": "replace"}]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"finalizers": null}}));
}

fn strategic_patches_with_unknown_directives_are_refused(arm: &Arm) {
    make(arm, json!({"data": {"a": "1"}, "metadata": {"labels": {"a": "1"}}}));
    arm.patch(MAP, "strategic-merge", json!({"data": {"$patch": "other"}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"labels": {"$patch": "merge"}}}));
    arm.patch(MAP, "strategic-merge", json!({"data": {"$patch": 3, "b": "2"}}));
    arm.get(MAP);
}

fn strategic_patches_that_are_malformed_are_refused(arm: &Arm) {
    make(arm, json!({"data": {"a": "1"}, "metadata": {"finalizers": ["example.com/a"]}}));
    arm.patch(MAP, "strategic-merge", json!([1]));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"finalizers": [["example.com/b"]]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"finalizers": ["example.com/b", 3]}}));
    arm.patch(MAP, "strategic-merge", json!({"metadata": {"finalizers": null}}));
}

const ACCOUNTS: &str = "/api/v1/namespaces/SPACE/serviceaccounts";
const ACCOUNT: &str = "/api/v1/namespaces/SPACE/serviceaccounts/runner";

fn strategic_patches_of_what_is_a_list_by_key(arm: &Arm) {
    arm.create(ACCOUNTS, json!({"metadata": {"name": "runner"}, "imagePullSecrets": [{"name": "a"}, {"name": "b"}]}));
    arm.patch(ACCOUNT, "strategic-merge", json!({"imagePullSecrets": [{"name": "c"}]}));
    arm.patch(ACCOUNT, "strategic-merge", json!({"imagePullSecrets": [{"name": "a", "$patch": "delete"}]}));
    arm.patch(ACCOUNT, "strategic-merge", json!({"imagePullSecrets": [{"$patch": "replace"}, {"name": "d"}]}));
    arm.patch(ACCOUNT, "strategic-merge", json!({"imagePullSecrets": []}));
    arm.patch(ACCOUNT, "merge", json!({"imagePullSecrets": [{"name": "x"}]}));
    arm.patch(ACCOUNT, "strategic-merge", json!({"imagePullSecrets": [{}]}));
    arm.patch(ACCOUNT, "strategic-merge", json!({"secrets": [{"name": "one", "namespace": "n"}]}));
    arm.patch(ACCOUNT, "strategic-merge", json!({"secrets": [{"name": "one", "kind": "Secret"}]}));
}

fn a_patch_owns_what_it_changes(arm: &Arm) {
    make(arm, json!({"data": {"a": "1", "b": "2"}}));
    arm.patch(&format!("{MAP}?fieldManager=other"), "merge", json!({"data": {"a": "one", "b": "2", "c": "3"}}));
    arm.patch(&format!("{MAP}?fieldManager=third"), "json", json!([{"op": "remove", "path": "/data/b"}]));
    arm.patch(&format!("{MAP}?fieldManager=fourth"), "strategic-merge", json!({"metadata": {"labels": {"x": "y"}}}));
    arm.patch(MAP, "merge", json!({"metadata": {"managedFields": []}}));
    arm.patch(MAP, "merge", json!({"metadata": {"managedFields": [{}]}}));
    arm.patch(MAP, "merge", json!({"data": {"a": "after"}}));
}

fn a_dry_run_of_a_patch_changes_nothing(arm: &Arm) {
    make(arm, json!({"data": {"a": "1"}}));
    let before = arm.look(MAP).body;
    arm.patch(&format!("{MAP}?dryRun=All"), "merge", json!({"data": {"a": "2"}}));
    arm.patch(&format!("{MAP}?dryRun=None"), "merge", json!({"data": {"a": "2"}}));
    arm.patch(&format!("{MAP}?dryRun="), "merge", json!({"data": {"a": "1"}}));
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}, "data": {"a": "1"}});
    arm.apply("/api/v1/namespaces/SPACE/configmaps/other?dryRun=All", "me", other);
    arm.get("/api/v1/namespaces/SPACE/configmaps/other");
    assert_eq!(arm.look(MAP).body["data"], before["data"]);
}
