//! Jobs: what their controller makes of them.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{Scene, condition, each, events, fields, items},
};

const JOBS: &str = "/apis/batch/v1/namespaces/SPACE/jobs";
const WORK: &str = "/apis/batch/v1/namespaces/SPACE/jobs/work";
const PODS: &str = "/api/v1/namespaces/SPACE/pods";

bodies! {
    a_job_is_complete_when_its_pod_has_succeeded
    so_many_pods_have_to_succeed
    parts_have_numbers
    a_suspended_job_waits
    a_pod_that_fails_too_often_fails_the_job
    a_job_that_is_suspended_loses_its_pods
    a_job_that_takes_too_long_has_failed
    a_job_that_is_over_goes_after_a_while
    nothing_to_do_is_complete_at_once
    a_job_without_a_number_of_completions_ends_with_its_pods
}

fn job(more: Value) -> Value {
    let mut job = json!({
        "metadata": {"name": "work"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "image:1"}]}}},
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        job["spec"][field] = value.clone();
    }
    job
}

/// Pods that no node is for.
fn nowhere() -> Value {
    json!({"spec": {
        "restartPolicy": "Never",
        "nodeSelector": {"disk": "golden"},
        "containers": [{"name": "main", "image": "image:1"}],
    }})
}

fn settled(arm: &Arm, is_so: impl Fn(&Value) -> bool) {
    arm.settle(WORK, |job| is_so(job).then(|| fields(job, &["/metadata/generation", "/status"])));
}

fn has(job: &Value, kind: &str) -> bool {
    condition(job, kind).is_some_and(|condition| condition["status"] == "True")
}

fn pods(arm: &Arm, count: usize) {
    arm.settle(PODS, |list| {
        let told = each(list, |pod| {
            let mut told = fields(
                pod,
                &[
                    "/metadata/name",
                    "/metadata/generateName",
                    "/metadata/annotations",
                    "/metadata/finalizers",
                    "/metadata/ownerReferences",
                    "/spec/hostname",
                    "/spec/containers/0/env",
                    "/status/phase",
                ],
            );
            let labels = pod["metadata"]["labels"].as_object().cloned().unwrap_or_default();
            let mut labels: Vec<&String> = labels.keys().collect();
            labels.sort();
            told["labels"] = json!(labels);
            told
        });
        (items(list).len() == count).then_some(told)
    });
}

fn a_job_is_complete_when_its_pod_has_succeeded(arm: &Arm) {
    arm.make(JOBS, job(json!({})));
    settled(arm, |job| has(job, "Complete"));
    pods(arm, 1);
    events(arm, "Job", 2);
}

fn so_many_pods_have_to_succeed(arm: &Arm) {
    arm.make(JOBS, job(json!({"completions": 4, "parallelism": 2})));
    settled(arm, |job| has(job, "Complete"));
    pods(arm, 4);
}

fn parts_have_numbers(arm: &Arm) {
    arm.make(JOBS, job(json!({"completions": 3, "parallelism": 3, "completionMode": "Indexed"})));
    settled(arm, |job| has(job, "Complete"));
    pods(arm, 3);
}

fn a_suspended_job_waits(arm: &Arm) {
    arm.make(JOBS, job(json!({"suspend": true})));
    settled(arm, |job| has(job, "Suspended"));
    arm.adjust(WORK, json!({"spec": {"suspend": false}}));
    settled(arm, |job| has(job, "Complete"));
    events(arm, "Job", 4);
}

fn a_pod_that_fails_too_often_fails_the_job(arm: &Arm) {
    arm.make(JOBS, job(json!({"template": nowhere(), "backoffLimit": 0})));
    settled(arm, |job| job["status"]["active"] == 1);
    let pod = items(&arm.look(PODS).body)[0]["metadata"]["name"].as_str().unwrap().to_owned();
    arm.adjust(&format!("{PODS}/{pod}/status"), json!({"status": {"phase": "Failed"}}));
    settled(arm, |job| has(job, "Failed"));
    pods(arm, 1);
    events(arm, "Job", 2);
}

fn nothing_to_do_is_complete_at_once(arm: &Arm) {
    arm.make(JOBS, job(json!({"completions": 0})));
    settled(arm, |job| has(job, "Complete"));
    pods(arm, 0);
}

fn a_job_without_a_number_of_completions_ends_with_its_pods(arm: &Arm) {
    arm.make(JOBS, job(json!({"parallelism": 2})));
    settled(arm, |job| has(job, "Complete"));
    pods(arm, 2);
}

fn a_job_that_is_suspended_loses_its_pods(arm: &Arm) {
    arm.make(JOBS, job(json!({"template": nowhere(), "completions": 2, "parallelism": 2})));
    settled(arm, |job| job["status"]["active"] == 2);
    arm.adjust(WORK, json!({"spec": {"suspend": true}}));
    settled(arm, |job| has(job, "Suspended") && job["status"]["active"].is_null() && job["status"]["terminating"] == 0);
    pods(arm, 0);
}

fn a_job_that_takes_too_long_has_failed(arm: &Arm) {
    arm.make(JOBS, job(json!({"template": nowhere(), "activeDeadlineSeconds": 1})));
    settled(arm, |job| has(job, "Failed"));
    events(arm, "Job", 3);
}

fn a_job_that_is_over_goes_after_a_while(arm: &Arm) {
    arm.make(JOBS, job(json!({"ttlSecondsAfterFinished": 1})));
    settled(arm, |job| has(job, "Complete"));
    arm.look_until(WORK, |answer| answer.code == 404);
    pods(arm, 0);
}
