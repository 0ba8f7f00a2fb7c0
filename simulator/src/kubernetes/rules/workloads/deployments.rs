//! Deployments.

use serde_json::{Value, json};

use super::selection;
use crate::kubernetes::{
    answer::Cause,
    cluster::Cluster,
    rules::{
        Look, Rules, Scale,
        field::{Field, not_negative, unchanged},
        fill::fill,
        pod_spec, structures,
    },
};

pub struct Deployments;

impl Rules for Deployments {
    fn fill_blank(&self, blank: &mut Value) {
        fill(&mut blank["spec"], json!({"replicas": 0}));
        blank["spec"]["selector"] = Value::Null;
    }

    fn leaves(&self, part: &str) -> Vec<&str> {
        match part {
            "" => vec!["status"],
            _ => vec!["spec", "metadata.labels"],
        }
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

    fn check(&self, deployment: &Value) -> Vec<Cause> {
        let spec = Field::of(deployment, "spec");
        let [selector, strategy, ready, deadline] =
            ["selector", "strategy", "minReadySeconds", "progressDeadlineSeconds"].map(|name| spec.at(name));
        let mut wrong: Vec<Cause> = not_negative(&spec.at("replicas")).into_iter().collect();
        wrong.extend(selection::selector(&selector, "deployment"));
        wrong.extend(selection::template(&spec, "ReplicaSet"));
        wrong.extend(check_strategy(&strategy));
        wrong.extend(not_negative(&ready));
        wrong.extend(not_negative(&spec.at("revisionHistoryLimit")));
        wrong.extend(not_negative(&deadline));
        if deadline.number() <= ready.number().or(Some(0)) {
            wrong.push(deadline.invalid("must be greater than minReadySeconds"));
        }
        wrong
    }

    fn check_change(&self, deployment: &Value, there: &Value) -> Vec<Cause> {
        unchanged(&Field::of(deployment, "spec.selector"), &Field::of(there, "spec.selector")).into_iter().collect()
    }

    fn check_part(&self, _part: &str, deployment: &Value, there: &Value) -> Vec<Cause> {
        let status = Field::of(deployment, "status");
        let within = ["updatedReplicas", "readyReplicas", "availableReplicas"];
        let others = ["unavailableReplicas", "terminatingReplicas", "collisionCount"];
        let all = [&["observedGeneration", "replicas"][..], &within, &others].concat();
        let mut wrong = selection::counts(&status, &all, &within);
        if status.at("availableReplicas").number() > status.at("readyReplicas").number() {
            wrong.push(status.at("availableReplicas").invalid("cannot be greater than readyReplicas"));
        }
        wrong.extend(selection::never_less("collisionCount", &status, &Field::of(there, "status")));
        wrong
    }

    fn counts_generations(&self) -> bool {
        true
    }

    fn counts_within_metadata(&self) -> Option<&str> {
        Some("annotations")
    }

    fn scale(&self) -> Option<Scale<'_>> {
        Some(Scale::USUAL)
    }
}

fn check_strategy(strategy: &Field<'_>) -> Vec<Cause> {
    let rolling = strategy.at("rollingUpdate");
    match strategy.at("type").text() {
        "Recreate" if rolling.is_set() => {
            vec![rolling.forbidden("may not be specified when strategy `type` is 'Recreate'")]
        }
        "Recreate" => Vec::new(),
        "RollingUpdate" => {
            let (missing, more) = (rolling.at("maxUnavailable"), rolling.at("maxSurge"));
            let mut wrong = selection::number_or_percent(&missing);
            wrong.extend(selection::number_or_percent(&more));
            if selection::is_none(&missing) && selection::is_none(&more) {
                wrong.push(missing.invalid("may not be 0 when `maxSurge` is 0"));
            }
            wrong.extend(selection::at_most_all(&missing));
            wrong
        }
        _ => vec![
            strategy
                .with(&structures::shown(strategy.value, "DeploymentStrategy"))
                .unsupported(&["Recreate", "RollingUpdate"]),
        ],
    }
}
