//! StatefulSets.

use serde_json::{Value, json};

use crate::kubernetes::{
    cluster::Cluster,
    rules::{
        Rules,
        fill::{fill, items},
        pod_spec,
    },
};

pub struct StatefulSets;

impl Rules for StatefulSets {
    fn fill_in(&self, set: &mut Value) {
        let spec = &mut set["spec"];
        if spec["updateStrategy"]["type"].is_null() {
            fill(spec, json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {}}}));
        }
        if spec["updateStrategy"]["type"] == "RollingUpdate"
            && let Some(rolling) = spec["updateStrategy"].get_mut("rollingUpdate")
        {
            fill(rolling, json!({"partition": 0}));
        }
        fill(
            spec,
            json!({
                "podManagementPolicy": "OrderedReady",
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                "replicas": 1,
                "revisionHistoryLimit": 10,
            }),
        );
        pod_spec::fill_in_template(&mut spec["template"]);
        for claim in items(spec, "volumeClaimTemplates") {
            fill(claim, json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}}));
            pod_spec::fill_in_claim(&mut claim["spec"]);
        }
    }

    fn prepare_new(&self, set: &mut Value, _cluster: &Cluster) {
        set["status"] = json!({"replicas": 0, "availableReplicas": 0});
    }

    fn counts_generations(&self) -> bool {
        true
    }
}
