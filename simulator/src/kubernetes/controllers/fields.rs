//! Short ways to the fields of objects.

use serde_json::{Map, Value};

/// What is at a path of an object, by JSON pointer: `/metadata/name`.
pub trait Fields {
    fn at(&self, path: &str) -> &Value;

    /// Empty, if it is not there.
    fn text(&self, path: &str) -> &str {
        self.at(path).as_str().unwrap_or_default()
    }

    /// 0, if it is not there.
    fn number(&self, path: &str) -> i64 {
        self.at(path).as_i64().unwrap_or_default()
    }

    /// False, if it is not there.
    fn flag(&self, path: &str) -> bool {
        self.at(path).as_bool().unwrap_or_default()
    }

    fn list(&self, path: &str) -> &[Value] {
        self.at(path).as_array().map_or(&[], Vec::as_slice)
    }

    fn has(&self, path: &str) -> bool {
        !self.at(path).is_null()
    }

    fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// True for an object whose deletion was asked for.
    fn is_going(&self) -> bool {
        self.has("/metadata/deletionTimestamp")
    }

    fn annotation(&self, key: &str) -> Option<&str> {
        self.at("/metadata/annotations").get(key)?.as_str()
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.at("/metadata/labels").get(key)?.as_str()
    }

    /// The condition of this type.
    fn condition(&self, kind: &str) -> Option<&Value> {
        self.list("/status/conditions").iter().find(|condition| condition["type"] == kind)
    }

    /// True if the condition of this type is.
    fn is(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|condition| condition["status"] == "True")
    }
}

impl Fields for Value {
    fn at(&self, path: &str) -> &Value {
        self.pointer(path).unwrap_or(&Value::Null)
    }
}

/// Takes a field away, if it is there.
pub fn take(object: &mut Value, field: &str) -> Option<Value> {
    object.as_object_mut()?.remove(field)
}

/// The map at a field, made if it is not there.
pub fn map<'o>(object: &'o mut Value, field: &str) -> &'o mut Map<String, Value> {
    if !object[field].is_object() {
        object[field] = Value::Object(Map::new());
    }
    object[field].as_object_mut().expect("it was made a map")
}

/// The list at a field, made if it is not there.
pub fn list<'o>(object: &'o mut Value, field: &str) -> &'o mut Vec<Value> {
    if !object[field].is_array() {
        object[field] = Value::Array(Vec::new());
    }
    object[field].as_array_mut().expect("it was made a list")
}
