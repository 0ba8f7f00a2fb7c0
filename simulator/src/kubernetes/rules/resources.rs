//! Amounts of resources: which may be there, and how much of them.

use serde_json::{Map, Value, json};

use super::field::Field;
use crate::kubernetes::{answer::Cause, quantity::Quantity};

/// Resources of which there are only whole ones.
pub fn is_counted(name: &str) -> bool {
    const COUNTED: [&str; 9] = [
        "pods",
        "services",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "configmaps",
        "persistentvolumeclaims",
        "services.nodeports",
        "services.loadbalancers",
    ];
    COUNTED.contains(&name) || is_extended(name)
}

/// Resources that are none of Kubernetes itself, such as `example.com/gpu`.
pub fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.")
}

/// An amount as it may be for a resource of this name.
pub fn check_value(name: &str, amount: &Field<'_>) -> Vec<Cause> {
    let Ok(quantity) = Quantity::read(amount.value) else { return Vec::new() };
    let mut wrong = Vec::new();
    if quantity.is_negative() {
        wrong.push(amount.invalid("must be greater than or equal to 0"));
    }
    if is_counted(name) && !quantity.is_whole() {
        wrong.push(amount.invalid("must be an integer"));
    }
    wrong
}

/// An amount above nothing.
pub fn check_positive(amount: &Field<'_>) -> Option<Cause> {
    let quantity = Quantity::read(amount.value).ok()?;
    (quantity <= Quantity::ZERO).then(|| amount.invalid("must be greater than zero"))
}

/// Nothing smaller than thousandths is told apart.
pub fn round(amounts: &mut Value) {
    for amount in amounts.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(rounded) = Quantity::read(amount).ok().and_then(Quantity::rounded_to_milli) {
            *amount = json!(rounded.to_string());
        }
    }
}
