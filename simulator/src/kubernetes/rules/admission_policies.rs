//! Policies of admission, and their bindings.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    field::{Field, label_selector, one_of, required},
    fill::{fill, items},
    simple::{PLAIN, Simple},
    webhooks::{check_rule, conditions},
};
use crate::kubernetes::answer::Cause;

pub static POLICIES: Simple =
    Simple { fill_in: fill_in_policy, check: check_policy, counts_generations: true, ..PLAIN };

pub static BINDINGS: Simple =
    Simple { fill_in: fill_in_binding, check: check_binding, counts_generations: true, ..PLAIN };

fn fill_in_policy(policy: &mut Value) {
    fill(&mut policy["spec"], json!({"failurePolicy": "Fail"}));
    fill_in_match(policy["spec"].get_mut("matchConstraints"));
}

fn fill_in_binding(binding: &mut Value) {
    fill_in_match(binding["spec"].get_mut("matchResources"));
}

fn fill_in_match(matches: Option<&mut Value>) {
    let Some(matches) = matches else { return };
    fill(matches, json!({"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}));
    for list in ["resourceRules", "excludeResourceRules"] {
        items(matches, list).for_each(|rule| fill(rule, json!({"scope": "*"})));
    }
}

fn check_policy(policy: &Value) -> Vec<Cause> {
    let spec = Field::of(policy, "spec");
    let mut wrong = Vec::from_iter(one_of(&spec.at("failurePolicy"), &["Fail", "Ignore"]));
    let kind = spec.at("paramKind");
    if kind.is_set() {
        wrong.extend(required(&kind.at("apiVersion"), ""));
        wrong.extend(required(&kind.at("kind"), ""));
    }
    let constraints = spec.at("matchConstraints");
    if constraints.is_set() {
        wrong.extend(required(&constraints.at("resourceRules"), ""));
        wrong.extend(check_match(&constraints));
    } else {
        wrong.push(constraints.required(""));
    }
    wrong.extend(conditions(&spec.at("matchConditions")));
    let (validations, annotations) = (spec.at("validations"), spec.at("auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        let why = "validations or auditAnnotations must contain at least one item";
        wrong.extend([validations.required(why), annotations.required(why)]);
    }
    for validation in validations.items() {
        wrong.extend(check_validation(&validation));
    }
    wrong
}

fn check_validation(validation: &Field<'_>) -> Vec<Cause> {
    let [expression, message, reason] = ["expression", "message", "reason"].map(|name| validation.at(name));
    let mut wrong = Vec::new();
    if expression.text().trim().is_empty() {
        wrong.push(expression.required("expression is not specified"));
    }
    if message.text().trim().is_empty() && !message.text().is_empty() {
        wrong.push(message.invalid("message must be non-empty if specified"));
    } else if message.text().contains('\n') {
        wrong.push(message.invalid("must not contain line breaks"));
    }
    wrong.extend(one_of(&reason, &["Forbidden", "Invalid", "RequestEntityTooLarge"]));
    wrong
}

fn check_match(matches: &Field<'_>) -> Vec<Cause> {
    let mut wrong = label_selector(&matches.at("namespaceSelector"));
    wrong.extend(label_selector(&matches.at("objectSelector")));
    for list in ["resourceRules", "excludeResourceRules"] {
        wrong.extend(matches.at(list).items().flat_map(|rule| check_rule(&rule)));
    }
    wrong.extend(one_of(&matches.at("matchPolicy"), &["Equivalent", "Exact"]));
    wrong
}

fn check_binding(binding: &Value) -> Vec<Cause> {
    const BOTH: &str = "must not contain both Deny and Warn (repeating the same validation failure information in the API response \
         and headers serves no purpose)";
    let spec = Field::of(binding, "spec");
    let (reference, actions) = (spec.at("paramRef"), spec.at("validationActions"));
    let mut wrong = Vec::from_iter(required(&spec.at("policyName"), ""));
    if reference.is_set() {
        let missing = reference.at("parameterNotFoundAction");
        wrong.extend(required(&missing, ""));
        wrong.extend(one_of(&missing, &["Allow", "Deny"]));
    }
    wrong.extend(check_match(&spec.at("matchResources")));
    wrong.extend(required(&actions, "at least one validation action is required"));
    let mut seen = BTreeSet::new();
    for action in actions.items() {
        wrong.extend(one_of(&action, &["Audit", "Deny", "Warn"]));
        if !seen.insert(action.text()) {
            wrong.push(action.duplicate());
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        wrong.push(actions.invalid(BOTH));
    }
    wrong
}
