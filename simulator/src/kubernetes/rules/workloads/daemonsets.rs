//! DaemonSets.

use serde_json::{Value, json};

use super::selection;
use crate::kubernetes::{
    answer::Cause,
    cluster::Cluster,
    rules::{
        Look, Rules,
        field::{Field, label_selector, not_negative, unchanged},
        fill::fill,
        pod_spec, structures,
    },
};

/// The number of the template, from before generations were counted.
const TEMPLATE: &str = "deprecated.daemonset.template.generation";

pub struct DaemonSets;

impl Rules for DaemonSets {
    fn fill_blank(&self, blank: &mut Value) {
        blank["spec"]["selector"] = Value::Null;
        blank["metadata"]["annotations"] = json!({TEMPLATE: "0"});
    }

    fn looks_at_metadata(&self, _part: &str) -> Look {
        Look::AtChanges
    }

    fn hidden_annotation(&self) -> Option<&str> {
        Some(TEMPLATE)
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        pod_spec::warnings::of(&Field::of(object, "spec.template"))
    }

    fn warnings_of_change(&self, object: &Value, there: &Value) -> Vec<String> {
        pod_spec::warnings::of_changed(object, there, "spec.template")
    }

    fn fill_in(&self, set: &mut Value) {
        let spec = &mut set["spec"];
        fill(spec, json!({"updateStrategy": {"type": "RollingUpdate"}, "revisionHistoryLimit": 10}));
        if spec["updateStrategy"]["type"] == "RollingUpdate" {
            fill(&mut spec["updateStrategy"], json!({"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}));
        }
        // Where one of the two is kept, the other is as well.
        if let Some(rolling) = spec["updateStrategy"].get_mut("rollingUpdate") {
            fill(rolling, json!({"maxUnavailable": 0, "maxSurge": 0}));
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

    fn prepare_part(&self, _part: &str, set: &mut Value, there: &Value, _cluster: &Cluster) {
        set["metadata"]["annotations"][TEMPLATE] = json!(number(there).to_string());
    }

    fn check(&self, set: &Value) -> Vec<Cause> {
        let spec = Field::of(set, "spec");
        let (selector, template) = (spec.at("selector"), spec.at("template"));
        let mut wrong = label_selector(&selector);
        if wrong.is_empty() {
            wrong.extend(selection::unselected(&spec));
        }
        wrong.extend(selection::empty(&selector, "daemonset"));
        wrong.extend(pod_spec::check_template(&template));
        wrong.extend(selection::for_good(&template, "DaemonSet"));
        wrong.extend(not_negative(&spec.at("minReadySeconds")));
        wrong.extend(check_strategy(&spec.at("updateStrategy")));
        wrong.extend(not_negative(&spec.at("revisionHistoryLimit")));
        wrong
    }

    fn check_change(&self, set: &Value, there: &Value) -> Vec<Cause> {
        unchanged(&Field::of(set, "spec.selector"), &Field::of(there, "spec.selector")).into_iter().collect()
    }

    fn check_over(&self, set: &Value, there: &Value) -> Vec<Cause> {
        [self.check_change(set, there), self.check(set)].concat()
    }

    fn check_part(&self, _part: &str, set: &Value, there: &Value) -> Vec<Cause> {
        let status = Field::of(set, "status");
        let all = [
            "currentNumberScheduled",
            "numberMisscheduled",
            "desiredNumberScheduled",
            "numberReady",
            "observedGeneration",
            "updatedNumberScheduled",
            "numberAvailable",
            "numberUnavailable",
            "collisionCount",
        ];
        let mut wrong = selection::counts(&status, &all, &[]);
        wrong.extend(selection::never_less("collisionCount", &status, &Field::of(there, "status")));
        wrong
    }

    fn counts_generations(&self) -> bool {
        true
    }
}

fn number(set: &Value) -> i64 {
    set["metadata"]["annotations"][TEMPLATE].as_str().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn check_strategy(strategy: &Field<'_>) -> Vec<Cause> {
    let rolling = strategy.at("rollingUpdate");
    match strategy.at("type").text() {
        "OnDelete" => Vec::new(),
        "RollingUpdate" => {
            let (missing, more) = (rolling.at("maxUnavailable"), rolling.at("maxSurge"));
            let mut wrong = selection::number_or_percent(&missing);
            wrong.extend(selection::number_or_percent(&more));
            wrong.extend(selection::at_most_all(&missing));
            wrong.extend(selection::at_most_all(&more));
            match (selection::is_none(&missing), selection::is_none(&more)) {
                (false, false) => wrong.push(more.invalid("may not be set when maxUnavailable is non-zero")),
                (true, true) => wrong.push(missing.required("cannot be 0 when maxSurge is 0")),
                _ => {}
            }
            wrong
        }
        _ => vec![
            strategy
                .with(&structures::shown(strategy.value, "DaemonSetUpdateStrategy"))
                .unsupported(&["RollingUpdate", "OnDelete"]),
        ],
    }
}
