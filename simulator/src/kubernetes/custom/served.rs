//! One version of a definition: what it makes of its kind.

use std::sync::OnceLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{defaults, prune, structural::Node};
use crate::kubernetes::{answer::full, cluster::Cluster, kinds::Kind, rules::Rules};

/// What may be done with objects of any defined kind.
const VERBS: [&str; 8] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/// What a version of a definition says beyond the kind's names.
#[derive(Debug)]
pub struct Served {
    pub is_served: bool,
    /// The names by which people call it, as discovery lists them.
    names: Value,
    pub schema: Node,
    subresources: Value,
    /// By which clients see that objects are stored otherwise than before.
    pub storage_hash: String,
}

impl Served {
    /// The kinds that a definition makes, in the order of its versions.
    pub fn all(definition: &Value) -> Vec<Kind> {
        let spec = &definition["spec"];
        let versions = spec["versions"].as_array().into_iter().flatten();
        versions.map(|version| Self::kind(spec, version)).collect()
    }

    fn kind(spec: &Value, version: &Value) -> Kind {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let schema = &version["schema"]["openAPIV3Schema"];
        let served = Self {
            is_served: version["served"] == true,
            names: spec["names"].clone(),
            schema: Node::read(schema),
            subresources: version["subresources"].clone(),
            storage_hash: storage_hash(spec),
        };
        let (group, resource) = (text(&spec["group"]), text(&spec["names"]["plural"]));
        let parts = ["status", "scale"].into_iter().filter(|part| served.subresources.get(part).is_some());
        Kind {
            stored: full(&resource, &group).into(),
            kind: text(&spec["names"]["kind"]),
            version: text(&version["name"]),
            namespaced: spec["scope"] == "Namespaced",
            verbs: VERBS.map(str::to_owned).to_vec(),
            subresources: parts.map(str::to_owned).collect(),
            defined: Some(served),
            definition: document(schema),
            schema: OnceLock::new(),
            group,
            resource,
        }
    }

    /// The kind as aggregated discovery lists it.
    pub fn discovered(&self, kind: &Kind) -> Value {
        let Kind { group, version, kind: name, resource, .. } = kind;
        let scope = if kind.namespaced { "Namespaced" } else { "Cluster" };
        let mut listed = json!({
            "resource": resource,
            "responseKind": {"group": group, "version": version, "kind": name},
            "scope": scope,
            "singularResource": self.names["singular"],
            "verbs": VERBS,
        });
        for words in ["shortNames", "categories"] {
            if let Some(given) = self.names[words].as_array().filter(|given| !given.is_empty()) {
                listed[words] = json!(given);
            }
        }
        let part = |part: &String| {
            let kind = match part.as_str() {
                "scale" => json!({"group": "autoscaling", "version": "v1", "kind": "Scale"}),
                _ => json!({"group": group, "version": version, "kind": name}),
            };
            json!({"subresource": part, "responseKind": kind, "verbs": ["get", "patch", "update"]})
        };
        let parts: Vec<Value> = kind.subresources.iter().map(part).collect();
        if !parts.is_empty() {
            listed["subresources"] = json!(parts);
        }
        listed
    }

    fn has_status(&self) -> bool {
        self.subresources.get("status").is_some()
    }
}

impl Rules for Served {
    fn fill_in(&self, object: &mut Value) {
        prune::prune(object, &self.schema);
        defaults::fill_in(object, &self.schema);
    }

    fn prepare_new(&self, object: &mut Value, _cluster: &Cluster) {
        if self.has_status()
            && let Some(object) = object.as_object_mut()
        {
            object.remove("status");
        }
    }

    fn leaves(&self, part: &str) -> Vec<&str> {
        match part {
            "" if !self.has_status() => Vec::new(),
            "" => vec!["status"],
            _ => vec!["spec"],
        }
    }

    /// A write to the status reaches nothing else.
    fn prepare_part(&self, _part: &str, object: &mut Value, there: &Value, _cluster: &Cluster) {
        let mut kept = there.clone();
        match object.get("status") {
            Some(status) => kept["status"] = status.clone(),
            None => drop(kept.as_object_mut().and_then(|kept| kept.shift_remove("status"))),
        }
        kept["metadata"]["resourceVersion"] = object["metadata"]["resourceVersion"].clone();
        *object = kept;
    }

    fn counts_generations(&self) -> bool {
        true
    }
}

fn storage_hash(spec: &Value) -> String {
    let versions = spec["versions"].as_array().into_iter().flatten();
    let stored = versions.into_iter().find(|version| version["storage"] == true);
    let [group, version, kind] =
        [&spec["group"], stored.map_or(&Value::Null, |stored| &stored["name"]), &spec["names"]["kind"]]
            .map(|word| word.as_str().unwrap_or_default());
    STANDARD.encode(&Sha256::digest(format!("{group}/{version}/{kind}"))[..8])
}

/// The schema as the rest of the server reads it: with what every object has.
fn document(schema: &Value) -> Value {
    let mut document = schema.clone();
    if !document.is_object() {
        document = json!({});
    }
    for field in ["apiVersion", "kind"] {
        document["properties"][field] = json!({"type": "string"});
    }
    document["properties"]["metadata"] = json!({"$ref": OBJECT_META});
    embed(&mut document);
    document
}

const OBJECT_META: &str = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Gives objects within objects what every object has.
fn embed(node: &mut Value) {
    if node["x-kubernetes-embedded-resource"] == true {
        for field in ["apiVersion", "kind"] {
            node["properties"][field] = json!({"type": "string"});
        }
        node["properties"]["metadata"] = json!({"$ref": OBJECT_META});
    }
    for (key, below) in node.as_object_mut().into_iter().flatten() {
        match (key.as_str(), below) {
            ("properties", Value::Object(properties)) => properties.values_mut().for_each(embed),
            ("items" | "additionalProperties", below @ Value::Object(_)) => embed(below),
            _ => {}
        }
    }
}
