//! The kinds that a server knows: those of Kubernetes itself, as a real server lists them.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use serde_json::{Map, Value};

use super::{
    answer::full,
    custom::Served,
    rules::{self, Rules},
    schema::{self, Schema},
};
use crate::packed;

/// What a real server of this version says of itself: its version, its groups as in aggregated discovery, and its definitions
/// as in `/openapi/v3`, but for their descriptions.
const SAID: &[u8] = include_bytes!("data/kubernetes-1.36.json.gz");

/// The descriptions, in the places that they have in the definitions. They are most of the text, and few ask for them.
const DESCRIPTIONS: &[u8] = include_bytes!("data/descriptions-1.36.json.gz");

/// Which fields of which definitions vanish when they are zero (`""`, 0, false), and which lists are null when there is nothing
/// in them. That is written in the types of Kubernetes, and no schema says it.
const ZEROS: &str = include_str!("data/zeros-1.36.json");

/// What Go calls the types of fields, where those have names of their own, and in which nameless parts of their structures fields
/// are: messages about values that don't fit name both.
const TYPES: &str = include_str!("data/types-1.36.json");

/// What Kubernetes says of itself.
pub struct Said {
    pub version: Value,
    /// The groups in their order, each as aggregated discovery has it.
    pub groups: Vec<Value>,
    /// Without descriptions, and with notes of our own ([`schema::NOTES`]).
    pub definitions: Map<String, Value>,
}

/// One resource of one version.
#[derive(Debug)]
pub struct Kind {
    pub group: String,
    pub version: String,
    pub kind: String,
    /// The plural.
    pub resource: String,
    pub namespaced: bool,
    pub verbs: Vec<String>,
    pub subresources: Vec<String>,
    /// Under which its objects are kept, whatever their version.
    pub stored: Arc<str>,
    /// What a definition says of it; nothing, if it is built in.
    pub defined: Option<Served>,
    pub(super) definition: Value,
    pub(super) schema: OnceLock<Schema>,
}

impl Kind {
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// What it has beyond its schema; nothing, if that is not modelled.
    pub fn rules(&self) -> Option<&dyn Rules> {
        match &self.defined {
            Some(defined) => Some(defined),
            None => rules::of(&self.stored),
        }
    }

    /// True for a kind of Kubernetes itself.
    pub fn built_in(&self) -> bool {
        self.defined.is_none()
    }

    /// Makes an object what a server reads it as.
    pub fn normalise(&self, object: &mut Value) {
        let root = self.schema().root();
        match &self.defined {
            None => root.normalise(object),
            // Only what every object has is read into a type of the server's own.
            Some(_) => {
                if let (Some(typed), Some(metadata)) = (root.below("metadata"), object.get_mut("metadata")) {
                    typed.normalise(metadata);
                }
            }
        }
    }

    /// An object, which may be stored in another version, as one of this kind.
    pub fn seen<'o>(&self, object: &'o Value) -> Cow<'o, Value> {
        let version = self.api_version();
        if let Some(defined) = &self.defined {
            return Cow::Owned(defined.seen(object, &version));
        }
        match self.rules() {
            Some(rules) if object["apiVersion"] != version => {
                let mut converted = object.clone();
                rules.convert(&mut converted, &version);
                Cow::Owned(converted)
            }
            _ => Cow::Borrowed(object),
        }
    }

    /// An object as an item of a list, which says for all of them what they are, if they are of Kubernetes itself.
    pub fn listed(&self, object: &Value) -> Value {
        let mut item = self.seen(object).into_owned();
        if self.built_in()
            && let Some(fields) = item.as_object_mut()
        {
            fields.shift_remove("kind");
            fields.shift_remove("apiVersion");
        }
        item
    }

    /// What a list of its objects is called.
    pub fn list_kind(&self) -> Cow<'_, str> {
        match &self.defined {
            Some(defined) => Cow::Borrowed(defined.list_kind()),
            None => Cow::Owned(format!("{}List", self.kind)),
        }
    }

    pub fn allows(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// What its objects look like.
    ///
    /// # Panics
    /// If what the server said of it contradicts itself, which a test rules out.
    pub fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| {
            Schema::read(&self.definition, &said().definitions).expect("a real server refers to what it defines")
        })
    }
}

/// What Kubernetes says of itself, unpacked once.
///
/// # Panics
/// If the data in this program is damaged.
pub fn said() -> &'static Said {
    static READ: OnceLock<Said> = OnceLock::new();
    READ.get_or_init(|| {
        let mut said: Value = packed::read(SAID);
        let groups = match said["groups"].take() {
            Value::Array(groups) => groups,
            _ => unreachable!("the groups are a list"),
        };
        let Value::Object(mut definitions) = said["definitions"].take() else {
            unreachable!("the definitions are a map")
        };
        tell_of_zeros(&mut definitions);
        tell_of_types(&mut definitions);
        Said { version: said["version"].take(), groups, definitions }
    })
}

/// The definitions as the real server publishes them.
///
/// # Panics
/// If the data in this program is damaged.
pub fn published() -> &'static Map<String, Value> {
    static READ: OnceLock<Map<String, Value>> = OnceLock::new();
    READ.get_or_init(|| {
        let mut definitions = packed::read::<Value>(SAID)["definitions"].take();
        describe(&mut definitions, packed::read(DESCRIPTIONS));
        definitions.sort_all_objects();
        match definitions {
            Value::Object(definitions) => definitions,
            _ => unreachable!("the definitions are a map"),
        }
    })
}

/// Puts descriptions where they belong.
fn describe(node: &mut Value, descriptions: Map<String, Value>) {
    for (word, text) in descriptions {
        match text {
            Value::Object(below) => describe(&mut node[word.as_str()], below),
            text => node[word.as_str()] = text,
        }
    }
}

fn tell_of_zeros(definitions: &mut Map<String, Value>) {
    let zeros: Map<String, Value> = serde_json::from_str(ZEROS).expect("the data is JSON");
    for (name, words) in &zeros {
        for (word, fields) in words.as_object().into_iter().flatten() {
            for field in list(Some(fields)).filter_map(Value::as_str) {
                if let Some(field) = definitions.get_mut(name).and_then(|node| node["properties"].get_mut(field)) {
                    field[schema::ZERO] = Value::from(word.as_str());
                }
            }
        }
    }
}

fn tell_of_types(definitions: &mut Map<String, Value>) {
    let types: Map<String, Value> = serde_json::from_str(TYPES).expect("the data is JSON");
    for (name, said) in &types {
        for (word, note) in [("types", schema::GO_TYPE), ("within", schema::WITHIN)] {
            for (field, text) in said.get(word).and_then(Value::as_object).into_iter().flatten() {
                if let Some(field) = definitions.get_mut(name).and_then(|node| node["properties"].get_mut(field)) {
                    field[note] = text.clone();
                }
            }
        }
    }
}

/// What the options of a deletion look like.
pub fn delete_options() -> &'static Schema {
    static READ: OnceLock<Schema> = OnceLock::new();
    READ.get_or_init(|| schema_of("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"))
}

/// What a scale looks like.
pub fn scale() -> &'static Schema {
    static READ: OnceLock<Schema> = OnceLock::new();
    READ.get_or_init(|| schema_of("io.k8s.api.autoscaling.v1.Scale"))
}

/// What puts a pod on a node.
pub fn binding() -> &'static Schema {
    static READ: OnceLock<Schema> = OnceLock::new();
    READ.get_or_init(|| schema_of("io.k8s.api.core.v1.Binding"))
}

/// What asks a pod to leave its node.
pub fn eviction() -> &'static Schema {
    static READ: OnceLock<Schema> = OnceLock::new();
    READ.get_or_init(|| schema_of("io.k8s.api.policy.v1.Eviction"))
}

fn schema_of(definition: &str) -> Schema {
    let definitions = &said().definitions;
    Schema::read(&definitions[definition], definitions).expect("a real server refers to what it defines")
}

/// The kinds of Kubernetes itself, by group, version and plural.
pub fn built_in() -> &'static BTreeMap<(String, String, String), Arc<Kind>> {
    static KINDS: OnceLock<BTreeMap<(String, String, String), Arc<Kind>>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let definitions = by_kind(&said().definitions);
        let mut kinds = BTreeMap::new();
        for group in &said().groups {
            let name = text(group.pointer("/metadata/name"));
            for version in list(group.get("versions")) {
                for resource in list(version.get("resources")) {
                    let kind = read(&name, &text(version.get("version")), resource, &definitions);
                    kinds.insert((kind.group.clone(), kind.version.clone(), kind.resource.clone()), Arc::new(kind));
                }
            }
        }
        kinds
    })
}

fn read(group: &str, version: &str, resource: &Value, definitions: &BTreeMap<String, &Value>) -> Kind {
    let plural = text(resource.get("resource"));
    let kind = text(resource.pointer("/responseKind/kind"));
    let definition = definitions.get(&format!("{group}/{version}/{kind}"));
    Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        stored: stored(&plural, group),
        namespaced: resource.get("scope").and_then(Value::as_str) == Some("Namespaced"),
        verbs: list(resource.get("verbs")).map(|verb| text(Some(verb))).collect(),
        subresources: list(resource.get("subresources")).map(|part| text(part.get("subresource"))).collect(),
        defined: None,
        definition: definition.map_or(Value::Null, |definition| (*definition).clone()),
        schema: OnceLock::new(),
        resource: plural,
        kind,
    }
}

/// Under which objects are kept: a few have two names, in groups of their own.
fn stored(plural: &str, group: &str) -> Arc<str> {
    match (plural, group) {
        ("events", "events.k8s.io") => "events".into(),
        _ => full(plural, group).into(),
    }
}

/// The definitions that are kinds, by `group/version/kind`.
fn by_kind(definitions: &Map<String, Value>) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    for definition in definitions.values() {
        for kind in list(definition.get("x-kubernetes-group-version-kind")) {
            let [group, version, kind] = ["group", "version", "kind"].map(|part| text(kind.get(part)));
            found.insert(format!("{group}/{version}/{kind}"), definition);
        }
    }
    found
}

fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}
