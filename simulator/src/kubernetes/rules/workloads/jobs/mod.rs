//! Jobs.

mod check;
mod policies;
mod template;

use serde_json::{Value, json};

use crate::kubernetes::{
    answer::{Cause, Refusal},
    cluster::Cluster,
    rules::{
        Rules,
        field::Field,
        fill::{fill, items},
        pod_spec,
    },
};

pub struct Jobs;

impl Rules for Jobs {
    fn warning_of_deletion(&self) -> Option<&'static str> {
        Some(
            "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set \
             propagationPolicy=Orphan to suppress this warning",
        )
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        pod_spec::warnings::of_maker(object, "spec.template")
    }

    fn warnings_of_change(&self, object: &Value, there: &Value) -> Vec<String> {
        pod_spec::warnings::of_changed(object, there, "spec.template")
    }

    fn orphans(&self) -> bool {
        true
    }

    fn fill_in(&self, job: &mut Value) {
        label(job);
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
    }

    fn fill_in_stored(&self, job: &mut Value) {
        label(job);
    }

    fn admit_new(&self, job: &mut Value, given: &Value, _cluster: &Cluster) -> Result<(), Refusal> {
        // Labels that were taken over from the template are those of the template from then on.
        let own = given["metadata"]["labels"].as_object().is_some_and(|labels| !labels.is_empty());
        let taken_over = !own && job["metadata"]["labels"].is_object();
        if job["spec"]["manualSelector"] != true {
            select_by_uid(job);
            // Who lets the server find a name has them copied, and no more.
            let named = given["metadata"]["name"].as_str().is_some_and(|name| !name.is_empty());
            if taken_over && named {
                job["metadata"]["labels"] = job["spec"]["template"]["metadata"]["labels"].clone();
            }
        }
        Ok(())
    }

    fn prepare_new(&self, job: &mut Value, _cluster: &Cluster) {
        job["status"] = json!({});
    }

    fn check(&self, job: &Value) -> Vec<Cause> {
        let spec = Field::of(job, "spec");
        [check::spec(&spec), check::selector(&spec)].concat()
    }

    fn check_new(&self, job: &Value) -> Vec<Cause> {
        let job = Field::whole(job);
        let mut wrong = check::generated_selector(&job);
        wrong.extend(check::names(&job));
        wrong
    }

    fn check_change(&self, job: &Value, there: &Value) -> Vec<Cause> {
        check::change(&Field::of(job, "spec"), &Field::of(there, "spec"))
    }

    fn check_over(&self, job: &Value, there: &Value) -> Vec<Cause> {
        // The server looks at the new one by itself, and then again beside the old one.
        [self.check_new(job), self.check(job), self.check(job), self.check_change(job, there)].concat()
    }

    fn check_part(&self, _part: &str, job: &Value, there: &Value) -> Vec<Cause> {
        check::status(&Field::whole(job), &Field::whole(there))
    }

    fn counts_generations(&self) -> bool {
        true
    }

    fn selectable(&self) -> Vec<&str> {
        vec!["status.successful"]
    }
}

/// What is wrong with the template of a job.
pub fn check_template(template: &Field<'_>) -> Vec<Cause> {
    let spec = template.at("spec");
    let (selector, manual) = (spec.at("selector"), spec.at("manualSelector"));
    let mut wrong = check::spec(&spec);
    if selector.is_set() {
        wrong.push(selector.invalid("`selector` will be auto-generated"));
    }
    if manual.is_true() {
        wrong.push(manual.unsupported(&["nil", "false"]));
    }
    wrong
}

/// Jobs and the templates of jobs have it alike.
pub fn fill_in_failure_policy(spec: &mut Value) {
    for rule in spec.get_mut("podFailurePolicy").into_iter().flat_map(|policy| items(policy, "rules")) {
        for pattern in items(rule, "onPodConditions").filter(|pattern| pattern["status"] == "") {
            pattern["status"] = json!("True");
        }
    }
}

/// A job without labels has those of its pods as soon as it is stored.
fn label(job: &mut Value) {
    let labels = job.pointer("/spec/template/metadata/labels").filter(|labels| labels.is_object()).cloned();
    if let (Some(labels), true) = (labels, job["metadata"]["labels"].is_null()) {
        job["metadata"]["labels"] = labels;
    }
}

/// A job finds its pods by its own number, unless somebody says how else.
fn select_by_uid(job: &mut Value) {
    let name = job["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let uid = job["metadata"]["uid"].clone();
    let labels = json!({
        "job-name": name,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "batch.kubernetes.io/controller-uid": uid,
    });
    fill(&mut job["spec"], json!({"template": {"metadata": {"labels": labels}}}));
    fill(&mut job["spec"], json!({"selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}}));
}
