//! Kustomizations: manifests that are applied, filled in, and taken away.

use std::time::Duration;

use serde_json::{Value, json};

use super::{KUSTOMIZATIONS, Lab, SOURCES};
use crate::arms::Arm;

bodies! {
    manifests_are_applied
    manifests_are_taken_away
    manifests_go_with_their_object
    manifests_are_filled_in
    manifests_that_are_never_healthy
    a_folder_that_is_not_there
    a_source_that_is_not_there
    a_source_that_has_nothing
    a_dependency_of_manifests_that_is_not_there
    manifests_that_wait_for_each_other
    substitutes_that_are_not_there
    manifests_of_a_kind_that_is_not_there
    manifests_for_a_namespace_that_is_not_there
    secrets_that_can_not_be_read
    manifests_are_changed_on_their_way
    numbers_are_filled_in_where_texts_should_be
    nothing_is_filled_in_where_numbers_should_be
    variables_that_are_not_closed
    variables_that_nobody_knows
    variables_whose_names_are_none
    a_folder_that_can_not_be_built
    secrets_are_decrypted
    secrets_for_another_key
    a_key_that_is_none
    secrets_that_nobody_decrypts
}

/// A Kustomization with its tree.
fn shop(lab: &Lab<'_>, more: Value) -> String {
    lab.tree("shop", "shop", json!({"tag": "v1"}));
    lab.until(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "Succeeded");
    lab.kustomization("shop", "shop", more);
    format!("{KUSTOMIZATIONS}/shop")
}

/// The same with a Deployment, whose pods may run where there is no zone.
fn front(lab: &Lab<'_>, more: Value) -> String {
    lab.tree("front", "front", json!({"tag": "v1"}));
    lab.until(&format!("{SOURCES}/ocirepositories/front"), "Ready", "Succeeded");
    lab.kustomization("front", "front", more);
    format!("{KUSTOMIZATIONS}/front")
}

fn manifests_are_applied(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({}));
    lab.tells(&shop, "Ready", "ReconciliationSucceeded");
    let settings = arm.look("/api/v1/namespaces/SPACE/configmaps/settings").body;
    arm.note("its object", json!([settings["metadata"]["labels"], settings["metadata"]["managedFields"]]));
    lab.ask(&shop, "one", &[]);
    arm.look_until(&shop, |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&shop, "Ready", "ReconciliationSucceeded");
    lab.change("/api/v1/namespaces/SPACE/configmaps/settings", json!({"data": {"colour": "red"}}));
    lab.ask(&shop, "two", &[]);
    arm.look_until("/api/v1/namespaces/SPACE/configmaps/settings", |answer| answer.body["data"]["colour"] == "blue");
    lab.tells(&shop, "Ready", "ReconciliationSucceeded");
}

fn manifests_are_taken_away(arm: &Arm) {
    let lab = Lab::new(arm);
    let front = front(&lab, json!({"postBuild": {"substitute": {"zone": "nowhere", "colour": "red"}}}));
    lab.until(&front, "Ready", "ReconciliationSucceeded");
    lab.tree("shop", "shop", json!({"tag": "v1"}));
    lab.until(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "Succeeded");
    lab.change(&front, json!({"spec": {"sourceRef": {"name": "shop"}}}));
    arm.look_until("/apis/apps/v1/namespaces/SPACE/deployments/front", |answer| answer.code == 404);
    lab.tells(&front, "Ready", "ReconciliationSucceeded");
}

fn manifests_go_with_their_object(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({}));
    lab.until(&shop, "Ready", "ReconciliationSucceeded");
    let object = arm.look(&shop).body;
    lab.sent("DELETE", &shop, "", &Value::Null);
    for left in [&shop, "/api/v1/namespaces/SPACE/configmaps/settings"] {
        arm.look_until(left, |answer| answer.code == 404);
    }
    arm.pass(Duration::from_millis(500));
    let mut events = lab.events(&object);
    // It says that it is done for another time, as for the last.
    events
        .as_array_mut()
        .unwrap()
        .retain(|event| event["message"].as_str().is_some_and(|message| message.contains("settings")));
    arm.note("events", events);
}

fn manifests_are_filled_in(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.data("configmaps", "colours", json!({"colour": "green", "zone": "nowhere"}));
    let filled = json!({"substituteFrom": [{"kind": "ConfigMap", "name": "colours"}], "substitute": {"colour": "red"}});
    let front = front(&lab, json!({"postBuild": filled}));
    lab.tells(&front, "Ready", "ReconciliationSucceeded");
    let settings = arm.look("/api/v1/namespaces/SPACE/configmaps/settings").body;
    let deployment = arm.look("/apis/apps/v1/namespaces/SPACE/deployments/front").body;
    arm.note("filled in", json!([settings["data"], deployment["spec"]["template"]["spec"]["nodeSelector"]]));
}

fn manifests_that_are_never_healthy(arm: &Arm) {
    let lab = Lab::new(arm);
    let checks = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "front", "namespace": "SPACE"}]);
    let filled = json!({"substitute": {"zone": "nowhere", "colour": "red"}});
    let front = front(&lab, json!({"healthChecks": checks, "postBuild": filled}));
    lab.tells(&front, "Ready", "HealthCheckFailed");
}

fn a_folder_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"path": "./nowhere"}));
    lab.tells(&shop, "Ready", "ArtifactFailed");
}

fn a_source_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.kustomization("shop", "nobody", json!({}));
    lab.tells(&format!("{KUSTOMIZATIONS}/shop"), "Ready", "ArtifactFailed");
}

fn a_source_that_has_nothing(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tree("shop", "shop", json!({"tag": "v9"}));
    lab.kustomization("shop", "shop", json!({}));
    lab.tells(&format!("{KUSTOMIZATIONS}/shop"), "Ready", "ArtifactFailed");
}

fn a_dependency_of_manifests_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"dependsOn": [{"name": "nobody"}]}));
    lab.tells(&shop, "Ready", "DependencyNotReady");
}

fn manifests_that_wait_for_each_other(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"dependsOn": [{"name": "egg"}]}));
    lab.kustomization("egg", "shop", json!({"dependsOn": [{"name": "shop"}]}));
    let ready = |answer: &crate::arms::Answer| answer.body["status"].to_string().contains("is not ready");
    lab.ask(&shop, "one", &[]);
    arm.look_until(&shop, ready);
    lab.tells(&format!("{KUSTOMIZATIONS}/egg"), "Ready", "DependencyNotReady");
}

fn substitutes_that_are_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "colours"}]}}));
    lab.tells(&shop, "Ready", "BuildFailed");
}

fn manifests_of_a_kind_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tree("things", "things", json!({"tag": "v1"}));
    lab.until(&format!("{SOURCES}/ocirepositories/things"), "Ready", "Succeeded");
    lab.kustomization("things", "things", json!({}));
    lab.tells(&format!("{KUSTOMIZATIONS}/things"), "Ready", "ReconciliationFailed");
}

fn manifests_for_a_namespace_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"targetNamespace": "SPACE-nowhere"}));
    lab.tells(&shop, "Ready", "ReconciliationFailed");
}

fn secrets_that_can_not_be_read(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = shop(&lab, json!({"decryption": {"provider": "sops", "secretRef": {"name": "age"}}}));
    lab.tells(&shop, "Ready", "BuildFailed");
}

/// A Kustomization of the tree with layers.
fn layered(lab: &Lab<'_>, more: Value) -> String {
    lab.tree("layered", "layered", json!({"tag": "v1"}));
    lab.until(&format!("{SOURCES}/ocirepositories/layered"), "Ready", "Succeeded");
    lab.kustomization("layered", "layered", more);
    format!("{KUSTOMIZATIONS}/layered")
}

/// One of the tree with an encrypted secret, which this key is to open.
fn sealed(lab: &Lab<'_>, key: Option<&str>) -> String {
    lab.tree("secret", "secret", json!({"tag": "v1"}));
    lab.until(&format!("{SOURCES}/ocirepositories/secret"), "Ready", "Succeeded");
    let decryption = key.map(|key| {
        lab.data("secrets", "age", json!({"age.agekey": key}));
        json!({"decryption": {"provider": "sops", "secretRef": {"name": "age"}}})
    });
    lab.kustomization("secret", "secret", decryption.unwrap_or_else(|| json!({})));
    format!("{KUSTOMIZATIONS}/secret")
}

fn manifests_are_changed_on_their_way(arm: &Arm) {
    let lab = Lab::new(arm);
    let patch = "- {op: add, path: /data/patched, value: a text}";
    let layered = layered(
        &lab,
        json!({
            "path": "./app", "namePrefix": "our-", "nameSuffix": "-here", "components": ["../extra"],
            "commonMetadata": {"labels": {"run": "first"}, "annotations": {"by": "hand"}},
            "images": [{"name": "app", "newName": "registry.test/app", "newTag": "2"}],
            "patches": [{"patch": patch, "target": {"kind": "ConfigMap", "name": "settings"}}],
            "postBuild": {"substitute": {"replicas": "2", "size": "large\n"}},
        }),
    );
    lab.tells(&layered, "Ready", "ReconciliationSucceeded");
    let settings = arm.look("/api/v1/namespaces/SPACE/configmaps/our-settings-here").body;
    arm.note(
        "its settings",
        json!([settings["metadata"]["labels"], settings["metadata"]["annotations"], settings["data"]]),
    );
    let web = arm.look("/apis/apps/v1/namespaces/SPACE/deployments/our-web-here").body;
    let container = &web["spec"]["template"]["spec"]["containers"][0];
    arm.note("its workload", json!([web["spec"]["replicas"], container["image"], container["envFrom"]]));
}

fn numbers_are_filled_in_where_texts_should_be(arm: &Arm) {
    let lab = Lab::new(arm);
    let filled = json!({"path": "./app/base", "postBuild": {"substitute": {"colour": "7", "size": "8"}}});
    lab.tells(&layered(&lab, filled), "Ready", "ReconciliationFailed");
}

fn nothing_is_filled_in_where_numbers_should_be(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tells(&layered(&lab, json!({"path": "./app"})), "Ready", "ReconciliationFailed");
}

fn variables_that_are_not_closed(arm: &Arm) {
    let lab = Lab::new(arm);
    let filled = json!({"path": "./variables", "postBuild": {"substitute": {"colour": "red"}}});
    lab.tells(&layered(&lab, filled), "Ready", "BuildFailed");
}

fn variables_that_nobody_knows(arm: &Arm) {
    let lab = Lab::new(arm);
    let filled = json!({"path": "./app/base", "postBuild": {"substitute": {"colour": "red"}}});
    lab.tells(&layered(&lab, filled), "Ready", "BuildFailed");
}

fn variables_whose_names_are_none(arm: &Arm) {
    let lab = Lab::new(arm);
    let filled = json!({"path": "./app/base", "postBuild": {"substitute": {"the-colour": "red"}}});
    lab.tells(&layered(&lab, filled), "Ready", "BuildFailed");
}

fn a_folder_that_can_not_be_built(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tells(&layered(&lab, json!({"path": "./broken"})), "Ready", "BuildFailed");
}

fn secrets_are_decrypted(arm: &Arm) {
    let lab = Lab::new(arm);
    let key = include_str!("../../../../sops/tests/vectors/key.txt");
    lab.tells(&sealed(&lab, Some(key)), "Ready", "ReconciliationSucceeded");
    arm.note("opened", arm.look("/api/v1/namespaces/SPACE/secrets/global-age-secret").body["data"].clone());
}

fn secrets_for_another_key(arm: &Arm) {
    let lab = Lab::new(arm);
    let other = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    lab.tells(&sealed(&lab, Some(other)), "Ready", "BuildFailed");
}

fn a_key_that_is_none(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tells(&sealed(&lab, Some("no key")), "Ready", "BuildFailed");
}

fn secrets_that_nobody_decrypts(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tells(&sealed(&lab, None), "Ready", "ReconciliationSucceeded");
    arm.note("left alone", arm.look("/api/v1/namespaces/SPACE/secrets/global-age-secret").body["data"].clone());
}
