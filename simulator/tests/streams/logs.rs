//! Logs over virtual time.

use std::time::Duration;

use serde_json::{Value, json};

use super::{PODS, arm, is_running, pod};
use crate::arms::Arm;

fn read(arm: &Arm, pod: &str, options: &str) -> String {
    let answer = arm.get(&format!("{PODS}/{pod}/log?{options}"));
    match answer.body {
        Value::String(text) if answer.code == 200 => text,
        refused => panic!("{}: {refused}", answer.code),
    }
}

#[track_caller]
fn refused(arm: &Arm, pod: &str, options: &str) -> String {
    let answer = arm.get(&format!("{PODS}/{pod}/log?{options}"));
    assert_eq!((answer.code, &answer.body["reason"]), (400, &json!("BadRequest")));
    answer.body["message"].as_str().unwrap().to_owned()
}

fn of(image: &str) -> Value {
    json!({"containers": [{"name": "main", "image": image}]})
}

#[test]
fn a_program_writes_over_time() {
    let arm = arm();
    pod(&arm, "talker", of("talker:1"), is_running);
    assert_eq!(read(&arm, "talker", ""), "hello\n");
    arm.pass(Duration::from_secs(4));
    assert_eq!(read(&arm, "talker", ""), "hello\ntick\ntrouble\nand more of it\n");
    assert_eq!(read(&arm, "talker", "tailLines=2"), "trouble\nand more of it\n");
    assert_eq!(read(&arm, "talker", "limitBytes=8"), "hello\nti");
    arm.pass(Duration::from_secs(3600));
    assert_eq!(read(&arm, "talker", "sinceSeconds=25"), "tick\ntick\ntick\n");
    let stamped = read(&arm, "talker", "timestamps=true&tailLines=1");
    let (time, line) = stamped.split_once(' ').unwrap();
    assert_eq!((line, time.len()), ("tick\n", "2026-01-01T09:00:00.000000000Z".len()), "{stamped}");
    assert_eq!(read(&arm, "talker", &format!("sinceTime={time}")), "tick\n");
}

#[test]
fn a_log_is_followed_to_the_end_of_its_container() {
    let arm = arm();
    let mut spec = of("crasher:1");
    spec["restartPolicy"] = json!("Never");
    pod(&arm, "crasher", spec, is_running);
    assert_eq!(read(&arm, "crasher", "follow=true"), "about to fail\nfailing\n");
    arm.look_until(&format!("{PODS}/crasher"), |answer| answer.body["status"]["phase"] == "Failed");
    assert_eq!(read(&arm, "crasher", "follow=true&tailLines=1"), "failing\n");
    assert_eq!(read(&arm, "crasher", ""), "about to fail\nfailing\n");
}

#[test]
fn a_log_that_is_followed_stops_at_its_limit() {
    let arm = arm();
    pod(&arm, "talker", of("talker:1"), is_running);
    assert_eq!(read(&arm, "talker", "follow=true&limitBytes=14"), "hello\ntick\ntro");
}

#[test]
fn the_run_before_a_restart_has_a_log_too() {
    let arm = arm();
    let restarts = |status: &Value| status["containerStatuses"][0]["restartCount"] == 1;
    pod(&arm, "crasher", of("crasher:1"), is_running);
    assert_eq!(
        refused(&arm, "crasher", "previous=true"),
        "previous terminated container \"main\" in pod \"crasher\" not found"
    );
    arm.look_until(&format!("{PODS}/crasher"), |answer| {
        restarts(&answer.body["status"]) && is_running(&answer.body["status"])
    });
    assert_eq!(read(&arm, "crasher", "previous=true"), "about to fail\nfailing\n");
    assert!(read(&arm, "crasher", "").starts_with("about to fail\n"));
}

#[test]
fn what_has_not_started_says_why() {
    let arm = arm();
    let waits_for = |reason: &'static str| {
        move |status: &Value| status["containerStatuses"][0]["state"]["waiting"]["reason"] == reason
    };
    pod(&arm, "large", of("large:1"), waits_for("ContainerCreating"));
    assert_eq!(
        refused(&arm, "large", ""),
        "container \"main\" in pod \"large\" is waiting to start: ContainerCreating"
    );
    pod(&arm, "missing", of("missing:1"), waits_for("ErrImagePull"));
    assert_eq!(
        refused(&arm, "missing", ""),
        "container \"main\" in pod \"missing\" is waiting to start: image can't be pulled"
    );
    arm.look_until(&format!("{PODS}/missing"), |answer| waits_for("ImagePullBackOff")(&answer.body["status"]));
    assert_eq!(
        refused(&arm, "missing", "follow=true"),
        "container \"main\" in pod \"missing\" is waiting to start: trying and failing to pull image"
    );
}
