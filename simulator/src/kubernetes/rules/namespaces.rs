//! Namespaces.

use serde_json::{Value, json};

use super::{NameForm, Rules, field::Field, form};
use crate::kubernetes::{answer::Cause, cluster::Cluster};

pub struct Namespaces;

/// What keeps a namespace until all that is in it is gone.
const FINALIZER: &str = "kubernetes";

impl Rules for Namespaces {
    fn fill_in(&self, namespace: &mut Value) {
        let name = namespace["metadata"]["name"].clone();
        if !name.is_null() {
            namespace["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
        }
    }

    fn prepare_new(&self, namespace: &mut Value, _cluster: &Cluster) {
        match namespace["spec"]["finalizers"].as_array_mut() {
            Some(finalizers) if finalizers.iter().any(|known| known == FINALIZER) => {}
            Some(finalizers) => finalizers.push(json!(FINALIZER)),
            None => namespace["spec"]["finalizers"] = json!([FINALIZER]),
        }
        namespace["status"] = json!({"phase": "Active"});
    }

    fn prepare_change(&self, namespace: &mut Value, there: &Value, _cluster: &Cluster) {
        namespace["spec"] = there["spec"].clone();
    }

    fn check(&self, namespace: &Value) -> Vec<Cause> {
        // Which of them is wrong is not told.
        let finalizers = Field::of(namespace, "spec.finalizers").items();
        finalizers.flat_map(|finalizer| check(&Field { path: "spec.finalizers".to_owned(), ..finalizer })).collect()
    }

    fn check_part(&self, part: &str, namespace: &Value, _there: &Value) -> Vec<Cause> {
        match part {
            "finalize" => {
                Field::of(namespace, "spec.finalizers").items().flat_map(|finalizer| check(&finalizer)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn leaves(&self, part: &str) -> Vec<&str> {
        match part {
            "" | "finalize" => vec!["status"],
            _ => vec!["spec"],
        }
    }

    fn shows_deleted(&self) -> bool {
        true
    }

    fn terminates(&self, namespace: &mut Value, _cluster: &Cluster) -> bool {
        // Who marks it doesn't take it away, even if nothing holds it.
        let was_marked = namespace["metadata"].get("deletionTimestamp").is_some();
        namespace["status"]["phase"] = json!("Terminating");
        !was_marked || self.is_held(namespace)
    }

    fn is_held(&self, namespace: &Value) -> bool {
        namespace["spec"]["finalizers"].as_array().is_some_and(|finalizers| !finalizers.is_empty())
    }

    fn selectable(&self) -> Vec<&str> {
        vec!["status.phase"]
    }

    fn name_form(&self) -> NameForm {
        NameForm::Label
    }
}

fn check(finalizer: &Field<'_>) -> Vec<Cause> {
    let mut wrong: Vec<Cause> =
        form::qualified_name(finalizer.text()).iter().map(|why| finalizer.invalid(why)).collect();
    if !finalizer.text().contains('/') && finalizer.text() != FINALIZER {
        wrong.push(finalizer.invalid("name is neither a standard finalizer name nor is it fully qualified"));
    }
    wrong
}
