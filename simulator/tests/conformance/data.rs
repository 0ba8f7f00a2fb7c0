//! ConfigMaps and Secrets beyond their lives: keys, types, and what may not change.

use serde_json::{Value, json};

use super::arms::Arm;

const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";
const SECRETS: &str = "/api/v1/namespaces/SPACE/secrets";

bodies! {
    keys_of_config_maps_are_checked
    a_config_map_may_be_immutable
    config_maps_have_a_limit
    no_bytes_are_as_many_as_none
    types_of_secrets_need_their_keys
    a_secret_may_be_immutable
    the_type_of_a_secret_stays
    secrets_are_found_by_their_type
}

fn each(arm: &Arm, path: &str, objects: &[Value]) {
    for (index, object) in objects.iter().enumerate() {
        let mut object = object.clone();
        object["metadata"]["name"] = json!(format!("data-{index}"));
        arm.create(path, object);
    }
}

fn keys_of_config_maps_are_checked(arm: &Arm) {
    each(
        arm,
        MAPS,
        &[
            json!({"data": {"a b": "c"}}),
            json!({"data": {"": "c"}}),
            json!({"data": {".": "d"}}),
            json!({"data": {"..": "e"}}),
            json!({"data": {"..f": "g"}}),
            json!({"data": {"a": "b"}, "binaryData": {"a": "Yg=="}}),
            json!({"data": {"a": "b"}, "binaryData": {"c": "Yg=="}}),
            json!({"binaryData": {"a/b": ""}}),
            json!({"data": {"A.b_c-d": ""}}),
        ],
    );
}

fn a_config_map_may_be_immutable(arm: &Arm) {
    let map = format!("{MAPS}/motd");
    arm.create(MAPS, json!({"metadata": {"name": "motd"}, "data": {"a": "b"}, "immutable": true}));
    for change in [
        json!({"data": {"a": "c"}}),
        json!({"immutable": false}),
        json!({"immutable": null, "data": null}),
        json!({"binaryData": {"c": "Yg=="}}),
        json!({"metadata": {"labels": {"app": "web"}}}),
    ] {
        arm.patch(&map, "merge", change);
    }
    arm.delete(&map);
}

fn config_maps_have_a_limit(arm: &Arm) {
    let answer = arm.exchange(
        "POST",
        &MAPS.replace("SPACE", &arm.space),
        "application/json",
        &json!({"metadata": {"name": "large"}, "data": {"a": "x".repeat(1 << 20), "b": "y"}}),
    );
    assert_eq!(answer.code, 422);
    assert_eq!(answer.body["details"]["causes"][0]["message"], "Too long: may not be more than 1048576 bytes");
}

fn types_of_secrets_need_their_keys(arm: &Arm) {
    each(
        arm,
        SECRETS,
        &[
            json!({"type": "kubernetes.io/tls"}),
            json!({"type": "kubernetes.io/basic-auth"}),
            json!({"type": "kubernetes.io/basic-auth", "stringData": {"username": "ada"}}),
            json!({"type": "kubernetes.io/ssh-auth"}),
            json!({"type": "kubernetes.io/ssh-auth", "stringData": {"ssh-privatekey": "none"}}),
            json!({"type": "kubernetes.io/dockerconfigjson"}),
            json!({"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "{}"}}),
            json!({"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "none"}}),
            json!({"type": "kubernetes.io/dockercfg", "stringData": {".dockercfg": "none"}}),
            json!({"type": "kubernetes.io/service-account-token"}),
            json!({"type": "example.com/own", "stringData": {"a b": "c"}}),
            json!({"data": {"a": "Yg=="}, "stringData": {"a": "c"}}),
            json!({"type": ""}),
            json!({"data": {"a": ""}, "stringData": null}),
        ],
    );
}

fn a_secret_may_be_immutable(arm: &Arm) {
    let secret = format!("{SECRETS}/key");
    arm.create(SECRETS, json!({"metadata": {"name": "key"}, "data": {"a": "Yg=="}, "immutable": true}));
    arm.patch(&secret, "merge", json!({"stringData": {"a": "c"}}));
    arm.patch(&secret, "merge", json!({"immutable": false}));
    arm.patch(&secret, "merge", json!({"metadata": {"annotations": {"seen": "yes"}}}));
}

fn the_type_of_a_secret_stays(arm: &Arm) {
    let secret = format!("{SECRETS}/key");
    arm.create(SECRETS, json!({"metadata": {"name": "key"}, "stringData": {"a": "b"}}));
    arm.patch(&secret, "merge", json!({"type": "example.com/own"}));
    arm.patch(&secret, "merge", json!({"type": null}));
    arm.patch(&secret, "merge", json!({"data": {"a": "bm90", "b": "YWxs"}}));
    arm.get(&secret);
}

fn secrets_are_found_by_their_type(arm: &Arm) {
    each(arm, SECRETS, &[json!({}), json!({"type": "example.com/own"})]);
    arm.get(&format!("{SECRETS}?fieldSelector=type%3Dexample.com/own"));
    arm.get(&format!("{SECRETS}?fieldSelector=kind%3DOpaque"));
}

fn no_bytes_are_as_many_as_none(arm: &Arm) {
    arm.create(MAPS, json!({"metadata": {"name": "motd"}, "binaryData": {"a": null}}));
    arm.patch(&format!("{MAPS}/motd"), "json", json!([{"op": "add", "path": "/binaryData/b", "value": null}]));
    arm.create(SECRETS, json!({"metadata": {"name": "key"}, "data": {"a": null}}));
    arm.get(&format!("{SECRETS}/key"));
}
