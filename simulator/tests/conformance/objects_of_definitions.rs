//! Objects of defined kinds: how they are read, what is said of fields that nobody knows, and what of them can be selected.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    definitions::{Defined, WIDGETS, definition, one_version},
    values::{map, redefined, widget},
};

bodies! {
    bodies_of_no_defined_kind
    bodies_of_another_version_or_kind
    fields_that_no_schema_knows
    fields_that_no_schema_knows_in_patches
    fields_that_no_schema_knows_in_applies
    fields_that_come_twice_in_defined_objects
    what_is_preserved_is_not_unknown
    metadata_of_the_whole_and_of_parts
    metadata_of_another_type
    objects_in_yaml
    fields_to_select_by
    fields_to_select_by_that_change
    lists_with_keys_are_merged
    sets_are_merged
    what_is_atomic_is_replaced
    forms_of_patches_for_defined_kinds
    a_defined_kind_is_scaled
    a_defined_kind_is_scaled_by_an_apply
    finalizers_without_a_domain_are_warned_of
    defaults_reach_what_is_stored
}

const STRICTNESS: [&str; 4] = ["", "?fieldValidation=Ignore", "?fieldValidation=Warn", "?fieldValidation=Strict"];

/// A kind with this schema of its `spec`.
fn with_spec(spec: Value) -> Value {
    definition("widgets", "Widget", one_version(map(json!({"spec": spec}))))
}

/// A kind with parts of all sorts.
fn sorts() -> Value {
    with_spec(map(json!({
        "text": {"type": "string"},
        "list": {"type": "array", "items": map(json!({"name": {"type": "string"}}))},
        "map": {"type": "object", "additionalProperties": map(json!({"size": {"type": "integer"}}))},
        "deep": map(json!({"er": map(json!({"est": {"type": "string"}}))})),
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"known": map(json!({"a": {"type": "string"}}))}},
        "part": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": map(json!({"a": {"type": "string"}}))}},
        "loose": {"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true},
    })))
}

fn bodies_of_no_defined_kind(arm: &Arm) {
    let _defined = Defined::new(arm, &sorts(), WIDGETS);
    let version = "SPACE.example.com/v1";
    arm.create(WIDGETS, json!({"apiVersion": version, "metadata": {"name": "a"}}));
    arm.create(WIDGETS, json!({"kind": "Widget", "metadata": {"name": "b"}}));
    arm.create(WIDGETS, json!({"metadata": {"name": "c"}}));
    arm.create(WIDGETS, json!({"kind": "", "apiVersion": "", "metadata": {"name": "d"}}));
    arm.create(WIDGETS, json!({"kind": 7, "apiVersion": version, "metadata": {"name": "e"}}));
    arm.create(WIDGETS, json!({"kind": "Widget", "apiVersion": ["v1"], "metadata": {"name": "f"}}));
    arm.create(WIDGETS, json!({}));
    arm.create(WIDGETS, widget("w", json!({})));
    let path = format!("{WIDGETS}/w");
    arm.replace(&path, json!({"apiVersion": version, "metadata": {"name": "w"}}));
    arm.replace(&path, json!({"kind": "Widget", "metadata": {"name": "w"}}));
    arm.patch(&path, "merge", json!({"apiVersion": null}));
    arm.apply(&path, "me", json!({"apiVersion": version, "metadata": {"name": "w"}}));
    arm.apply(&path, "me", json!({"kind": "Widget", "metadata": {"name": "w"}}));
}

fn bodies_of_another_version_or_kind(arm: &Arm) {
    let _defined = Defined::new(arm, &sorts(), WIDGETS);
    arm.create(WIDGETS, widget("w", json!({})));
    let path = format!("{WIDGETS}/w");
    let tries = [
        ("SPACE.example.com/v1", "Gadget"),
        ("SPACE.example.com/v2", "Widget"),
        ("other.example.com/v1", "Widget"),
        ("v1", "ConfigMap"),
        ("apps/v1", "Deployment"),
        ("a/b/c", "Widget"),
    ];
    for (version, kind) in tries {
        let object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "w"}});
        arm.create(WIDGETS, object.clone());
        arm.replace(&path, object.clone());
        // Of a version that nobody defined every field is unknown.
        if version != "SPACE.example.com/v2" {
            arm.patch(&path, "merge", json!({"apiVersion": version, "kind": kind}));
        }
        arm.apply(&path, "me", object);
    }
}

fn unknown() -> Value {
    let mut object = widget(
        "w",
        json!({
            "text": "a", "zeta": 1, "alpha": {"x": 1},
            "list": [{"name": "a"}, {"name": "b", "colour": "red", "age": 1}],
            "map": {"k": {"size": 1, "colour": "red"}},
            "deep": {"er": {"est": "a", "unknown": []}},
            "free": {"anything": {"goes": 1}, "known": {"a": "a", "b": "b"}},
            "part": {"apiVersion": "v1", "kind": "Part", "metadata": {"name": "p", "colour": "red"}, "spec": {"a": "a", "b": "b"}, "other": 1},
            "loose": {"apiVersion": "v1", "kind": "Loose", "metadata": {"name": "l", "taste": "x"}, "spec": {"b": 1}},
        }),
    );
    object["colour"] = json!("red");
    object["metadata"]["colour"] = json!("red");
    object
}

fn fields_that_no_schema_knows(arm: &Arm) {
    let _defined = Defined::new(arm, &sorts(), WIDGETS);
    for options in STRICTNESS {
        arm.create(&format!("{WIDGETS}{options}"), unknown());
        arm.exchange("DELETE", &arm.placed(&format!("{WIDGETS}/w")), "", &Value::Null);
    }
    arm.create(WIDGETS, widget("w", json!({})));
    for options in STRICTNESS {
        let mut object = unknown();
        object["metadata"]["resourceVersion"] =
            arm.look(&format!("{WIDGETS}/w")).body["metadata"]["resourceVersion"].clone();
        arm.replace(&format!("{WIDGETS}/w{options}"), object);
    }
}

fn fields_that_no_schema_knows_in_patches(arm: &Arm) {
    let _defined = Defined::new(arm, &sorts(), WIDGETS);
    arm.create(WIDGETS, widget("w", json!({"text": "a", "list": [{"name": "a"}]})));
    for options in STRICTNESS {
        let path = format!("{WIDGETS}/w{options}");
        arm.patch(
            &path,
            "merge",
            json!({"spec": {"zeta": 1, "text": "b", "deep": {"b": 1}}, "metadata": {"colour": "red"}, "top": 1}),
        );
        arm.patch(
            &path,
            "json",
            json!([{"op": "add", "path": "/spec/list/0/colour", "value": "red"}, {"op": "replace", "path": "/spec/text", "value": "c"}]),
        );
        arm.send_text(
            "PATCH",
            &path,
            "application/merge-patch+json",
            r#"{"spec": {"text": "d", "text": "e", "zeta": 1}}"#,
        );
    }
}

fn fields_that_no_schema_knows_in_applies(arm: &Arm) {
    let _defined = Defined::new(arm, &sorts(), WIDGETS);
    for options in STRICTNESS {
        arm.apply(&format!("{WIDGETS}/w{options}"), "me", widget("w", json!({"zeta": 1, "text": "b"})));
        arm.apply(
            &format!("{WIDGETS}/w{options}"),
            "me",
            widget("w", json!({"list": [{"name": "a", "colour": "red"}]})),
        );
    }
    let mut object = widget("w", json!({}));
    object["metadata"]["colour"] = json!("red");
    arm.apply(&format!("{WIDGETS}/w"), "me", object);
    arm.apply(&format!("{WIDGETS}/w"), "me", widget("w", json!({"text": 7})));
    arm.apply(&format!("{WIDGETS}/w"), "me", widget("w", json!({"list": {"a": 1}})));
    for (name, options) in ["a", "b", "c", "d"].iter().zip(STRICTNESS) {
        arm.send_text(
            "PATCH",
            &format!("{WIDGETS}/{name}{options}{}fieldManager=me", if options.is_empty() { "?" } else { "&" }),
            "application/apply-patch+yaml",
            &format!("apiVersion: SPACE.example.com/v1\nkind: Widget\nmetadata:\n  name: {name}\nspec:\n  text: a\n  text: b\n"),
        );
    }
}

fn fields_that_come_twice_in_defined_objects(arm: &Arm) {
    let _defined = Defined::new(arm, &sorts(), WIDGETS);
    let body = |name: &str| {
        format!(
            r#"{{"apiVersion": "SPACE.example.com/v1", "kind": "Widget", "kind": "Widget", "metadata": {{"name": "{name}", "name": "{name}", "labels": {{"a": "b", "a": "c"}}}},
            "spec": {{"text": "a", "text": "b", "list": [{{"name": "a", "name": "b"}}], "free": {{"x": 1, "x": 2, "y": {{"z": 1, "z": 2}}}}, "zeta": 1,
            "deep": {{"er": {{"est": "a", "est": "b"}}}}, "text": "c", "part": {{"kind": "P", "apiVersion": "v1", "metadata": {{"name": "a", "name": "b"}}}}}}, "spec": {{"text": "d"}}}}"#
        )
    };
    for (name, options) in ["a", "b", "c", "d"].iter().zip(STRICTNESS) {
        arm.send_text("POST", &format!("{WIDGETS}{options}"), "application/json", &body(name));
    }
    for options in STRICTNESS {
        arm.send_text("PUT", &format!("{WIDGETS}/a{options}"), "application/json", &body("a"));
    }
}

fn what_is_preserved_is_not_unknown(arm: &Arm) {
    let root = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"spec": map(json!({"a": {"type": "string"}}))}});
    let _defined = Defined::new(arm, &definition("widgets", "Widget", one_version(root)), WIDGETS);
    for (name, options) in ["a", "b", "c", "d"].iter().zip(STRICTNESS) {
        let mut object = widget(name, json!({"a": "a", "b": "b"}));
        object["colour"] = json!({"deep": [1]});
        object["metadata"]["colour"] = json!("red");
        arm.create(&format!("{WIDGETS}{options}"), object);
    }
    arm.patch(&format!("{WIDGETS}/a?fieldValidation=Strict"), "merge", json!({"colour": 1, "taste": {"sweet": null}}));
    arm.apply(
        &format!("{WIDGETS}/a?fieldValidation=Strict"),
        "me",
        json!({
            "apiVersion": "SPACE.example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "sound": [{"x": 1}],
        }),
    );
    arm.send_text(
        "POST",
        &format!("{WIDGETS}?fieldValidation=Strict"),
        "application/json",
        r#"{"apiVersion": "SPACE.example.com/v1", "kind": "Widget", "metadata": {"name": "e"}, "colour": 1, "colour": 2}"#,
    );
    arm.send_text(
        "POST",
        WIDGETS,
        "application/json",
        r#"{"apiVersion": "SPACE.example.com/v1", "kind": "Widget", "metadata": {"name": "e"}, "colour": {"a": 1, "a": 2}}"#,
    );
}

fn metadata_of_the_whole_and_of_parts(arm: &Arm) {
    let _defined = Defined::new(arm, &sorts(), WIDGETS);
    let part = |metadata: Value| json!({"apiVersion": "v1", "kind": "Part", "metadata": metadata});
    for (index, metadata) in [
        json!({"name": "p", "colour": "red", "labels": {"a": "b"}}),
        json!({"labels": {"a": 1}}),
        json!({"labels": {"a": 1, "b": "c"}, "annotations": {"x": []}}),
        json!({"labels": "a"}),
        json!({"name": 7}),
        json!({"finalizers": "a"}),
        json!({"creationTimestamp": "yesterday"}),
        json!({"creationTimestamp": "2020-01-01T00:00:00Z", "uid": "u", "resourceVersion": "1"}),
        json!({"ownerReferences": [{"apiVersion": "v1", "kind": "A", "name": "a", "uid": "u", "colour": "red"}]}),
        json!({"labels": {"not right": "not right"}}),
        json!({"generation": "1"}),
        json!(null),
        json!("a"),
        json!({}),
    ]
    .into_iter()
    .enumerate()
    {
        arm.create(WIDGETS, widget(&format!("part-{index}"), json!({"part": part(metadata.clone())})));
        arm.create(
            &format!("{WIDGETS}?dryRun=All&fieldValidation=Strict"),
            widget("strict", json!({"loose": part(metadata)})),
        );
    }
    arm.create(WIDGETS, widget("bare", json!({"part": {}})));
    arm.create(WIDGETS, widget("bare", json!({"part": {"kind": "p q", "apiVersion": "example.com/v1"}})));
    arm.create(WIDGETS, widget("bare", json!({"part": {"kind": "Part", "apiVersion": "a/b/c"}})));
    arm.create(WIDGETS, widget("bare", json!({"part": {"kind": 1, "apiVersion": "v1"}})));
    arm.create(WIDGETS, widget("bare", json!({"part": {"kind": "Part", "apiVersion": 2}})));
}

fn metadata_of_another_type(arm: &Arm) {
    let _defined = Defined::new(arm, &sorts(), WIDGETS);
    arm.create(WIDGETS, widget("w", json!({})));
    for metadata in [
        json!({"name": "m", "labels": {"a": 1}}),
        json!({"name": "m", "labels": ["a"]}),
        json!({"name": "m", "annotations": {"a": {}}}),
        json!({"name": 7}),
        json!({"name": "m", "finalizers": "a"}),
        json!({"name": "m", "finalizers": [1]}),
        json!({"name": "m", "creationTimestamp": "yesterday"}),
        json!({"name": "m", "ownerReferences": [{"name": 1}]}),
        json!({"name": "m", "ownerReferences": [{"apiVersion": "v1", "kind": "A", "name": "a", "uid": "u", "colour": "red"}]}),
        json!({"name": "m", "generation": "1"}),
        json!("a"),
        json!([]),
        json!(null),
    ] {
        for options in ["?dryRun=All", "?dryRun=All&fieldValidation=Strict"] {
            let mut object = widget("m", json!({}));
            object["metadata"] = metadata.clone();
            arm.create(&format!("{WIDGETS}{options}"), object.clone());
            if metadata.is_object() {
                object["metadata"]["name"] = json!("w");
            }
            arm.apply(&format!("{WIDGETS}/w{options}"), "me", object);
        }
        let mut patch = json!({"metadata": metadata});
        if let Some(metadata) = patch["metadata"].as_object_mut() {
            metadata.remove("name");
        }
        arm.patch(&format!("{WIDGETS}/w?dryRun=All"), "merge", patch);
    }
}

fn objects_in_yaml(arm: &Arm) {
    let _defined = Defined::new(arm, &sorts(), WIDGETS);
    let head = "apiVersion: SPACE.example.com/v1\nkind: Widget\nmetadata:\n  name: ";
    for options in STRICTNESS {
        let path = format!("{WIDGETS}{options}{}dryRun=All", if options.is_empty() { "?" } else { "&" });
        arm.send_text("POST", &path, "application/yaml", &format!("{head}a\nspec:\n  text: yes\n"));
        arm.send_text("POST", &path, "application/yaml", &format!("{head}a\nspec:\n  text: a\n  text: b\n  zeta: 1\n"));
        arm.send_text("POST", &path, "application/yaml", &format!("{head}a\n  colour: red\nspec:\n  text: a\n"));
    }
}

fn fields_to_select_by(arm: &Arm) {
    let mut versions = one_version(map(json!({"spec": map(json!({
        "colour": {"type": "string"}, "size": {"type": "integer"}, "flag": {"type": "boolean"}, "other": {"type": "string"},
    }))})));
    versions[0]["selectableFields"] =
        json!([{"jsonPath": ".spec.colour"}, {"jsonPath": ".spec.size"}, {"jsonPath": ".spec.flag"}]);
    let _defined = Defined::new(arm, &definition("widgets", "Widget", versions), WIDGETS);
    arm.create(WIDGETS, widget("red", json!({"colour": "red", "size": 1, "flag": true})));
    arm.create(WIDGETS, widget("blue", json!({"colour": "blue", "size": 2, "flag": false})));
    arm.create(WIDGETS, widget("none", json!({})));
    for selector in [
        "spec.colour=red",
        "spec.colour!=red",
        "spec.colour=red,spec.size=1",
        "spec.size=2",
        "spec.size!=2",
        "spec.flag=true",
        "spec.flag=false",
        "spec.colour=",
        "spec.size=",
        "spec.flag=",
        "metadata.name=red,spec.size=1",
        "metadata.namespace=SPACE,spec.size=1",
        "spec.other=x",
        ".spec.colour=red",
        "status.phase=x",
        "spec.colour",
    ] {
        let path = format!("{WIDGETS}?fieldSelector={selector}");
        let list = arm.look(&path);
        let names: Vec<Value> =
            list.body["items"].as_array().into_iter().flatten().map(|item| item["metadata"]["name"].clone()).collect();
        if list.code == 200 { arm.note(&format!("GET {path}"), json!(names)) } else { drop(arm.get(&path)) }
    }
    arm.watch(
        &format!("{WIDGETS}?watch=1&fieldSelector=spec.colour%3Dblue&timeoutSeconds=1"),
        std::time::Duration::from_millis(300),
    );
    arm.send("DELETE", &format!("{WIDGETS}?fieldSelector=spec.colour=red"), "", &Value::Null);
    arm.get(WIDGETS);
    arm.get("/apis/SPACE.example.com/v1");
}

fn fields_to_select_by_that_change(arm: &Arm) {
    let plain = one_version(map(json!({"spec": map(json!({"colour": {"type": "string"}}))})));
    let _defined = Defined::new(arm, &definition("widgets", "Widget", plain.clone()), WIDGETS);
    arm.create(WIDGETS, widget("red", json!({"colour": "red"})));
    arm.get(&format!("{WIDGETS}?fieldSelector=spec.colour=red"));
    let mut selectable = plain;
    selectable[0]["selectableFields"] = json!([{"jsonPath": ".spec.colour"}]);
    redefined(arm, selectable);
    arm.get(&format!("{WIDGETS}?fieldSelector=spec.colour=red"));
}

fn lists_with_keys_are_merged(arm: &Arm) {
    let items = json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"}, "port": {"type": "integer", "default": 80}, "value": {"type": "string"},
    }});
    let _defined = Defined::new(
        arm,
        &with_spec(map(json!({
            "by_name": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": items},
            "by_two": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "port"], "items": items},
        }))),
        WIDGETS,
    );
    let path = format!("{WIDGETS}/w");
    arm.apply(
        &path,
        "one",
        widget("w", json!({"by_name": [{"name": "a", "value": "1"}, {"name": "b", "value": "1"}]})),
    );
    arm.apply(
        &path,
        "two",
        widget("w", json!({"by_name": [{"name": "c", "value": "2"}, {"name": "b", "value": "2"}]})),
    );
    arm.apply(
        &path,
        "two&force=true",
        widget("w", json!({"by_name": [{"name": "c", "value": "2"}, {"name": "b", "value": "2"}]})),
    );
    arm.apply(&path, "one", widget("w", json!({"by_name": [{"name": "a", "value": "1"}]})));
    arm.apply(&path, "two", widget("w", json!({"by_two": [{"name": "a"}, {"name": "a", "port": 81}]})));
    arm.apply(&path, "three", widget("w", json!({"by_two": [{"name": "a", "port": 80, "value": "x"}]})));
    arm.apply(&path, "three", widget("w", json!({"by_name": [{"name": "a"}, {"name": "a"}]})));
    arm.apply(&path, "two", widget("w", json!({})));
    arm.patch(&path, "merge", json!({"spec": {"by_name": [{"name": "z"}, {"name": "z"}]}}));
}

fn sets_are_merged(arm: &Arm) {
    let _defined = Defined::new(
        arm,
        &with_spec(map(json!({
            "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "numbers": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer"}},
        }))),
        WIDGETS,
    );
    let path = format!("{WIDGETS}/w");
    arm.apply(&path, "one", widget("w", json!({"set": ["a", "b"], "numbers": [1, 2]})));
    arm.apply(&path, "two", widget("w", json!({"set": ["c", "b"], "numbers": [2, 3]})));
    arm.apply(&path, "one", widget("w", json!({"set": ["a"]})));
    arm.apply(&path, "two", widget("w", json!({"set": ["x", "x"]})));
    arm.patch(&path, "merge", json!({"spec": {"set": ["x", "y", "x"]}}));
    arm.patch(&path, "json", json!([{"op": "add", "path": "/spec/set/-", "value": "z"}]));
    arm.get(&path);
}

fn what_is_atomic_is_replaced(arm: &Arm) {
    let _defined = Defined::new(
        arm,
        &with_spec(map(json!({
            "list": {"type": "array", "items": {"type": "string"}},
            "told": {"type": "array", "x-kubernetes-list-type": "atomic", "items": {"type": "string"}},
            "map": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
            "open": {"type": "object", "additionalProperties": {"type": "string"}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "either": {"x-kubernetes-int-or-string": true},
        }))),
        WIDGETS,
    );
    let path = format!("{WIDGETS}/w");
    let all = |word: &str| json!({"list": [word], "told": [word], "map": {word: word}, "open": {word: word}, "free": {word: {word: [word]}}, "either": word});
    arm.apply(&path, "one", widget("w", all("a")));
    arm.apply(&path, "two", widget("w", all("b")));
    arm.apply(&path, "two&force=true", widget("w", all("b")));
    arm.apply(&path, "one", widget("w", json!({})));
    arm.apply(&path, "two", widget("w", json!({"either": 7})));
    arm.get(&path);
}

fn forms_of_patches_for_defined_kinds(arm: &Arm) {
    let _defined = Defined::new(arm, &sorts(), WIDGETS);
    arm.create(WIDGETS, widget("w", json!({"text": "a"})));
    let path = format!("{WIDGETS}/w");
    arm.patch(&path, "strategic-merge", json!({"spec": {"text": "b"}}));
    arm.patch(&path, "merge", json!({"spec": {"text": null, "map": {"k": null}}}));
    arm.patch(&path, "merge", json!([]));
    arm.patch(&path, "merge", json!({"metadata": {"name": "other"}}));
    arm.patch(&path, "json", json!([{"op": "replace", "path": "/spec/nothing", "value": 1}]));
    arm.patch(&path, "json", json!([{"op": "add", "path": "/spec", "value": "no map"}]));
    arm.patch(&path, "json", json!({"op": "add"}));
    arm.patch(&format!("{WIDGETS}/nobody"), "merge", json!({"spec": {}}));
    arm.patch(&format!("{path}?dryRun=All"), "merge", json!({"spec": {"text": "dry"}}));
    arm.patch(&path, "merge", json!({"metadata": {"resourceVersion": "1"}}));
    arm.get(&path);
}

fn a_defined_kind_is_scaled(arm: &Arm) {
    let mut versions = one_version(map(json!({
        "spec": map(json!({"replicas": {"type": "integer", "maximum": 9}, "selector": {"type": "string"}})),
        "status": map(json!({"replicas": {"type": "integer"}, "selector": {"type": "string"}})),
    })));
    versions[0]["subresources"] = json!({"status": {}, "scale": {
        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector",
    }});
    let _defined = Defined::new(arm, &definition("widgets", "Widget", versions), WIDGETS);
    let scale = format!("{WIDGETS}/w/scale");
    arm.create(WIDGETS, widget("w", json!({})));
    arm.get(&scale);
    arm.patch(&scale, "merge", json!({"spec": {"replicas": 3}}));
    let status = json!({"status": {"replicas": 2, "selector": "app=w"}});
    arm.exchange("PATCH", &arm.placed(&format!("{WIDGETS}/w/status")), "application/merge-patch+json", &status);
    arm.get(&scale);
    arm.patch(&scale, "merge", json!({"spec": {"replicas": 10}}));
    arm.patch(&scale, "merge", json!({"spec": {"replicas": -1}}));
    arm.patch(&scale, "merge", json!({"status": {"replicas": 9}}));
    arm.patch(&scale, "json", json!([{"op": "replace", "path": "/spec/replicas", "value": 4}]));
    let mut object = arm.look(&scale).body;
    object["spec"]["replicas"] = json!(5);
    arm.replace(&scale, object.clone());
    arm.replace(&scale, object.clone());
    object["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    object["spec"]["replicas"] = json!(6);
    arm.replace(&scale, object);
    arm.create(WIDGETS, widget("negative", json!({"replicas": -1})));
    arm.note("what became of it", arm.look(&format!("{WIDGETS}/w")).body["spec"].clone());
    arm.get(&format!("{WIDGETS}/nobody/scale"));
}

fn a_defined_kind_is_scaled_by_an_apply(arm: &Arm) {
    let mut versions = one_version(map(json!({
        "spec": map(json!({"size": {"type": "integer"}, "text": {"type": "string"}})),
        "status": map(json!({"replicas": {"type": "integer"}})),
    })));
    versions[0]["subresources"] =
        json!({"scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.replicas"}});
    let _defined = Defined::new(arm, &definition("widgets", "Widget", versions), WIDGETS);
    arm.exchange(
        "POST",
        &arm.placed(WIDGETS),
        "application/json",
        &arm.placed_in(&widget("none", json!({"text": "a"}))),
    );
    arm.exchange("POST", &arm.placed(WIDGETS), "application/json", &arm.placed_in(&widget("w", json!({"size": 9}))));
    let apply = |name: &str, manager: &str, more: Value| {
        let mut scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale"});
        scale.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arm.apply(&format!("{WIDGETS}/{name}/scale"), manager, scale);
    };
    apply("none", "ann", json!({"spec": {"replicas": 1}}));
    apply("w", "ann", json!({"spec": {"replicas": 11}}));
    apply("w", "ann", json!({"spec": {"replicas": "x"}}));
    apply("w", "ann", json!({"spec": {"replicas": 9}}));
    apply("w", "ann&force=true", json!({"spec": {"replicas": 11}}));
    apply("w", "bob", json!({"metadata": {"name": "w"}}));
    apply("w", "bob", json!({"metadata": {"name": "other"}}));
    apply("w", "bob", json!({"status": {"replicas": 7}}));
}

fn finalizers_without_a_domain_are_warned_of(arm: &Arm) {
    let text = map(json!({"spec": map(json!({"text": {"type": "string"}}))}));
    let _defined = Defined::new(arm, &definition("widgets", "Widget", one_version(text)), WIDGETS);
    let mut object = widget("w", json!({"text": "a"}));
    object["metadata"]["finalizers"] = json!(["plain", "with.dots", "example.org/whole", "orphan"]);
    arm.create(WIDGETS, object);
    arm.patch(&format!("{WIDGETS}/w"), "merge", json!({"metadata": {"finalizers": ["plain", "another"]}}));
    arm.patch(&format!("{WIDGETS}/w"), "merge", json!({"metadata": {"finalizers": []}}));
}

fn defaults_reach_what_is_stored(arm: &Arm) {
    let plain = one_version(map(
        json!({"spec": map(json!({"a": {"type": "string"}, "b": map(json!({"c": {"type": "integer"}}))}))}),
    ));
    let _defined = Defined::new(arm, &definition("widgets", "Widget", plain.clone()), WIDGETS);
    arm.create(WIDGETS, widget("w", json!({"a": "a"})));
    arm.create(WIDGETS, widget("x", json!({"a": "a"})));
    let mut filled = plain;
    let spec = &mut filled[0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    spec["properties"]["a"]["default"] = json!("filled");
    spec["properties"]["b"]["default"] = json!({});
    spec["properties"]["b"]["properties"]["c"]["default"] = json!(7);
    redefined(arm, filled);
    arm.get(&format!("{WIDGETS}/w"));
    arm.get(WIDGETS);
    arm.patch(&format!("{WIDGETS}/w"), "merge", json!({"spec": {"a": null}}));
    arm.patch(&format!("{WIDGETS}/w"), "merge", json!({"spec": {"b": null}}));
    arm.patch(&format!("{WIDGETS}/x"), "merge", json!({}));
    arm.apply(&format!("{WIDGETS}/y"), "me", widget("y", json!({"b": {}})));
    arm.apply(&format!("{WIDGETS}/y"), "other", widget("y", json!({"a": "filled"})));
    arm.get(&format!("{WIDGETS}/y"));
}
