//! ReplicaSets, and ReplicationControllers, which came before them.

use serde_json::{Value, json};

use super::selection;
use crate::kubernetes::{
    answer::Cause,
    cluster::Cluster,
    rules::{
        Look, Rules, Scale,
        field::{Field, not_negative, required, unchanged},
        fill::fill,
        pod_spec,
    },
};

pub struct ReplicaSets;

impl Rules for ReplicaSets {
    fn fill_blank(&self, blank: &mut Value) {
        fill(&mut blank["spec"], json!({"replicas": 0}));
        blank["spec"]["selector"] = Value::Null;
    }

    fn looks_at_metadata(&self, _part: &str) -> Look {
        Look::AtChanges
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        pod_spec::warnings::of_maker(object, "spec.template")
    }

    fn warnings_of_change(&self, object: &Value, there: &Value) -> Vec<String> {
        pod_spec::warnings::of_changed(object, there, "spec.template")
    }

    fn fill_in(&self, set: &mut Value) {
        fill(&mut set["spec"], json!({"replicas": 1}));
        pod_spec::fill_in_template(&mut set["spec"]["template"]);
    }

    fn prepare_new(&self, set: &mut Value, _cluster: &Cluster) {
        set["status"] = json!({"replicas": 0});
    }

    fn check(&self, set: &Value) -> Vec<Cause> {
        let spec = Field::of(set, "spec");
        let mut wrong: Vec<Cause> = not_negative(&spec.at("replicas")).into_iter().collect();
        wrong.extend(not_negative(&spec.at("minReadySeconds")));
        // The server says "deployment" here, too.
        wrong.extend(selection::selector(&spec.at("selector"), "deployment"));
        wrong.extend(selection::template(&spec, "ReplicaSet"));
        wrong
    }

    fn check_change(&self, set: &Value, there: &Value) -> Vec<Cause> {
        unchanged(&Field::of(set, "spec.selector"), &Field::of(there, "spec.selector")).into_iter().collect()
    }

    fn check_part(&self, _part: &str, set: &Value, _there: &Value) -> Vec<Cause> {
        check_status(&Field::of(set, "status"))
    }

    fn counts_generations(&self) -> bool {
        true
    }

    fn scale(&self) -> Option<Scale<'_>> {
        Some(Scale::USUAL)
    }
}

pub struct ReplicationControllers;

impl Rules for ReplicationControllers {
    fn looks_at_metadata(&self, _part: &str) -> Look {
        Look::AtChanges
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

    fn check(&self, controller: &Value) -> Vec<Cause> {
        let spec = Field::of(controller, "spec");
        let (selector, template) = (spec.at("selector"), spec.at("template"));
        let mut wrong: Vec<Cause> = not_negative(&spec.at("minReadySeconds")).into_iter().collect();
        wrong.extend(required(&selector, ""));
        wrong.extend(not_negative(&spec.at("replicas")));
        if !template.is_set() {
            wrong.push(template.required(""));
            return wrong;
        }
        let own = template.at("metadata").at("labels");
        if selector.entries().any(|(key, value)| own.key(key).value != value.value) {
            wrong.push(own.invalid("`selector` does not match template `labels`"));
        }
        wrong.extend(pod_spec::check_template(&template));
        wrong.extend(selection::for_good(&template, "ReplicationController"));
        wrong
    }

    fn check_part(&self, _part: &str, controller: &Value, _there: &Value) -> Vec<Cause> {
        check_status(&Field::of(controller, "status"))
    }

    fn counts_generations(&self) -> bool {
        true
    }

    fn scale(&self) -> Option<Scale<'_>> {
        Some(Scale::USUAL)
    }

    fn selectable(&self) -> Vec<&str> {
        vec!["status.replicas"]
    }
}

fn check_status(status: &Field<'_>) -> Vec<Cause> {
    let within = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"];
    let all = [&["replicas"][..], &within, &["observedGeneration", "terminatingReplicas"]].concat();
    let mut wrong = selection::counts(status, &all, &within);
    if status.at("availableReplicas").number() > status.at("readyReplicas").number() {
        wrong.push(status.at("availableReplicas").invalid("cannot be greater than readyReplicas"));
    }
    wrong
}
