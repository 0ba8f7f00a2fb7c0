//! CronJobs.

use serde_json::{Value, json};

use super::{jobs, schedule};
use crate::kubernetes::{
    answer::Cause,
    cluster::Cluster,
    rules::{
        Look, Rules,
        field::{Field, not_negative, one_of, required},
        fill::fill,
        pod_spec,
    },
};

pub struct CronJobs;

impl Rules for CronJobs {
    fn looks_at_metadata(&self, part: &str) -> Look {
        if part.is_empty() { Look::AtChanges } else { Look::Never }
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        pod_spec::warnings::of_maker(object, "spec.jobTemplate.spec.template")
    }

    fn warnings_of_change(&self, object: &Value, there: &Value) -> Vec<String> {
        pod_spec::warnings::of_changed(object, there, "spec.jobTemplate.spec.template")
    }

    fn fill_in(&self, job: &mut Value) {
        let spec = &mut job["spec"];
        fill(
            spec,
            json!({
                "concurrencyPolicy": "Allow",
                "suspend": false,
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 1,
            }),
        );
        let each = &mut spec["jobTemplate"]["spec"];
        jobs::fill_in_failure_policy(each);
        pod_spec::fill_in_template(&mut each["template"]);
    }

    fn prepare_new(&self, job: &mut Value, _cluster: &Cluster) {
        job["status"] = json!({});
    }

    fn check(&self, job: &Value) -> Vec<Cause> {
        let spec = Field::of(job, "spec");
        let [schedule, deadline, policy] =
            ["schedule", "startingDeadlineSeconds", "concurrencyPolicy"].map(|name| spec.at(name));
        let mut wrong = match required(&schedule, "") {
            Some(missing) => vec![missing],
            None => schedule::check(&schedule),
        };
        wrong.extend(not_negative(&deadline));
        wrong.extend(schedule::time_zone(&spec.at("timeZone")));
        wrong.extend(one_of(&policy, &["Allow", "Forbid", "Replace"]));
        wrong.extend(jobs::check_template(&spec.at("jobTemplate")));
        wrong.extend(not_negative(&spec.at("successfulJobsHistoryLimit")));
        wrong.extend(not_negative(&spec.at("failedJobsHistoryLimit")));
        wrong
    }

    fn check_new(&self, job: &Value) -> Vec<Cause> {
        // The names of its jobs have eleven letters more.
        let name = Field::of(job, "metadata.name");
        let long = name.text().len() > 52;
        long.then(|| name.invalid("must be no more than 52 characters")).into_iter().collect()
    }

    fn counts_generations(&self) -> bool {
        true
    }
}
