//! Logs, and what is said to those who ask for none that there is.

use serde_json::{Value, json};

use super::{arms::Arm, pod_defaults::account};

const PODS: &str = "/api/v1/namespaces/SPACE/pods";
const LOG: &str = "/api/v1/namespaces/SPACE/pods/web/log";

bodies! {
    who_says_nothing_has_an_empty_log
    the_only_container_is_meant
    one_of_several_has_to_be_named
    a_pod_that_nobody_placed_has_no_log
    wrong_options_are_refused
    options_that_are_no_numbers_are_refused
    moments_are_read
    a_log_is_only_read
    whoever_has_no_role_reads_no_log
}

pub fn create(arm: &Arm, name: &str, more: Value) {
    account(arm);
    let mut spec = json!({"containers": [{"name": "web", "image": "nginx:1"}], "automountServiceAccountToken": false});
    for (field, value) in more.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    let created =
        arm.exchange("POST", &arm.placed(PODS), "application/json", &json!({"metadata": {"name": name}, "spec": spec}));
    assert_eq!(created.code, 201, "{}", created.body);
}

pub fn running(arm: &Arm, name: &str, more: Value) {
    create(arm, name, more);
    arm.look_until(&format!("{PODS}/{name}"), |answer| answer.body["status"]["phase"] == "Running");
}

fn who_says_nothing_has_an_empty_log(arm: &Arm) {
    running(arm, "web", json!({}));
    for options in ["", "?container=web", "?tailLines=5", "?timestamps=true", "?limitBytes=1", "?sinceSeconds=5"] {
        arm.get(&format!("{LOG}{options}"));
    }
    arm.get_as(LOG, "text/plain");
    arm.get_as(LOG, "*/*");
}

fn the_only_container_is_meant(arm: &Arm) {
    running(arm, "web", json!({"initContainers": [{"name": "first", "image": "a:1"}]}));
    arm.get(LOG);
    arm.get(&format!("{LOG}?container=first"));
    arm.get(&format!("{LOG}?container=nobody"));
}

fn one_of_several_has_to_be_named(arm: &Arm) {
    running(arm, "web", json!({"containers": [{"name": "web", "image": "nginx:1"}, {"name": "side", "image": "a:1"}]}));
    running(
        arm,
        "more",
        json!({
            "initContainers": [{"name": "first", "image": "a:1"}, {"name": "second", "image": "a:1"}],
            "containers": [{"name": "web", "image": "nginx:1"}, {"name": "side", "image": "a:1"}],
        }),
    );
    arm.get(LOG);
    arm.get(&format!("{LOG}?container=side"));
    arm.get(&format!("{LOG}?container="));
    arm.get(&format!("{PODS}/more/log"));
    arm.get(&format!("{PODS}/more/log?container=second"));
}

fn a_pod_that_nobody_placed_has_no_log(arm: &Arm) {
    create(arm, "web", json!({"nodeSelector": {"there-is": "none"}}));
    for options in ["", "?follow=true", "?previous=true", "?container=nobody"] {
        arm.get(&format!("{LOG}{options}"));
    }
    arm.get(&format!("{PODS}/nobody/log"));
    arm.get("/api/v1/namespaces/nowhere/pods/web/log");
}

fn wrong_options_are_refused(arm: &Arm) {
    running(arm, "web", json!({}));
    for options in [
        "tailLines=-1",
        "limitBytes=0",
        "limitBytes=-5",
        "sinceSeconds=0",
        "tailLines=-1&limitBytes=0&sinceSeconds=-7",
        "sinceSeconds=5&sinceTime=2026-01-01T00:00:00Z",
        "stream=Stdout",
        "stream=All&tailLines=1",
        "tailLines=0",
        "follow=false&previous=0",
        "timestamps=FALSE",
    ] {
        arm.get(&format!("{LOG}?{options}"));
    }
    arm.get(&format!("{PODS}/nobody/log?limitBytes=0"));
    arm.get(&format!("{LOG}?container=nobody&limitBytes=0"));
}

fn options_that_are_no_numbers_are_refused(arm: &Arm) {
    running(arm, "web", json!({}));
    for options in [
        "tailLines=all",
        "tailLines=",
        "tailLines=1.5",
        "limitBytes=99999999999999999999",
        "sinceSeconds=-99999999999999999999",
        "limitBytes=x&tailLines=y&sinceSeconds=z",
        "tailLines=1&tailLines=x",
        "tailLines=%2B3",
    ] {
        arm.get(&format!("{LOG}?{options}"));
    }
}

fn moments_are_read(arm: &Arm) {
    running(arm, "web", json!({}));
    for moment in
        ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5%2B02:00", "", "soon", "2026-01-01", "2026-13-01T00:00:00Z"]
    {
        arm.get(&format!("{LOG}?sinceTime={moment}"));
    }
    arm.get(&format!("{LOG}?sinceTime=soon&sinceSeconds=never"));
    arm.get(&format!("{LOG}?sinceTime=soon&tailLines=none"));
}

fn a_log_is_only_read(arm: &Arm) {
    running(arm, "web", json!({}));
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        arm.send(method, LOG, "application/json", &json!({}));
    }
    arm.get(&format!("{LOG}/more"));
}

fn whoever_has_no_role_reads_no_log(arm: &Arm) {
    running(arm, "web", json!({}));
    arm.as_viewer(|| {
        arm.get(LOG);
        arm.get(&format!("{PODS}/nobody/log?tailLines=x"));
    });
}
