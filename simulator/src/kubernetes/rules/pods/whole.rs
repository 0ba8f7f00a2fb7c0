//! What a pod as a whole asks for, beside what its containers do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::kubernetes::{quantity::Quantity, rules::fill::fill};

type Amounts = BTreeMap<String, Quantity>;

/// A pod with limits of its own asks for what its containers ask for, and otherwise for its limits.
pub fn fill_in(spec: &mut Value) {
    let resources = &spec["resources"];
    if resources["limits"].is_null() && resources["requests"].is_null() {
        return;
    }
    let pages: Amounts = asked(spec, "limits").into_iter().filter(|(name, _)| name.starts_with("hugepages-")).collect();
    for (name, amount) in pages {
        if spec["resources"]["requests"][&name].is_null() {
            fill(&mut spec["resources"], json!({"limits": {name: amount.to_string()}}));
        }
    }
    let limits = spec["resources"]["limits"].clone();
    if limits.is_null() {
        return;
    }
    for (name, amount) in asked(spec, "requests") {
        if matches!(name.as_str(), "cpu" | "memory") {
            fill(&mut spec["resources"], json!({"requests": {name: amount.to_string()}}));
        }
    }
    fill(&mut spec["resources"], json!({"requests": limits}));
}

/// What the containers of a pod need together: those that run side by side, and before them one after the other.
fn asked(spec: &Value, what: &str) -> Amounts {
    let containers = |list: &str| spec[list].as_array().into_iter().flatten();
    let mut running = Amounts::new();
    let mut peak = Amounts::new();
    for container in containers("initContainers") {
        let own = amounts(&container["resources"][what]);
        if container["restartPolicy"] == "Always" {
            running = sum(&running, &own);
            peak = most(&peak, &running);
        } else {
            peak = most(&peak, &sum(&running, &own));
        }
    }
    for container in containers("containers") {
        running = sum(&running, &amounts(&container["resources"][what]));
    }
    most(&peak, &running)
}

fn amounts(of: &Value) -> Amounts {
    let entries = of.as_object().into_iter().flatten();
    entries.filter_map(|(name, amount)| Some((name.clone(), Quantity::read(amount).ok()?))).collect()
}

fn sum(one: &Amounts, other: &Amounts) -> Amounts {
    joined(one, other, |one, other| one + other)
}

fn most(one: &Amounts, other: &Amounts) -> Amounts {
    joined(one, other, Quantity::max)
}

fn joined(one: &Amounts, other: &Amounts, join: fn(Quantity, Quantity) -> Quantity) -> Amounts {
    let mut all = one.clone();
    for (name, amount) in other {
        all.entry(name.clone()).and_modify(|known| *known = join(*known, *amount)).or_insert(*amount);
    }
    all
}
