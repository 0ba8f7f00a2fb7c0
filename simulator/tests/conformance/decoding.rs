//! What bodies of requests are read as, and what is said of those that can't be read.

use serde_json::json;

use super::arms::Arm;

const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";
const MAP: &str = "/api/v1/namespaces/SPACE/configmaps/m";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/SPACE/deployments";
const JSON: &str = "application/json";
const YAML: &str = "application/yaml";

bodies! {
    bodies_that_are_no_json
    bodies_of_other_kinds
    bodies_of_no_kind
    bodies_in_yaml
    yaml_that_is_malformed
    media_types_that_are_taken
    fields_that_nobody_knows
    fields_that_nobody_knows_in_depth
    fields_that_come_twice
    fields_of_another_type
    fields_of_another_type_in_depth
    numbers_that_do_not_fit
    unknown_fields_of_patches
    unknown_fields_of_applies
    a_validation_that_nobody_knows
    null_and_empty_fields
    bytes_that_are_no_base64
    times_and_amounts_that_are_none
    the_letters_of_fields_matter
    the_namespace_and_the_name_must_be_those_of_the_path
    dry_runs_that_nobody_knows
    managers_that_are_too_long
    applies_that_are_malformed
    types_of_patched_fields
    types_of_applied_fields
}

fn bodies_that_are_no_json(arm: &Arm) {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "7",
        "\"text\"",
        "{} {}",
        "{\"metadata\": {\"name\": \"m\"}, }",
        "not: json: at all",
        "{'a': 1}",
    ] {
        arm.send_text("POST", MAPS, JSON, text);
    }
}

fn bodies_of_other_kinds(arm: &Arm) {
    for (version, kind) in [
        ("v1", "Secret"),
        ("v1", "Nothing"),
        ("v2", "ConfigMap"),
        ("apps/v1", "Deployment"),
        ("example.com/v1", "ConfigMap"),
    ] {
        arm.create(MAPS, json!({"apiVersion": version, "kind": kind, "metadata": {"name": "m"}}));
    }
    arm.create(MAPS, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}}));
    arm.replace(MAP, json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "m"}}));
    arm.replace(MAP, json!({"apiVersion": "apps/v1", "kind": "ConfigMap", "metadata": {"name": "m"}}));
}

fn bodies_of_no_kind(arm: &Arm) {
    arm.create(MAPS, json!({"apiVersion": "v1", "metadata": {"name": "a"}}));
    arm.create(MAPS, json!({"kind": "ConfigMap", "metadata": {"name": "b"}}));
    arm.create(MAPS, json!({"kind": "", "apiVersion": "", "metadata": {"name": "c"}}));
    arm.create(MAPS, json!({"kind": 7, "metadata": {"name": "d"}}));
    arm.create(MAPS, json!({"kind": "Secret", "metadata": {"name": "e"}}));
    arm.create(MAPS, json!({"apiVersion": "v2", "metadata": {"name": "f"}}));
    arm.create(MAPS, json!({}));
}

fn bodies_in_yaml(arm: &Arm) {
    arm.send_text(
        "POST",
        MAPS,
        YAML,
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n  a: \"1\"\n  b: |\n    two\n    lines\n",
    );
    arm.send_text("PUT", MAP, YAML, "metadata: {name: m}\ndata: {a: one}\n");
    arm.send_text(
        "PATCH",
        &format!("{MAP}?fieldManager=me"),
        "application/apply-patch+yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n  c: \"3\"\n",
    );
    arm.send_text("POST", MAPS, YAML, "{\"metadata\": {\"name\": \"json\"}, \"data\": {\"yes\": \"yes\"}}");
    arm.send_text("POST", MAPS, YAML, "metadata:\n  name: second\n---\nmetadata:\n  name: third\n");
    arm.send_text("DELETE", MAP, YAML, "kind: DeleteOptions\napiVersion: v1\npropagationPolicy: Background\n");
}

fn yaml_that_is_malformed(arm: &Arm) {
    for text in ["a: b: c", "metadata: [", "metadata:\n\tname: x"] {
        // Where it is malformed is told in the words of the reader.
        let answer = arm.dismiss("POST", MAPS, YAML, text);
        arm.answered(&format!("a body of YAML: {text}"), &answer, false);
    }
    for text in ["- 1", "text", "data:\n  a: 1\nmetadata:\n  name: m\n", "data:\n  a: yes\nmetadata:\n  name: m\n"] {
        arm.send_text("POST", MAPS, YAML, text);
    }
}

fn media_types_that_are_taken(arm: &Arm) {
    let body = "{\"metadata\": {\"generateName\": \"m-\"}}";
    for form in [
        "",
        "application/json; charset=utf-8",
        "text/plain",
        "application/xml",
        "application/vnd.kubernetes.protobuf",
        "application/cbor",
        "*/*",
        "application/merge-patch+json",
        "json",
    ] {
        let answer = arm.dismiss("POST", MAPS, form, body);
        arm.answered(&format!("a body of the form `{form}`"), &answer, answer.code >= 400);
    }
}

fn fields_that_nobody_knows(arm: &Arm) {
    let object = |name: &str| json!({"metadata": {"name": name, "color": "red"}, "data": {"a": "1"}, "colour": {"x": 1}, "taste": null});
    arm.create(MAPS, object("default"));
    arm.create(&format!("{MAPS}?fieldValidation=Warn"), object("warn"));
    arm.create(&format!("{MAPS}?fieldValidation=Ignore"), object("ignore"));
    arm.create(&format!("{MAPS}?fieldValidation=Strict"), object("strict"));
    arm.replace(&format!("{MAPS}/warn?fieldValidation=Strict"), object("warn"));
    arm.replace(&format!("{MAPS}/warn"), object("warn"));
}

fn deployment(arm: &Arm, options: &str, change: impl Fn(&mut serde_json::Value)) {
    let mut object = json!({
        "metadata": {"name": "web"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}, {"name": "side", "image": "side:1"}]},
        }},
    });
    change(&mut object);
    arm.create(&format!("{DEPLOYMENTS}?dryRun=All&{options}"), object);
}

fn fields_that_nobody_knows_in_depth(arm: &Arm) {
    for options in ["fieldValidation=Strict", "fieldValidation=Warn"] {
        deployment(arm, options, |object| {
            object["spec"]["template"]["spec"]["containers"][1]["imagePullPolice"] = json!("Always");
            object["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "A", "valeu": "1"}]);
            object["spec"]["replica"] = json!(3);
            object["metadata"]["labels"] = json!({"any": "thing"});
            object["spec"]["selector"]["matchLabel"] = json!({});
        });
    }
}

fn fields_that_come_twice(arm: &Arm) {
    let text = "{\"metadata\": {\"name\": \"twice\", \"name\": \"m\", \"labels\": {\"a\": \"1\", \"a\": \"2\"}}, \"data\": {\"a\": \"1\"}, \"data\": {\"b\": \"2\"}}";
    for options in ["", "?fieldValidation=Strict", "?fieldValidation=Ignore&dryRun=All"] {
        arm.send_text("POST", &format!("{MAPS}{options}"), JSON, text);
    }
    let yaml = "metadata:\n  name: y\n  name: z\ndata:\n  a: \"1\"\n  a: \"2\"\n";
    for options in ["?dryRun=All", "?fieldValidation=Strict", "?fieldValidation=Ignore&dryRun=All"] {
        arm.send_text("POST", &format!("{MAPS}{options}"), YAML, yaml);
    }
    for form in ["merge", "strategic-merge"] {
        for options in ["", "?fieldValidation=Strict"] {
            let form = format!("application/{form}-patch+json");
            arm.send_text("PATCH", &format!("{MAP}{options}"), &form, "{\"data\": {\"a\": \"1\", \"a\": \"2\"}}");
        }
    }
    arm.send_text(
        "PATCH",
        &format!("{MAP}?fieldValidation=Strict"),
        "application/json-patch+json",
        "[{\"op\": \"test\", \"op\": \"add\", \"path\": \"/data/x\", \"value\": \"1\", \"colour\": 1}]",
    );
    arm.send_text(
        "PATCH",
        MAP,
        "application/json-patch+json",
        "[{\"op\": \"test\", \"op\": \"add\", \"path\": \"/data/x\", \"value\": \"1\", \"colour\": 1}]",
    );
}

fn fields_of_another_type(arm: &Arm) {
    for object in [
        json!({"metadata": {"name": "m"}, "data": {"a": 1}}),
        json!({"metadata": {"name": "m"}, "data": {"a": true}}),
        json!({"metadata": {"name": "m"}, "data": {"a": {"b": "c"}}}),
        json!({"metadata": {"name": "m"}, "data": {"a": ["b"]}}),
        json!({"metadata": {"name": "m"}, "data": "text"}),
        json!({"metadata": {"name": "m"}, "data": ["text"]}),
        json!({"metadata": {"name": "m"}, "immutable": "yes"}),
        json!({"metadata": {"name": 7}}),
        json!({"metadata": "m"}),
        json!({"metadata": ["m"]}),
        json!({"metadata": {"name": "m", "labels": {"a": 1}}}),
        json!({"metadata": {"name": "m", "finalizers": "x"}}),
        json!({"metadata": {"name": "m", "finalizers": [1]}}),
        json!({"metadata": {"name": "m", "generation": "x"}}),
        json!({"metadata": {"name": "m", "ownerReferences": [{"controller": "yes"}]}}),
        json!({"metadata": {"name": "m", "ownerReferences": {"controller": "yes"}}}),
    ] {
        arm.create(MAPS, object);
    }
}

fn fields_of_another_type_in_depth(arm: &Arm) {
    type Change = fn(&mut serde_json::Value);
    let changes: [Change; 12] = [
        |object| object["spec"]["replicas"] = json!("3"),
        |object| object["spec"]["paused"] = json!("yes"),
        |object| object["spec"]["selector"] = json!("app=web"),
        |object| object["spec"]["template"]["spec"]["containers"] = json!({}),
        |object| object["spec"]["template"]["spec"]["containers"][1] = json!("side"),
        |object| object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(1),
        |object| object["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([{"containerPort": "80"}]),
        |object| object["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "A", "value": 1}]),
        |object| object["spec"]["template"]["spec"]["containers"][0]["env"] = json!({"A": "1"}),
        |object| object["spec"]["template"]["spec"]["containers"][0]["command"] = json!("run"),
        |object| object["spec"]["template"]["spec"]["securityContext"] = json!({"runAsUser": "root"}),
        |object| object["spec"]["strategy"] = json!({"rollingUpdate": {"maxSurge": true}}),
    ];
    for change in changes {
        deployment(arm, "", change);
    }
}

fn numbers_that_do_not_fit(arm: &Arm) {
    for replicas in ["1.5", "3000000000", "1e2", "1.0", "99999999999999999999", "01"] {
        let text = format!("{{\"metadata\": {{\"name\": \"web\"}}, \"spec\": {{\"replicas\": {replicas}}}}}");
        arm.send_text("POST", &format!("{DEPLOYMENTS}?dryRun=All"), JSON, &text);
    }
}

fn unknown_fields_of_patches(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "m"}, "data": {"a": "1"}}));
    for form in ["merge", "strategic-merge"] {
        for options in ["", "?fieldValidation=Strict", "?fieldValidation=Ignore"] {
            arm.patch(&format!("{MAP}{options}"), form, json!({"colour": "red", "metadata": {"taste": "sweet"}}));
        }
    }
    for options in ["", "?fieldValidation=Strict", "?fieldValidation=Ignore"] {
        arm.patch(&format!("{MAP}{options}"), "json", json!([{"op": "add", "path": "/colour", "value": "red"}]));
    }
    arm.get(MAP);
}

fn unknown_fields_of_applies(arm: &Arm) {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "colour": "red"});
    for options in ["", "?fieldValidation=Strict", "?fieldValidation=Ignore"] {
        arm.apply(&format!("{MAP}{options}"), "me", object.clone());
    }
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n  a: \"1\"\n  a: \"2\"\n";
    for options in ["", "&fieldValidation=Strict", "&fieldValidation=Ignore"] {
        arm.send_text("PATCH", &format!("{MAP}?fieldManager=me{options}"), "application/apply-patch+yaml", yaml);
    }
}

fn a_validation_that_nobody_knows(arm: &Arm) {
    arm.create(&format!("{MAPS}?fieldValidation=strict"), json!({"metadata": {"name": "m"}}));
    arm.replace(&format!("{MAP}?fieldValidation=Never"), json!({"metadata": {"name": "m"}}));
    arm.patch(&format!("{MAP}?fieldValidation=Never"), "merge", json!({}));
}

fn null_and_empty_fields(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "m", "labels": {}, "annotations": null, "finalizers": [], "generateName": ""}, "data": null, "binaryData": {}}));
    arm.create(
        MAPS,
        json!({"metadata": {"name": "n", "labels": {"a": null}}, "data": {"a": null, "b": ""}, "immutable": false}),
    );
    arm.replace(MAP, json!({"metadata": {"name": "m"}, "data": {}}));
}

fn bytes_that_are_no_base64(arm: &Arm) {
    for text in ["aGVsbG8=", "hello!", "aGVsbG8", "", "aGVs\nbG8="] {
        arm.create(&format!("{MAPS}?dryRun=All"), json!({"metadata": {"name": "m"}, "binaryData": {"a": text}}));
    }
    arm.create(MAPS, json!({"metadata": {"name": "m"}, "binaryData": {"a": 1}}));
}

fn times_and_amounts_that_are_none(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "m", "creationTimestamp": "yesterday"}}));
    arm.create(MAPS, json!({"metadata": {"name": "m", "creationTimestamp": 7}}));
    arm.create(
        MAPS,
        json!({"metadata": {"name": "m", "deletionTimestamp": "2020-01-01T00:00:00Z", "creationTimestamp": null}}),
    );
    deployment(arm, "", |object| {
        object["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "lots"}});
    });
    deployment(arm, "", |object| {
        object["spec"]["template"]["spec"]["containers"][0]["resources"] =
            json!({"requests": {"cpu": 1.5, "memory": "1.5Gi"}});
    });
    deployment(arm, "", |object| {
        object["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": true}});
    });
}

fn the_letters_of_fields_matter(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "m"}, "Data": {"a": "1"}}));
    arm.create(&format!("{MAPS}?fieldValidation=Strict"), json!({"Metadata": {"name": "n"}}));
}

fn the_namespace_and_the_name_must_be_those_of_the_path(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "m", "namespace": "default"}}));
    arm.create(MAPS, json!({"metadata": {"name": "m", "namespace": "SPACE"}}));
    arm.replace(MAP, json!({"metadata": {"name": "other"}}));
    arm.replace(MAP, json!({"metadata": {"name": "m", "namespace": "default"}}));
    arm.replace(MAP, json!({"metadata": {}, "data": {"a": "1"}}));
    arm.replace(MAP, json!({"data": {"a": "1"}}));
    arm.create("/api/v1/namespaces/none-such/configmaps", json!({"metadata": {"name": "m"}}));
    arm.create("/api/v1/configmaps", json!({"metadata": {"name": "m", "namespace": "SPACE"}}));
    arm.create(&format!("{MAPS}/m"), json!({"metadata": {"name": "m"}}));
    arm.create("/api/v1/nodes", json!({"metadata": {"name": "SPACE-node", "namespace": "SPACE"}}));
    // Others count the nodes of the one real cluster.
    arm.dismiss("DELETE", "/api/v1/nodes/SPACE-node", "", "");
}

fn dry_runs_that_nobody_knows(arm: &Arm) {
    arm.create(&format!("{MAPS}?dryRun=true"), json!({"metadata": {"name": "m"}}));
    arm.create(&format!("{MAPS}?dryRun=All&dryRun=None"), json!({"metadata": {"name": "m"}}));
    arm.create(&format!("{MAPS}?dryRun=All"), json!({"metadata": {"name": "m"}}));
    arm.create(
        &format!("{MAPS}?dryRun=All"),
        json!({"metadata": {"generateName": "m-"}, "data": {"a": "1"}, "immutable": true}),
    )
    .body["metadata"]["name"]
        .as_str()
        .unwrap();
    arm.create(MAPS, json!({"metadata": {"name": "m"}}));
    arm.create(&format!("{MAPS}?dryRun=All"), json!({"metadata": {"name": "m"}}));
    arm.replace(&format!("{MAP}?dryRun=all"), json!({"metadata": {"name": "m"}}));
    arm.patch(&format!("{MAP}?dryRun=some"), "merge", json!({}));
    arm.send("DELETE", &format!("{MAP}?dryRun=some"), "", &serde_json::Value::Null);
    arm.send("DELETE", &format!("{MAP}?dryRun=All"), "", &serde_json::Value::Null);
    arm.get(MAP);
}

fn managers_that_are_too_long(arm: &Arm) {
    let long = "m".repeat(129);
    arm.create(&format!("{MAPS}?fieldManager={long}"), json!({"metadata": {"name": "m"}}));
    arm.create(&format!("{MAPS}?fieldManager=a%0Ab"), json!({"metadata": {"name": "m"}}));
    arm.create(&format!("{MAPS}?fieldManager=a%20b"), json!({"metadata": {"name": "m"}}));
    arm.patch(&format!("{MAP}?fieldManager={long}"), "merge", json!({}));
    arm.patch(&format!("{MAP}?force=true"), "merge", json!({}));
    arm.send("PATCH", MAP, "application/apply-patch+yaml", &json!({}));
    arm.apply(MAP, &long, json!({}));
}

fn applies_that_are_malformed(arm: &Arm) {
    for object in [
        json!({}),
        json!([1]),
        json!("text"),
        json!({"apiVersion": "v1"}),
        json!({"kind": "ConfigMap"}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "m"}}),
        json!({"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "m"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap"}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "default"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "managedFields": []}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "managedFields": [{}]}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "uid": "53b00d6b-8260-44ce-ac31-b8020962872e"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "resourceVersion": "1"}}),
    ] {
        arm.apply(MAP, "me", object);
    }
    arm.send_text("PATCH", &format!("{MAP}?fieldManager=me"), "application/apply-patch+yaml", "");
    arm.get(MAP);
}

fn types_of_patched_fields(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "m"}, "data": {"a": "1"}}));
    for patch in [
        json!({"data": {"a": 1}}),
        json!({"data": "x"}),
        json!({"metadata": {"labels": ["a"]}}),
        json!({"immutable": "x"}),
        json!({"data": {"a": {"b": 1.5}}}),
    ] {
        arm.patch(MAP, "strategic-merge", patch);
    }
    arm.get(MAP);
}

fn types_of_applied_fields(arm: &Arm) {
    let object = |field: &str, value: serde_json::Value| {
        let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}});
        object[field] = value;
        object
    };
    for object in [
        object("data", json!({"a": 1})),
        object("data", json!("x")),
        object("data", json!([1])),
        object("immutable", json!("x")),
        object("binaryData", json!({"a": "!"})),
        object("data", json!({"a": null})),
    ] {
        arm.apply(MAP, "me", object);
    }
    arm.get(MAP);
}
