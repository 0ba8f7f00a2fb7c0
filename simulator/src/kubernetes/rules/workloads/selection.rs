//! Selectors, and the templates of pods that they have to select.

use serde_json::Value;

use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, label_selector},
        pod_spec,
    },
};

/// A selector that has to be there, and to select something.
pub fn selector(selector: &Field<'_>, of: &str) -> Vec<Cause> {
    if !selector.is_set() {
        return vec![selector.required("")];
    }
    let mut wrong = label_selector(selector);
    wrong.extend(empty(selector, of));
    wrong
}

pub fn empty(selector: &Field<'_>, of: &str) -> Option<Cause> {
    let nothing = selector.at("matchLabels").is_empty() && selector.at("matchExpressions").is_empty();
    (selector.is_set() && nothing).then(|| selector.invalid(&format!("empty selector is invalid for {of}")))
}

/// The template of something whose pods run for good, `of` being its kind; without a selector nothing is selected.
pub fn template(spec: &Field<'_>, of: &str) -> Vec<Cause> {
    let selector = spec.at("selector");
    if !label_selector(&selector).is_empty() {
        return vec![selector.invalid("invalid label selector")];
    }
    let template = spec.at("template");
    let mut wrong = unselected(spec).into_iter().collect::<Vec<_>>();
    wrong.extend(pod_spec::check_template(&template));
    wrong.extend(for_good(&template, of));
    wrong
}

/// What is wrong with labels that the selector doesn't select.
pub fn unselected(spec: &Field<'_>) -> Option<Cause> {
    let (selector, template) = (spec.at("selector"), spec.at("template"));
    let selects = selector.is_set() && pod_spec::selects(selector.value, template.value);
    let labels = template.at("metadata").at("labels");
    (!selects).then(|| labels.invalid("`selector` does not match template `labels`"))
}

/// Pods that are replaced when they end are also started again.
pub fn for_good(template: &Field<'_>, of: &str) -> Vec<Cause> {
    let spec = template.at("spec");
    let (restart, deadline) = (spec.at("restartPolicy"), spec.at("activeDeadlineSeconds"));
    let mut wrong = Vec::new();
    if restart.text() != "Always" {
        wrong.push(restart.unsupported(&["Always"]));
    }
    if deadline.is_set() {
        wrong.push(deadline.forbidden(&format!("activeDeadlineSeconds in {of} is not Supported")));
    }
    wrong
}

/// A number that is none below zero, or a percentage.
pub fn number_or_percent(amount: &Field<'_>) -> Vec<Cause> {
    const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for \
         validation is '[0-9]+%')";
    match amount.value {
        Value::String(text) if percent(text).is_none() => vec![amount.invalid(PERCENT)],
        Value::Number(_) if amount.number().is_some_and(|number| number < 0) => {
            vec![amount.invalid("must be greater than or equal to 0")]
        }
        _ => Vec::new(),
    }
}

fn percent(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('%')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

pub fn at_most_all(amount: &Field<'_>) -> Option<Cause> {
    let more = percent(amount.text()).is_some_and(|percent| percent > 100);
    more.then(|| amount.invalid("must not be greater than 100%"))
}

/// True for 0 and for `0%`.
pub fn is_none(amount: &Field<'_>) -> bool {
    match amount.value {
        Value::String(text) => percent(text).is_none_or(|percent| percent == 0),
        _ => amount.number().is_none_or(|number| number == 0),
    }
}

/// Counts of a status: none is below zero, and none of those that follow the first is greater than it.
pub fn counts(status: &Field<'_>, all: &[&str], within: &[&str]) -> Vec<Cause> {
    let number = |name: &str| status.at(name).number().unwrap_or_default();
    let mut wrong: Vec<Cause> =
        all.iter().filter_map(|name| crate::kubernetes::rules::field::not_negative(&status.at(name))).collect();
    for name in within.iter().filter(|name| number(name) > number("replicas")) {
        let shown = Value::from(number(name));
        wrong.push(status.at(name).with(&shown).invalid("cannot be greater than status.replicas"));
    }
    wrong
}

/// A count that never goes down.
pub fn never_less(name: &str, status: &Field<'_>, there: &Field<'_>) -> Option<Cause> {
    let (now, before) = (status.at(name), there.at(name));
    let less = before.number().is_some_and(|before| now.number().is_none_or(|now| now < before));
    let shown = Value::from(now.number().unwrap_or_default());
    less.then(|| now.with(&shown).invalid("cannot be decremented"))
}
