//! What a pod is to be, wherever it is written: in the pod itself, and in the templates of everything that makes pods.
//!
//! The checks go through it in the order of the real server, since its messages do.

mod containers;
mod defaults;
mod environment;
mod mounts;
mod names;
mod probes;
pub mod resources;
mod scheduling;
mod security;
pub mod volumes;
pub mod warnings;

use serde_json::Value;

pub use self::{
    defaults::{fill_in, fill_in_claim, fill_in_template},
    scheduling::tolerations,
};
use super::{
    field::{self, Field, formed, one_of, required},
    form,
};
use crate::kubernetes::{answer::Cause, selector::Labels};

/// The lists of containers, in the order in which the server fills them in.
pub const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// True if the pods of a template are selected.
pub fn selects(selector: &Value, template: &Value) -> bool {
    Labels::of(selector).select(template)
}

/// What is wrong with a template.
pub fn check_template(template: &Field<'_>) -> Vec<Cause> {
    let metadata = template.at("metadata");
    // The server leaves `metadata` out where it names these.
    let mut wrong = field::labels(&template.at("labels").with(metadata.at("labels").value));
    wrong.extend(annotations(&template.at("annotations").with(metadata.at("annotations").value)));
    wrong.extend(check(&template.at("spec"), None));
    if !template.at("spec").at("ephemeralContainers").is_empty() {
        let containers = template.at("spec").at("ephemeralContainers");
        wrong.push(containers.forbidden("ephemeral containers not allowed in pod template"));
    }
    wrong
}

/// What is wrong with the annotations of a template.
pub fn annotations(annotations: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for (key, _) in annotations.entries() {
        let given = Value::from(key);
        wrong.extend(
            form::qualified_name(&key.to_lowercase()).iter().map(|why| Cause::invalid(&annotations.path, &given, why)),
        );
    }
    wrong.extend(cost(annotations));
    wrong
}

/// What is wrong with what annotations say to the server.
pub fn cost(annotations: &Field<'_>) -> Option<Cause> {
    let cost = annotations.key("controller.kubernetes.io/pod-deletion-cost");
    let whole =
        |text: &str| text.parse::<i32>().is_ok() && !text.starts_with('+') && (text == "0" || !text.starts_with('0'));
    (cost.is_set() && !whole(cost.text())).then(|| cost.invalid("must be a 32bit integer"))
}

/// What is wrong with a spec; `pod` is the name of the pod that has it, and nothing for a template.
pub fn check(spec: &Field<'_>, pod: Option<&str>) -> Vec<Cause> {
    let (mut wrong, volumes) = volumes::check(&spec.at("volumes"), pod);
    wrong.extend(containers::check(spec, &volumes));
    wrong.extend(containers::check_init(spec, &volumes));
    wrong.extend(containers::check_ephemeral(spec, &volumes));
    wrong.extend(resources::check_whole(spec));
    wrong.extend(names::host_ports(spec, pod.is_some()));
    wrong.extend(one_of(&spec.at("restartPolicy"), &["Always", "OnFailure", "Never"]));
    wrong.extend(one_of(&spec.at("dnsPolicy"), &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]));
    wrong.extend(field::labels(&spec.at("nodeSelector")));
    wrong.extend(security::check_pod(spec));
    wrong.extend(scheduling::affinity(&spec.at("affinity")));
    wrong.extend(names::dns(spec));
    for gate in spec.at("readinessGates").items() {
        wrong.extend(formed(&gate.at("conditionType"), form::qualified_name));
    }
    wrong.extend(scheduling::gates(&spec.at("schedulingGates")));
    wrong.extend(scheduling::spread(&spec.at("topologySpreadConstraints")));
    wrong.extend(names::host_users(spec));
    wrong.extend(names::check(spec));
    wrong.extend(one_of(&spec.at("preemptionPolicy"), &["PreemptLowerPriority", "Never"]));
    if let os @ Field { value: Value::Object(_), .. } = spec.at("os") {
        let name = os.at("name");
        wrong.extend(required(&name, "").or_else(|| one_of(&os.with(name.value), &["linux", "windows"])));
    }
    wrong
}

/// The pod's own containers may name no image with blanks around it; templates may.
pub fn check_images(spec: &Field<'_>) -> Vec<Cause> {
    let containers = ["containers", "initContainers"].into_iter().flat_map(|list| spec.at(list).items());
    let images = containers.map(|container| container.at("image"));
    images
        .filter(|image| image.text().trim() != image.text())
        .map(|image| image.invalid("must not have leading or trailing whitespace"))
        .collect()
}
