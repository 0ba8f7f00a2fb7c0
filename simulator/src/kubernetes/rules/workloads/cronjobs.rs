//! CronJobs.

use serde_json::{Value, json};

use super::jobs;
use crate::kubernetes::{
    cluster::Cluster,
    rules::{Rules, fill::fill, pod_spec},
};

pub struct CronJobs;

impl Rules for CronJobs {
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

    fn counts_generations(&self) -> bool {
        true
    }
}
