//! DaemonSets.

use serde_json::{Value, json};

use crate::kubernetes::{
    cluster::Cluster,
    rules::{Rules, fill::fill, pod_spec},
};

/// The number of the template, from before generations were counted.
const TEMPLATE: &str = "deprecated.daemonset.template.generation";

pub struct DaemonSets;

impl Rules for DaemonSets {
    fn fill_in(&self, set: &mut Value) {
        let spec = &mut set["spec"];
        fill(spec, json!({"updateStrategy": {"type": "RollingUpdate"}, "revisionHistoryLimit": 10}));
        if spec["updateStrategy"]["type"] == "RollingUpdate" {
            fill(&mut spec["updateStrategy"], json!({"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}));
        }
        pod_spec::fill_in_template(&mut spec["template"]);
        fill(set, json!({"metadata": {"annotations": {TEMPLATE: "0"}}}));
    }

    fn prepare_new(&self, set: &mut Value, _cluster: &Cluster) {
        if number(set) < 1 {
            set["metadata"]["annotations"][TEMPLATE] = json!("1");
        }
        set["status"] = json!({
            "currentNumberScheduled": 0,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": 0,
            "numberReady": 0,
        });
    }

    fn prepare_change(&self, set: &mut Value, there: &Value, _cluster: &Cluster) {
        let changed = set["spec"]["template"] != there["spec"]["template"];
        let number = number(there) + i64::from(changed);
        set["metadata"]["annotations"][TEMPLATE] = json!(number.to_string());
    }

    fn counts_generations(&self) -> bool {
        true
    }
}

fn number(set: &Value) -> i64 {
    set["metadata"]["annotations"][TEMPLATE].as_str().and_then(|number| number.parse().ok()).unwrap_or_default()
}
