//! Budgets of disruptions.

use serde_json::{Value, json};

use super::{
    Look,
    field::{Field, label_selector, not_negative, one_of},
    simple::{PLAIN, Simple},
};
use crate::kubernetes::answer::Cause;

pub static BUDGETS: Simple = Simple {
    check,
    check_status,
    counts_generations: true,
    replacing_needs_version: true,
    looks_at_metadata: Look::Never,
    ..PLAIN
};

fn check(budget: &Value) -> Vec<Cause> {
    let spec = Field::of(budget, "spec");
    let [least, most, selector, policy] =
        ["minAvailable", "maxUnavailable", "selector", "unhealthyPodEvictionPolicy"].map(|name| spec.at(name));
    let mut wrong = Vec::new();
    if least.is_set() && most.is_set() {
        let told = json!({
            "MinAvailable": least.value, "Selector": selector.value, "MaxUnavailable": most.value,
            "UnhealthyPodEvictionPolicy": policy.value,
        });
        wrong.push(Cause::invalid("spec", &told, "minAvailable and maxUnavailable cannot be both set"));
    }
    for amount in [least, most] {
        wrong.extend(number_or_share(&amount));
    }
    wrong.extend(label_selector(&selector));
    wrong.extend(one_of(&policy, &["AlwaysAllow", "IfHealthyBudget"]));
    wrong
}

fn check_status(budget: &Value) -> Vec<Cause> {
    let status = Field::of(budget, "status");
    let counts = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"];
    counts.iter().filter_map(|name| not_negative(&status.at(name))).collect()
}

/// A number that is not negative, or a share of up to 100%.
pub fn number_or_share(field: &Field<'_>) -> Option<Cause> {
    const SHARE: &str = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex \
         used for validation is '[0-9]+%')";
    if !field.value.is_string() {
        return not_negative(field);
    }
    let number = field.text().strip_suffix('%').filter(|number| !number.is_empty());
    match number.filter(|number| number.chars().all(|digit| digit.is_ascii_digit())) {
        None => Some(field.invalid(SHARE)),
        Some(number) => {
            let within = number.parse::<u64>().is_ok_and(|share| share <= 100);
            (!within).then(|| field.invalid("must not be greater than 100%"))
        }
    }
}
