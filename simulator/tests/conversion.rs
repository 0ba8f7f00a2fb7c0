//! Objects that a webhook would have to convert from one version to another: the simulator says that it doesn't.

use serde_json::{Value, json};

use super::arms::simulated;

const WIDGETS: &str = "widgets.example.com";

fn path(version: &str) -> String {
    format!("/apis/example.com/{version}/namespaces/SPACE/widgets")
}

#[test]
fn a_conversion_by_a_webhook_is_named_and_not_made_up() {
    let arm = simulated::bare_arm("space");
    let version = |name: &str, stored: bool| {
        json!({
            "name": name, "served": true, "storage": stored,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
        })
    };
    let mut definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": WIDGETS},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [version("v1", true), version("v2", false)],
            "conversion": {"strategy": "Webhook", "webhook": {
                "conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://convert.example.com"},
            }},
        },
    });
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert_eq!(arm.create(definitions, definition.clone()).code, 201);
    arm.look_until(&path("v1"), |list| list.code == 200);
    let widget = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}});
    assert_eq!(arm.create(&path("v1"), widget).code, 201);

    let refused = arm.get(&path("v2"));
    assert_eq!(refused.code, 501);
    let message = refused.body["message"].as_str().unwrap();
    assert!(message.contains("the conversion of `widgets.example.com` to `example.com/v2` by a webhook"), "{message}");

    // What is stored in another version than new objects would have to be converted, too.
    definition["spec"]["versions"] = json!([version("v1", false), version("v2", true)]);
    let patch = json!({"spec": {"versions": definition["spec"]["versions"]}});
    assert_eq!(arm.patch(&format!("{definitions}/{WIDGETS}"), "merge", patch).code, 200);
    assert_eq!(arm.get(&format!("{}/w", path("v2"))).code, 501);
    assert_eq!(arm.send("GET", &format!("{}?watch=1", path("v2")), "", &Value::Null).code, 501);
}
