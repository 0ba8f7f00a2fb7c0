//! One version of a definition: what it makes of its kind.

use std::sync::OnceLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{defaults, embedded, items, numbers, prune, ruled, scale, structural::Node, validate};
use crate::kubernetes::{
    answer::{Cause, full},
    cluster::Cluster,
    kinds::Kind,
    rules::{Rules, Scale},
};

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
    /// `example.com/v1`.
    stored_version: String,
    not_modelled: OnceLock<Option<String>>,
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
            not_modelled: OnceLock::new(),
            stored_version: format!("{}/{}", text(&spec["group"]), stored_version(spec)),
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
        numbers::settle(object);
        prune::prune(object, &self.schema);
        defaults::fill_in(object, &self.schema);
    }

    fn check(&self, object: &Value) -> Vec<Cause> {
        self.wrong(object, None)
    }

    fn check_over(&self, object: &Value, there: &Value) -> Vec<Cause> {
        self.wrong(object, Some(there))
    }

    fn check_part(&self, _part: &str, object: &Value, there: &Value) -> Vec<Cause> {
        match self.schema.properties.get("status") {
            Some(status) if object.get("status").is_some() => {
                validate::check(&object["status"], status, there.get("status"), ("status", ""))
            }
            _ => Vec::new(),
        }
    }

    fn leaves(&self, part: &str) -> Vec<&str> {
        match part {
            "" if self.has_status() => vec!["status"],
            "" => Vec::new(),
            _ => vec!["metadata", "spec"],
        }
    }

    fn prepare_part(&self, _part: &str, object: &mut Value, there: &Value, _cluster: &Cluster) {
        let kept = |field: &str| matches!(field, "apiVersion" | "kind" | "metadata" | "status");
        if let (Some(object), Some(there)) = (object.as_object_mut(), there.as_object()) {
            object.retain(|field, _| kept(field));
            object.extend(
                there.iter().filter(|(field, _)| !kept(field)).map(|(field, value)| (field.clone(), value.clone())),
            );
        }
    }

    fn born_with_status(&self) -> bool {
        !self.has_status()
    }

    fn scale(&self) -> Option<Scale<'_>> {
        let scale = self.subresources.get("scale")?;
        let path = |field: &str| Some(scale[field].as_str()?.trim_start_matches('.'));
        Some(Scale {
            replicas: path("specReplicasPath")?,
            status_replicas: path("statusReplicasPath")?,
            selector: path("labelSelectorPath"),
        })
    }

    fn counts_generations(&self) -> bool {
        true
    }

    fn stored_version(&self) -> Option<&str> {
        Some(&self.stored_version)
    }

    fn replacing_needs_version(&self) -> bool {
        true
    }

    fn not_modelled(&self) -> Option<&str> {
        self.not_modelled.get_or_init(|| ruled::not_modelled(&self.schema)).as_deref()
    }
}

impl Served {
    fn wrong(&self, object: &Value, there: Option<&Value>) -> Vec<Cause> {
        let mut wrong = embedded::check(object, &self.schema);
        wrong.extend(validate::check(object, &self.schema, there, ("", "")));
        wrong.extend(self.scale().map(|places| scale::check(object, places)).unwrap_or_default());
        wrong.extend(items::check(object, &self.schema, there));
        self.ask_rules(wrong, |schema| ruled::check(object, schema, there))
    }
}

impl Served {
    /// What is wrong, with what the rules say if nothing keeps them from being asked.
    fn ask_rules(&self, mut wrong: Vec<Cause>, ask: impl Fn(&Node) -> Vec<Cause>) -> Vec<Cause> {
        match ruled::any(&self.schema) {
            true if wrong.iter().any(ruled::blocks) => wrong.push(ruled::not_asked()),
            true => wrong.extend(ask(&self.schema)),
            false => {}
        }
        wrong
    }
}

fn stored_version(spec: &Value) -> &str {
    let versions = spec["versions"].as_array().into_iter().flatten();
    let stored = versions.into_iter().find(|version| version["storage"] == true);
    stored.and_then(|stored| stored["name"].as_str()).unwrap_or_default()
}

fn storage_hash(spec: &Value) -> String {
    let [group, kind] = [&spec["group"], &spec["names"]["kind"]].map(|word| word.as_str().unwrap_or_default());
    STANDARD.encode(&Sha256::digest(format!("{group}/{}/{kind}", stored_version(spec)))[..8])
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

/// Gives objects within objects what every object has. What is filled in is not said twice: only items are told apart by it.
fn embed(node: &mut Value) {
    if node["default"].is_object() {
        node.as_object_mut().and_then(|node| node.shift_remove("default"));
    }
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
