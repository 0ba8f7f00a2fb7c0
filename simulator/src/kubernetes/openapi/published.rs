//! What is published of kinds that were defined: what the definition says, and what every object has.

use serde_json::{Map, Value, json};

use super::documents::{META, name_of};
use crate::kubernetes::{
    custom::Served,
    kinds::{self, Kind},
};

const PRESERVES: &str = "x-kubernetes-preserve-unknown-fields";

/// The object as version 3 has it.
pub fn object(kind: &Kind, defined: &Served) -> Value {
    let mut definition = whole(defined);
    let mut fields = common(said_of("apiVersion"), said_of("kind"));
    let own = definition["properties"].as_object().cloned().unwrap_or_default();
    fields.extend(own.into_iter().filter(|(name, _)| !fields_of_all(name)));
    definition["properties"] = Value::Object(fields);
    named(definition, kind, &kind.kind)
}

/// The object as version 2 has it: clients of it reject what they don't know, so of what may be anything nothing is said.
pub fn older_object(kind: &Kind, defined: &Served, object: &Value) -> Value {
    if defined.schema.preserves_unknown {
        return named(json!({"type": "object"}), kind, &kind.kind);
    }
    let mut older = object.clone();
    loosen(&mut older);
    older
}

/// A list of such objects.
pub fn list(kind: &Kind) -> Value {
    let list = json!({
        "description": format!("{} is a list of {}", kind.list_kind(), kind.kind),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": said_of("apiVersion"),
            "items": {
                "description": format!("List of {}. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md", kind.resource),
                "type": "array",
                "items": {"$ref": format!("#/components/schemas/{}", name_of(kind))},
            },
            "kind": said_of("kind"),
            "metadata": {
                "description": "Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
                "allOf": [{"$ref": format!("#/components/schemas/{META}.ListMeta")}],
            },
        },
    });
    named(list, kind, &kind.list_kind())
}

fn named(mut definition: Value, kind: &Kind, name: &str) -> Value {
    definition["x-kubernetes-group-version-kind"] =
        json!([{"group": kind.group, "kind": name, "version": kind.version}]);
    definition
}

/// What the definition says, with what it only hints at.
fn whole(defined: &Served) -> Value {
    let mut schema = defined.said.clone();
    if !schema.is_object() {
        schema = json!({"type": "object"});
    }
    each(&mut schema, &|node| {
        if node["x-kubernetes-int-or-string"] == true && node.get("anyOf").is_none() {
            node["anyOf"] = json!([{"type": "integer"}, {"type": "string"}]);
        }
        if node["x-kubernetes-embedded-resource"] == true {
            embed(node);
        }
    });
    schema
}

fn embed(node: &mut Value) {
    let describe = |text: &str| json!({"type": "string", "description": text});
    let mut fields = common(
        describe(
            "apiVersion defines the versioned schema of this representation of an object. More info: \
             https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
        ),
        describe(
            "kind is a string value representing the type of this object. In CamelCase. More info: \
             https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
        ),
    );
    let own = node["properties"].as_object().cloned().unwrap_or_default();
    fields.extend(own.into_iter().filter(|(name, _)| !fields_of_all(name)));
    node["properties"] = Value::Object(fields);
    let required = node["required"].as_array().cloned().unwrap_or_default();
    let more = ["kind", "apiVersion"].map(Value::from).into_iter().filter(|name| !required.contains(name));
    node["required"] = required.iter().cloned().chain(more).collect();
}

/// What every object has.
fn common(api_version: Value, kind: Value) -> Map<String, Value> {
    let metadata = json!({
        "description": "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
        "allOf": [{"$ref": format!("#/components/schemas/{META}.ObjectMeta")}],
    });
    Map::from_iter(
        [("apiVersion", api_version), ("kind", kind), ("metadata", metadata)].map(|(name, of)| (name.to_owned(), of)),
    )
}

fn fields_of_all(name: &str) -> bool {
    matches!(name, "apiVersion" | "kind" | "metadata")
}

fn said_of(field: &str) -> Value {
    kinds::published()[&format!("{META}.APIResourceList")]["properties"][field].clone()
}

/// Takes back what clients would hold objects to although they may be otherwise.
fn loosen(node: &mut Value) {
    each(node, &|node| {
        let anything = node[PRESERVES] == true || node["nullable"] == true;
        if let Some(words) = node.as_object_mut().filter(|_| anything) {
            for word in ["type", "properties", "required", "items", "additionalProperties", "description"] {
                words.shift_remove(word);
            }
        }
    });
}

/// Does something with a schema and all below it.
fn each(node: &mut Value, change: &impl Fn(&mut Value)) {
    change(node);
    for (word, below) in node.as_object_mut().into_iter().flatten() {
        match (word.as_str(), below) {
            ("properties", Value::Object(all)) => all.values_mut().for_each(|below| each(below, change)),
            ("items" | "additionalProperties", below @ Value::Object(_)) => each(below, change),
            _ => {}
        }
    }
}
