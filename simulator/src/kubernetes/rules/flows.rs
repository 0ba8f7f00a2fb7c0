//! Flows of requests and the levels of their priority.

use serde_json::{Value, json};

use super::{
    field::{Field, one_of, required},
    fill::default,
    simple::{PLAIN, Simple},
};
use crate::kubernetes::answer::Cause;

pub static FLOWS: Simple = Simple { fill_in: fill_in_flow, check: check_flow, counts_generations: true, ..PLAIN };

pub static LEVELS: Simple = Simple { fill_in: fill_in_level, check: check_level, counts_generations: true, ..PLAIN };

const LAST: i64 = 10_000;

fn fill_in_flow(flow: &mut Value) {
    let spec = &mut flow["spec"];
    if spec["matchingPrecedence"].as_i64().unwrap_or_default() == 0 {
        spec["matchingPrecedence"] = json!(1000);
    }
}

fn check_flow(flow: &Value) -> Vec<Cause> {
    let spec = Field::of(flow, "spec");
    let (place, level) = (spec.at("matchingPrecedence"), spec.at("priorityLevelConfiguration").at("name"));
    let mut wrong = Vec::new();
    if place.number().is_some_and(|place| place < 1) {
        wrong.push(place.invalid("must be a positive value"));
    }
    if place.number().is_some_and(|place| place > LAST) {
        wrong.push(place.invalid(&format!("must not be greater than {LAST}")));
    }
    let method = spec.at("distinguisherMethod").at("type");
    if method.is_set() && !matches!(method.text(), "ByUser" | "ByNamespace") {
        let told = json!({"Type": method.text()});
        wrong.push(Cause::unsupported(&method.path, &told, &["ByNamespace", "ByUser"]));
    }
    wrong.extend(required(&level, "must reference a priority level"));
    wrong
}

fn fill_in_level(level: &mut Value) {
    let spec = &mut level["spec"];
    if let Some(limited) = spec.get_mut("limited") {
        default(limited, "nominalConcurrencyShares", 30);
        default(limited, "lendablePercent", 0);
        if let Some(queuing) = limited["limitResponse"].get_mut("queuing") {
            for (field, value) in [("queues", 64), ("handSize", 8), ("queueLengthLimit", 50)] {
                if queuing[field].as_i64().unwrap_or_default() == 0 {
                    queuing[field] = json!(value);
                }
            }
        }
    }
    if let Some(exempt) = spec.get_mut("exempt") {
        default(exempt, "nominalConcurrencyShares", 0);
        default(exempt, "lendablePercent", 0);
    }
}

fn check_level(level: &Value) -> Vec<Cause> {
    let spec = Field::of(level, "spec");
    let (kind, limited) = (spec.at("type"), spec.at("limited"));
    let mut wrong = Vec::from_iter(one_of(&kind, &["Exempt", "Limited"]));
    if kind.text() != "Limited" {
        return wrong;
    }
    if !limited.is_set() {
        wrong.push(limited.required("must not be empty when type is Limited"));
        return wrong;
    }
    let response = limited.at("limitResponse");
    let queuing = response.at("queuing");
    wrong.extend(one_of(&response.at("type"), &["Queue", "Reject"]));
    match response.at("type").text() {
        "Queue" if !queuing.is_set() => {
            wrong.push(queuing.required("must not be empty if limited.limitResponse.type is Limited"));
        }
        "Reject" if queuing.is_set() => {
            wrong.push(queuing.forbidden("must be nil if limited.limitResponse.type is not Limited"));
        }
        _ => {}
    }
    wrong
}
