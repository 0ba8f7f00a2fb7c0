//! Definitions that are refused, and what of them can't be changed.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    definitions::{DEFINITIONS, Defined, WIDGETS, definition, one_version},
};

bodies! {
    a_definition_is_named_after_what_it_defines
    groups_are_domains
    kinds_have_names
    versions_have_names_and_one_is_stored
    a_scope_is_one_of_two
    groups_of_kubernetes_itself_need_approval
    every_version_has_a_schema
    schemas_say_the_type_of_everything
    schemas_do_not_say_what_nobody_could_hold_them_to
    parts_of_alternatives_say_nothing_of_structure
    metadata_is_hardly_restricted
    lists_with_keys_have_keys
    objects_within_objects_are_objects
    defaults_are_right_by_their_own_schema
    columns_have_types_and_paths
    scales_have_paths
    fields_to_select_by_are_in_the_schema
    conversion_is_none_or_by_a_webhook
    unknown_fields_are_not_kept_as_a_whole
    what_is_stored_can_not_be_changed
    an_established_kind_keeps_its_name_and_scope
    the_status_is_written_apart
    patterns_can_be_read
}

/// Tries to define kinds with these specs, laid over a right one.
fn tried(arm: &Arm, patches: &[Value]) {
    for patch in patches {
        let mut tried = definition("widgets", "Widget", one_version(json!({"type": "object"})));
        merge(&mut tried["spec"], patch);
        let created = arm.create(DEFINITIONS, tried);
        if created.code == 201 {
            arm.exchange("DELETE", &arm.placed(&format!("{DEFINITIONS}/widgets.SPACE.example.com")), "", &Value::Null);
            arm.look_until(&format!("{DEFINITIONS}/widgets.SPACE.example.com"), |there| there.code == 404);
        }
    }
}

fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    target.remove(key);
                } else {
                    merge(target.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

/// Tries to define kinds whose `spec` has these schemas.
fn schemas(arm: &Arm, specs: &[Value]) {
    let patches: Vec<Value> = specs
        .iter()
        .map(|spec| json!({"versions": one_version(json!({"type": "object", "properties": {"spec": spec}}))}))
        .collect();
    tried(arm, &patches);
}

fn a_definition_is_named_after_what_it_defines(arm: &Arm) {
    let mut object = definition("widgets", "Widget", one_version(json!({"type": "object"})));
    object["metadata"]["name"] = json!("gadgets.SPACE.example.com");
    arm.create(DEFINITIONS, object.clone());
    object["metadata"]["name"] = json!("Widgets_SPACE");
    arm.create(DEFINITIONS, object.clone());
    object["metadata"]["name"] = json!("");
    arm.create(DEFINITIONS, object);
}

fn groups_are_domains(arm: &Arm) {
    for group in ["", "nodots", "Upper.example.com", "a b.c"] {
        let mut object = definition("widgets", "Widget", one_version(json!({"type": "object"})));
        object["spec"]["group"] = json!(group);
        object["metadata"]["name"] = json!(format!("widgets.{group}"));
        arm.create(DEFINITIONS, object);
    }
}

fn kinds_have_names(arm: &Arm) {
    tried(
        arm,
        &[
            json!({"names": {"kind": "Not A Word"}}),
            json!({"names": {"kind": null}}),
            json!({"names": {"singular": "Upper"}}),
            json!({"names": {"listKind": "Widget"}}),
            json!({"names": {"shortNames": ["ok", "Not_Ok"]}}),
            json!({"names": {"categories": ["all", "Not Ok"]}}),
            json!({"names": {"listKind": "9Lists"}}),
            json!({"names": {"kind": "widget"}}),
        ],
    );
}

fn versions_have_names_and_one_is_stored(arm: &Arm) {
    let version = |name: &str, storage: bool| json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object"}}});
    tried(
        arm,
        &[
            json!({"versions": [version("v1", false)]}),
            json!({"versions": [version("v1", true), version("v2", true)]}),
            json!({"versions": [version("V1", true)]}),
            json!({"versions": [version("v1", true), version("v1", false)]}),
            json!({"versions": []}),
        ],
    );
}

fn a_scope_is_one_of_two(arm: &Arm) {
    tried(arm, &[json!({"scope": "Everywhere"}), json!({"scope": null}), json!({"scope": "Cluster"})]);
}

fn groups_of_kubernetes_itself_need_approval(arm: &Arm) {
    let mut object = definition("widgets", "Widget", one_version(json!({"type": "object"})));
    object["spec"]["group"] = json!("SPACE.k8s.io");
    object["metadata"]["name"] = json!("widgets.SPACE.k8s.io");
    arm.create(DEFINITIONS, object.clone());
    object["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": "nonsense"});
    arm.create(DEFINITIONS, object.clone());
    object["metadata"]["annotations"] = json!({"api-approved.kubernetes.io": "unapproved, for a test"});
    arm.create(DEFINITIONS, object.clone());
    let path = arm.placed(&format!("{DEFINITIONS}/widgets.SPACE.k8s.io"));
    arm.until(&path, |there| super::definitions::holds(there, "Established"));
    arm.exchange("DELETE", &path, "", &Value::Null);
}

fn every_version_has_a_schema(arm: &Arm) {
    tried(
        arm,
        &[
            json!({"versions": [{"name": "v1", "served": true, "storage": true}]}),
            json!({"versions": [{"name": "v1", "served": true, "storage": true, "schema": {}}]}),
            json!({"versions": one_version(json!({}))}),
            json!({"versions": one_version(json!({"type": "string"}))}),
        ],
    );
}

fn schemas_say_the_type_of_everything(arm: &Arm) {
    schemas(
        arm,
        &[
            json!({}),
            json!({"properties": {"a": {"type": "string"}}}),
            json!({"type": "object", "properties": {"a": {}}}),
            json!({"type": "array"}),
            json!({"type": "array", "items": {}}),
            json!({"type": "object", "additionalProperties": {}}),
            json!({"type": "nonsense"}),
            json!({"type": "object", "properties": {"a": {"x-kubernetes-int-or-string": true, "type": "string"}}}),
            json!({"type": "object", "properties": {"a": {"x-kubernetes-preserve-unknown-fields": true}}}),
            json!({"type": "null"}),
        ],
    );
}

fn schemas_do_not_say_what_nobody_could_hold_them_to(arm: &Arm) {
    schemas(
        arm,
        &[
            json!({"type": "object", "properties": {"a": {"type": "array", "uniqueItems": true, "items": {"type": "string"}}}}),
            json!({"type": "object", "additionalProperties": false}),
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "string"}}),
            json!({"type": "object", "patternProperties": {"a": {"type": "string"}}}),
            json!({"type": "object", "dependencies": {"a": ["b"]}}),
            json!({"$ref": "#/nowhere"}),
            json!({"type": "object", "definitions": {"a": {"type": "string"}}}),
            json!({"type": "object", "id": "x"}),
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false}),
            json!({"type": "array", "items": [{"type": "string"}]}),
        ],
    );
}

fn parts_of_alternatives_say_nothing_of_structure(arm: &Arm) {
    let part = |part: Value| json!({"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [part]});
    schemas(
        arm,
        &[
            part(json!({"properties": {"a": {"type": "string"}}})),
            part(json!({"properties": {"b": {"minLength": 1}}})),
            part(json!({"properties": {"a": {"default": "x"}}})),
            part(json!({"properties": {"a": {"nullable": true}}})),
            part(json!({"properties": {"a": {"description": "x"}}})),
            part(json!({"additionalProperties": {"minLength": 1}})),
            part(json!({"required": ["a"]})),
            part(json!({"x-kubernetes-preserve-unknown-fields": true})),
        ],
    );
}

fn metadata_is_hardly_restricted(arm: &Arm) {
    let with = |metadata: Value| json!({"versions": one_version(json!({"type": "object", "properties": {"metadata": metadata}}))});
    tried(
        arm,
        &[
            with(json!({"type": "object", "properties": {"name": {"type": "string", "pattern": "^a"}}})),
            with(json!({"type": "object", "properties": {"labels": {"type": "object"}}})),
            with(json!({"type": "string"})),
            with(json!({"type": "object", "required": ["name"]})),
        ],
    );
}

fn lists_with_keys_have_keys(arm: &Arm) {
    let list = |list: Value| {
        let mut spec = json!({"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "object"}}}});
        merge(&mut spec, &list);
        json!({"type": "object", "properties": {"list": spec}})
    };
    schemas(
        arm,
        &[
            list(json!({"x-kubernetes-list-type": "map"})),
            list(
                json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["z"], "items": {"required": ["z"]}}),
            ),
            list(
                json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["b"], "items": {"required": ["b"]}}),
            ),
            list(json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]})),
            list(json!({"x-kubernetes-list-map-keys": ["a"]})),
            list(json!({"x-kubernetes-list-type": "nonsense"})),
            list(json!({"x-kubernetes-list-type": "set"})),
            json!({"type": "object", "x-kubernetes-list-type": "set"}),
            json!({"type": "object", "x-kubernetes-map-type": "nonsense"}),
            json!({"type": "object", "properties": {"s": {"type": "string", "x-kubernetes-map-type": "atomic"}}}),
            list(
                json!({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a", "a"], "items": {"required": ["a"]}}),
            ),
        ],
    );
}

fn objects_within_objects_are_objects(arm: &Arm) {
    schemas(
        arm,
        &[
            json!({"type": "string", "x-kubernetes-embedded-resource": true}),
            json!({"type": "object", "x-kubernetes-embedded-resource": true}),
            json!({"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}),
            json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}),
        ],
    );
}

fn defaults_are_right_by_their_own_schema(arm: &Arm) {
    let property = |property: Value| json!({"type": "object", "properties": {"a": property}});
    schemas(
        arm,
        &[
            property(json!({"type": "string", "default": 5})),
            property(json!({"type": "string", "maxLength": 2, "default": "long"})),
            property(json!({"type": "string", "enum": ["x"], "default": "y"})),
            property(json!({"type": "object", "properties": {"b": {"type": "string"}}, "default": {"c": 1}})),
            property(
                json!({"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}, "default": {}}),
            ),
            property(json!({"type": "string", "default": null})),
            property(json!({"type": "array", "items": {"type": "string"}, "default": [1]})),
            property(json!({"type": "string", "default": "right"})),
        ],
    );
}

fn columns_have_types_and_paths(arm: &Arm) {
    let column = |column: Value| {
        let mut versions = one_version(json!({"type": "object"}));
        versions[0]["additionalPrinterColumns"] = json!([column]);
        json!({"versions": versions})
    };
    tried(
        arm,
        &[
            column(json!({"name": "A", "type": "string", "jsonPath": ".spec.a"})),
            column(json!({"type": "string", "jsonPath": ".spec.a"})),
            column(json!({"name": "A", "jsonPath": ".spec.a"})),
            column(json!({"name": "A", "type": "nonsense", "jsonPath": ".spec.a"})),
            column(json!({"name": "A", "type": "string"})),
            column(json!({"name": "A", "type": "string", "jsonPath": "spec.a"})),
            column(json!({"name": "A", "type": "integer", "format": "nonsense", "jsonPath": ".spec.a"})),
            column(json!({"name": "A", "type": "date", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"})),
        ],
    );
}

fn scales_have_paths(arm: &Arm) {
    let scale = |scale: Value| {
        let mut versions = one_version(json!({"type": "object"}));
        versions[0]["subresources"] = json!({"scale": scale});
        json!({"versions": versions})
    };
    tried(
        arm,
        &[
            scale(json!({})),
            scale(json!({"specReplicasPath": ".spec.replicas"})),
            scale(json!({"specReplicasPath": "spec.replicas", "statusReplicasPath": ".status.replicas"})),
            scale(json!({"specReplicasPath": ".status.replicas", "statusReplicasPath": ".status.replicas"})),
            scale(json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".spec.replicas"})),
            scale(
                json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".other"}),
            ),
            scale(
                json!({"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector"}),
            ),
        ],
    );
}

fn fields_to_select_by_are_in_the_schema(arm: &Arm) {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer"}, "b": {"type": "boolean"}, "list": {"type": "array", "items": {"type": "string"}}, "deep": {"type": "object"}}}}});
    let selectable = |paths: &[&str]| {
        let mut versions = one_version(schema.clone());
        versions[0]["selectableFields"] = paths.iter().map(|path| json!({"jsonPath": path})).collect();
        json!({"versions": versions})
    };
    tried(
        arm,
        &[
            selectable(&[".spec.a", ".spec.n", ".spec.b"]),
            selectable(&[".spec.z"]),
            selectable(&["spec.a"]),
            selectable(&[".spec.list"]),
            selectable(&[".spec.deep"]),
            selectable(&[".spec.a", ".spec.a"]),
            selectable(&[".metadata.name"]),
            selectable(&[""]),
            selectable(&[".spec.list[0]"]),
        ],
    );
}

fn conversion_is_none_or_by_a_webhook(arm: &Arm) {
    tried(
        arm,
        &[
            json!({"conversion": {"strategy": "Nonsense"}}),
            json!({"conversion": {"strategy": "Webhook"}}),
            json!({"conversion": {"strategy": "None", "webhook": {"conversionReviewVersions": ["v1"]}}}),
            json!({"conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}}}),
            json!({"conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {"url": "https://a.b"}}}}),
            json!({"conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"url": "http://a.b"}}}}),
            json!({"conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": {"service": {"namespace": "a", "name": "b"}}}}}),
            json!({"conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v9"], "clientConfig": {"url": "https://a.b"}}}}),
        ],
    );
}

fn unknown_fields_are_not_kept_as_a_whole(arm: &Arm) {
    tried(arm, &[json!({"preserveUnknownFields": true}), json!({"preserveUnknownFields": false})]);
}

fn what_is_stored_can_not_be_changed(arm: &Arm) {
    let right = definition("widgets", "Widget", one_version(json!({"type": "object"})));
    let _defined = Defined::new(arm, &right, WIDGETS);
    let path = format!("{DEFINITIONS}/widgets.SPACE.example.com");
    for spec in [json!({"group": "other.example.com"}), json!({"names": {"plural": "gadgets"}})] {
        arm.patch(&path, "merge", json!({"spec": spec}));
    }
    arm.patch(&path, "merge", json!({"spec": {"names": {"shortNames": ["wi"]}}}));
    arm.until(&path, |there| there["status"]["acceptedNames"]["shortNames"] == json!(["wi"]));
    arm.patch(&path, "merge", json!({"spec": {"names": {"singular": "wid"}}}));
    arm.until(&path, |there| there["status"]["acceptedNames"]["singular"] == "wid");
}

fn an_established_kind_keeps_its_name_and_scope(arm: &Arm) {
    let right = definition("widgets", "Widget", one_version(json!({"type": "object"})));
    let _defined = Defined::new(arm, &right, WIDGETS);
    let path = format!("{DEFINITIONS}/widgets.SPACE.example.com");
    arm.patch(&path, "merge", json!({"spec": {"scope": "Cluster"}}));
    arm.patch(&path, "merge", json!({"spec": {"names": {"kind": "Gadget"}}}));
    arm.patch(&path, "merge", json!({"spec": {"names": {"listKind": "Widgets"}}}));
    arm.until(&path, |there| there["status"]["acceptedNames"]["listKind"] == "Widgets");
    arm.patch(&path, "merge", json!({"metadata": {"labels": {"a": "b"}}}));
}

fn the_status_is_written_apart(arm: &Arm) {
    let right = definition("widgets", "Widget", one_version(json!({"type": "object"})));
    let _defined = Defined::new(arm, &right, WIDGETS);
    let path = format!("{DEFINITIONS}/widgets.SPACE.example.com");
    arm.patch(&path, "merge", json!({"status": {"storedVersions": ["v9"]}}));
    arm.get(&format!("{path}/status"));
    arm.patch(&format!("{path}/status"), "merge", json!({"spec": {"names": {"shortNames": ["zz"]}}}));
    arm.get(&path);
}

fn patterns_can_be_read(arm: &Arm) {
    let property = |property: Value| json!({"type": "object", "properties": {"a": property}});
    schemas(
        arm,
        &[
            property(json!({"type": "string", "pattern": "["})),
            property(json!({"type": "string", "pattern": "(?=a)"})),
            property(json!({"type": "string", "enum": ["a", "a"]})),
            property(json!({"type": "string", "minLength": -1})),
            property(json!({"type": "integer", "multipleOf": 0})),
        ],
    );
}
