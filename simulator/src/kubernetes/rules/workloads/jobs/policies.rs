//! When a job counts as failed or done before all of its pods are.

use std::collections::BTreeSet;

use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, formed, not_negative, one_of},
        form,
    },
};

const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
/// More rules than that have no policy.
const RULES: usize = 20;
const EXIT_CODES: usize = 255;

pub fn failure(spec: &Field<'_>) -> Vec<Cause> {
    let rules = spec.at("podFailurePolicy").at("rules");
    let mut wrong = Vec::new();
    if rules.len() > RULES {
        wrong.push(Cause::too_many(&rules.path, rules.len(), RULES));
    }
    for rule in rules.items() {
        let [action, codes, conditions] = ["action", "onExitCodes", "onPodConditions"].map(|name| rule.at(name));
        match action.text() {
            "" => wrong.push(action.required(&valid(&ACTIONS))),
            "FailIndex" if !spec.at("backoffLimitPerIndex").is_set() => {
                wrong.push(action.invalid("requires the backoffLimitPerIndex to be set"));
            }
            _ => wrong.extend(one_of(&action, &ACTIONS)),
        }
        if codes.is_set() {
            wrong.extend(exit_codes(&codes, spec));
        }
        wrong.extend(pod_conditions(&conditions));
        let alone = |why: &str| Cause::invalid_as_it_is(&rule.path, why);
        match (codes.is_set(), !conditions.is_empty()) {
            (true, true) => wrong.push(alone("specifying both OnExitCodes and OnPodConditions is not supported")),
            (false, false) => wrong.push(alone("specifying one of OnExitCodes and OnPodConditions is required")),
            _ => {}
        }
    }
    wrong
}

fn valid(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("valid values: [{}]", words.join(" "))
}

fn exit_codes(codes: &Field<'_>, spec: &Field<'_>) -> Vec<Cause> {
    let [operator, container, values] = ["operator", "containerName", "values"].map(|name| codes.at(name));
    let mut wrong = Vec::new();
    if operator.is_empty() {
        wrong.push(operator.required(&valid(&["In", "NotIn"])));
    } else {
        wrong.extend(one_of(&operator, &["In", "NotIn"]));
    }
    let pod = spec.at("template").at("spec");
    let mut containers = ["containers", "initContainers"].into_iter().flat_map(|list| pod.at(list).items());
    if container.is_set() && !containers.any(|known| known.at("name").text() == container.text()) {
        wrong.push(container.invalid("must be one of the container or initContainer names in the pod template"));
    }
    if values.is_empty() {
        wrong.push(values.invalid("at least one value is required"));
    } else if values.len() > EXIT_CODES {
        wrong.push(Cause::too_many(&values.path, values.len(), EXIT_CODES));
    }
    let mut known = BTreeSet::new();
    let mut last = i64::MIN;
    let mut ordered = true;
    for value in values.items() {
        let number = value.number().unwrap_or_default();
        if operator.text() == "In" && number == 0 {
            wrong.push(value.invalid("must not be 0 for the In operator"));
        }
        if !known.insert(number) {
            wrong.push(value.duplicate());
        }
        ordered &= last <= number;
        last = number;
    }
    if !ordered {
        wrong.push(values.invalid("must be ordered"));
    }
    wrong
}

fn pod_conditions(conditions: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    if conditions.len() > RULES {
        wrong.push(Cause::too_many(&conditions.path, conditions.len(), RULES));
    }
    for pattern in conditions.items() {
        wrong.extend(formed(&pattern.at("type"), form::qualified_name));
        wrong.extend(one_of(&pattern.at("status"), &["False", "True", "Unknown"]));
    }
    wrong
}

pub fn success(spec: &Field<'_>) -> Vec<Cause> {
    let rules = spec.at("successPolicy").at("rules");
    let completions = spec.at("completions").number().unwrap_or_default();
    let mut wrong = Vec::new();
    if rules.is_empty() {
        wrong.push(rules.required("at least one rules must be specified when the successPolicy is specified"));
    }
    if rules.len() > RULES {
        wrong.push(Cause::too_many(&rules.path, rules.len(), RULES));
    }
    for rule in rules.items() {
        let (indexes, count) = (rule.at("succeededIndexes"), rule.at("succeededCount"));
        if !indexes.is_set() && !count.is_set() {
            wrong.push(rule.required("at least one of succeededCount or succeededIndexes must be specified"));
        }
        let named = match self::indexes(indexes.text(), completions) {
            Ok(named) => named,
            Err(why) => {
                wrong.push(indexes.invalid(&format!("error parsing succeededIndexes: {why}")));
                0
            }
        };
        wrong.extend(not_negative(&count));
        let more = |than: i64| count.number().is_some_and(|count| count > than);
        if more(completions) {
            let why = format!("must be less than or equal to {completions} (the number of specified completions)");
            wrong.push(count.invalid(&why));
        }
        if indexes.is_set() && more(named) {
            wrong.push(count.invalid(&format!(
                "must be less than or equal to {named} (the number of indexes in the specified succeededIndexes field)"
            )));
        }
    }
    wrong
}

/// How many numbers `0,3-5` names.
fn indexes(text: &str, completions: i64) -> Result<i64, String> {
    let mut last = None;
    let mut total = 0;
    for part in text.split(',').filter(|_| !text.is_empty()) {
        let ends: Vec<&str> = part.split('-').collect();
        if ends.len() > 2 {
            return Err(format!(
                "the fragment {part:?} violates the requirement that an index interval can have at most two parts \
                 separated by '-'"
            ));
        }
        let number = |text: &str| match text.parse::<i64>() {
            Err(_) => Err(format!("cannot convert string to integer for index: {text:?}")),
            Ok(number) if number >= completions => Err(format!("too large index: {text:?}")),
            Ok(number) => Ok(number),
        };
        let first = number(ends[0])?;
        let end = ends.get(1).map_or(Ok(first), |end| number(end))?;
        if ends.len() > 1 && first >= end {
            return Err(format!("non-increasing order, previous: {first}, current: {end}"));
        }
        if let Some(last) = last.filter(|last| *last >= first) {
            return Err(format!("non-increasing order, previous: {last}, current: {first}"));
        }
        total += end - first + 1;
        last = Some(end);
    }
    Ok(total)
}
