//! ReplicaSets, and ReplicationControllers, which came before them.

use serde_json::{Value, json};

use crate::kubernetes::{
    cluster::Cluster,
    rules::{Rules, fill::fill, pod_spec},
};

pub struct ReplicaSets;

impl Rules for ReplicaSets {
    fn fill_in(&self, set: &mut Value) {
        fill(&mut set["spec"], json!({"replicas": 1}));
        pod_spec::fill_in_template(&mut set["spec"]["template"]);
    }

    fn prepare_new(&self, set: &mut Value, _cluster: &Cluster) {
        set["status"] = json!({"replicas": 0});
    }

    fn counts_generations(&self) -> bool {
        true
    }

    fn selectable(&self) -> &'static [&'static str] {
        &["status.replicas"]
    }
}

pub struct ReplicationControllers;

impl Rules for ReplicationControllers {
    fn fill_in(&self, controller: &mut Value) {
        let labels = controller.pointer("/spec/template/metadata/labels").cloned().unwrap_or_default();
        if labels.is_object() {
            for (part, field) in [("spec", "selector"), ("metadata", "labels")] {
                if controller[part][field].is_null() {
                    controller[part][field] = labels.clone();
                }
            }
        }
        fill(&mut controller["spec"], json!({"replicas": 1}));
        if let Some(template) = controller["spec"].get_mut("template") {
            pod_spec::fill_in_template(template);
        }
    }

    fn prepare_new(&self, controller: &mut Value, _cluster: &Cluster) {
        controller["status"] = json!({"replicas": 0});
    }

    fn counts_generations(&self) -> bool {
        true
    }

    fn selectable(&self) -> &'static [&'static str] {
        &["status.replicas"]
    }
}
