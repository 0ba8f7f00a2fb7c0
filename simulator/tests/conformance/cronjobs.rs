//! CronJobs: what their controller makes of them.
//!
//! Nobody waits here for a schedule: what was due long ago is due now.

use regex::Regex;
use serde_json::{Value, json};

use super::{
    admission::is_beyond_quota,
    arms::Arm,
    settled::{Scene, each, fields, items},
};

const CRONS: &str = "/apis/batch/v1/namespaces/SPACE/cronjobs";
const CRON: &str = "/apis/batch/v1/namespaces/SPACE/cronjobs/work";
const JOBS: &str = "/apis/batch/v1/namespaces/SPACE/jobs";

bodies! {
    a_job_is_made_when_it_is_due
    jobs_are_due_by_the_clocks_of_a_time_zone
    a_suspended_schedule_makes_nothing
    what_was_missed_too_often_is_told
    what_was_missed_too_long_ago_is_left
    a_schedule_without_a_moment_is_told
    another_schedule_begins_anew
    no_second_job_where_that_is_forbidden
    a_job_takes_the_place_of_another
    jobs_of_others_are_noticed
    a_job_that_is_lost_is_noticed
    so_many_jobs_are_kept
    a_job_that_can_not_be_made_is_told
    jobs_go_with_their_schedule
}

/// Pods that no node is for.
fn template() -> Value {
    json!({"template": {"spec": {
        "restartPolicy": "Never",
        "nodeSelector": {"disk": "golden"},
        "containers": [{"name": "main", "image": "image:1"}],
    }}})
}

/// Makes one that is suspended, and whose last job was due long ago.
fn cron(arm: &Arm, more: Value) {
    let mut cron = json!({
        "metadata": {"name": "work"},
        "spec": {
            "schedule": "0 4 * * *",
            "suspend": true,
            "jobTemplate": {
                "metadata": {"labels": {"app": "work"}, "annotations": {"note": "own"}},
                "spec": template(),
            },
        },
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        cron["spec"][field] = value.clone();
    }
    arm.make(CRONS, cron);
    arm.adjust(&format!("{CRON}/status"), json!({"status": {"lastScheduleTime": "2020-01-01T04:00:00Z"}}));
}

fn resume(arm: &Arm) {
    arm.adjust(CRON, json!({"spec": {"suspend": false}}));
}

/// The uid of the CronJob.
fn uid(arm: &Arm) -> Value {
    arm.look(CRON).body["metadata"]["uid"].clone()
}

/// Makes a job that belongs to it.
fn own(arm: &Arm, name: &str, spec: Value) -> Value {
    let owner =
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "name": "work", "uid": uid(arm), "controller": true});
    arm.make(JOBS, json!({"metadata": {"name": name, "ownerReferences": [owner]}, "spec": spec}));
    let path = format!("{JOBS}/{name}");
    json!({"apiVersion": "batch/v1", "kind": "Job", "name": name, "namespace": arm.space, "uid": arm.look(&path).body["metadata"]["uid"]})
}

/// Without the moment in the names of jobs.
fn timeless(value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), timeless(value))).collect(),
        Value::Array(items) => items.iter().map(timeless).collect(),
        Value::String(text) => json!(Regex::new(r"-\d{8}\b").unwrap().replace_all(text, "-MINUTE")),
        other => other.clone(),
    }
}

fn settled(arm: &Arm, is_so: impl Fn(&Value) -> bool) {
    arm.settle(CRON, |cron| is_so(cron).then(|| timeless(&fields(cron, &["/metadata/generation", "/status"]))));
}

fn actives(cron: &Value) -> usize {
    cron["status"]["active"].as_array().map_or(0, Vec::len)
}

fn jobs(arm: &Arm, count: usize) {
    arm.settle(JOBS, |list| {
        let told = each(list, |job| {
            timeless(&fields(
                job,
                &[
                    "/metadata/name",
                    "/metadata/annotations",
                    "/metadata/labels/app",
                    "/metadata/ownerReferences",
                    "/spec/completions",
                    "/spec/suspend",
                ],
            ))
        });
        (items(list).len() == count).then_some(told)
    });
}

fn events(arm: &Arm, count: usize) {
    arm.settle("/api/v1/namespaces/SPACE/events?fieldSelector=involvedObject.kind=CronJob", |list| {
        let told = each(list, |event| {
            timeless(&fields(event, &["/type", "/reason", "/message", "/source", "/reportingComponent"]))
        });
        (items(list).len() >= count).then_some(told)
    });
}

fn a_job_is_made_when_it_is_due(arm: &Arm) {
    cron(arm, json!({}));
    resume(arm);
    settled(arm, |cron| actives(cron) == 1);
    jobs(arm, 1);
    events(arm, 2);
}

fn jobs_are_due_by_the_clocks_of_a_time_zone(arm: &Arm) {
    cron(arm, json!({"timeZone": "Asia/Kolkata"}));
    resume(arm);
    settled(arm, |cron| actives(cron) == 1);
    arm.settle(JOBS, |list| {
        let due = items(list).first()?["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
            .as_str()?;
        Some(json!(due.split_once('T')?.1))
    });
    arm.settle(CRON, |cron| Some(json!(cron["status"]["lastScheduleTime"].as_str()?.split_once('T')?.1)));
}

fn a_suspended_schedule_makes_nothing(arm: &Arm) {
    cron(arm, json!({}));
    arm.pass(std::time::Duration::from_secs(1));
    settled(arm, |_| true);
    jobs(arm, 0);
}

fn what_was_missed_too_often_is_told(arm: &Arm) {
    cron(arm, json!({"schedule": "*/10 * * * *"}));
    resume(arm);
    settled(arm, |cron| actives(cron) == 1);
    events(arm, 2);
}

fn what_was_missed_too_long_ago_is_left(arm: &Arm) {
    cron(arm, json!({"schedule": "0 0 29 2 *", "startingDeadlineSeconds": 1}));
    resume(arm);
    arm.pass(std::time::Duration::from_secs(1));
    settled(arm, |_| true);
    jobs(arm, 0);
}

fn a_schedule_without_a_moment_is_told(arm: &Arm) {
    cron(arm, json!({"schedule": "59 23 31 2 *"}));
    resume(arm);
    events(arm, 1);
    jobs(arm, 0);
}

fn another_schedule_begins_anew(arm: &Arm) {
    cron(arm, json!({}));
    arm.adjust(CRON, json!({"spec": {"schedule": "0 5 * * *", "suspend": false}}));
    arm.pass(std::time::Duration::from_secs(1));
    jobs(arm, 0);
    arm.adjust(CRON, json!({"metadata": {"labels": {"a": "b"}}}));
    jobs(arm, 1);
}

fn no_second_job_where_that_is_forbidden(arm: &Arm) {
    cron(arm, json!({"concurrencyPolicy": "Forbid"}));
    let active = own(arm, "first", template());
    arm.adjust(&format!("{CRON}/status"), json!({"status": {"active": [active]}}));
    resume(arm);
    arm.look_until("/api/v1/namespaces/SPACE/events?fieldSelector=reason=JobAlreadyActive", |answer| {
        items(&answer.body).len() == 1
    });
    settled(arm, |_| true);
    jobs(arm, 1);
}

fn a_job_takes_the_place_of_another(arm: &Arm) {
    cron(arm, json!({"concurrencyPolicy": "Replace"}));
    let active = own(arm, "first", template());
    arm.adjust(&format!("{CRON}/status"), json!({"status": {"active": [active]}}));
    resume(arm);
    settled(arm, |cron| actives(cron) == 1 && cron["status"]["active"][0]["name"] != "first");
    jobs(arm, 1);
    arm.look_until("/api/v1/namespaces/SPACE/events?fieldSelector=reason=SuccessfulDelete", |answer| {
        items(&answer.body).iter().any(|event| event["message"] == "Deleted job first")
    });
}

fn jobs_of_others_are_noticed(arm: &Arm) {
    cron(arm, json!({}));
    own(arm, "first", template());
    events(arm, 1);
    settled(arm, |_| true);
}

fn a_job_that_is_lost_is_noticed(arm: &Arm) {
    cron(arm, json!({}));
    let uid = "11111111-2222-3333-4444-555555555555";
    let active = json!({"apiVersion": "batch/v1", "kind": "Job", "name": "lost", "namespace": "SPACE", "uid": uid});
    arm.adjust(&format!("{CRON}/status"), arm.placed_in(&json!({"status": {"active": [active]}})));
    settled(arm, |cron| actives(cron) == 0);
    events(arm, 1);
}

fn so_many_jobs_are_kept(arm: &Arm) {
    cron(arm, json!({"successfulJobsHistoryLimit": 1}));
    let nothing_to_do = || {
        let mut spec = template();
        spec["completions"] = json!(0);
        spec
    };
    for name in ["a", "b", "c"] {
        own(arm, name, nothing_to_do());
        let path = format!("{JOBS}/{name}");
        arm.look_until(&path, |answer| answer.code == 404 || answer.body["status"]["completionTime"].is_string());
    }
    jobs(arm, 1);
    arm.settle(CRON, |cron| {
        let told = cron["status"].as_object()?;
        (told.contains_key("lastSuccessfulTime")).then(|| fields(cron, &["/status"]))
    });
    arm.look_until("/api/v1/namespaces/SPACE/events?fieldSelector=reason=SuccessfulDelete", |answer| {
        items(&answer.body).len() == 2
    });
}

fn a_job_that_can_not_be_made_is_told(arm: &Arm) {
    arm.make(
        "/api/v1/namespaces/SPACE/resourcequotas",
        json!({"metadata": {"name": "none"}, "spec": {"hard": {"count/jobs.batch": "0"}}}),
    );
    let probe = json!({"metadata": {"name": "probe"}, "spec": template()});
    arm.ask_until(&format!("{JOBS}?dryRun=All"), &probe, is_beyond_quota);
    cron(arm, json!({}));
    resume(arm);
    arm.settle("/api/v1/namespaces/SPACE/events?fieldSelector=reason=FailedCreate", |list| {
        let event = items(list).first()?;
        Some(timeless(&fields(event, &["/type", "/reason", "/message", "/source"])))
    });
    settled(arm, |_| true);
}

fn jobs_go_with_their_schedule(arm: &Arm) {
    cron(arm, json!({}));
    resume(arm);
    settled(arm, |cron| actives(cron) == 1);
    arm.drop(CRON);
    arm.look_until(JOBS, |answer| items(&answer.body).is_empty());
}
