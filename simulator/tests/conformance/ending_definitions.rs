//! Definitions that change and end: what becomes of their objects, versions and names.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    arms::Arm,
    definitions::{DEFINITIONS, Defined, WIDGETS, definition, one_version},
    settled::{Scene, fields, is_going, reason},
    values::{map, redefined, widget},
};

bodies! {
    a_deleted_definition_takes_its_objects_along
    a_definition_ends_when_its_last_object_is_let_go
    a_definition_is_held_by_somebody_else_too
    an_object_is_seen_in_every_version
    each_version_fills_in_and_leaves_out_by_its_own_schema
    versions_once_stored_stay_until_they_are_let_go
    what_is_no_longer_served_is_not_there
    a_kind_takes_new_names
    every_name_can_be_taken
    applied_in_one_version_and_changed_in_another
    what_is_served_is_registered_for_as_long_as_it_is
}

const NAME: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.SPACE.example.com";

fn a_deleted_definition_takes_its_objects_along(arm: &Arm) {
    let _defined = Defined::new(arm, &definition("widgets", "Widget", one_version(map(json!({})))), WIDGETS);
    arm.create(WIDGETS, widget("a", json!({})));
    arm.create(WIDGETS, widget("b", json!({})));
    arm.delete(NAME);
    arm.look_until(NAME, |there| there.code == 404);
    arm.get(NAME);
    arm.delete(NAME);
    arm.look_until(WIDGETS, |list| list.code == 404);
    arm.get(&format!("{WIDGETS}/a"));
    arm.create(WIDGETS, widget("c", json!({})));
    arm.look_until("/apis/SPACE.example.com", |group| group.code == 404);
    arm.get("/apis/SPACE.example.com/v1");
    arm.look_until("/openapi/v3/apis/SPACE.example.com/v1", |document| document.code == 404);
    let _again = Defined::new(arm, &definition("widgets", "Widget", one_version(map(json!({})))), WIDGETS);
    arm.get(WIDGETS);
}

fn a_definition_ends_when_its_last_object_is_let_go(arm: &Arm) {
    let mut versions =
        one_version(map(json!({"spec": map(json!({"size": {"type": "integer"}})), "status": map(json!({}))})));
    versions[0]["subresources"] = json!({"status": {}});
    let _defined = Defined::new(arm, &definition("widgets", "Widget", versions), WIDGETS);
    let mut held = widget("held", json!({"size": 1}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    arm.create(WIDGETS, held);
    arm.create(WIDGETS, widget("free", json!({"size": 1})));
    arm.delete(NAME);
    arm.until(NAME, |there| reason(there, "Terminating") == "InstanceDeletionInProgress");
    arm.look_until(&format!("{WIDGETS}/free"), |there| there.code == 404);
    arm.look_until(&format!("{WIDGETS}/held"), |there| is_going(&there.body));
    arm.create(WIDGETS, widget("late", json!({})));
    arm.create(&format!("{WIDGETS}?dryRun=All"), widget("late", json!({})));
    arm.apply(&format!("{WIDGETS}/late"), "me", widget("late", json!({})));
    arm.get(&format!("{WIDGETS}/held"));
    arm.get(WIDGETS);
    arm.patch(&format!("{WIDGETS}/held"), "merge", json!({"spec": {"size": 2}}));
    arm.patch(&format!("{WIDGETS}/held/status"), "merge", json!({"status": {"size": 2}}));
    arm.delete(&format!("{WIDGETS}/held"));
    arm.look_until("/apis/SPACE.example.com/v1", |list| {
        list.body["resources"][0]["verbs"].as_array().is_some_and(|verbs| verbs.len() == 5)
    });
    arm.get("/apis/SPACE.example.com/v1");
    arm.create(DEFINITIONS, definition("widgets", "Widget", one_version(map(json!({})))));
    arm.delete(NAME);
    arm.patch(NAME, "merge", json!({"metadata": {"labels": {"a": "b"}}}));
    arm.patch(&format!("{WIDGETS}/held"), "merge", json!({"metadata": {"finalizers": null}}));
    arm.look_until(NAME, |there| there.code == 404);
}

fn a_definition_is_held_by_somebody_else_too(arm: &Arm) {
    let mut held = definition("widgets", "Widget", one_version(map(json!({}))));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let _defined = Defined::new(arm, &held, WIDGETS);
    arm.create(WIDGETS, widget("a", json!({})));
    arm.delete(NAME);
    arm.until(NAME, |there| {
        there["metadata"]["finalizers"] == json!(["example.com/hold"])
            && reason(there, "Terminating") == "InstanceDeletionCompleted"
    });
    arm.get(WIDGETS);
    arm.ask_until(&format!("{WIDGETS}?dryRun=All"), &widget("b", json!({})), |answer| answer.code == 201);
    arm.create(WIDGETS, widget("b", json!({})));
    arm.patch(NAME, "merge", json!({"metadata": {"finalizers": null}}));
    arm.get(NAME);
}

/// Versions of a kind with schemas of their own; the first is stored.
fn versions(schemas: &[(&str, Value)]) -> Value {
    let all = schemas.iter().enumerate().map(|(index, (name, spec))| {
        json!({
            "name": name, "served": true, "storage": index == 0,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
        })
    });
    all.collect()
}

fn in_version(version: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": format!("SPACE.example.com/{version}"), "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

fn path(version: &str) -> String {
    format!("/apis/SPACE.example.com/{version}/namespaces/SPACE/widgets")
}

fn an_object_is_seen_in_every_version(arm: &Arm) {
    let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let all = versions(&[("v1", any.clone()), ("v1beta1", any)]);
    let _defined = Defined::new(arm, &definition("widgets", "Widget", all), WIDGETS);
    arm.look_until(&path("v1beta1"), |list| list.code == 200);
    arm.create(&path("v1beta1"), in_version("v1beta1", "a", json!({"size": 1})));
    arm.get(&format!("{WIDGETS}/a"));
    arm.get(&path("v1beta1"));
    arm.create(&path("v1beta1"), in_version("v1", "b", json!({})));
    arm.create(WIDGETS, in_version("v1beta1", "b", json!({})));
    arm.create(WIDGETS, in_version("v1", "b", json!({})));
    arm.replace(&format!("{}/b", path("v1beta1")), json!({
        "apiVersion": "SPACE.example.com/v1beta1", "kind": "Widget",
        "metadata": {"name": "b", "resourceVersion": arm.look(&format!("{WIDGETS}/b")).body["metadata"]["resourceVersion"]},
        "spec": {"size": 2},
    }));
    arm.patch(
        &format!("{WIDGETS}/b"),
        "merge",
        json!({"apiVersion": "SPACE.example.com/v1beta1", "spec": {"size": 3}}),
    );
    arm.patch(
        &format!("{WIDGETS}/b"),
        "json",
        json!([{"op": "test", "path": "/apiVersion", "value": "SPACE.example.com/v1"}]),
    );
    arm.watch(&format!("{}?resourceVersion=0&timeoutSeconds=1", path("v1beta1")), Duration::from_millis(300));
    arm.delete(&format!("{}/a", path("v1beta1")));
}

fn each_version_fills_in_and_leaves_out_by_its_own_schema(arm: &Arm) {
    let all = versions(&[
        (
            "v1",
            json!({"type": "object", "properties": {"size": {"type": "integer", "default": 1}, "old": {"type": "string"}}}),
        ),
        (
            "v2",
            json!({"type": "object", "required": ["size"], "properties": {"size": {"type": "integer", "maximum": 5}, "new": {"type": "string"}}}),
        ),
    ]);
    let _defined = Defined::new(arm, &definition("widgets", "Widget", all), WIDGETS);
    arm.look_until(&path("v2"), |list| list.code == 200);
    arm.create(WIDGETS, in_version("v1", "a", json!({"old": "o", "new": "x"})));
    arm.get(&format!("{}/a", path("v2")));
    arm.create(&path("v2"), in_version("v2", "b", json!({"size": 6})));
    arm.create(&path("v2"), in_version("v2", "b", json!({"old": "o"})));
    arm.create(&path("v2"), in_version("v2", "b", json!({"size": 2, "old": "o", "new": "x"})));
    arm.get(&format!("{WIDGETS}/b"));
    arm.create(WIDGETS, in_version("v1", "c", json!({"size": 9})));
    arm.get(&format!("{}/c", path("v2")));
    arm.patch(&format!("{}/c", path("v2")), "merge", json!({"metadata": {"labels": {"a": "b"}}}));
    arm.get(&format!("{WIDGETS}/a"));
    arm.get(WIDGETS);
}

fn versions_once_stored_stay_until_they_are_let_go(arm: &Arm) {
    let any = json!({"type": "object"});
    let all = versions(&[("v1", any.clone()), ("v2", any.clone())]);
    let _defined = Defined::new(arm, &definition("widgets", "Widget", all), WIDGETS);
    arm.create(WIDGETS, widget("a", json!({})));
    let mut turned = versions(&[("v2", any.clone()), ("v1", any.clone())]);
    let merge = |versions: &Value| json!({"spec": {"versions": versions}});
    arm.patch(NAME, "merge", merge(&turned));
    // An object that is written again is stored in the new version.
    arm.look_until(&path("v2"), |list| list.code == 200);
    arm.pass(Duration::from_millis(500));
    arm.exchange(
        "PATCH",
        &arm.placed(&format!("{}/a", path("v2"))),
        "application/merge-patch+json",
        &json!({"metadata": {"labels": {"a": "b"}}}),
    );
    turned.as_array_mut().unwrap().pop();
    arm.patch(NAME, "merge", merge(&turned));
    arm.patch(&format!("{NAME}/status"), "merge", json!({"status": {"storedVersions": []}}));
    arm.patch(&format!("{NAME}/status"), "merge", json!({"status": {"storedVersions": ["v1"]}}));
    arm.patch(&format!("{NAME}/status"), "merge", json!({"status": {"storedVersions": ["v3", "v2"]}}));
    arm.patch(&format!("{NAME}/status"), "merge", json!({"status": {"storedVersions": ["v2"]}}));
    arm.patch(NAME, "merge", merge(&turned));
    arm.look_until(WIDGETS, |list| list.code == 404);
    arm.until(&path("v2"), |list| list["items"].is_array());
}

fn what_is_no_longer_served_is_not_there(arm: &Arm) {
    let any = json!({"type": "object"});
    let all = versions(&[("v1", any.clone()), ("v2", any)]);
    let _defined = Defined::new(arm, &definition("widgets", "Widget", all.clone()), WIDGETS);
    arm.create(WIDGETS, widget("a", json!({})));
    let mut off = all;
    off[1]["served"] = json!(false);
    redefined(arm, off.clone());
    arm.look_until(&path("v2"), |list| list.code == 404);
    arm.get(&format!("{}/a", path("v2")));
    arm.create(&path("v2"), in_version("v2", "b", json!({})));
    arm.look_until("/apis/SPACE.example.com/v2", |list| list.code == 404);
    arm.get("/apis/SPACE.example.com/v2");
    arm.get("/apis/SPACE.example.com");
    off[0]["served"] = json!(false);
    arm.patch(NAME, "merge", json!({"spec": {"versions": off}}));
    arm.look_until(WIDGETS, |list| list.code == 404);
    arm.get(&format!("{WIDGETS}/a"));
    arm.look_until("/apis/SPACE.example.com", |list| list.code == 404);
    arm.get(NAME);
}

fn a_kind_takes_new_names(arm: &Arm) {
    let _defined = Defined::new(arm, &definition("widgets", "Widget", one_version(map(json!({})))), WIDGETS);
    arm.patch(
        NAME,
        "merge",
        json!({"spec": {"names": {"shortNames": ["wi", "wg"], "categories": ["all"], "singular": "wid"}}}),
    );
    arm.until(NAME, |there| there["status"]["acceptedNames"]["singular"] == "wid");
    arm.look_until("/apis/SPACE.example.com/v1", |list| list.body["resources"][0]["singularName"] == "wid");
    arm.get("/apis/SPACE.example.com/v1");
    arm.patch(NAME, "merge", json!({"spec": {"names": {"kind": "Gadget"}}}));
    arm.patch(NAME, "merge", json!({"spec": {"names": {"plural": "gadgets"}}}));
    arm.patch(NAME, "merge", json!({"spec": {"names": {"listKind": "WidgetRow"}}}));
    arm.until(NAME, |there| there["status"]["acceptedNames"]["listKind"] == "WidgetRow");
    arm.look_until(WIDGETS, |list| list.body["kind"] == "WidgetRow");
}

fn every_name_can_be_taken(arm: &Arm) {
    let mut first = definition("widgets", "Widget", one_version(map(json!({}))));
    first["spec"]["names"] = json!({"plural": "widgets", "kind": "Widget", "singular": "widget", "listKind": "WidgetList", "shortNames": ["wi", "wg"]});
    let _first = Defined::new(arm, &first, WIDGETS);
    for (plural, names) in [
        ("wi", json!({"kind": "Other"})),
        ("others", json!({"kind": "Other", "singular": "widgets"})),
        ("manys", json!({"kind": "Many", "shortNames": ["wi", "wg", "ma"]})),
        ("lists", json!({"kind": "WidgetList"})),
        ("rows", json!({"kind": "Row", "listKind": "Widget"})),
        ("bads", json!({"kind": "Widget", "singular": "wi", "listKind": "WidgetList"})),
    ] {
        let mut second = definition(plural, "Other", one_version(map(json!({}))));
        for (field, value) in names.as_object().unwrap() {
            second["spec"]["names"][field] = value.clone();
        }
        arm.create(DEFINITIONS, second);
        let path = format!("{DEFINITIONS}/{plural}.SPACE.example.com");
        arm.until(&path, |there| there["status"]["conditions"].as_array().is_some_and(|all| all.len() == 2));
        arm.exchange("DELETE", &arm.placed(&path), "", &Value::Null);
        arm.look_until(&path, |there| there.code == 404);
    }
}

fn applied_in_one_version_and_changed_in_another(arm: &Arm) {
    let spec = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}});
    let all = versions(&[("v1", spec.clone()), ("v2", spec)]);
    let _defined = Defined::new(arm, &definition("widgets", "Widget", all), WIDGETS);
    arm.look_until(&path("v2"), |list| list.code == 200);
    arm.apply(&format!("{WIDGETS}/w"), "one", in_version("v1", "w", json!({"a": "1"})));
    arm.apply(&format!("{}/w", path("v2")), "two", in_version("v2", "w", json!({"b": "2"})));
    arm.apply(&format!("{}/w", path("v2")), "two", in_version("v2", "w", json!({"a": "2"})));
    arm.apply(&format!("{}/w", path("v2")), "one", in_version("v2", "w", json!({"a": "3"})));
    arm.apply(&format!("{WIDGETS}/w"), "two", in_version("v2", "w", json!({})));
    arm.patch(&format!("{}/w?fieldManager=three", path("v2")), "merge", json!({"spec": {"b": "4"}}));
    arm.get(&format!("{WIDGETS}/w"));
}

fn what_is_served_is_registered_for_as_long_as_it_is(arm: &Arm) {
    const SERVICE: &str = "/apis/apiregistration.k8s.io/v1/apiservices/v1.SPACE.example.com";
    let registered = |priority: u64| {
        arm.settle(SERVICE, |service| {
            let is_so = reason(service, "Available") == "Local" && service["spec"]["groupPriorityMinimum"] == priority;
            is_so.then(|| fields(service, &["/metadata/labels", "/metadata/managedFields", "/spec", "/status"]))
        });
    };
    let defined = Defined::new(arm, &definition("widgets", "Widget", one_version(map(json!({})))), WIDGETS);
    registered(1000);
    arm.adjust(SERVICE, json!({"spec": {"groupPriorityMinimum": 5}}));
    registered(1000);
    arm.drop(SERVICE);
    registered(1000);
    // Who takes away the mark looks after it alone from then on.
    arm.adjust(SERVICE, json!({"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": null}}}));
    arm.adjust(SERVICE, json!({"spec": {"groupPriorityMinimum": 5}}));
    arm.pass(Duration::from_millis(300));
    registered(5);
    drop(defined);
    arm.look_until(WIDGETS, |list| list.code == 404);
    arm.pass(Duration::from_millis(300));
    arm.get(SERVICE);
    arm.drop(SERVICE);
    let defined = Defined::new(arm, &definition("widgets", "Widget", one_version(map(json!({})))), WIDGETS);
    registered(1000);
    drop(defined);
    arm.look_until(SERVICE, |service| service.code == 404);
}
