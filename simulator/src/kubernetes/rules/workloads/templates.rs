//! What only keeps templates: PodTemplates, and the revisions that controllers remember.

use serde_json::Value;

use crate::kubernetes::{
    answer::Cause,
    rules::{
        Rules,
        field::{Field, not_negative, unchanged},
        pod_spec,
    },
};

pub struct PodTemplates;

impl Rules for PodTemplates {
    fn warnings(&self, object: &Value) -> Vec<String> {
        pod_spec::warnings::of(&Field::of(object, "template"))
    }

    fn warnings_of_change(&self, object: &Value, there: &Value) -> Vec<String> {
        pod_spec::warnings::of_changed(object, there, "template")
    }

    fn shows_deleted(&self) -> bool {
        true
    }

    fn fill_in(&self, object: &mut Value) {
        pod_spec::fill_in_template(&mut object["template"]);
    }

    fn check(&self, object: &Value) -> Vec<Cause> {
        pod_spec::check_template(&Field::of(object, "template"))
    }

    fn counts_generations(&self) -> bool {
        true
    }
}

pub struct ControllerRevisions;

impl Rules for ControllerRevisions {
    fn check(&self, revision: &Value) -> Vec<Cause> {
        not_negative(&Field::of(revision, "revision")).into_iter().collect()
    }

    fn check_new(&self, revision: &Value) -> Vec<Cause> {
        let data = Field::of(revision, "data");
        (!data.is_set()).then(|| data.required("data is mandatory")).into_iter().collect()
    }

    fn check_change(&self, revision: &Value, there: &Value) -> Vec<Cause> {
        unchanged(&Field::of(revision, "data"), &Field::of(there, "data")).into_iter().collect()
    }
}
