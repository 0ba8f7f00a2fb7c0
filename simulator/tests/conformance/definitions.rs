//! Definitions of kinds: how they are accepted, named, established, changed and taken back.

use serde_json::{Value, json};

use super::arms::Arm;

bodies! {
    a_definition_is_established_and_its_kind_is_served
    a_kind_is_not_served_before_anybody_defined_it
    names_that_are_taken_are_not_given_again
    versions_are_listed_in_the_order_in_which_clients_prefer_them
    what_is_published_of_a_definition
    what_says_nothing_in_a_schema_is_not_kept
}

pub const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// A definition of `widgets` in a group of the body's own.
pub fn definition(plural: &str, kind: &str, versions: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.SPACE.example.com")},
        "spec": {
            "group": "SPACE.example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": versions,
        },
    })
}

/// The versions of a definition that has but one.
pub fn one_version(schema: Value) -> Value {
    json!([{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}])
}

pub fn holds(definition: &Value, condition: &str) -> bool {
    let conditions = definition["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().any(|there| there["type"] == condition && there["status"] == "True")
}

/// A definition that is there for as long as a body plays; nothing of it is written down.
pub struct Defined<'a> {
    arm: &'a Arm,
    path: String,
}

impl<'a> Defined<'a> {
    /// Defines a kind and waits until the server serves its objects at `path`.
    pub fn new(arm: &'a Arm, definition: &Value, served_at: &str) -> Self {
        let definition = arm.placed_in(definition);
        let path = format!("{DEFINITIONS}/{}", definition["metadata"]["name"].as_str().unwrap());
        let created = arm.exchange("POST", DEFINITIONS, "application/json", &definition);
        assert_eq!(created.code, 201, "{:#}", created.body);
        let defined = Self { arm, path };
        arm.look_until(&defined.path, |there| holds(&there.body, "Established"));
        arm.look_until(served_at, |list| list.code == 200);
        defined
    }
}

impl Drop for Defined<'_> {
    fn drop(&mut self) {
        // If it isn't there any more, the body has deleted it.
        drop(self.arm.exchange("DELETE", &self.path, "", &Value::Null));
    }
}

pub const WIDGETS: &str = "/apis/SPACE.example.com/v1/namespaces/SPACE/widgets";

fn a_definition_is_established_and_its_kind_is_served(arm: &Arm) {
    let path = format!("{DEFINITIONS}/widgets.SPACE.example.com");
    arm.create(DEFINITIONS, definition("widgets", "Widget", one_version(json!({"type": "object"}))));
    arm.until(&path, |there| holds(there, "Established"));
    arm.look_until(WIDGETS, |list| list.code == 200);
    arm.look_until("/apis/SPACE.example.com/v1", |list| list.code == 200);
    arm.get("/apis/SPACE.example.com");
    arm.get("/apis/SPACE.example.com/v1");
    arm.get("/apis/SPACE.example.com/v2");
    arm.create(WIDGETS, json!({"apiVersion": "SPACE.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}));
    arm.get(&format!("{WIDGETS}/w"));
    arm.get(WIDGETS);
    arm.get("/apis/SPACE.example.com/v2/namespaces/SPACE/widgets");
    arm.get("/apis/SPACE.example.com/v1/namespaces/SPACE/gadgets");
    arm.create(DEFINITIONS, definition("widgets", "Widget", one_version(json!({"type": "object"}))));
    arm.exchange("DELETE", &arm.placed(&path), "", &Value::Null);
}

fn a_kind_is_not_served_before_anybody_defined_it(arm: &Arm) {
    arm.get("/apis/SPACE.example.com");
    arm.get("/apis/SPACE.example.com/v1");
    arm.get(WIDGETS);
    arm.get(&format!("{WIDGETS}/w"));
    arm.create(WIDGETS, json!({"apiVersion": "SPACE.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}));
    arm.get("/apis/apps/v1/namespaces/SPACE/widgets");
    arm.get("/apis/apps/v7/namespaces/SPACE/widgets");
}

fn names_that_are_taken_are_not_given_again(arm: &Arm) {
    let mut first = definition("widgets", "Widget", one_version(json!({"type": "object"})));
    first["spec"]["names"]["shortNames"] = json!(["wi"]);
    let first = Defined::new(arm, &first, WIDGETS);
    let mut second = definition("others", "Widget", one_version(json!({"type": "object"})));
    second["spec"]["names"]["shortNames"] = json!(["wi", "ot"]);
    second["spec"]["names"]["categories"] = json!(["all"]);
    arm.create(DEFINITIONS, second);
    let path = format!("{DEFINITIONS}/others.SPACE.example.com");
    arm.until(&path, |there| !there["status"]["conditions"].is_null());
    arm.get("/apis/SPACE.example.com/v1/others");
    drop(first);
    arm.until(&path, |there| holds(there, "Established"));
    arm.look_until("/apis/SPACE.example.com/v1/others", |list| list.code == 200);
    arm.exchange("DELETE", &arm.placed(&path), "", &Value::Null);
}

fn versions_are_listed_in_the_order_in_which_clients_prefer_them(arm: &Arm) {
    let version = |name: &str, served: bool| {
        json!({
            "name": name, "served": served, "storage": name == "v1",
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
        })
    };
    let versions = json!([
        version("v1beta1", true),
        version("v1", true),
        version("v2", false),
        version("v10", true),
        version("v11alpha2", true),
        version("foo", true),
        version("v11beta2", true),
        version("v3beta10", true),
        version("bar", true),
    ]);
    let _defined = Defined::new(arm, &definition("widgets", "Widget", versions), WIDGETS);
    arm.look_until("/apis/SPACE.example.com", |list| {
        list.body["versions"].as_array().is_some_and(|all| all.len() == 8)
    });
    arm.get("/apis/SPACE.example.com");
    arm.create(
        "/apis/SPACE.example.com/v1beta1/namespaces/SPACE/widgets",
        json!({"apiVersion": "SPACE.example.com/v1beta1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"a": 1}}),
    );
    arm.get(&format!("{WIDGETS}/w"));
    arm.get("/apis/SPACE.example.com/v10/namespaces/SPACE/widgets/w");
    arm.get("/apis/SPACE.example.com/v10/namespaces/SPACE/widgets");
    arm.get("/apis/SPACE.example.com/v2/namespaces/SPACE/widgets/w");
}

fn what_says_nothing_in_a_schema_is_not_kept(arm: &Arm) {
    let nothing = || {
        json!({
            "id": "", "$schema": "", "title": "", "description": "", "format": "", "pattern": "", "type": "string",
            "exclusiveMaximum": false, "exclusiveMinimum": false, "uniqueItems": false, "nullable": false,
            "x-kubernetes-embedded-resource": false, "x-kubernetes-int-or-string": false, "x-kubernetes-validations": [],
            "enum": [], "required": [], "allOf": [], "anyOf": [], "oneOf": [], "properties": {}, "minLength": 0, "maxLength": 5,
            "default": "", "externalDocs": {"url": ""}, "x-kubernetes-list-map-keys": [], "example": null, "not": null,
            "colour": "red", "maximum": 0,
        })
    };
    let rule = json!([{"rule": "true", "message": "", "messageExpression": "", "fieldPath": "", "colour": "red"}]);
    let schema = json!({"type": "object", "description": "", "properties": {
        "plain": nothing(),
        "list": {"type": "array", "items": nothing(), "maxItems": 0},
        "map": {"type": "object", "additionalProperties": nothing(), "maxProperties": 0},
        "open": {"type": "object", "additionalProperties": true},
        "closed": {"type": "object", "additionalProperties": false},
        "deep": {"type": "array", "items": {"type": "array", "items": {"type": "object", "nullable": false, "colour": "red", "x-kubernetes-validations": rule, "properties": {"a": nothing()}}}},
        "some": {"type": "integer", "anyOf": [{"minimum": 0, "title": ""}, {"not": {"format": "", "maximum": 5}}]},
        "filled": {"type": "object", "default": {"b": 1, "a": null}, "x-kubernetes-preserve-unknown-fields": true, "enum": [{"b": 1, "a": null}, {}]},
        "mapped": {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": {"type": "string", "colour": "red", "nullable": false}}},
    }});
    let path = format!("{DEFINITIONS}/widgets.SPACE.example.com");
    let mut given = definition("widgets", "Widget", one_version(schema));
    given["spec"]["names"]["shortNames"] = json!([]);
    given["spec"]["versions"][0]["deprecated"] = json!(false);
    given["spec"]["versions"][0]["additionalPrinterColumns"] =
        json!([{"name": "a", "type": "string", "jsonPath": ".a", "priority": 0, "format": "", "description": ""}]);
    arm.create(&format!("{DEFINITIONS}?dryRun=All"), given.clone());
    arm.create(DEFINITIONS, given.clone());
    arm.exchange("DELETE", &arm.placed(&path), "", &Value::Null);
    arm.look_until(&path, |there| there.code == 404);
    arm.apply(&format!("{path}?dryRun=All"), "me", given);
    for wrong in [
        json!({"type": "array", "items": [{"type": "string"}]}),
        json!({"type": "array", "items": []}),
        json!({"type": "array", "items": "string"}),
    ] {
        let schema = json!({"type": "object", "properties": {"wrong": wrong}});
        arm.create(&format!("{DEFINITIONS}?dryRun=All"), definition("widgets", "Widget", one_version(schema)));
    }
}

fn what_is_published_of_a_definition(arm: &Arm) {
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let mut free_with_more = free.clone();
    free_with_more["description"] = json!("free");
    free_with_more["properties"] =
        json!({"spec": {"type": "object", "description": "said", "properties": {"a": {"type": "string"}}}});
    let full = json!({"type": "object", "description": "a widget", "required": ["spec"], "properties": {"spec": {
        "type": "object",
        "properties": {
            "either": {"x-kubernetes-int-or-string": true},
            "part": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
            "small": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}},
            "nullable": {"type": "string", "nullable": true},
            "nothing": {"x-kubernetes-preserve-unknown-fields": true},
            "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"], "items": {"type": "object", "required": ["n"], "properties": {"n": {"type": "string"}}}},
            "map": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string", "nullable": true}},
            "some": {"type": "integer", "default": 5, "enum": [5, 6], "anyOf": [{"minimum": 1}, {"not": {"maximum": 7}}], "format": "int32"},
            "ruled": {"type": "string", "x-kubernetes-validations": [{"rule": "self != ''"}], "pattern": "^a", "maxLength": 5},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"a": {"type": "string"}}},
        },
    }}});
    let group: Vec<&str> = arm.space.split('.').rev().collect();
    let name = format!("com.example.{}.v1.Widget", group.join("."));
    for schema in [json!({"type": "object"}), free, free_with_more, full] {
        let mut versions = one_version(schema);
        versions[0]["subresources"] =
            json!({"status": {}, "scale": {"specReplicasPath": ".spec.a", "statusReplicasPath": ".status.b"}});
        let defined = Defined::new(arm, &definition("widgets", "Widget", versions), WIDGETS);
        let v3 = "/openapi/v3/apis/SPACE.example.com/v1";
        arm.look_until(v3, |document| document.code == 200);
        arm.note("version 3", arm.look(v3).body["components"]["schemas"][&name].clone());
        arm.look_until("/openapi/v2", |document| document.body["definitions"].get(&name).is_some());
        arm.note("version 2", arm.look("/openapi/v2").body["definitions"][&name].clone());
        drop(defined);
        arm.look_until(v3, |document| document.code == 404);
        arm.look_until("/openapi/v2", |document| document.body["definitions"].get(&name).is_none());
    }
}
