//! Jobs.

use serde_json::{Value, json};

use crate::kubernetes::{
    answer::Refusal,
    cluster::Cluster,
    rules::{
        Rules,
        fill::{fill, items},
        pod_spec,
    },
};

pub struct Jobs;

impl Rules for Jobs {
    fn fill_in(&self, job: &mut Value) {
        let labels = job.pointer("/spec/template/metadata/labels").cloned().unwrap_or_default();
        let spec = &mut job["spec"];
        if spec["parallelism"].is_null() && spec["completions"].is_null() {
            spec["completions"] = json!(1);
        }
        let each = !spec["backoffLimitPerIndex"].is_null();
        let failures = !spec["podFailurePolicy"].is_null();
        fill(
            spec,
            json!({
                "parallelism": 1,
                "backoffLimit": if each { i32::MAX } else { 6 },
                "completionMode": "NonIndexed",
                "suspend": false,
                "podReplacementPolicy": if failures { "Failed" } else { "TerminatingOrFailed" },
                "manualSelector": false,
            }),
        );
        fill_in_failure_policy(spec);
        pod_spec::fill_in_template(&mut spec["template"]);
        if labels.is_object() && job["metadata"]["labels"].is_null() {
            job["metadata"]["labels"] = labels;
        }
    }

    fn admit_new(&self, job: &mut Value, given: &Value, _cluster: &Cluster) -> Result<(), Refusal> {
        // Labels that were taken over from the template are those of the template from then on.
        let own = given["metadata"]["labels"].as_object().is_some_and(|labels| !labels.is_empty());
        let taken_over = !own && job["metadata"]["labels"].is_object();
        if job["spec"]["manualSelector"] != true {
            select_by_uid(job);
            if taken_over {
                job["metadata"]["labels"] = job["spec"]["template"]["metadata"]["labels"].clone();
            }
        }
        Ok(())
    }

    fn prepare_new(&self, job: &mut Value, _cluster: &Cluster) {
        job["status"] = json!({});
    }

    fn counts_generations(&self) -> bool {
        true
    }

    fn selectable(&self) -> &'static [&'static str] {
        &["status.successful"]
    }
}

/// Jobs and the templates of jobs have it alike.
pub fn fill_in_failure_policy(spec: &mut Value) {
    for rule in spec.get_mut("podFailurePolicy").into_iter().flat_map(|policy| items(policy, "rules")) {
        for pattern in items(rule, "onPodConditions").filter(|pattern| pattern["status"] == "") {
            pattern["status"] = json!("True");
        }
    }
}

/// A job finds its pods by its own number, unless somebody says how else.
fn select_by_uid(job: &mut Value) {
    let (name, uid) = (job["metadata"]["name"].clone(), job["metadata"]["uid"].clone());
    let labels = json!({
        "job-name": name,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "batch.kubernetes.io/controller-uid": uid,
    });
    fill(&mut job["spec"], json!({"template": {"metadata": {"labels": labels}}}));
    fill(&mut job["spec"], json!({"selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}}));
}
