//! One version of a definition: what it makes of its kind.

use std::sync::{Arc, OnceLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    columns::PrinterColumn, defaults, embedded, finalizers, items, numbers, prune, reading, ruled, scale,
    structural::Node, validate,
};
use crate::kubernetes::{
    answer::{Cause, full},
    cluster::Cluster,
    kinds::Kind,
    rules::{Look, Rules, Scale},
    schema::Typed,
    store::Store,
};

/// What may be done with objects of any defined kind.
const VERBS: [&str; 8] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/// What a version of a definition says beyond the kind's names.
#[derive(Debug)]
pub struct Served {
    pub is_served: bool,
    /// The names by which people call it, as discovery lists them.
    names: Value,
    pub schema: Arc<Node>,
    /// What the definition says of its objects, as it says it.
    pub said: Value,
    /// That of the version in which objects are stored.
    stored_schema: Arc<Node>,
    /// What tables show of its objects besides their names.
    pub columns: Vec<PrinterColumn>,
    subresources: Value,
    /// The paths by which objects can be selected, as in `spec.colour`.
    selectable: Vec<String>,
    /// A webhook makes objects of one version those of another.
    converts_by_webhook: bool,
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
        let versions: Vec<&Value> = spec["versions"].as_array().into_iter().flatten().collect();
        let schemas: Vec<Arc<Node>> =
            versions.iter().map(|version| Arc::new(Node::read(&version["schema"]["openAPIV3Schema"]))).collect();
        let stored = versions.iter().position(|version| version["storage"] == true).unwrap_or_default();
        let all = versions.iter().zip(&schemas);
        all.map(|(version, schema)| Self::kind(spec, version, schema, &schemas[stored])).collect()
    }

    fn kind(spec: &Value, version: &Value, schema: &Arc<Node>, stored_schema: &Arc<Node>) -> Kind {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let selectable = version["selectableFields"].as_array().into_iter().flatten();
        let served = Self {
            is_served: version["served"] == true,
            names: spec["names"].clone(),
            schema: schema.clone(),
            said: version["schema"]["openAPIV3Schema"].clone(),
            stored_schema: stored_schema.clone(),
            columns: PrinterColumn::all(version),
            subresources: version["subresources"].clone(),
            selectable: selectable.map(|field| text(&field["jsonPath"]).trim_start_matches('.').to_owned()).collect(),
            converts_by_webhook: spec["conversion"]["strategy"] == "Webhook",
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
            definition: document(&version["schema"]["openAPIV3Schema"]),
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

    /// Reads an object that somebody gave; the answer says what is odd about it. `metadata` is what that of any object looks like.
    ///
    /// # Errors
    /// If its metadata, or that of an object within it, is of another type.
    pub fn read(&self, object: &mut Value, metadata: Typed) -> Result<Vec<String>, String> {
        let group = |version: &str| version.split_once('/').map_or("", |(group, _)| group).to_owned();
        let said = |field: &str| object[field].as_str().unwrap_or_default();
        let is_its = self.names["kind"] == said("kind") && group(&self.stored_version) == group(said("apiVersion"));
        reading::read(object, is_its.then_some(&self.schema), metadata)
    }

    /// What would have to be done by a webhook, if any object is stored in another version than this one.
    pub fn conversion(&self, kind: &Kind, store: &Store) -> Option<String> {
        let version = kind.api_version();
        let others =
            || store.list(&kind.stored, None).1.into_iter().any(|(_, object)| object["apiVersion"] != *version);
        let needed = self.converts_by_webhook && (self.stored_version != version || others());
        needed.then(|| format!("the conversion of `{}` to `{version}` by a webhook", kind.stored))
    }

    /// An object as it is stored, as one of this version.
    pub fn seen(&self, stored: &Value, api_version: &str) -> Value {
        let mut seen = stored.clone();
        numbers::settle(&mut seen);
        prune::prune(&mut seen, &self.stored_schema);
        defaults::fill_in(&mut seen, &self.stored_schema);
        if self.stored_version != api_version {
            prune::prune(&mut seen, &self.schema);
        }
        seen["apiVersion"] = api_version.into();
        seen
    }

    /// What lists of its objects are called.
    pub fn list_kind(&self) -> &str {
        self.names["listKind"].as_str().unwrap_or_default()
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

    fn fill_in_applied(&self, object: &mut Value) {
        numbers::settle(object);
        prune::prune(object, &self.schema);
        defaults::fill_in_applied(object, &self.schema);
    }

    fn check(&self, object: &Value) -> Vec<Cause> {
        self.wrong(object, None)
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        finalizers::warnings(object, &Value::Null)
    }

    fn warnings_of_change(&self, object: &Value, there: &Value) -> Vec<String> {
        finalizers::warnings(object, there)
    }

    fn check_over(&self, object: &Value, there: &Value) -> Vec<Cause> {
        self.wrong(object, Some(there))
    }

    fn looks_at_metadata(&self, _part: &str) -> Look {
        Look::AtChanges
    }

    fn check_part(&self, _part: &str, object: &Value, there: &Value) -> Vec<Cause> {
        let mut wrong = match self.schema.properties.get("status") {
            Some(status) if object.get("status").is_some() => {
                validate::check(&object["status"], status, there.get("status"), ("status", ""))
            }
            _ => Vec::new(),
        };
        wrong.extend(self.scale().and_then(|places| scale::check_status(object, places)));
        wrong
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

    fn convert(&self, object: &mut Value, api_version: &str) {
        object["apiVersion"] = Value::from(api_version);
        prune::prune(object, &self.stored_schema);
    }

    fn selectable(&self) -> Vec<&str> {
        self.selectable.iter().map(String::as_str).collect()
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
        let mut wrong = validate::check(object, &self.schema, there, ("", ""));
        wrong.extend(self.scale().map(|places| scale::check(object, places)).unwrap_or_default());
        self.wrong_besides(wrong, object, there)
    }

    /// What is wrong by the schema, with what is wrong besides.
    pub fn wrong_besides(&self, by_schema: Vec<Cause>, object: &Value, there: Option<&Value>) -> Vec<Cause> {
        let mut wrong = embedded::check(object, &self.schema);
        wrong.extend(by_schema);
        wrong.extend(items::check(object, &self.schema, there));
        let nameless = object["metadata"]["name"].as_str().unwrap_or_default().is_empty();
        self.ask_rules(wrong, nameless, |schema| ruled::check(object, schema, there))
    }
}

impl Served {
    /// What is wrong, with what the rules say if nothing keeps them from being asked.
    fn ask_rules(&self, mut wrong: Vec<Cause>, nameless: bool, ask: impl Fn(&Node) -> Vec<Cause>) -> Vec<Cause> {
        match ruled::any(&self.schema) {
            true if nameless || wrong.iter().any(ruled::blocks) => wrong.push(ruled::not_asked()),
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
