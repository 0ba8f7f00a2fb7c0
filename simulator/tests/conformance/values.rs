//! What objects of defined kinds may look like: each body defines one kind and tries objects on it.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    definitions::{Defined, WIDGETS, definition, one_version},
};

bodies! {
    values_are_of_the_type_that_was_said
    a_value_is_one_of_a_few
    a_text_follows_its_pattern
    numbers_have_limits
    texts_have_lengths
    lists_have_lengths
    maps_have_sizes
    what_is_required_has_to_be_there
    texts_have_formats
    dates_and_durations_have_formats
    formats_of_addresses
    numbers_of_small_formats_are_not_held_to_them
    one_of_many_schemas_holds
    any_of_many_schemas_holds
    all_of_many_schemas_hold
    a_schema_does_not_hold
    null_is_nothing_where_it_is_not_allowed
    numbers_or_texts
    items_of_a_set_are_there_once
    items_of_a_keyed_list_are_there_once
    what_nobody_said_is_filled_in
    the_path_to_what_is_wrong_is_told
    what_was_wrong_already_may_stay_so
    what_was_wrong_in_a_keyed_list_may_stay_so
    objects_have_names
    the_whole_is_an_object
    without_a_status_of_its_own_all_is_wanted
    with_a_status_of_its_own_it_is_written_apart
}

/// A kind whose `spec` has a schema, while each of these is tried as one; what was accepted is read again.
pub fn tried<'a>(arm: &'a Arm, spec: Value, objects: &[Value]) -> Defined<'a> {
    tried_as(arm, json!({"type": "object", "properties": {"spec": spec}}), objects, |spec| json!({"spec": spec}))
}

fn tried_as<'a>(arm: &'a Arm, schema: Value, objects: &[Value], as_object: fn(&Value) -> Value) -> Defined<'a> {
    let defined = Defined::new(arm, &definition("widgets", "Widget", one_version(schema)), WIDGETS);
    for (index, spec) in objects.iter().enumerate() {
        let mut object = as_object(spec);
        object["apiVersion"] = json!("SPACE.example.com/v1");
        object["kind"] = json!("Widget");
        object["metadata"] = json!({"name": format!("w{index}")});
        arm.create(WIDGETS, object);
    }
    arm.get(WIDGETS);
    defined
}

pub fn widget(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "SPACE.example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

/// A schema of a map with these properties.
pub fn map(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

fn values_are_of_the_type_that_was_said(arm: &Arm) {
    let spec = map(json!({
        "text": {"type": "string"}, "whole": {"type": "integer"}, "number": {"type": "number"}, "flag": {"type": "boolean"},
        "list": {"type": "array", "items": {"type": "string"}}, "map": map(json!({"a": {"type": "string"}})),
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"text": "a", "whole": 1, "number": 1.5, "flag": true, "list": ["a"], "map": {"a": "b"}}),
            json!({"text": 1}),
            json!({"text": true}),
            json!({"text": ["a"]}),
            json!({"text": 1.5}),
            json!({"whole": "1"}),
            json!({"whole": 1.5}),
            json!({"whole": 2.0}),
            json!({"whole": 1e3}),
            json!({"whole": true}),
            json!({"number": 1}),
            json!({"number": "1"}),
            json!({"flag": "true"}),
            json!({"flag": 0}),
            json!({"list": "a"}),
            json!({"list": {}}),
            json!({"list": [1]}),
            json!({"list": ["a", 2]}),
            json!({"map": "a"}),
            json!({"map": []}),
            json!({"map": {"a": 1}}),
            json!("text"),
            json!([]),
            json!(5),
            json!({}),
        ],
    );
}

fn a_value_is_one_of_a_few(arm: &Arm) {
    let spec = map(json!({
        "text": {"type": "string", "enum": ["a", "b"]}, "number": {"type": "integer", "enum": [1, 2]},
        "one": {"type": "string", "enum": ["only"]}, "list": {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"text": "a", "number": 2}),
            json!({"text": "c"}),
            json!({"text": ""}),
            json!({"number": 3}),
            json!({"one": "two"}),
            json!({"text": 1}),
            json!({"list": ["x", "z"]}),
        ],
    );
}

fn a_text_follows_its_pattern(arm: &Arm) {
    let spec = map(json!({
        "name": {"type": "string", "pattern": "^[a-z]+$"}, "part": {"type": "string", "pattern": "b"},
        "escaped": {"type": "string", "pattern": "^\\d+(\\.\\d+)?$"},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"name": "abc", "part": "abc", "escaped": "1.5"}),
            json!({"name": "ABC"}),
            json!({"name": ""}),
            json!({"part": "xyz"}),
            json!({"escaped": "1."}),
            json!({"name": "a\"b\\c"}),
            json!({"name": 5}),
        ],
    );
}

fn numbers_have_limits(arm: &Arm) {
    let spec = map(json!({
        "least": {"type": "integer", "minimum": 3}, "most": {"type": "integer", "maximum": 10},
        "above": {"type": "number", "minimum": 1, "exclusiveMinimum": true},
        "below": {"type": "number", "maximum": 9.5, "exclusiveMaximum": true},
        "multiple": {"type": "integer", "multipleOf": 5}, "part": {"type": "number", "multipleOf": 0.5},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"least": 3, "most": 10, "above": 1.5, "below": 9, "multiple": 15, "part": 1.5}),
            json!({"least": 2}),
            json!({"least": -7}),
            json!({"most": 11}),
            json!({"above": 1}),
            json!({"above": 0.5}),
            json!({"below": 9.5}),
            json!({"below": 10}),
            json!({"multiple": 7}),
            json!({"part": 0.7}),
            json!({"most": 4_000_000_000_000_i64}),
        ],
    );
}

fn texts_have_lengths(arm: &Arm) {
    let spec = map(json!({"short": {"type": "string", "maxLength": 3}, "long": {"type": "string", "minLength": 2}}));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"short": "abc", "long": "ab"}),
            json!({"short": "abcd"}),
            json!({"long": "a"}),
            json!({"long": ""}),
            json!({"short": "äöü"}),
            json!({"short": "äöüß"}),
            json!({"long": "ä"}),
        ],
    );
}

fn lists_have_lengths(arm: &Arm) {
    let items = json!({"type": "integer"});
    let spec = map(json!({
        "few": {"type": "array", "maxItems": 2, "items": items}, "many": {"type": "array", "minItems": 2, "items": items},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"few": [1, 2], "many": [1, 2]}),
            json!({"few": [1, 2, 3]}),
            json!({"many": [1]}),
            json!({"many": []}),
            json!({"few": []}),
        ],
    );
}

fn maps_have_sizes(arm: &Arm) {
    let others = json!({"type": "integer"});
    let spec = map(json!({
        "few": {"type": "object", "maxProperties": 1, "additionalProperties": others},
        "many": {"type": "object", "minProperties": 2, "additionalProperties": others},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"few": {"a": 1}, "many": {"a": 1, "b": 2}}),
            json!({"few": {"a": 1, "b": 2}}),
            json!({"many": {"a": 1}}),
            json!({"many": {}}),
        ],
    );
}

fn what_is_required_has_to_be_there(arm: &Arm) {
    let spec = json!({
        "type": "object", "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "port": {"type": "object", "required": ["number"], "properties": {"number": {"type": "integer"}, "filled": {"type": "string"}}},
            "items": {"type": "array", "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
            "filled": {"type": "object", "default": {}, "properties": {"a": {"type": "string", "default": "x"}}},
        },
    });
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"name": "a"}),
            json!({}),
            json!({"name": null}),
            json!({"name": ""}),
            json!({"name": "a", "port": {}}),
            json!({"name": "a", "port": {"number": null}}),
            json!({"name": "a", "items": [{"id": "1"}, {}]}),
            json!({"name": "a", "filled": {}}),
            json!({"port": {}}),
        ],
    );
    arm.create(WIDGETS, json!({"apiVersion": "SPACE.example.com/v1", "kind": "Widget", "metadata": {"name": "bare"}}));
}

fn texts_have_formats(arm: &Arm) {
    let format = |name: &str| json!({"type": "string", "format": name});
    let spec = map(json!({
        "byte": format("byte"), "uri": format("uri"), "email": format("email"), "hostname": format("hostname"), "uuid": format("uuid"),
        "password": format("password"), "unknown": format("unheard-of"), "hexcolor": format("hexcolor"), "mac": format("mac"),
        "name": format("k8s-short-name"), "long": format("k8s-long-name"),
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({
                "byte": "aGVsbG8=", "uri": "https://example.com/a", "email": "a@example.com", "hostname": "example.com",
                "uuid": "123e4567-e89b-12d3-a456-426614174000", "password": "x", "unknown": "?", "hexcolor": "#fff", "mac": "01:02:03:04:05:06",
                "name": "a-b", "long": "a.b",
            }),
            json!({"byte": "not base64!"}),
            json!({"uri": "not a uri"}),
            json!({"uri": "/path"}),
            json!({"email": "nobody"}),
            json!({"hostname": "a b"}),
            json!({"hostname": "-a"}),
            json!({"uuid": "123"}),
            json!({"uuid": "123E4567E89B12D3A456426614174000"}),
            json!({"hexcolor": "red"}),
            json!({"mac": "01:02"}),
            json!({"name": "A_b"}),
            json!({"name": "a.b"}),
            json!({"long": "a..b"}),
        ],
    );
}

fn dates_and_durations_have_formats(arm: &Arm) {
    let spec = map(json!({
        "time": {"type": "string", "format": "date-time"}, "date": {"type": "string", "format": "date"},
        "duration": {"type": "string", "format": "duration"},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"time": "2026-01-02T03:04:05Z", "date": "2026-01-02", "duration": "1h30m"}),
            json!({"time": "2026-01-02T03:04:05.123456+02:00"}),
            json!({"time": "2026-01-02"}),
            json!({"time": "2026-13-02T03:04:05Z"}),
            json!({"time": "2026-01-02 03:04:05Z"}),
            json!({"time": "soon"}),
            json!({"time": ""}),
            json!({"time": "2026-01-02t03:04:05z"}),
            json!({"date": "2026-02-30"}),
            json!({"date": "02.01.2026"}),
            json!({"duration": "1 week"}),
            json!({"duration": "3 days"}),
            json!({"duration": "soon"}),
            json!({"duration": "-5s"}),
            json!({"duration": ""}),
        ],
    );
}

fn formats_of_addresses(arm: &Arm) {
    let format = |name: &str| json!({"type": "string", "format": name});
    let spec = map(json!({"ipv4": format("ipv4"), "ipv6": format("ipv6"), "cidr": format("cidr")}));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"ipv4": "10.0.0.1", "ipv6": "fd00::1", "cidr": "10.0.0.0/8"}),
            json!({"ipv4": "10.0.0.256"}),
            json!({"ipv4": "fd00::1"}),
            json!({"ipv4": "010.0.0.1"}),
            json!({"ipv6": "10.0.0.1"}),
            json!({"ipv6": "fd00::g"}),
            json!({"ipv6": "::ffff:10.0.0.1"}),
            json!({"cidr": "10.0.0.0"}),
            json!({"cidr": "10.0.0.0/33"}),
            json!({"cidr": "10.0.0.1/8"}),
            json!({"cidr": "fd00::/64"}),
        ],
    );
}

fn numbers_of_small_formats_are_not_held_to_them(arm: &Arm) {
    let spec = map(
        json!({"small": {"type": "integer", "format": "int32"}, "large": {"type": "integer", "format": "int64"}, "float": {"type": "number", "format": "float"}}),
    );
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"small": 1, "large": 1, "float": 1.5}),
            json!({"small": 3_000_000_000_i64}),
            json!({"large": 9_223_372_036_854_775_807_i64}),
            json!({"small": -3_000_000_000_i64}),
            json!({"small": 1.5}),
            json!({"float": 1e300}),
        ],
    );
}

fn one_of_many_schemas_holds(arm: &Arm) {
    let spec = json!({
        "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    });
    let _defined = tried(arm, spec, &[json!({"a": "1"}), json!({"b": "1"}), json!({}), json!({"a": "1", "b": "1"})]);
}

fn any_of_many_schemas_holds(arm: &Arm) {
    let spec = json!({
        "type": "object", "properties": {"a": {"type": "string"}, "n": {"type": "integer", "anyOf": [{"minimum": 10}, {"maximum": 3}]}},
        "anyOf": [{"required": ["a"]}, {"properties": {"n": {"minimum": 100}}, "required": ["n"]}],
    });
    let _defined = tried(
        arm,
        spec,
        &[json!({"a": "1"}), json!({"n": 100}), json!({}), json!({"n": 2}), json!({"a": "1", "n": 5})],
    );
}

fn all_of_many_schemas_hold(arm: &Arm) {
    let spec = map(json!({"n": {"type": "integer", "allOf": [{"minimum": 3}, {"maximum": 10}]}}));
    let _defined = tried(arm, spec, &[json!({"n": 5}), json!({"n": 2}), json!({"n": 11})]);
}

fn a_schema_does_not_hold(arm: &Arm) {
    let spec = json!({
        "type": "object", "properties": {"a": {"type": "string", "not": {"enum": ["x"]}}, "b": {"type": "string"}}, "not": {"required": ["b"]},
    });
    let _defined = tried(arm, spec, &[json!({"a": "y"}), json!({"a": "x"}), json!({"b": "1"})]);
}

fn null_is_nothing_where_it_is_not_allowed(arm: &Arm) {
    let spec = map(json!({
        "text": {"type": "string"}, "null": {"type": "string", "nullable": true}, "filled": {"type": "string", "default": "x"},
        "both": {"type": "string", "nullable": true, "default": "y"}, "list": {"type": "array", "items": {"type": "string"}},
        "nulls": {"type": "array", "items": {"type": "string", "nullable": true}},
        "map": {"type": "object", "additionalProperties": {"type": "string"}}, "part": map(json!({"a": {"type": "string"}})),
        "either": {"x-kubernetes-int-or-string": true},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"text": null}),
            json!({"null": null}),
            json!({"filled": null}),
            json!({"both": null}),
            json!({"list": [null]}),
            json!({"nulls": [null]}),
            json!({"list": null}),
            json!({"map": {"a": null}}),
            json!({"part": {"a": null}}),
            json!({"either": null}),
            json!(null),
        ],
    );
}

fn numbers_or_texts(arm: &Arm) {
    let spec = map(json!({
        "port": {"x-kubernetes-int-or-string": true},
        "share": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}], "pattern": "^\\d+%$"},
        "list": {"type": "array", "items": {"x-kubernetes-int-or-string": true}},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"port": 80, "share": "5%", "list": [1, "a"]}),
            json!({"port": "http"}),
            json!({"port": true}),
            json!({"port": 1.5}),
            json!({"port": {}}),
            json!({"share": "five"}),
            json!({"share": 5}),
            json!({"share": []}),
            json!({"list": [true]}),
        ],
    );
}

fn items_of_a_set_are_there_once(arm: &Arm) {
    let spec = map(json!({
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "numbers": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer"}},
        "atomic": {"type": "array", "x-kubernetes-list-type": "atomic", "items": {"type": "string"}},
        "maps": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": {"type": "string"}}}},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"set": ["a", "b"], "numbers": [1, 2], "atomic": ["a", "a"], "maps": [{"a": "1"}, {"a": "2"}]}),
            json!({"set": ["a", "b", "a"]}),
            json!({"numbers": [1, 1]}),
            json!({"maps": [{"a": "1"}, {"a": "1"}]}),
            json!({"set": ["a", "a", "a"]}),
        ],
    );
}

fn items_of_a_keyed_list_are_there_once(arm: &Arm) {
    let item = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "port": {"type": "integer", "default": 80}, "value": {"type": "string"}}});
    let spec = map(json!({
        "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items": item},
        "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "port"], "items": item},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"list": [{"name": "a"}, {"name": "b"}]}),
            json!({"list": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]}),
            json!({"ports": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]}),
            json!({"ports": [{"name": "a"}, {"name": "a", "port": 80}]}),
            json!({"list": [{"value": "x"}]}),
        ],
    );
}

fn what_nobody_said_is_filled_in(arm: &Arm) {
    let spec = json!({
        "type": "object", "default": {"mode": "fast"},
        "properties": {
            "mode": {"type": "string", "default": "slow"}, "count": {"type": "integer", "default": 3}, "share": {"type": "number", "default": 0.5},
            "list": {"type": "array", "default": [{"a": "x"}], "items": map(json!({"a": {"type": "string"}, "b": {"type": "string", "default": "y"}}))},
            "deep": map(json!({"a": {"type": "string", "default": "z"}})),
            "deeper": {"type": "object", "default": {}, "properties": {"a": {"type": "string", "default": "z"}}},
            "map": {"type": "object", "additionalProperties": map(json!({"a": {"type": "string", "default": "m"}}))},
            "empty": {"type": "array", "items": {"type": "string"}},
        },
    });
    let _defined = tried(
        arm,
        spec,
        &[
            json!({}),
            json!({"mode": "own", "deep": {}, "map": {"k": {}}, "list": [{}, {"b": "own"}]}),
            json!({"empty": [], "mode": ""}),
        ],
    );
    arm.create(WIDGETS, json!({"apiVersion": "SPACE.example.com/v1", "kind": "Widget", "metadata": {"name": "bare"}}));
    arm.patch(&format!("{WIDGETS}/bare"), "merge", json!({"spec": {"mode": null, "deeper": null}}));
    arm.apply(&format!("{WIDGETS}/applied"), "me", widget("applied", json!({"deep": {}})));
}

fn the_path_to_what_is_wrong_is_told(arm: &Arm) {
    let spec = map(json!({
        "lists": {"type": "array", "items": {"type": "array", "items": map(json!({"a": {"type": "string"}}))}},
        "map": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "integer"}}},
        "odd-key.x": {"type": "integer"},
    }));
    let _defined = tried(
        arm,
        spec,
        &[
            json!({"lists": [[{"a": "1"}], [{"a": "1"}, {"a": 2}]]}),
            json!({"map": {"k.l": [1, "x"]}}),
            json!({"odd-key.x": "a"}),
            json!({"map": {"": ["x"]}}),
        ],
    );
}

fn what_was_wrong_already_may_stay_so(arm: &Arm) {
    let loose = json!({"type": "object", "properties": {"spec": map(json!({
        "a": {"type": "string"}, "b": {"type": "string"}, "list": {"type": "array", "items": {"type": "string"}}, "deep": map(json!({"a": {"type": "string"}, "b": {"type": "string"}})),
    }))}});
    let strict = json!({"type": "object", "properties": {"spec": map(json!({
        "a": {"type": "string", "maxLength": 2}, "b": {"type": "string"}, "list": {"type": "array", "items": {"type": "string", "maxLength": 2}},
        "deep": {"type": "object", "required": ["c"], "properties": {"a": {"type": "string", "enum": ["x"]}, "b": {"type": "string"}, "c": {"type": "string"}}},
    }))}});
    let _defined = Defined::new(arm, &definition("widgets", "Widget", one_version(loose)), WIDGETS);
    let path = format!("{WIDGETS}/w");
    arm.create(WIDGETS, widget("w", json!({"a": "long", "list": ["long", "b"], "deep": {"a": "y"}})));
    redefined(arm, one_version(strict));
    arm.patch(&path, "merge", json!({"spec": {"b": "1"}}));
    arm.patch(&path, "merge", json!({"spec": {"a": "longer"}}));
    arm.patch(&path, "merge", json!({"spec": {"list": ["long", "c"]}}));
    arm.patch(&path, "merge", json!({"spec": {"deep": {"b": "1"}}}));
    arm.patch(&path, "merge", json!({"metadata": {"labels": {"a": "b"}}}));
    arm.patch(&path, "merge", json!({"spec": {"a": "ok"}}));
    arm.get(&path);
}

/// Changes the schema of `widgets`, and waits until the server holds objects against it.
pub fn redefined(arm: &Arm, versions: Value) {
    let path = arm.placed("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.SPACE.example.com");
    let mut versions = versions;
    // A default that only the new schema has tells when it is in force.
    versions[0]["schema"]["openAPIV3Schema"]["properties"]["mark"] = json!({"type": "string", "default": "new"});
    let patch = json!({"spec": {"versions": versions}});
    let patched = arm.exchange("PATCH", &path, "application/merge-patch+json", &patch);
    assert_eq!(patched.code, 200, "{:#}", patched.body);
    arm.ask_until(&format!("{WIDGETS}?dryRun=All"), &widget("probe", json!({})), |answer| answer.body["mark"] == "new");
}

fn what_was_wrong_in_a_keyed_list_may_stay_so(arm: &Arm) {
    let schema = |most: Value| {
        let mut value = json!({"type": "string"});
        if !most.is_null() {
            value["maxLength"] = most;
        }
        json!({"type": "object", "properties": {"spec": map(json!({
            "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "value": value}}},
            "map": {"type": "object", "additionalProperties": value},
        }))}})
    };
    let _defined = Defined::new(arm, &definition("widgets", "Widget", one_version(schema(Value::Null))), WIDGETS);
    let path = format!("{WIDGETS}/w");
    arm.create(WIDGETS, widget("w", json!({"list": [{"name": "a", "value": "long"}], "map": {"k": "long"}})));
    redefined(arm, one_version(schema(json!(2))));
    arm.patch(
        &path,
        "merge",
        json!({"spec": {"list": [{"name": "b", "value": "ok"}, {"name": "a", "value": "long"}]}}),
    );
    arm.patch(
        &path,
        "merge",
        json!({"spec": {"list": [{"name": "b", "value": "long"}, {"name": "a", "value": "long"}]}}),
    );
    arm.patch(&path, "merge", json!({"spec": {"map": {"l": "ok"}}}));
    arm.patch(&path, "merge", json!({"spec": {"map": {"l": "wrong"}}}));
}

pub fn plain(arm: &Arm) -> Defined<'_> {
    let schema = json!({"type": "object", "properties": {"spec": map(json!({"a": {"type": "string"}}))}});
    Defined::new(arm, &definition("widgets", "Widget", one_version(schema)), WIDGETS)
}

fn objects_have_names(arm: &Arm) {
    let _defined = plain(arm);
    for name in ["", "Upper", "under_score", "a/b", "-a", "a.b-c", "1"] {
        arm.create(WIDGETS, widget(name, json!({})));
    }
    let mut object = widget("x", json!({}));
    object["metadata"]["namespace"] = json!("another");
    arm.create(WIDGETS, object);
    arm.replace(&format!("{WIDGETS}/a.b-c"), widget("other", json!({})));
    arm.replace(&format!("{WIDGETS}/a.b-c"), widget("a.b-c", json!({})));
    arm.replace(&format!("{WIDGETS}/nobody"), widget("nobody", json!({})));
    arm.delete(&format!("{WIDGETS}/nobody"));
}

fn the_whole_is_an_object(arm: &Arm) {
    let schema = json!({"type": "object", "required": ["spec"], "properties": {"spec": {"type": "string"}, "metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 3}}}}});
    let _defined = tried_as(arm, schema, &[json!("a"), json!(1), json!(null)], |spec| json!({"spec": spec}));
    arm.create(
        WIDGETS,
        json!({"apiVersion": "SPACE.example.com/v1", "kind": "Widget", "metadata": {"name": "long-name"}, "spec": "a"}),
    );
    arm.create(WIDGETS, json!({"apiVersion": "SPACE.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}));
}

fn without_a_status_of_its_own_all_is_wanted(arm: &Arm) {
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let schema = json!({"type": "object", "properties": {"spec": free, "status": free, "data": free}});
    let _defined = Defined::new(arm, &definition("widgets", "Widget", one_version(schema)), WIDGETS);
    let path = format!("{WIDGETS}/w");
    let mut object = widget("w", json!({"a": 1}));
    object["status"] = json!({"b": 1});
    arm.create(WIDGETS, object);
    arm.patch(&path, "merge", json!({"status": {"b": 2}}));
    arm.patch(&path, "merge", json!({"data": {"c": 2}}));
    arm.patch(&path, "merge", json!({"metadata": {"labels": {"c": "2"}}}));
    arm.get(&format!("{path}/status"));
    arm.patch(&format!("{path}/status"), "merge", json!({"status": {"b": 3}}));
    arm.get(&format!("{path}/scale"));
}

fn with_a_status_of_its_own_it_is_written_apart(arm: &Arm) {
    let status = json!({"type": "object", "properties": {"b": {"type": "integer", "maximum": 5}}});
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let mut versions =
        one_version(json!({"type": "object", "properties": {"spec": free, "status": status, "data": free}}));
    versions[0]["subresources"] = json!({"status": {}});
    let _defined = Defined::new(arm, &definition("widgets", "Widget", versions), WIDGETS);
    let path = format!("{WIDGETS}/w");
    let mut object = widget("w", json!({"a": 1}));
    object["status"] = json!({"b": 1});
    arm.create(WIDGETS, object);
    arm.patch(&path, "merge", json!({"status": {"b": 2}}));
    arm.patch(&path, "merge", json!({"spec": {"a": 2}, "status": {"b": 2}}));
    arm.patch(&path, "merge", json!({"data": {"c": 2}}));
    arm.patch(&format!("{path}/status"), "merge", json!({"spec": {"a": 7}, "status": {"b": 3}}));
    arm.patch(&format!("{path}/status"), "merge", json!({"metadata": {"labels": {"x": "y"}}, "status": {"b": 4}}));
    arm.patch(&format!("{path}/status"), "merge", json!({"status": {"b": 6}}));
    arm.get(&format!("{path}/status"));
    let mut object = widget("w", json!({"a": 9}));
    object["status"] = json!({"b": 5});
    arm.replace(&format!("{path}/status"), object.clone());
    object["metadata"]["resourceVersion"] = arm.look(&path).body["metadata"]["resourceVersion"].clone();
    arm.replace(&format!("{path}/status"), object.clone());
    arm.replace(&path, object);
    arm.patch(&format!("{path}/scale"), "merge", json!({"spec": {"replicas": 3}}));
}
