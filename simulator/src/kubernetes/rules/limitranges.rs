//! Limit ranges of namespaces.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    field::Field,
    fill::items,
    form, resources,
    simple::{PLAIN, Simple},
};
use crate::kubernetes::{answer::Cause, quantity::Quantity};

pub static LIMIT_RANGES: Simple = Simple { fill_in, check, replacing_creates: true, ..PLAIN };

fn fill_in(range: &mut Value) {
    for limit in items(&mut range["spec"], "limits").filter(|limit| limit["type"] == "Container") {
        // What may be at most is what there is if nobody says, and so on.
        for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
            let Some(amounts) = limit.get(from).and_then(Value::as_object).cloned() else { continue };
            if !limit[to].is_object() {
                limit[to] = Value::Object(Map::new());
            }
            for (name, amount) in amounts {
                limit[to].as_object_mut().map(|known| known.entry(name).or_insert(amount));
            }
        }
    }
    for limit in items(&mut range["spec"], "limits") {
        for amounts in ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] {
            limit.get_mut(amounts).into_iter().for_each(resources::round);
        }
    }
}

fn check(range: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut kinds = BTreeSet::new();
    for limit in Field::of(range, "spec.limits").items() {
        let kind = limit.at("type");
        wrong.extend(form::qualified_name(kind.text()).iter().map(|why| kind.invalid(why)));
        if !kinds.insert(kind.text()) {
            wrong.push(kind.duplicate());
        }
        if kind.text() == "Pod" {
            let given = ["default", "defaultRequest"].map(|name| limit.at(name));
            let given = given.iter().filter(|amounts| !amounts.is_empty());
            wrong.extend(given.map(|amounts| amounts.forbidden("may not be specified when `type` is 'Pod'")));
        }
        let stored = |name: &str| limit.at(name).at("storage").is_set();
        if kind.text() == "PersistentVolumeClaim" && !stored("min") && !stored("max") {
            let why = "either minimum or maximum storage value is required, but neither was provided";
            wrong.push(limit.at("limits").required(why));
        }
        let all = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];
        let names: BTreeSet<&str> =
            all.iter().flat_map(|list| limit.at(list).entries().map(|(name, _)| name).collect::<Vec<_>>()).collect();
        wrong.extend(names.into_iter().flat_map(|name| check_amounts(&limit, name)));
    }
    wrong
}

/// The amounts of one resource, which have to follow each other.
fn check_amounts(limit: &Field<'_>, name: &str) -> Vec<Cause> {
    let of_pods = limit.at("type").text() == "Pod";
    let amount = |list: &str| {
        let skipped = of_pods && list.starts_with("default");
        let field = limit.at(list).key(name);
        Quantity::read(field.value).ok().filter(|_| !skipped)
    };
    let told = |list: &str, value: Quantity, why: String| {
        Cause::invalid(limit.at(list).key(name).path, &Value::from(value.to_string()), &why)
    };
    let (min, max, ratio) = (amount("min"), amount("max"), amount("maxLimitRequestRatio"));
    let (request, default) = (amount("defaultRequest"), amount("default"));
    let mut wrong = Vec::new();
    // Where it is told, which value is shown, and what has to be no more than what.
    let pairs = [
        ("min", min, (min, "min value"), (max, "max value")),
        ("defaultRequest", request, (min, "min value"), (request, "default request value")),
        ("defaultRequest", request, (request, "default request value"), (max, "max value")),
        ("defaultRequest", request, (request, "default request value"), (default, "default limit value")),
        ("default", min, (min, "min value"), (default, "default value")),
        ("default", max, (default, "default value"), (max, "max value")),
    ];
    for (list, shown, (low, low_name), (high, high_name)) in pairs {
        if let (Some(shown), Some(low), Some(high)) = (shown, low, high)
            && low > high
        {
            wrong.push(told(list, shown, format!("{low_name} {low} is greater than {high_name} {high}")));
        }
    }
    if let Some(ratio) = ratio {
        if ratio.milli() < 1000 {
            wrong.push(told("maxLimitRequestRatio", ratio, format!("ratio {ratio} is less than 1")));
        }
        if let (Some(min), Some(max)) = (min, max) {
            let most = max.milli() as f64 / min.milli() as f64;
            if ratio.milli() as f64 / 1000.0 > most {
                let why = format!("ratio {ratio} is greater than max/min = {most:.6}");
                wrong.push(told("maxLimitRequestRatio", ratio, why));
            }
        }
    }
    wrong
}
