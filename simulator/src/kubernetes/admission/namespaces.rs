//! Nothing is created in a namespace that is going away, and some namespaces never go.

use serde_json::json;

use super::{Attempt, Operation};
use crate::kubernetes::answer::{Cause, Refusal};

const IMMORTAL: [&str; 3] = ["default", "kube-public", "kube-system"];
/// What may still be asked about the objects of such a namespace.
const REVIEWS: &str = "localsubjectaccessreviews.authorization.k8s.io";

pub fn check(attempt: &Attempt<'_>) -> Result<(), Refusal> {
    let Attempt { operation, namespace, name, .. } = attempt;
    if *operation == Operation::Delete && attempt.is_of("namespaces") && IMMORTAL.contains(name) {
        return Err(Refusal::forbidden("namespaces", "", name, "this namespace may not be deleted"));
    }
    if *operation != Operation::Create || namespace.is_empty() || &*attempt.kind.stored == REVIEWS {
        return Ok(());
    }
    let Some(there) = attempt.stored("namespaces", "", namespace) else {
        return Err(Refusal::not_found("namespaces", "", namespace));
    };
    if there.pointer("/status/phase") != Some(&json!("Terminating")) {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let cause = Cause {
        reason: "NamespaceTerminating",
        message: format!("namespace {namespace} is being terminated"),
        field: "metadata.namespace".to_owned(),
    };
    Err(attempt.forbidden(&why).because(vec![cause]))
}
