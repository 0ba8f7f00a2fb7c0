//! Documents: the definitions that some kinds need, and the paths that lead to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Map, Value, json};

use super::{operations, published};
use crate::kubernetes::kinds::{self, Kind, said};

pub const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// What every document has, whatever its kinds are.
const ALWAYS: [&str; 3] = ["DeleteOptions", "Patch", "Status"];

/// What is said of some kinds.
pub struct Document<'k> {
    kinds: &'k [Arc<Kind>],
    definitions: BTreeMap<String, Value>,
}

impl<'k> Document<'k> {
    pub fn of(kinds: &'k [Arc<Kind>]) -> Self {
        let mut document = Self { kinds, definitions: BTreeMap::new() };
        for name in ALWAYS {
            document.add(&format!("{META}.{name}"));
        }
        for kind in kinds {
            let name = name_of(kind);
            let Some(defined) = &kind.defined else {
                document.add(&name);
                document.add(&format!("{name}List"));
                continue;
            };
            let (object, list) = (published::object(kind, defined), published::list(kind));
            for definition in [&object, &list] {
                references(definition).iter().for_each(|name| document.add(name));
            }
            document.definitions.insert(name.clone(), object);
            document.definitions.insert(format!("{name}List"), list);
        }
        document
    }

    /// Adds a definition of Kubernetes with all that it refers to.
    fn add(&mut self, name: &str) {
        if self.definitions.contains_key(name) {
            return;
        }
        if let Some(definition) = kinds::published().get(name) {
            self.definitions.insert(name.to_owned(), definition.clone());
            references(definition).iter().for_each(|name| self.add(name));
        }
    }

    pub fn version_3(self) -> Value {
        let version = format!("{}.{}", text(&said().version["major"]), text(&said().version["minor"]));
        json!({
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": version},
            "paths": operations::paths(self.kinds, "#/components/schemas/"),
            "components": {
                "schemas": self.definitions,
                "securitySchemes": {"BearerToken": {
                    "type": "apiKey", "description": "Bearer Token authentication", "name": "authorization", "in": "header",
                }},
            },
        })
    }

    pub fn version_2(mut self) -> Value {
        for kind in self.kinds {
            if let (Some(defined), Some(object)) = (&kind.defined, self.definitions.get_mut(&name_of(kind))) {
                *object = published::older_object(kind, defined, object);
            }
        }
        let definitions: Map<String, Value> =
            self.definitions.into_iter().map(|(name, definition)| (name, older(&definition))).collect();
        json!({
            "swagger": "2.0",
            "info": {"title": "Kubernetes", "version": text(&said().version["gitVersion"])},
            "paths": operations::paths(self.kinds, "#/definitions/"),
            "definitions": definitions,
        })
    }
}

/// A digest of what a document of these kinds would say, without making it.
pub fn digest(kinds: &[Arc<Kind>]) -> String {
    // FNV-1a, twice, from two beginnings: it has to tell documents apart, and nothing else.
    let sum = |beginning: u64| {
        let texts = kinds.iter().map(|kind| match kind.built_in() {
            true => name_of(kind),
            false => {
                format!("{} {}", name_of(kind), kind.defined.as_ref().map_or(&Value::Null, |defined| &defined.said))
            }
        });
        texts.fold(beginning, |sum, text| {
            text.bytes().fold(sum, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
        })
    };
    format!("{:016X}{:016X}", sum(0xcbf2_9ce4_8422_2325), sum(0x9e37_79b9_7f4a_7c15))
}

/// The name under which a kind is defined.
pub fn name_of(kind: &Kind) -> String {
    if !kind.built_in() {
        let reversed: Vec<&str> = kind.group.split('.').rev().collect();
        return format!("{}.{}.{}", reversed.join("."), kind.version, kind.kind);
    }
    let is_it = |definition: &Value| {
        let kinds = definition.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
        kinds.into_iter().flatten().any(|known| {
            text(&known["group"]) == kind.group
                && text(&known["version"]) == kind.version
                && text(&known["kind"]) == kind.kind
        })
    };
    let found = said().definitions.iter().find(|(_, definition)| is_it(definition));
    found.map(|(name, _)| name.clone()).unwrap_or_default()
}

/// The names that a definition refers to.
fn references(definition: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(definition, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
                found.insert(name.to_owned());
            }
            map.values().for_each(|value| collect(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// A definition as version 2 has it: without what it has no words for.
fn older(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            // A reference with more said beside it has to be made of parts in version 3.
            let part = map.get("allOf").and_then(Value::as_array).filter(|parts| parts.len() == 1);
            let reference = part.and_then(|parts| parts[0].get("$ref"));
            let unknown = |key: &str| matches!(key, "oneOf" | "anyOf" | "not" | "nullable" | "default");
            let mut older: Map<String, Value> = map
                .iter()
                .filter(|(key, _)| !(unknown(key) || reference.is_some() && *key == "allOf"))
                .map(|(key, value)| (key.clone(), if key == "properties" { older_each(value) } else { older(value) }))
                .collect();
            if let Some(reference) = reference.or(map.get("$ref")).and_then(Value::as_str) {
                let name = reference.rsplit('/').next().unwrap_or_default();
                older.insert("$ref".to_owned(), json!(format!("#/definitions/{name}")));
            }
            Value::Object(older)
        }
        Value::Array(list) => Value::Array(list.iter().map(older).collect()),
        other => other.clone(),
    }
}

/// The same for definitions by name, whatever the names are.
fn older_each(properties: &Value) -> Value {
    let properties = properties.as_object().into_iter().flatten();
    properties.map(|(name, definition)| (name.clone(), older(definition))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
