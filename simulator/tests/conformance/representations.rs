//! In which form an answer comes: as the object, a table, its metadata, in JSON or YAML, or not at all.

use serde_json::{Value, json};

use super::{arms::Arm, lists::define, settled::Scene as _};

pub const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
pub const METADATA: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
pub const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
const YAML: &str = "application/yaml";
const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";

const SECRETS: &str = "/api/v1/namespaces/SPACE/secrets";
const SECRET: &str = "/api/v1/namespaces/SPACE/secrets/a";

bodies! {
    the_first_form_that_can_be_had_is_taken
    forms_that_nobody_has_are_refused
    shapes_that_nobody_has_are_refused
    an_object_is_shown_as_a_table
    what_comes_along_with_a_row_can_be_said
    an_object_is_no_list
    metadata_is_all_that_some_want
    older_clients_ask_for_older_tables
    what_is_written_comes_back_in_the_form_that_was_asked_for
    what_is_said_of_a_refusal_stays_a_status
    a_scale_is_shown_as_a_table
    defined_kinds_have_their_own_refusals
    answers_to_questions_are_no_tables
    objects_come_as_yaml
    texts_of_any_sort_come_as_yaml
}

fn secret(arm: &Arm) {
    arm.make(SECRETS, json!({"metadata": {"name": "a", "labels": {"tier": "web"}}, "data": {"key": "Yg=="}}));
}

fn each(arm: &Arm, path: &str, forms: &[&str]) {
    for accept in forms {
        arm.get_as(path, accept);
    }
}

fn the_first_form_that_can_be_had_is_taken(arm: &Arm) {
    secret(arm);
    each(
        arm,
        SECRET,
        &[
            "",
            "*/*",
            "text/html, */*",
            "application/json;q=0.5",
            "application/json, application/yaml",
            "text/html, application/json;profile=x",
            "application/json;charset=utf-8",
            "application/json; pretty=1",
            "application/json;stream=watch",
            "application/json;as=Table;v=v9;g=meta.k8s.io, application/json",
            "application/json;as=Table;v=v1;g=meta.k8s.io;q=0.1, application/json",
        ],
    );
}

fn forms_that_nobody_has_are_refused(arm: &Arm) {
    secret(arm);
    let forms = ["text/html", "application/*", "application/xml", "garbage", "application/cbor"];
    for accept in forms {
        let answer = arm.look_as(SECRET, accept);
        // What the other server has besides, this one has not.
        let message = answer.body["message"].as_str().unwrap().replace(", application/vnd.kubernetes.protobuf", "");
        arm.note(accept, json!([answer.code, message, answer.body["reason"], answer.body["details"]]));
    }
}

fn shapes_that_nobody_has_are_refused(arm: &Arm) {
    secret(arm);
    for accept in [
        "application/json;as=Table",
        "application/json;as=Table;v=v1",
        "application/json;as=Table;v=v1;g=foo",
        "application/json;as=Table;v=v2;g=meta.k8s.io",
        "application/json;as=Foo;v=v1;g=meta.k8s.io",
        "application/json;as=PartialObjectMetadata;v=v2;g=meta.k8s.io",
        "application/json;v=v1;g=meta.k8s.io",
        "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io",
    ] {
        let answer = arm.look_as(SECRET, accept);
        let message = answer.body["message"].as_str().unwrap().replace(", application/vnd.kubernetes.protobuf", "");
        arm.note(accept, json!([answer.code, message, answer.body["reason"], answer.body["details"]]));
    }
}

fn an_object_is_shown_as_a_table(arm: &Arm) {
    secret(arm);
    arm.get_as(SECRET, TABLE);
    arm.get_as(SECRETS, TABLE);
    arm.get_as(&format!("{SECRETS}?limit=1&labelSelector=none"), TABLE);
    arm.make(SECRETS, json!({"metadata": {"name": "b"}}));
    arm.get_as(&format!("{SECRETS}?limit=1"), &format!("{TABLE},{JSON}"));
    arm.get_as(SECRET, "application/json;as=Table; v=v1; g=meta.k8s.io");
    arm.get_as("/api/v1/namespaces/SPACE", TABLE);
}

fn what_comes_along_with_a_row_can_be_said(arm: &Arm) {
    secret(arm);
    for include in ["None", "Metadata", "Object", "All", "none", ""] {
        arm.get_as(&format!("{SECRET}?includeObject={include}"), TABLE);
        arm.get_as(&format!("{SECRETS}?includeObject={include}"), TABLE);
    }
    arm.get_as(&format!("{SECRETS}?includeObject=All"), JSON);
    arm.get_as(&format!("{SECRET}?includeObject=None"), METADATA);
}

fn an_object_is_no_list(arm: &Arm) {
    secret(arm);
    arm.get_as(SECRETS, METADATA);
    arm.get_as(SECRET, METADATA_LIST);
    arm.get_as("/apis/apps/v1/namespaces/SPACE/deployments", METADATA);
    arm.get_as("/apis/rbac.authorization.k8s.io/v1/clusterroles/admin", METADATA_LIST);
    arm.get_as("/apis/events.k8s.io/v1/namespaces/SPACE/events", METADATA);
}

fn metadata_is_all_that_some_want(arm: &Arm) {
    secret(arm);
    arm.get_as(SECRET, METADATA);
    arm.get_as(SECRETS, METADATA_LIST);
    arm.get_as("/api/v1/namespaces/none-SPACE/secrets", METADATA_LIST);
    arm.make(SECRETS, json!({"metadata": {"name": "b"}}));
    arm.get_as(&format!("{SECRETS}?limit=1"), METADATA_LIST);
    arm.get_as("/api/v1/namespaces/SPACE", METADATA);
}

fn older_clients_ask_for_older_tables(arm: &Arm) {
    secret(arm);
    for accept in [TABLE, METADATA] {
        arm.get_as(SECRET, &accept.replace("v=v1", "v=v1beta1"));
    }
    arm.get_as(SECRETS, &TABLE.replace("v=v1", "v=v1beta1"));
    arm.get_as(SECRETS, &METADATA_LIST.replace("v=v1", "v=v1beta1"));
}

fn what_is_written_comes_back_in_the_form_that_was_asked_for(arm: &Arm) {
    let object = |name: &str| json!({"metadata": {"name": name}});
    arm.send_as("POST", SECRETS, JSON, TABLE, &object("a"));
    arm.send_as("POST", SECRETS, JSON, METADATA, &object("b"));
    arm.send_as("POST", SECRETS, JSON, TABLE, &object("b"));
    arm.send_as("POST", SECRETS, JSON, METADATA_LIST, &object("c"));
    arm.send_as("POST", &format!("{SECRETS}?includeObject=None"), JSON, TABLE, &object("d"));
    arm.send_as("PATCH", SECRET, MERGE, TABLE, &json!({"data": {"key": "Yg=="}}));
    arm.send_as("PATCH", SECRET, MERGE, METADATA, &json!({"data": {"key": "Yg=="}}));
    arm.send_as("PUT", SECRET, JSON, TABLE, &json!({"metadata": {"name": "a"}, "data": {"other": "Yg=="}}));
    arm.send_as("DELETE", SECRET, "", TABLE, &Value::Null);
    arm.send_as("DELETE", &format!("{SECRETS}?fieldSelector=metadata.name%3Db"), "", METADATA_LIST, &Value::Null);
    arm.send_as("DELETE", SECRETS, "", TABLE, &Value::Null);
    arm.get(SECRETS);
}

fn what_is_said_of_a_refusal_stays_a_status(arm: &Arm) {
    for accept in [TABLE, METADATA] {
        arm.get_as(&format!("{SECRETS}/none"), accept);
        arm.get_as(&format!("{SECRETS}?resourceVersion=x"), accept);
        arm.get_as("/api/v1/nope", accept);
        arm.get_as("/apis/apps/v1/nope", accept);
        arm.send_as("POST", SECRETS, JSON, accept, &json!({"metadata": {"name": "A B"}}));
        arm.as_viewer(|| arm.get_as(SECRETS, accept));
    }
}

fn a_scale_is_shown_as_a_table(arm: &Arm) {
    let sets = "/apis/apps/v1/namespaces/SPACE/replicasets";
    arm.make(sets, json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "image:1"}]}},
        },
    }));
    arm.get_as(&format!("{sets}/web/scale"), TABLE);
    arm.get_as(&format!("{sets}/web/scale"), METADATA);
    arm.send_as("PATCH", &format!("{sets}/web/scale"), MERGE, TABLE, &json!({"spec": {"replicas": 0}}));
}

fn defined_kinds_have_their_own_refusals(arm: &Arm) {
    let tops = "/apis/shown.SPACE.com/v1/namespaces/SPACE/tops";
    define(arm, "shown.SPACE.com");
    arm.make(tops, json!({"apiVersion": arm.placed("shown.SPACE.com/v1"), "kind": "Top", "metadata": {"name": "a"}, "spec": {"replicas": 2}}));
    for (path, accept) in [
        (tops.to_owned(), METADATA),
        (tops.to_owned(), METADATA_LIST),
        (format!("{tops}/a"), METADATA),
        (format!("{tops}/a"), METADATA_LIST),
        (tops.to_owned(), TABLE),
        (format!("{tops}/a/status"), TABLE),
        (format!("{tops}/a/scale"), TABLE),
        (format!("{tops}/a/scale"), METADATA),
        (format!("{tops}?limit=1"), TABLE),
    ] {
        arm.get_as(&path, accept);
    }
    as_text(arm, &format!("{tops}/a"), YAML);
    for accept in ["text/html", "application/json;as=Foo;v=v1;g=meta.k8s.io"] {
        let answer = arm.look_as(tops, accept);
        let message = answer.body["message"].as_str().unwrap().replace(", application/vnd.kubernetes.protobuf", "");
        arm.note(accept, json!([answer.code, message, answer.body["reason"], answer.body["details"]]));
    }
    arm.drop("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tops.shown.SPACE.com");
}

/// What comes as text, without what differs from run to run.
fn as_text(arm: &Arm, path: &str, accept: &str) {
    let answer = arm.look_as(path, accept);
    let text = answer.body.as_str().unwrap_or_default();
    let is_chance = |line: &&str| {
        ["resourceVersion:", "uid:", "creationTimestamp:", "time:"].iter().any(|key| line.trim_start().starts_with(key))
    };
    let lines: Vec<&str> = text.lines().filter(|line| !is_chance(line)).collect();
    arm.note(&format!("{path} as {accept}"), json!([answer.code, answer.form, lines]));
}

fn objects_come_as_yaml(arm: &Arm) {
    secret(arm);
    as_text(arm, SECRET, YAML);
    as_text(arm, SECRETS, YAML);
    as_text(arm, "/api/v1/namespaces/none-SPACE/secrets", YAML);
    as_text(arm, &format!("{SECRETS}/none"), YAML);
    as_text(arm, SECRET, &METADATA.replace("json", "yaml"));
    as_text(arm, SECRET, &format!("{YAML}, {JSON}"));
    as_text(arm, SECRET, "application/json;q=0.5, application/yaml");
    as_text(arm, "/api/v1/nope", YAML);
}

fn answers_to_questions_are_no_tables(arm: &Arm) {
    let access = json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "SPACE"}}});
    let of_viewer = json!({"spec": {"user": "viewer", "resourceAttributes": access["spec"]["resourceAttributes"]}});
    let (authorization, authentication) = ("/apis/authorization.k8s.io/v1", "/apis/authentication.k8s.io/v1");
    for (path, question) in [
        (format!("{authorization}/selfsubjectaccessreviews"), access.clone()),
        (format!("{authorization}/subjectaccessreviews"), of_viewer.clone()),
        (format!("{authorization}/namespaces/SPACE/localsubjectaccessreviews"), of_viewer),
        (format!("{authorization}/selfsubjectrulesreviews"), json!({"spec": {"namespace": "SPACE"}})),
        (format!("{authentication}/selfsubjectreviews"), json!({})),
        (format!("{authentication}/tokenreviews"), json!({"spec": {"token": "wrong"}})),
    ] {
        for accept in [TABLE, METADATA] {
            arm.send_as("POST", &path, JSON, accept, &question);
        }
    }
    let path = format!("{authorization}/selfsubjectaccessreviews");
    arm.send_as("POST", &path, JSON, &format!("{TABLE},application/json"), &access);
    arm.send_as("POST", &path, JSON, TABLE, &json!({"spec": {}}));
}

fn texts_of_any_sort_come_as_yaml(arm: &Arm) {
    let long = "Name must be unique within a namespace. Is required when creating resources, although some resources may \
                allow a client to request it";
    let texts = [
        "true",
        "1",
        "1.5e3",
        "null",
        "~",
        "",
        "2026-01-01",
        "2026-01-01T09:00:00Z",
        "a: b",
        "a:",
        "a #b",
        "- a",
        "it's",
        "say \"no\"",
        "it's \"so\"",
        "a\nb\n",
        "a\n\nb\n\n",
        "a\nb",
        "  a\n  b\n",
        "a\tb",
        "*a",
        "@a",
        "[a]",
        "{a}",
        " a",
        "a ",
        "gr\u{fc}n",
        "0777",
        "0x1f",
        "1_000",
        "yes",
        "n",
        "%a",
        "a,b",
        "?a",
        "|",
        "1.2.3",
        "1:30",
        "=",
        "a\\b",
        ".inf",
        "a\r\nb",
        "-",
        "--- a",
        "a:b",
        "!a",
        "&a",
        "a\n",
        "\n",
        "0o17",
        "+1",
        "-1",
        "1e",
        "0.5",
        ".5",
        "5.",
        "1,000",
        "<<",
        "{}",
        "a'b: c",
        long,
        &format!("{long}: always"),
        &format!("{long} \"or\" not"),
        &"x".repeat(200),
    ];
    let texts: Value = texts.iter().enumerate().map(|(at, text)| (format!("text-{at:02}"), json!(text))).collect();
    arm.make("/api/v1/namespaces/SPACE/configmaps", json!({"metadata": {"name": "texts"}, "data": texts}));
    let path = "/api/v1/namespaces/SPACE/configmaps/texts";
    let answer = arm.look_as(path, YAML);
    let text = answer.body.as_str().unwrap_or_default();
    let data: Vec<&str> =
        text.lines().skip_while(|line| *line != "data:").take_while(|line| *line != "kind: ConfigMap").collect();
    arm.note("data", json!(data));
}
