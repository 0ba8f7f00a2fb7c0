//! What somebody gives: an object, a patch, or a configuration to apply.

use serde_json::{Value, json};

use super::{Write, owners, parts};
use crate::kubernetes::{
    answer::{Cause, Refusal},
    ownership::Entry,
    patch::{Form, Patch},
    store::Key,
};

/// What somebody wants to become of an object.
pub enum Wish {
    Replace(Value),
    Patch(Patch),
    Apply(Apply),
}

/// A configuration that somebody applies.
pub struct Apply {
    pub config: Value,
    pub manager: String,
    pub force: bool,
}

/// The forms of patches, as refusals list them.
const PATCHES: [&str; 4] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];

const APPLY: &str = "application/apply-patch+yaml";

impl Write<'_> {
    /// The object of the body, or the part of it that the path names.
    pub(super) fn given(&self, name: &str) -> Result<Value, Refusal> {
        match self.part {
            "scale" => {
                let scale = self.request.object("Scale")?;
                self.of_this_place(scale, Some(name))
            }
            _ => self.placed(self.request.object(&self.kind.kind)?, Some(name)),
        }
    }

    pub(super) fn patch_given(&self) -> Result<Wish, Refusal> {
        let media_type = self.request.media_type();
        if media_type == APPLY {
            return self.apply_given().map(Wish::Apply);
        }
        let accepted: Vec<&str> = PATCHES.into_iter().filter(|form| self.takes(form)).collect();
        match Form::of(media_type) {
            Some(form) if self.takes(media_type) => {
                let body = serde_json::from_slice(&self.request.body)
                    .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}")))?;
                Patch::read(form, &body).map(Wish::Patch)
            }
            _ => Err(Refusal::unsupported_media_type(&accepted)),
        }
    }

    /// Strategic merge patches are for the kinds of Kubernetes itself.
    fn takes(&self, form: &str) -> bool {
        Form::of(form) != Some(Form::Strategic) || self.kind.built_in()
    }

    fn apply_given(&self) -> Result<Apply, Refusal> {
        let Some(manager) = self.request.parameter("fieldManager") else {
            let cause = Cause::required("fieldManager", "is required for apply patch");
            return Err(Refusal::invalid("PatchOptions", "meta.k8s.io", "", vec![cause]));
        };
        let config: Value = serde_json::from_slice(&self.request.body)
            .map_err(|error| Refusal::bad_request(format!("error decoding YAML: {error}")))?;
        if config.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
            return Err(Refusal::bad_request("metadata.managedFields must be nil"));
        }
        Ok(Apply { config, manager: manager.to_owned(), force: self.request.flag("force") })
    }

    /// What a wish makes of what is there, with its owners if they follow from the wish itself.
    pub(super) fn wished(
        &self,
        name: &str,
        there: &Value,
        live: &Value,
        known: &[Entry],
        wish: &Wish,
    ) -> Result<(Value, Option<Vec<Entry>>), Refusal> {
        let scale = self.part == "scale";
        match wish {
            Wish::Replace(object) if scale => Ok((parts::scaled(self.scale()?, there, object)?, None)),
            Wish::Replace(object) => Ok((object.clone(), None)),
            Wish::Patch(patch) if scale => {
                let patched = patch.on(&parts::scale(self.scale()?, there), None)?;
                let patched = self.of_this_place(patched, Some(name))?;
                Ok((parts::scaled(self.scale()?, there, &patched)?, None))
            }
            Wish::Patch(patch) => {
                let patched = patch.on(there, Some(self.kind.schema().root()))?;
                Ok((self.placed(patched, Some(name))?, None))
            }
            Wish::Apply(apply) => {
                let config = match scale {
                    true => parts::scaled(self.scale()?, &json!({}), &apply.config)?,
                    false => apply.config.clone(),
                };
                let applied = self.applied(Some(live), known, &self.placed(config, Some(name))?, apply)?;
                Ok((owners::with(applied.object, there), Some(applied.entries)))
            }
        }
    }

    /// The object given, if it is what the path says.
    pub(super) fn placed(&self, mut object: Value, name: Option<&str>) -> Result<Value, Refusal> {
        let kind = self.kind;
        if !object.is_object() {
            return Err(Refusal::bad_request(format!(
                "the object provided is unrecognized (must be of type {})",
                kind.kind
            )));
        }
        for (field, wanted) in [("kind", kind.kind.clone()), ("apiVersion", kind.api_version())] {
            let given = object.get(field).and_then(Value::as_str).unwrap_or_default();
            if !given.is_empty() && given != wanted {
                let given = format!("{}.{}", object["apiVersion"].as_str().unwrap_or_default(), object["kind"]);
                return Err(Refusal::bad_request(format!("the object provided is of another kind: {given}")));
            }
            object[field] = json!(wanted);
        }
        self.of_this_place(object, name)
    }

    /// The object given, if its name and namespace are those of the path.
    pub(super) fn of_this_place(&self, mut object: Value, name: Option<&str>) -> Result<Value, Refusal> {
        if !object["metadata"].is_object() {
            object["metadata"] = json!({});
        }
        if let Some(namespace) = self.namespace {
            match object["metadata"]["namespace"].as_str() {
                Some(given) if given != namespace && !given.is_empty() => {
                    return Err(Refusal::bad_request(
                        "the namespace of the provided object does not match the namespace sent on the request",
                    ));
                }
                _ => object["metadata"]["namespace"] = json!(namespace),
            }
        }
        if let Some(name) = name {
            match object["metadata"]["name"].as_str() {
                Some(given) if given != name && !given.is_empty() => {
                    return Err(Refusal::bad_request(format!(
                        "the name of the object ({given}) does not match the name on the URL ({name})"
                    )));
                }
                _ => object["metadata"]["name"] = json!(name),
            }
        }
        Ok(object)
    }

    /// Takes out what only the server says of an object that is yet to be created.
    pub(super) fn wipe(&self, object: &mut Value) {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            for field in [
                "uid",
                "creationTimestamp",
                "deletionTimestamp",
                "deletionGracePeriodSeconds",
                "selfLink",
                "managedFields",
            ] {
                metadata.shift_remove(field);
            }
        }
    }

    /// Gives a new object a name, if it has only the beginning of one.
    pub(super) fn name(&self, object: &mut Value) {
        let metadata = &mut object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let (name, stem) = (text("name"), text("generateName"));
        if name.is_empty() && !stem.is_empty() {
            metadata["name"] = json!(format!("{stem}{}", self.cluster.suffix()));
        }
    }

    /// Something can be created only where its namespace is.
    pub(super) fn inhabitable(&self, namespace: &str) -> Result<(), Refusal> {
        let key = Key { resource: "namespaces".into(), namespace: String::new(), name: namespace.to_owned() };
        match self.cluster.store.get(&key) {
            Some(_) => Ok(()),
            None => Err(Refusal::not_found("namespaces", "", namespace)),
        }
    }
}
