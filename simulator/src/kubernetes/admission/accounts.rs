//! Pods run as service accounts that are there.

use serde_json::Value;

use super::{Attempt, Operation};
use crate::kubernetes::answer::Refusal;

/// The account itself is given to the pod where all else is that pods are born with.
pub fn change(attempt: &Attempt<'_>, pod: &mut Value) -> Result<(), Refusal> {
    check(attempt, pod)
}

pub fn check(attempt: &Attempt<'_>, pod: &Value) -> Result<(), Refusal> {
    if !attempt.is_of("pods") || attempt.operation != Operation::Create {
        return Ok(());
    }
    let mirrored = pod.pointer("/metadata/annotations/kubernetes.io~1config.mirror").is_some();
    let name = pod["spec"]["serviceAccountName"].as_str().filter(|name| !name.is_empty()).unwrap_or("default");
    if mirrored || attempt.stored("serviceaccounts", attempt.namespace, name).is_some() {
        return Ok(());
    }
    let namespace = attempt.namespace;
    let why = format!("error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found");
    Err(attempt.forbidden(&why))
}
