//! Services of APIs, which say who answers for a group and version.

use serde_json::{Value, json};

use super::{
    Rules,
    field::{Field, required},
    fill::default,
};
use crate::kubernetes::{answer::Cause, cluster::Cluster};

pub struct ApiServices;

impl Rules for ApiServices {
    fn fill_in(&self, service: &mut Value) {
        if let Some(reference) = service["spec"].get_mut("service") {
            default(reference, "port", 443);
        }
    }

    fn prepare_new(&self, service: &mut Value, cluster: &Cluster) {
        if service["spec"].get("service").is_none_or(Value::is_null) {
            service["status"] = json!({"conditions": [{
                "type": "Available", "status": "True", "lastTransitionTime": cluster.now(), "reason": "Local",
                "message": "Local APIServices are always available",
            }]});
        }
    }

    fn check(&self, service: &Value) -> Vec<Cause> {
        check(service)
    }
}

fn check(service: &Value) -> Vec<Cause> {
    let spec = Field::of(service, "spec");
    let name = Field::of(service, "metadata.name");
    let expected = format!("{}.{}", spec.at("version").text(), spec.at("group").text());
    let mut wrong = Vec::new();
    if name.text() != expected {
        wrong.push(name.invalid(&format!("must be `spec.version+\".\"+spec.group`: {expected:?}")));
    }
    for (field, most) in [("groupPriorityMinimum", 20000), ("versionPriority", 1000)] {
        let priority = spec.at(field);
        let number = priority.number().unwrap_or_default();
        if number <= 0 || number > most {
            wrong.push(Cause::invalid(
                &priority.path,
                &Value::from(number),
                &format!("must be positive and less than {most}"),
            ));
        }
    }
    let reference = spec.at("service");
    if reference.is_set() {
        wrong.extend(required(&reference.at("namespace"), ""));
        wrong.extend(required(&reference.at("name"), ""));
    }
    wrong
}
