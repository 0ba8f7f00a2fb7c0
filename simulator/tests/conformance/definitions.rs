//! Definitions of kinds: how they are accepted, named, established, changed and taken back.

use serde_json::{Value, json};

use super::arms::Arm;

bodies! {
    a_definition_is_established_and_its_kind_is_served
    a_kind_is_not_served_before_anybody_defined_it
    names_that_are_taken_are_not_given_again
    versions_are_listed_in_the_order_in_which_clients_prefer_them
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
