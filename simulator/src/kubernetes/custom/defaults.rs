//! Filling in what a schema says of what nobody gave.

use serde_json::Value;

use super::structural::Node;

/// Fills in the defaults of a schema. Nulls where none may be count as not given.
pub fn fill_in(value: &mut Value, node: &Node) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| !(value.is_null() && is_never_null(node.below(key))));
            for (name, property) in &node.properties {
                if let Some(default) = &property.default
                    && !map.contains_key(name)
                {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (key, value) in map.iter_mut() {
                if let Some(node) = node.below(key) {
                    fill_in(value, node);
                }
            }
        }
        Value::Array(items) => {
            let Some(node) = node.items.as_deref() else { return };
            for item in items {
                if let (true, Some(default)) = (item.is_null() && !node.nullable, &node.default) {
                    *item = default.clone();
                }
                fill_in(item, node);
            }
        }
        _ => {}
    }
}

fn is_never_null(node: Option<&Node>) -> bool {
    node.is_some_and(|node| !node.nullable)
}
