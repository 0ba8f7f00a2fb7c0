//! Policies of admission, and their bindings.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    field::{Field, formed, label_selector, one_of, required},
    fill::{fill, items},
    form,
    simple::{PLAIN, Simple},
    webhooks::{check_rule, conditions},
};
use crate::kubernetes::answer::Cause;

pub static POLICIES: Simple =
    Simple { fill_in: fill_in_policy, check: check_policy, counts_generations: true, ..PLAIN };

pub static BINDINGS: Simple =
    Simple { fill_in: fill_in_binding, check: check_binding, counts_generations: true, ..PLAIN };

/// Policies that change what is written.
pub static CHANGING: Simple =
    Simple { fill_in: fill_in_policy, check: check_changing, counts_generations: true, ..PLAIN };

pub static CHANGING_BINDINGS: Simple =
    Simple { fill_in: fill_in_binding, check: check_changing_binding, counts_generations: true, ..PLAIN };

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
    let mut wrong = check_any(&spec);
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

fn check_changing(policy: &Value) -> Vec<Cause> {
    let spec = Field::of(policy, "spec");
    let mut wrong = check_any(&spec);
    for rule in spec.at("matchConstraints").at("resourceRules").items() {
        if rule.at("operations").items().any(|operation| operation.text() == "DELETE") {
            let known = ["*", "CONNECT", "CREATE", "UPDATE"];
            let place = "spec.matchConstraints.resourceRules.operations";
            wrong.push(Cause::unsupported(place, &json!("DELETE"), &known));
        }
    }
    wrong.extend(spec.at("variables").items().flat_map(|variable| check_variable(&variable)));
    let (mutations, again) = (spec.at("mutations"), spec.at("reinvocationPolicy"));
    wrong.extend(required(&mutations, "mutations must contain at least one item"));
    wrong.extend(mutations.items().flat_map(|mutation| check_mutation(&mutation)));
    wrong.extend(required(&again, ""));
    wrong.extend(one_of(&again, &["IfNeeded", "Never"]));
    wrong
}

fn check_variable(variable: &Field<'_>) -> Vec<Cause> {
    let [name, expression] = ["name", "expression"].map(|field| variable.at(field));
    let mut wrong = Vec::from_iter(required(&name, "name is not specified"));
    let is_word = |text: &str| {
        let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        text.chars().all(letters) && !text.starts_with(|letter: char| letter.is_ascii_digit())
    };
    if !is_word(name.text()) {
        wrong.push(name.invalid("must be a valid CEL identifier"));
    }
    if expression.text().trim().is_empty() {
        wrong.push(expression.required("expression is not specified"));
    }
    wrong
}

/// A mutation has what its type says, and nothing of the other.
fn check_mutation(mutation: &Field<'_>) -> Vec<Cause> {
    let of = mutation.at("patchType");
    let (meant, other) = match of.text() {
        "" => return vec![of.required("")],
        "ApplyConfiguration" => ("applyConfiguration", "jsonPatch"),
        "JSONPatch" => ("jsonPatch", "applyConfiguration"),
        _ => return vec![of.unsupported(&["ApplyConfiguration", "JSONPatch"])],
    };
    let mut wrong = Vec::new();
    let (told, meant, too) = (of.text(), mutation.at(meant), mutation.at(other));
    if !meant.is_set() {
        wrong.push(meant.required(&format!("must be specified when patchType is {told}")));
    } else if meant.at("expression").text().trim().is_empty() {
        wrong.push(meant.at("expression").required(""));
    }
    if too.is_set() {
        let why = format!("must not be specified when patchType is {told}");
        wrong.push(Cause::invalid(&too.path, &json!(format!("{{{other}}}")), &why));
    }
    wrong
}

/// What is wrong with a policy of either kind.
fn check_any(spec: &Field<'_>) -> Vec<Cause> {
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
    let actions = spec.at("validationActions");
    let mut wrong = check_changing_binding(binding);
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

fn check_changing_binding(binding: &Value) -> Vec<Cause> {
    let spec = Field::of(binding, "spec");
    let name = spec.at("policyName");
    let mut wrong = Vec::from_iter(required(&name, ""));
    if !name.is_empty() {
        wrong.extend(formed(&name, form::subdomain));
    }
    wrong.extend(check_parameters(&spec.at("paramRef")));
    wrong.extend(check_match(&spec.at("matchResources")));
    wrong
}

fn check_parameters(reference: &Field<'_>) -> Vec<Cause> {
    if !reference.is_set() {
        return Vec::new();
    }
    let (name, selector, missing) =
        (reference.at("name"), reference.at("selector"), reference.at("parameterNotFoundAction"));
    let mut wrong = Vec::new();
    match (name.is_empty(), selector.is_set()) {
        (false, true) => {
            wrong.extend([&name, &selector].map(|field| field.forbidden("name and selector are mutually exclusive")));
        }
        (true, false) => wrong.push(reference.required("one of name or selector must be specified")),
        _ => {}
    }
    wrong.extend(required(&missing, ""));
    wrong.extend(one_of(&missing, &["Deny", "Allow"]));
    wrong
}
