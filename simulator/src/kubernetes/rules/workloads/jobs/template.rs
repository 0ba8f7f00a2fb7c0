//! What may change about the pods of a job.

use crate::kubernetes::{
    answer::Cause,
    rules::{field::Field, structures},
};

/// Nothing, once the job runs; where its pods go, as long as it never ran; what they ask for, as long as it is suspended.
pub fn change(spec: &Field<'_>, there: &Field<'_>) -> Option<Cause> {
    let template = spec.at("template");
    let mut before = there.at("template").value.clone();
    if there.at("suspend").is_true() {
        for list in ["containers", "initContainers"] {
            let now = template.at("spec").at(list);
            for (old, new) in before["spec"][list].as_array_mut().into_iter().flatten().zip(now.items()) {
                if old["name"] == *new.at("name").value {
                    old["resources"] = new.at("resources").value.clone();
                }
            }
        }
    }
    let shown = structures::shown(template.value, "PodTemplateSpec");
    (before != *template.value).then(|| template.with(&shown).invalid("field is immutable"))
}
