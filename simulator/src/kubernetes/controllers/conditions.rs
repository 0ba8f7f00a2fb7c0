//! Conditions of objects, and when they last changed.

use serde_json::{Value, json};

use super::fields::{Fields, list};

/// What a condition says.
#[derive(Debug, Clone, Copy)]
pub struct Condition<'c> {
    pub kind: &'c str,
    /// `True`, `False`, or `Unknown`.
    pub status: &'c str,
    pub reason: &'c str,
    pub message: &'c str,
}

/// Sets a condition of a `status`, at its end, unless it says the same already; the time of its transition is that of the last
/// change of its status. True if it changed anything. What a condition of this kind has beyond that is in `more`.
pub fn set(status: &mut Value, condition: Condition<'_>, now: &str, more: &Value) -> bool {
    let Condition { kind, status: value, reason, message } = condition;
    let conditions = list(status, "conditions");
    let known = conditions.iter().find(|known| known["type"] == kind);
    if known.is_some_and(|known| known["status"] == value && known.text("/reason") == reason) {
        return false;
    }
    let since = known.filter(|known| known["status"] == value).map(|known| known["lastTransitionTime"].clone());
    let mut set = json!({"type": kind, "status": value});
    for (field, given) in more.as_object().into_iter().flatten() {
        set[field] = given.clone();
    }
    set["lastTransitionTime"] = since.unwrap_or_else(|| json!(now));
    for (field, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            set[field] = json!(text);
        }
    }
    conditions.retain(|known| known["type"] != kind);
    conditions.push(set);
    true
}

pub fn remove(status: &mut Value, kind: &str) {
    if let Some(conditions) = status["conditions"].as_array_mut() {
        conditions.retain(|known| known["type"] != kind);
    }
}
