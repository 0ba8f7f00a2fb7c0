//! Creating, changing and deleting.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    answer::{Cause, Refusal},
    cluster::Cluster,
    kinds::Kind,
    ownership::{self, ApplyError, Before, Conflict, Entry, Operation, Writer},
    patch,
    read::key,
    request::Request,
    rules::Rules,
    store::Key,
};

/// How often a change is tried on what is there by now, as the real server does before it gives up.
const TRIES: usize = 5;

/// A write to one resource.
pub struct Write<'w> {
    pub cluster: &'w Arc<Cluster>,
    pub kind: &'w Kind,
    pub namespace: Option<&'w str>,
    pub request: &'w Request,
}

impl Write<'_> {
    /// # Errors
    /// As the real server refuses it; 501 for a kind whose rules are not modelled.
    pub async fn create(&self) -> Result<(u16, Value), Refusal> {
        self.modelled("create")?;
        let object = self.checked(self.request.object(&self.kind.kind)?, None)?;
        self.put_new(object).map(|object| (201, object))
    }

    /// # Errors
    /// As for [`Write::create`].
    pub async fn replace(&self, name: &str) -> Result<(u16, Value), Refusal> {
        self.modelled("update")?;
        let given = self.checked(self.request.object(&self.kind.kind)?, Some(name))?;
        let there = self.there(name)?;
        self.put_over(&there, given, None).map(|object| (200, object))
    }

    /// # Errors
    /// As for [`Write::create`].
    pub async fn patch(&self, name: &str) -> Result<(u16, Value), Refusal> {
        self.modelled("patch")?;
        let media_type = self.request.media_type();
        if media_type == "application/apply-patch+yaml" {
            return self.apply(name);
        }
        let patch = patch::read(media_type, &self.request.body)?;
        let mut tries = 0;
        loop {
            let there = self.there(name)?;
            let mut patched = patch.on(&there)?;
            // A patch that names no version goes on top of whatever is there.
            let named = patched["metadata"]["resourceVersion"] != there["metadata"]["resourceVersion"];
            if !named && let Some(metadata) = patched["metadata"].as_object_mut() {
                metadata.remove("resourceVersion");
            }
            let patched = self.checked(patched, Some(name))?;
            match self.put_over(&there, patched, None) {
                Err(refusal) if refusal.code == 409 && !named && tries < TRIES => tries += 1,
                done => return done.map(|object| (200, object)),
            }
        }
    }

    fn apply(&self, name: &str) -> Result<(u16, Value), Refusal> {
        let Some(manager) = self.request.parameter("fieldManager") else {
            let cause = Cause::required("fieldManager", "is required for apply patch");
            return Err(Refusal::invalid("PatchOptions", "meta.k8s.io", "", vec![cause]));
        };
        let config: Value = serde_json::from_slice(&self.request.body)
            .map_err(|error| Refusal::bad_request(format!("error decoding YAML: {error}")))?;
        if config.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
            return Err(Refusal::bad_request("metadata.managedFields must be nil"));
        }
        let config = self.checked(config, Some(name))?;
        let writer = self.writer(manager.to_owned());
        let force = self.request.flag("force");
        let there = self.cluster.store.get(&self.key(name));
        let entries = there.as_deref().map(owners).unwrap_or_default();
        let bare = there.as_deref().map(without_owners);
        let before = Before { typed: self.kind.schema().root(), object: bare.as_ref(), entries: &entries };
        let applied = ownership::apply(before, &config, &writer, &[&["status"]], force).map_err(refused)?;
        match there {
            None => {
                let mut object = applied.object;
                set_owners(&mut object, &applied.entries);
                self.put_new(object).map(|object| (201, object))
            }
            Some(there) => self.put_over(&there, applied.object, Some(applied.entries)).map(|object| (200, object)),
        }
    }

    /// # Errors
    /// If it is not there, or what was expected of it is not so.
    pub async fn delete(&self, name: &str) -> Result<(u16, Value), Refusal> {
        self.modelled("delete")?;
        let there = self.there(name)?;
        let metadata = &there["metadata"];
        let options: Value = match self.request.body.is_empty() {
            true => Value::Null,
            false => self.request.object("DeleteOptions")?,
        };
        for (field, word) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
            if let Some(wanted) = options.pointer(&format!("/preconditions/{field}")).and_then(Value::as_str)
                && metadata[field] != wanted
            {
                let found = metadata[field].as_str().unwrap_or_default();
                let why =
                    format!("Precondition failed: {word} in precondition: {wanted}, {word} in object meta: {found}");
                return Err(Refusal::conflict(&self.kind.resource, &self.kind.group, name, &why));
            }
        }
        let finalizers = metadata["finalizers"].as_array().is_some_and(|finalizers| !finalizers.is_empty());
        if finalizers || &*self.kind.stored == "namespaces" {
            return Err(Refusal::not_modelled(format!("the deletion of `{name}`, which something else has to finish")));
        }
        let gone = self.cluster.store.remove(&self.key(name), &there);
        gone.map_err(|_| Refusal::modified(&self.kind.resource, &self.kind.group, name))?;
        let details =
            json!({"name": name, "group": self.kind.group, "kind": self.kind.resource, "uid": metadata["uid"]});
        let mut status =
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
        if self.kind.group.is_empty()
            && let Some(details) = status["details"].as_object_mut()
        {
            details.remove("group");
        }
        Ok((200, status))
    }

    fn modelled(&self, verb: &str) -> Result<&dyn Rules, Refusal> {
        self.kind.rules().ok_or_else(|| Refusal::not_modelled(format!("{verb} of `{}`", self.kind.stored)))
    }

    fn right(&self, name: &str, wrong: Vec<Cause>) -> Result<(), Refusal> {
        if wrong.is_empty() { Ok(()) } else { Err(Refusal::invalid(&self.kind.kind, &self.kind.group, name, wrong)) }
    }

    fn key(&self, name: &str) -> Key {
        key(self.kind, self.namespace, name)
    }

    fn there(&self, name: &str) -> Result<Arc<Value>, Refusal> {
        let there = self.cluster.store.get(&self.key(name));
        there.ok_or_else(|| Refusal::not_found(&self.kind.resource, &self.kind.group, name))
    }

    fn writer(&self, manager: String) -> Writer {
        let (api_version, now) = (self.kind.api_version(), self.cluster.now());
        Writer { manager, api_version, subresource: String::new(), now }
    }

    /// The object given, if it is what the path says.
    fn checked(&self, mut object: Value, name: Option<&str>) -> Result<Value, Refusal> {
        let kind = self.kind;
        for (field, wanted) in [("kind", kind.kind.clone()), ("apiVersion", kind.api_version())] {
            let given = object.get(field).and_then(Value::as_str).unwrap_or_default();
            if !given.is_empty() && given != wanted {
                let given = format!("{}.{}", object["apiVersion"].as_str().unwrap_or_default(), object["kind"]);
                return Err(Refusal::bad_request(format!("the object provided is of another kind: {given}")));
            }
            object[field] = json!(wanted);
        }
        if !object["metadata"].is_object() {
            object["metadata"] = json!({});
        }
        if let Some(namespace) = self.namespace {
            match object["metadata"]["namespace"].as_str() {
                Some(given) if given != namespace => {
                    return Err(Refusal::bad_request(
                        "the namespace of the provided object does not match the namespace sent on the request",
                    ));
                }
                _ => object["metadata"]["namespace"] = json!(namespace),
            }
        }
        if let Some(name) = name {
            match object["metadata"]["name"].as_str() {
                Some(given) if given != name => {
                    return Err(Refusal::bad_request(format!(
                        "the name of the object ({given}) does not match the name on the URL ({name})"
                    )));
                }
                _ => object["metadata"]["name"] = json!(name),
            }
        }
        Ok(object)
    }

    fn put_new(&self, mut object: Value) -> Result<Value, Refusal> {
        let kind = self.kind;
        let rules = self.modelled("create")?;
        let name = match (object["metadata"]["name"].as_str(), object["metadata"]["generateName"].as_str()) {
            (Some(name), _) if !name.is_empty() => name.to_owned(),
            (_, Some(stem)) if !stem.is_empty() => format!("{stem}{}", self.cluster.suffix()),
            _ => {
                let cause = Cause::required("metadata.name", "name or generateName is required");
                return Err(Refusal::invalid(&kind.kind, &kind.group, "", vec![cause]));
            }
        };
        if let Some(namespace) = self.namespace {
            let namespaces =
                Key { resource: "namespaces".into(), namespace: String::new(), name: namespace.to_owned() };
            if self.cluster.store.get(&namespaces).is_none() {
                return Err(Refusal::not_found("namespaces", "", namespace));
            }
        }
        if !is_subdomain(&name) {
            let cause = Cause::invalid("metadata.name", &json!(name), SUBDOMAIN);
            return Err(Refusal::invalid(&kind.kind, &kind.group, &name, vec![cause]));
        }
        let given = object.clone();
        let metadata = &mut object["metadata"];
        metadata["name"] = json!(name);
        metadata["uid"] = json!(self.cluster.uid());
        metadata["creationTimestamp"] = json!(self.cluster.now());
        if rules.counts_generations() {
            metadata["generation"] = json!(1);
        }
        kind.normalise(&mut object);
        rules.fill_in(&mut object);
        if given["metadata"]["managedFields"].is_null() {
            let before = Before { typed: kind.schema().root(), object: None, entries: &[] };
            let entries = ownership::update(before, &object, &self.writer(self.request.manager()), &[&["status"]]);
            let entries = entries.map_err(|error| Refusal::bad_request(error.to_string()))?;
            set_owners(&mut object, &entries);
        }
        rules.admit_new(&mut object, &given, self.cluster)?;
        rules.prepare_new(&mut object, self.cluster);
        self.right(&name, [rules.check(&object), rules.check_new(&object)].concat())?;
        if self.request.parameter("dryRun").is_some() {
            return Ok(object);
        }
        let put = self.cluster.store.put(&self.key(&name), None, object);
        put.map(|object| (*object).clone()).map_err(|_| Refusal::already_exists(&kind.resource, &kind.group, &name))
    }

    /// Puts an object in place of one that is there; its owners follow from the difference, if they are not given.
    fn put_over(&self, there: &Arc<Value>, mut object: Value, entries: Option<Vec<Entry>>) -> Result<Value, Refusal> {
        let kind = self.kind;
        let name = there["metadata"]["name"].as_str().unwrap_or_default();
        let modified = || Refusal::modified(&kind.resource, &kind.group, name);
        for field in ["uid", "resourceVersion"] {
            let given = &object["metadata"][field];
            if given.as_str().is_some_and(|given| !given.is_empty()) && *given != there["metadata"][field] {
                return Err(modified());
            }
        }
        for field in ["uid", "creationTimestamp", "resourceVersion", "generation", "deletionTimestamp"] {
            match there["metadata"].get(field) {
                Some(value) => object["metadata"][field] = value.clone(),
                None => drop(object["metadata"].as_object_mut().and_then(|metadata| metadata.remove(field))),
            }
        }
        let rules = self.modelled("update")?;
        kind.normalise(&mut object);
        rules.fill_in(&mut object);
        rules.prepare_change(&mut object, there, self.cluster);
        if rules.counts_generations() && ["spec", "template"].iter().any(|part| object.get(*part) != there.get(*part)) {
            object["metadata"]["generation"] = json!(there["metadata"]["generation"].as_i64().unwrap_or_default() + 1);
        }
        let wrong = [rules.check(&object), rules.check_change(&object, there)].concat();
        self.right(name, wrong)?;
        let bare = without_owners(&object);
        let entries = match entries {
            Some(entries) => entries,
            None => {
                let known = owners(there);
                let live = without_owners(there);
                let before = Before { typed: kind.schema().root(), object: Some(&live), entries: &known };
                let writer = self.writer(self.request.manager());
                ownership::update(before, &bare, &writer, &[&["status"]])
                    .map_err(|error| Refusal::bad_request(error.to_string()))?
            }
        };
        if bare == without_owners(there) && entries == owners(there) {
            return Ok((**there).clone());
        }
        set_owners(&mut object, &entries);
        if self.request.parameter("dryRun").is_some() {
            return Ok(object);
        }
        let put = self.cluster.store.put(&self.key(name), Some(there), object);
        put.map(|object| (*object).clone()).map_err(|_| modified())
    }
}

fn owners(object: &Value) -> Vec<Entry> {
    ownership::read(&object["metadata"]["managedFields"]).unwrap_or_default()
}

fn set_owners(object: &mut Value, entries: &[Entry]) {
    if entries.is_empty() {
        object["metadata"].as_object_mut().and_then(|metadata| metadata.remove("managedFields"));
    } else {
        object["metadata"]["managedFields"] = ownership::write(entries);
    }
}

fn without_owners(object: &Value) -> Value {
    let mut bare = object.clone();
    if let Some(metadata) = bare["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    bare
}

fn refused(error: ApplyError) -> Refusal {
    let conflicts = match error {
        ApplyError::Items(error) => return Refusal::bad_request(error.to_string()),
        ApplyError::Conflicts(conflicts) => conflicts,
    };
    let count: usize = conflicts.iter().map(|conflict| conflict.fields.len()).sum();
    let mut causes = Vec::new();
    let mut told: Map<String, Value> = Map::new();
    for conflict in &conflicts {
        let who = shown(conflict);
        for field in &conflict.fields {
            causes.push(Cause {
                reason: "FieldManagerConflict",
                message: format!("conflict with {who}"),
                field: field.clone(),
            });
            let fields = told.entry(who.clone()).or_insert_with(|| json!([]));
            fields.as_array_mut().into_iter().for_each(|fields| fields.push(json!(field)));
        }
    }
    let parts = told.iter().map(|(who, fields)| {
        let fields: Vec<&str> = fields.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        match fields.as_slice() {
            [one] => format!("conflict with {who}: {one}"),
            many => format!("conflicts with {who}:\n- {}", many.join("\n- ")),
        }
    });
    let word = if count == 1 { "conflict" } else { "conflicts" };
    let message = format!("Apply failed with {count} {word}: {}", parts.collect::<Vec<_>>().join("\n"));
    Refusal::owned_by_others(message, causes)
}

/// Who owns the fields, as messages name it.
fn shown(conflict: &Conflict) -> String {
    let mut shown = format!("\"{}\"", conflict.manager);
    if !conflict.subresource.is_empty() {
        shown.push_str(&format!(" with subresource \"{}\"", conflict.subresource));
    }
    if conflict.operation == Operation::Update {
        shown.push_str(&format!(" using {}", conflict.api_version));
        if let Some(time) = &conflict.time {
            shown.push_str(&format!(" at {time}"));
        }
    }
    shown
}

/// What names of most objects must be like, in the words of the real server.
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
     must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
     '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

fn is_subdomain(name: &str) -> bool {
    let part = |part: &str| {
        let inside = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        !part.is_empty()
            && part.chars().all(|letter| inside(letter) || letter == '-')
            && part.starts_with(inside)
            && part.ends_with(inside)
    };
    name.len() <= 253 && name.split('.').all(part)
}
