//! An object on its way through the kustomizations, with what it was called before.

use serde_json::{Map, Value};

use crate::identity::{Identity, Sort};

/// What a generated object does where there is one of its name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Behaviour {
    #[default]
    Create,
    Replace,
    Merge,
}

#[derive(Debug, Clone)]
pub struct Resource {
    pub object: Value,
    /// What it was before, the oldest first; of a namespace it is how it is compared.
    pub past: Vec<Identity>,
    pub prefixes: Vec<String>,
    pub suffixes: Vec<String>,
    /// Whether its name is to end with a hash of its contents.
    pub is_named_by_contents: bool,
    pub behaviour: Behaviour,
}

impl Resource {
    pub fn of(object: Value) -> Self {
        Self {
            object,
            past: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            is_named_by_contents: false,
            behaviour: Behaviour::Create,
        }
    }

    pub fn sort(&self) -> Sort {
        Sort::new(self.text("/apiVersion"), self.kind())
    }

    pub fn kind(&self) -> &str {
        self.text("/kind")
    }

    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    pub fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    pub fn identity(&self) -> Identity {
        Identity { sort: self.sort(), name: self.name().to_owned(), namespace: self.namespace().to_owned() }
    }

    pub fn first_identity(&self) -> Identity {
        self.past_identities().next().unwrap_or_else(|| self.identity())
    }

    /// What it was before; its group and version are always those of now.
    pub fn past_identities(&self) -> impl Iterator<Item = Identity> {
        let Sort { group, version, .. } = self.sort();
        self.past.iter().map(move |past| {
            let sort = Sort { group: group.clone(), version: version.clone(), kind: past.sort.kind.clone() };
            Identity { sort, ..past.clone() }
        })
    }

    /// Whether it is, or was, what is looked for.
    pub fn is_or_was(&self, wanted: &Identity) -> bool {
        self.past_identities().any(|past| past.is(wanted)) || self.identity().is(wanted)
    }

    /// Called before something changes that tells which object it is.
    pub fn remember(&mut self) {
        let now = self.identity();
        self.past.push(Identity { namespace: now.home().to_owned(), ..now });
    }

    pub fn stays_local(&self) -> bool {
        let note = self.object.pointer("/metadata/annotations/config.kubernetes.io~1local-config");
        note.is_some_and(|note| note.as_str() != Some("false"))
    }

    pub fn labels(&self) -> Option<&Map<String, Value>> {
        self.object.pointer("/metadata/labels").and_then(Value::as_object)
    }

    pub fn annotations(&self) -> Option<&Map<String, Value>> {
        self.object.pointer("/metadata/annotations").and_then(Value::as_object)
    }

    /// Sets a field of `metadata`, or takes it away.
    pub fn set_metadata(&mut self, field: &str, value: Option<Value>) {
        let Some(object) = self.object.as_object_mut() else { return };
        let metadata = object.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
        match (metadata.as_object_mut(), value) {
            (Some(metadata), Some(value)) => {
                metadata.insert(field.to_owned(), value);
            }
            (Some(metadata), None) => {
                metadata.shift_remove(field);
            }
            (None, _) => {}
        }
    }

    pub fn rename(&mut self, name: &str) {
        self.set_metadata("name", Some(name.into()));
    }

    /// The object as it is printed: without annotations that are none, and with whole numbers as such.
    pub fn finished(mut self) -> Value {
        if self.annotations().is_some_and(Map::is_empty) {
            self.set_metadata("annotations", None);
        }
        let mut object = self.object;
        make_whole(&mut object);
        object
    }

    fn text(&self, path: &str) -> &str {
        self.object.pointer(path).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Adds an object, unless there is one that can't be told from it.
pub fn add(resources: &mut Vec<Resource>, resource: Resource) -> Result<(), String> {
    let identity = resource.identity();
    if resources.iter().any(|other| other.identity().is(&identity)) {
        return Err(format!("{identity} is there twice"));
    }
    resources.push(resource);
    Ok(())
}

fn make_whole(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(make_whole),
        Value::Object(fields) => fields.values_mut().for_each(make_whole),
        Value::Number(number) if number.is_f64() => {
            // Written without an exponent it reads as a whole number again.
            let text = number
                .as_f64()
                .filter(|float| float.fract() == 0.0 && float.abs() < 1e15)
                .map(|float| format!("{float:.0}"));
            if let Some(whole) = text.and_then(|text| text.parse::<i64>().ok()) {
                *number = whole.into();
            }
        }
        _ => {}
    }
}
