//! Throwing away what a schema does not know.

use serde_json::Value;

use super::structural::Node;

/// Takes out of an object what its schema doesn't know, and says what that was: `spec.ports[0].nmae`, in order.
pub fn prune(object: &mut Value, schema: &Node) -> Vec<String> {
    let mut unknown = Vec::new();
    below(object, Some(schema), true, schema.preserves_unknown, "", &mut unknown);
    unknown.sort();
    unknown
}

/// The same for a value within an object.
pub fn prune_value(value: &mut Value, node: &Node) -> Vec<String> {
    let mut unknown = Vec::new();
    below(value, Some(node), false, node.preserves_unknown, "", &mut unknown);
    unknown
}

/// `whole`: the value is an object of its own, with a kind and metadata. `keeps`: what is unknown stays.
fn below(value: &mut Value, node: Option<&Node>, whole: bool, keeps: bool, path: &str, unknown: &mut Vec<String>) {
    let whole = whole || node.is_some_and(|node| node.embedded);
    let keeps = keeps || node.is_some_and(|node| node.preserves_unknown);
    match value {
        Value::Object(map) => {
            let mut gone = Vec::new();
            for (key, value) in map.iter_mut() {
                let place = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                if whole && matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
                    continue;
                }
                match node.map(|node| (node.properties.get(key), node)) {
                    Some((Some(property), _)) => below(value, Some(property), false, false, &place, unknown),
                    Some((None, node)) if node.additional_properties.is_some() => {
                        below(value, node.others(), false, false, &place, unknown);
                    }
                    _ if keeps => {}
                    _ => {
                        gone.push(key.clone());
                        unknown.push(place);
                    }
                }
            }
            gone.iter().for_each(|key| drop(map.remove(key)));
        }
        Value::Array(items) => {
            let of = node.and_then(|node| node.items.as_deref());
            if keeps && of.is_none() {
                return;
            }
            for (index, item) in items.iter_mut().enumerate() {
                below(item, of, false, keeps, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}
