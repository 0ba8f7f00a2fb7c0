//! Namespaces.

use serde_json::{Value, json};

use super::{NameForm, Rules};
use crate::kubernetes::cluster::Cluster;

pub struct Namespaces;

impl Rules for Namespaces {
    fn fill_in(&self, object: &mut Value) {
        let name = object["metadata"]["name"].clone();
        if !name.is_null() {
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
        }
    }

    fn prepare_new(&self, object: &mut Value, _cluster: &Cluster) {
        if object["spec"].get("finalizers").is_none() {
            object["spec"]["finalizers"] = json!(["kubernetes"]);
        }
        object["status"] = json!({"phase": "Active"});
    }

    fn selectable(&self) -> &'static [&'static str] {
        &["status.phase"]
    }

    fn name_form(&self) -> NameForm {
        NameForm::Label
    }
}
