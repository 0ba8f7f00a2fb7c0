//! Policies of admission. Their expressions are not asked: a write that one is about is refused, loudly.

use serde_json::{Value, json};

use super::{Attempt, Operation, review};
use crate::kubernetes::answer::Refusal;

const POLICIES: &str = "validatingadmissionpolicies.admissionregistration.k8s.io";
const BINDINGS: &str = "validatingadmissionpolicybindings.admissionregistration.k8s.io";

/// # Errors
/// If a policy that is bound is about this write.
pub fn check(attempt: &Attempt<'_>, object: &Value) -> Result<(), Refusal> {
    if [POLICIES, BINDINGS].contains(&&*attempt.kind.stored) {
        return Ok(());
    }
    let anything = json!({});
    for binding in attempt.all(BINDINGS, None) {
        let name = binding["spec"]["policyName"].as_str().unwrap_or_default();
        let Some(policy) = attempt.stored(POLICIES, "", name) else { continue };
        let constraints = &policy["spec"]["matchConstraints"];
        let own = binding["spec"].get("matchResources").unwrap_or(&anything);
        let named = |matches: &Value| {
            let rules = &matches["resourceRules"];
            (rules.is_null() || review::is_named(rules, attempt))
                && !review::is_named(&matches["excludeResourceRules"], attempt)
                && review::is_selected(matches, attempt, object)
        };
        if named(constraints) && named(own) && attempt.operation != Operation::Delete {
            return Err(Refusal::not_modelled(format!("the validations of the policy `{name}`")));
        }
    }
    Ok(())
}
