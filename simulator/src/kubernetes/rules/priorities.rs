//! Classes of priority.

use serde_json::Value;

use super::{
    field::{Field, one_of, unchanged},
    fill::default,
    simple::{PLAIN, Simple},
};
use crate::kubernetes::answer::Cause;

pub static CLASSES: Simple = Simple { fill_in, prepare, check, check_change, ..PLAIN };

const HIGHEST: i64 = 1_000_000_000;
/// The classes of the system itself, with their values.
pub const SYSTEM: [(&str, i64); 2] =
    [("system-cluster-critical", 2 * HIGHEST), ("system-node-critical", 2 * HIGHEST + 1000)];

fn fill_in(class: &mut Value) {
    default(class, "preemptionPolicy", "PreemptLowerPriority");
}

/// Its generation is always the first.
fn prepare(class: &mut Value) {
    default(&mut class["metadata"], "generation", 1);
}

fn check(class: &Value) -> Vec<Cause> {
    let class = Field::whole(class);
    let (name, value) = (class.at("metadata").at("name"), class.at("value"));
    let mut wrong = Vec::new();
    let known = SYSTEM.iter().any(|(known, of)| *known == name.text() && value.number() == Some(*of));
    if name.text().starts_with("system-") && !known {
        let why = "priority class names with 'system-' prefix are reserved for system use only. error:";
        wrong.push(name.forbidden(&format!("{why} {} is not a known system priority class", name.text())));
    } else if !known && value.number().is_some_and(|value| value > HIGHEST) {
        wrong.push(value.forbidden(&format!("maximum allowed value of a user defined priority is {HIGHEST}")));
    }
    wrong.extend(one_of(&class.at("preemptionPolicy"), &["PreemptLowerPriority", "Never"]));
    wrong
}

fn check_change(class: &Value, there: &Value) -> Vec<Cause> {
    let (class, there) = (Field::whole(class), Field::whole(there));
    let mut wrong = Vec::new();
    if class.at("value").value != there.at("value").value {
        wrong.push(class.at("value").forbidden("may not be changed in an update."));
    }
    wrong.extend(unchanged(&class.at("preemptionPolicy"), &there.at("preemptionPolicy")));
    wrong
}
