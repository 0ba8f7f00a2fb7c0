//! What somebody gives: an object, a patch, or a configuration to apply.

use serde_json::{Value, json};

use super::{Write, owners, parts};
use crate::kubernetes::{
    answer::{Cause, Refusal},
    decoding::{self, Body, Said, Strictness},
    kinds,
    ownership::Entry,
    patch::{Form, Patch, words},
    request::APPLY,
    store::Key,
};

/// What somebody wants to become of an object.
pub enum Wish {
    Replace(Value),
    Patch(Given),
    Apply(Apply),
}

/// A patch, and what is odd about it.
pub struct Given {
    patch: Patch,
    odd: Vec<String>,
}

/// A configuration that somebody applies.
pub struct Apply {
    pub config: Value,
    pub manager: String,
    pub force: bool,
    /// What is said of keys that came more than once.
    odd: Vec<String>,
}

impl Write<'_> {
    /// The object of the body.
    pub(super) fn given(&self) -> Result<Value, Refusal> {
        let (mut body, said) = decoding::body(self.request, &self.kind.kind)?;
        let kind = self.kind;
        let said = said.or(&kind.api_version(), &kind.kind);
        self.same_kind(&said)?;
        let unhandled = |why: String| self.unhandled(&said, &why);
        let odd = match kind.built_in() {
            true => body.read_as(kind.schema().root(), &kind.kind).map_err(unhandled)?,
            false => [body.repeated(), self.rules("write")?.unknown_fields(&body.value)].concat(),
        };
        decoding::told(self.request, odd).map_err(unhandled)?;
        self.of_this_kind(&mut body.value);
        Ok(body.value)
    }

    /// The object of the body, or the part of it that the path names.
    pub(super) fn given_for(&self, name: &str) -> Result<Value, Refusal> {
        let object = match self.part {
            "scale" => self.request.object("Scale")?,
            _ => self.given()?,
        };
        self.in_its_place(object, Some(name))
    }

    fn unhandled(&self, said: &Said, why: &str) -> Refusal {
        let version = said.api_version.rsplit('/').next().unwrap_or_default();
        let message =
            format!("{} in version \"{version}\" cannot be handled as a {}: {why}", said.kind, self.kind.kind);
        Refusal::bad_request(message)
    }

    fn same_kind(&self, said: &Said) -> Result<(), Refusal> {
        let kind = self.kind;
        let expected = kind.api_version();
        if said.kind == kind.kind && said.api_version == expected {
            return Ok(());
        }
        let known =
            kinds::built_in().values().find(|known| known.kind == said.kind && known.api_version() == said.api_version);
        let why = match known {
            Some(known) if known.stored == kind.stored => {
                return Err(Refusal::bad_request(format!(
                    "the API version in the data ({}) does not match the expected API version ({expected})",
                    said.api_version
                )));
            }
            Some(known) => {
                let package = kind.group.split('.').next().filter(|group| !group.is_empty()).unwrap_or("core");
                format!(
                    "converting ({}.{}) to ({package}.{}): unknown conversion",
                    known.version, known.kind, kind.kind
                )
            }
            None => decoding::unregistered(said),
        };
        Err(self.unhandled(said, &why))
    }

    pub(super) fn patch_given(&self) -> Result<Wish, Refusal> {
        let media_type = self.request.media_type();
        let form = Form::of(media_type).filter(|form| *form != Form::Strategic || self.kind.built_in());
        if media_type != APPLY && form.is_none() {
            return Err(Refusal::unsupported_patch());
        }
        self.request.check_options("PatchOptions")?;
        match form {
            Some(form) => Patch::given(form, &self.request.body, self.request.strictness())
                .map(|(patch, odd)| Wish::Patch(Given { patch, odd })),
            None => self.apply_given().map(Wish::Apply),
        }
    }

    fn apply_given(&self) -> Result<Apply, Refusal> {
        let undecoded = |why: String| Refusal::bad_request(format!("error decoding YAML: {why}"));
        let body =
            Body::yaml(&self.request.body).map_err(|why| undecoded(format!("error converting YAML to JSON: {why}")))?;
        let odd = body.repeated_keys().to_vec();
        let config = match body.value {
            Value::Null => json!({}),
            Value::Object(map) => Value::Object(map),
            other => {
                let found = decoding::sort(&other);
                return Err(undecoded(format!(
                    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of \
                     type map[string]interface {{}}"
                )));
            }
        };
        let manager = self.request.parameter("fieldManager").unwrap_or_default().to_owned();
        Ok(Apply { config, manager, force: self.request.flag("force"), odd })
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
            Wish::Patch(given) if scale => {
                let patched = given.patch.on(&parts::scale(self.scale()?, there), None)?;
                let patched = self.in_its_place(patched, Some(name))?;
                Ok((parts::scaled(self.scale()?, there, &patched)?, None))
            }
            Wish::Patch(given) => Ok((self.in_its_place(self.patched(there, given)?, Some(name))?, None)),
            Wish::Apply(apply) => {
                let (object, entries) = self.configured(name, Some((live, known)), apply)?;
                Ok((owners::with(object, there), Some(entries)))
            }
        }
    }

    /// What is there with a patch on it, if that is still an object of this kind.
    fn patched(&self, there: &Value, Given { patch, odd }: &Given) -> Result<Value, Refusal> {
        let root = self.kind.schema().root();
        let patched = patch.on(there, Some(root))?;
        let shown = match patch {
            Patch::Strategic(patch) => words::told(patch),
            Patch::Json(_) | Patch::Merge(_) => patched.to_string(),
        };
        let invalid = |why: String| {
            let cause = Cause::invalid("patch", &json!(shown), &why);
            Refusal::invalid("", "", "", vec![cause])
        };
        let mut body = Body::of(patched);
        let mut found = match patch {
            _ if !self.kind.built_in() => self.rules("patch")?.unknown_fields(&body.value),
            Patch::Strategic(_) => {
                if let Some(why) = decoding::restored(root, &body.value) {
                    return Err(invalid(why));
                }
                body.read_as(root, &self.kind.kind).map_err(invalid)?
            }
            Patch::Json(_) | Patch::Merge(_) => {
                let text = |field: &str| body.value[field].as_str().unwrap_or_default().to_owned();
                let said = Said { api_version: text("apiVersion"), kind: text("kind") };
                let said = said.or(&self.kind.api_version(), &self.kind.kind);
                if said.kind != self.kind.kind || said.api_version != self.kind.api_version() {
                    let Refusal { message, .. } = self.same_kind(&said).err().unwrap_or_else(Refusal::unprocessable);
                    let why = message.split_once(": ").map(|(_, why)| why.to_owned()).unwrap_or(message);
                    return Err(invalid(why));
                }
                body.read_as(root, &self.kind.kind).map_err(invalid)?
            }
        };
        // What was patched comes in the order of its keys.
        found.sort();
        decoding::told(self.request, [odd.clone(), found].concat()).map_err(invalid)?;
        self.of_this_kind(&mut body.value);
        Ok(body.value)
    }

    /// What an apply makes of what is there, or of nothing.
    pub(super) fn configured(
        &self,
        name: &str,
        there: Option<(&Value, &[Entry])>,
        apply: &Apply,
    ) -> Result<(Value, Vec<Entry>), Refusal> {
        let kind = self.kind;
        let scale = self.part == "scale";
        let text = |field: &str| apply.config[field].as_str().unwrap_or_default();
        let (expected_version, expected_kind) = match scale {
            true => ("autoscaling/v1".to_owned(), "Scale"),
            false => (kind.api_version(), kind.kind.as_str()),
        };
        if (text("apiVersion"), text("kind")) != (&*expected_version, expected_kind) {
            let version = text("apiVersion");
            let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
            return Err(Refusal::bad_request(format!("invalid object type: {version}, Kind={}", text("kind"))));
        }
        if apply.config.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
            return Err(Refusal::bad_request("metadata.managedFields must be nil"));
        }
        let mut config = match scale {
            true => parts::scaled(self.scale()?, &json!({}), &apply.config)?,
            false => apply.config.clone(),
        };
        self.of_this_kind(&mut config);
        let metadata = &config["metadata"];
        let named = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let group_version = if kind.group.is_empty() { format!("/{}", kind.version) } else { kind.api_version() };
        let what = format!("({}/{}; {group_version}, Kind={})", named("namespace"), named("name"), kind.kind);
        let root = kind.schema().root();
        if kind.built_in()
            && let Some(why) = decoding::configured(root, &config)
        {
            return Err(Refusal::failed(format!("failed to create typed patch object {what}: {why}")));
        }
        let (live, known) = there.map_or((None, &[][..]), |(live, known)| (Some(live), known));
        let applied = self.applied(live, known, &config, apply)?;
        let object = self.in_its_place(applied.object, Some(name))?;
        let mut body = Body::of(object);
        if kind.built_in() {
            body.read_as(root, &kind.kind).map_err(|why| {
                Refusal::failed(format!(
                    "failed to convert new object {what} to proper version: unable to convert unstructured object to \
                     {group_version}, Kind={}: error decoding from json: {why}",
                    kind.kind
                ))
            })?;
        }
        match self.request.strictness() {
            _ if apply.odd.is_empty() => {}
            Strictness::Ignore => {}
            Strictness::Warn => apply.odd.iter().for_each(|line| self.request.warn(line)),
            Strictness::Strict => {
                let lines = apply.odd.join("\n  ");
                return Err(Refusal::bad_request(format!(
                    "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  {lines}"
                )));
            }
        }
        if there.is_none()
            && let Some(uid) = body.value["metadata"]["uid"].as_str().filter(|uid| !uid.is_empty())
        {
            let why =
                format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(Refusal::conflict(&kind.resource, &kind.group, name, &why));
        }
        Ok((body.value, applied.entries))
    }

    fn of_this_kind(&self, object: &mut Value) {
        object["kind"] = json!(self.kind.kind);
        object["apiVersion"] = json!(self.kind.api_version());
    }

    /// The object given, if its name and namespace are those of the path.
    pub(super) fn in_its_place(&self, mut object: Value, name: Option<&str>) -> Result<Value, Refusal> {
        if !object["metadata"].is_object() {
            object["metadata"] = json!({});
        }
        let given = |object: &Value, field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        match self.namespace {
            Some(namespace) if !["", namespace].contains(&given(&object, "namespace").as_str()) => {
                return Err(Refusal::bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request",
                ));
            }
            Some(namespace) => object["metadata"]["namespace"] = json!(namespace),
            None => drop(object["metadata"].as_object_mut().and_then(|metadata| metadata.shift_remove("namespace"))),
        }
        let Some(name) = name else { return Ok(object) };
        match given(&object, "name").as_str() {
            "" => Err(Refusal::bad_request(format!(
                "the name of the object ({name} based on URL) was undeterminable: name must be provided"
            ))),
            given if given != name => Err(Refusal::bad_request(format!(
                "the name of the object ({given}) does not match the name on the URL ({name})"
            ))),
            _ => Ok(object),
        }
    }

    /// Takes out what only the server says of an object that is yet to be created.
    pub(super) fn wipe(&self, object: &mut Value) {
        if let Some(metadata) = object["metadata"].as_object_mut() {
            for field in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
                metadata.shift_remove(field);
            }
        }
    }

    /// Gives a new object a name, if it has only the beginning of one.
    pub(super) fn name(&self, object: &mut Value) {
        /// So long that what follows fits into 63 letters.
        const STEM: usize = 58;
        let metadata = &mut object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let (name, stem) = (text("name"), text("generateName"));
        if name.is_empty() && !stem.is_empty() {
            let stem: String = stem.chars().take(STEM).collect();
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
