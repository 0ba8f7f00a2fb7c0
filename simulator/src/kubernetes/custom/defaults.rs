//! Filling in what a schema says of what nobody gave.

use serde_json::Value;

use super::structural::Node;

/// Fills in the defaults of a schema. Nulls where none may be count as not given.
pub fn fill_in(value: &mut Value, node: &Node) {
    walk(value, node, |_| true);
}

/// The same of what somebody applies: there only nulls that have a default count as not given.
pub fn fill_in_applied(value: &mut Value, node: &Node) {
    walk(value, node, |node| node.default.is_some());
}

fn walk(value: &mut Value, node: &Node, as_not_given: fn(&Node) -> bool) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| {
                let below = node.below(key);
                !(value.is_null() && is_never_null(below) && below.is_some_and(as_not_given))
            });
            for (name, property) in &node.properties {
                if let Some(default) = &property.default
                    && !map.contains_key(name)
                {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (key, value) in map.iter_mut() {
                if let Some(node) = node.below(key) {
                    walk(value, node, as_not_given);
                }
            }
        }
        Value::Array(items) => {
            let Some(node) = node.items.as_deref() else { return };
            for item in items {
                if let (true, Some(default)) = (item.is_null() && !node.nullable, &node.default) {
                    *item = default.clone();
                }
                walk(item, node, as_not_given);
            }
        }
        _ => {}
    }
}

fn is_never_null(node: Option<&Node>) -> bool {
    node.is_some_and(|node| !node.nullable)
}
