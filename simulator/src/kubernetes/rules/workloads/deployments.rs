//! Deployments.

use serde_json::{Value, json};

use crate::kubernetes::{
    cluster::Cluster,
    rules::{Rules, fill::fill, pod_spec},
};

pub struct Deployments;

impl Rules for Deployments {
    fn fill_in(&self, deployment: &mut Value) {
        let spec = &mut deployment["spec"];
        fill(
            spec,
            json!({
                "replicas": 1,
                "strategy": {"type": "RollingUpdate"},
                "revisionHistoryLimit": 10,
                "progressDeadlineSeconds": 600,
            }),
        );
        if spec["strategy"]["type"] == "RollingUpdate" {
            fill(&mut spec["strategy"], json!({"rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}));
        }
        pod_spec::fill_in_template(&mut spec["template"]);
    }

    fn prepare_new(&self, deployment: &mut Value, _cluster: &Cluster) {
        deployment["status"] = json!({});
    }

    fn counts_generations(&self) -> bool {
        true
    }
}
