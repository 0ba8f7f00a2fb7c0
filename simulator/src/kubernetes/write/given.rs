//! What somebody gives: an object, a patch, or a configuration to apply.

use serde_json::{Value, json};

use super::{Write, owners};
use crate::kubernetes::{
    answer::{Cause, Refusal},
    custom::Served,
    decoding::{self, Again, Body, Numbers, Said, Strictness},
    kinds,
    ownership::Entry,
    patch::{Form, Patch, words},
    request::APPLY,
    schema::Typed,
    store::Key,
};

/// The patches that objects of defined kinds take.
const PATCHES: [&str; 3] = ["application/json-patch+json", "application/merge-patch+json", APPLY];

/// The older versions of scales, of which the real server still knows that they were ones.
const OLDER_SCALES: [&str; 3] = ["apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"];

/// The server trips over its own types when somebody changes the scale of a defined kind by an apply.
pub(super) const NO_SCALE_OF_DEFINED: &str = "request to convert CR to an invalid group/version: autoscaling/v1";

const OTHER_VERSION: &str = "the API version in the data";

/// What is written at a path: an object of the kind, or its scale.
struct Target<'w> {
    api_version: String,
    kind: &'w str,
    group: &'w str,
    root: Typed<'w>,
    /// What a definition says of it; without one the server has a type of its own for it.
    defined: Option<&'w Served>,
    /// It is the scale of a defined kind, of which the server can't say what is wrong.
    tongue_tied: bool,
}

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
    numbers: Numbers,
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
    fn target(&self) -> Target<'_> {
        let kind = self.kind;
        match self.part {
            "scale" => Target {
                api_version: "autoscaling/v1".to_owned(),
                kind: "Scale",
                group: "autoscaling",
                root: kinds::scale().root(),
                defined: None,
                tongue_tied: !kind.built_in(),
            },
            "binding" => Target {
                api_version: "v1".to_owned(),
                kind: "Binding",
                group: "",
                root: kinds::binding().root(),
                defined: None,
                tongue_tied: false,
            },
            "eviction" => Target {
                api_version: "policy/v1".to_owned(),
                kind: "Eviction",
                group: "policy",
                root: kinds::eviction().root(),
                defined: None,
                tongue_tied: false,
            },
            _ => Target {
                api_version: kind.api_version(),
                kind: &kind.kind,
                group: &kind.group,
                root: kind.schema().root(),
                defined: kind.defined.as_ref(),
                tongue_tied: false,
            },
        }
    }

    /// The object of the body.
    pub(super) fn given(&self) -> Result<Value, Refusal> {
        let target = self.target();
        let again = if target.defined.is_some() { Again::Replaces } else { Again::Joins };
        let (mut body, said) = decoding::body(self.request, target.kind, again).map_err(|refusal| {
            let malformed = target.tongue_tied && refusal.code == 400;
            if malformed { target.unhandled(&Said::default(), "") } else { refusal }
        })?;
        let said = match target.defined {
            Some(_) => said,
            None => said.or(&target.api_version, target.kind),
        };
        let unhandled = |why: String| target.unhandled(&said, &why);
        let odd = match target.defined {
            Some(defined) => {
                self.says_its_kind(&said, &body.value)?;
                let repeated = body.repeated();
                [repeated, defined.read(&mut body.value, metadata(target.root)).map_err(unhandled)?].concat()
            }
            None => {
                target.is(&said)?;
                body.read_as(target.root, target.kind).map_err(unhandled)?
            }
        };
        decoding::told(self.request, odd).map_err(unhandled)?;
        if target.defined.is_some() && said.api_version != target.api_version {
            return Err(Refusal::bad_request(target.other_version(&said)));
        }
        target.mark(&mut body.value);
        Ok(body.value)
    }

    /// The object of the body, or the part of it that the path names.
    pub(super) fn given_for(&self, name: &str) -> Result<Value, Refusal> {
        self.in_its_place(self.given()?, Some(name))
    }

    /// Of defined kinds, an object has to say itself what it is. Whether that is right of its kind is looked at later.
    fn says_its_kind(&self, said: &Said, object: &Value) -> Result<(), Refusal> {
        let unrecognized = |why: &str| decoding::unrecognized(self.request, &self.kind.kind, why);
        if said.kind.is_empty() {
            let shown = match self.request.media_type() {
                "application/yaml" => object.to_string(),
                _ => String::from_utf8_lossy(&self.request.body).into_owned(),
            };
            let missing = format!("Object 'Kind' is missing in '{shown}'");
            return Err(match self.request.strictness() {
                Strictness::Ignore => {
                    let Target { kind, api_version, .. } = self.target();
                    self.target().unhandled(&Said { api_version, kind: kind.to_owned() }, &missing)
                }
                Strictness::Warn | Strictness::Strict => unrecognized(&missing),
            });
        }
        no_version(&said.api_version).map_or(Ok(()), |why| Err(unrecognized(&why)))
    }

    /// Refuses an object of a defined kind that says it is something else.
    pub(super) fn of_its_kind(&self, object: &Value, there: Option<&Value>) -> Result<(), Refusal> {
        let Some(defined) = &self.kind.defined else { return Ok(()) };
        let expected = [("kind", self.kind.kind.clone()), ("apiVersion", self.kind.api_version())];
        let wrong = expected.into_iter().filter(|(field, wanted)| object[field] != **wanted);
        let wrong = wrong.map(|(field, wanted)| Cause::invalid(field, &object[field], &format!("must be {wanted}")));
        let wrong: Vec<Cause> = wrong.collect();
        if wrong.is_empty() {
            return Ok(());
        }
        let text = |field: &str| object[field].as_str().unwrap_or_default();
        let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        Err(Refusal::invalid(text("kind"), group, name, defined.wrong_besides(wrong, object, there)))
    }

    pub(super) fn patch_given(&self, name: &str) -> Result<Wish, Refusal> {
        let media_type = self.request.media_type();
        let form = Form::of(media_type).filter(|form| *form != Form::Strategic || self.kind.built_in());
        if media_type != APPLY && form.is_none() {
            return Err(match self.kind.built_in() {
                true => Refusal::unsupported_patch(),
                false => Refusal::unsupported_media_type(&PATCHES),
            });
        }
        self.request.check_options("PatchOptions")?;
        match form {
            Some(form) => match Patch::given(form, &self.request.body, self.request.strictness()) {
                Ok((patch, odd, numbers)) => Ok(Wish::Patch(Given { patch, odd, numbers })),
                // What is to be patched is looked for first.
                Err(_) if self.cluster.store.get(&self.key(name)).is_none() => Err(self.not_found(name)),
                Err(refusal) => Err(refusal),
            },
            None => match self.apply_given() {
                Ok(apply) => Ok(Wish::Apply(apply)),
                Err(_) if !self.apply_creates()? && self.cluster.store.get(&self.key(name)).is_none() => {
                    Err(self.not_found(name))
                }
                Err(refusal) => Err(refusal),
            },
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
            Wish::Replace(object) if scale => Ok((self.rescaled(there, object)?, None)),
            Wish::Replace(object) => Ok((object.clone(), None)),
            Wish::Patch(given) if scale => {
                let patched = self.patched(&self.scale_there(there)?, given)?;
                let patched = self.in_its_place(patched, Some(name))?;
                Ok((self.rescaled(there, &patched)?, None))
            }
            Wish::Patch(given) => Ok((self.in_its_place(self.patched(there, given)?, Some(name))?, None)),
            Wish::Apply(apply) => {
                let (object, entries) = self.configured(name, Some((live, known)), apply)?;
                Ok((owners::with(object, there), Some(entries)))
            }
        }
    }

    /// What is there with a patch on it, if that is still an object of this kind.
    fn patched(&self, there: &Value, Given { patch, odd, numbers }: &Given) -> Result<Value, Refusal> {
        let target = self.target();
        let root = target.root;
        let (mut patch, mut patched) = (patch.clone(), there.clone());
        patch.lay_over(&mut patched, Some(root))?;
        let shown = match &patch {
            Patch::Strategic(patch) => words::told(patch),
            Patch::Json(_) | Patch::Merge(_) => patched.to_string(),
        };
        let invalid = |why: String| {
            let cause = Cause::invalid("patch", &json!(shown), &why);
            Refusal::invalid("", "", "", vec![cause])
        };
        if let Some(why) = decoding::no_object(&patched) {
            return Err(invalid(why));
        }
        if !matches!(patch, Patch::Strategic(_)) {
            // So are maps written into which something was patched.
            patched.sort_all_objects();
        }
        let mut body = Body::of(patched).with_numbers(numbers.clone());
        let mut found = match &patch {
            _ if let Some(defined) = target.defined => {
                let version = &body.value["apiVersion"];
                if version.is_null() {
                    let why = "Object 'apiVersion' is missing in 'object has no apiVersion field'";
                    return Err(Refusal::internal(why));
                }
                if let Some(why) = no_version(version.as_str().unwrap_or_default()) {
                    return Err(invalid(why));
                }
                defined.read(&mut body.value, metadata(root)).map_err(invalid)?
            }
            Patch::Strategic(_) => {
                decoding::restore(root, &mut body.value).map_err(invalid)?;
                body.read_as(root, target.kind).map_err(|why| invalid(decoding::placeless(&why)))?
            }
            Patch::Json(_) | Patch::Merge(_) => {
                let text = |field: &str| body.value[field].as_str().unwrap_or_default().to_owned();
                let said = Said { api_version: text("apiVersion"), kind: text("kind") };
                if let Err(why) = target.fits(&said.or(&target.api_version, target.kind)) {
                    return Err(invalid(why));
                }
                body.read_as(root, target.kind).map_err(invalid)?
            }
        };
        // What was patched comes in the order of its keys.
        found.sort();
        decoding::told(self.request, [odd.clone(), found].concat()).map_err(invalid)?;
        target.mark(&mut body.value);
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
        let target = self.target();
        if (text("apiVersion"), text("kind")) != (&*target.api_version, target.kind) {
            let (version, said) = match no_version(text("apiVersion")) {
                Some(_) => ("", ""),
                None => (text("apiVersion"), text("kind")),
            };
            let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
            return Err(Refusal::bad_request(format!("invalid object type: {version}, Kind={said}")));
        }
        if apply.config.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
            return Err(Refusal::bad_request("metadata.managedFields must be nil"));
        }
        let metadata = &apply.config["metadata"];
        let named = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let group_version = match target.group {
            "" => format!("/{}", kind.version),
            _ => target.api_version.clone(),
        };
        let what = format!("({}/{}; {group_version}, Kind={})", named("namespace"), named("name"), target.kind);
        if target.tongue_tied && !there.is_some_and(|(_, known)| self.owns_replicas(known)) {
            return Err(Refusal::failed(format!(
                "failed to create manager for existing fields: failed to convert live object (/; autoscaling/v1, \
                 Kind=Scale) to proper version: {NO_SCALE_OF_DEFINED}"
            )));
        }
        let untyped = |why: &str| Refusal::failed(format!("failed to create typed patch object {what}: {why}"));
        if let Some(why) = decoding::configured(target.root, &apply.config) {
            return Err(untyped(&why));
        }
        let mut config = if scale { self.scale_applied(&apply.config)? } else { apply.config.clone() };
        config["kind"] = json!(kind.kind);
        config["apiVersion"] = json!(kind.api_version());
        let root = kind.schema().root();
        let (live, known) = there.map_or((None, &[][..]), |(live, known)| (Some(live), known));
        let mut applied = match live {
            Some(live) if scale => self.applied_to_scale(live, known, &config, apply, untyped)?,
            live => self.applied(live, known, &config, apply, untyped)?,
        };
        if let Some(live) = live.filter(|_| scale) {
            applied.object = self.scaled_by_apply(live, &applied.object, &apply.config, &what)?;
        }
        let mut body = Body::of(applied.object);
        if kind.built_in() {
            let restored = decoding::restore(root, &mut body.value)
                .and_then(|()| body.read_as(root, &kind.kind).map_err(|why| decoding::placeless(&why)));
            restored.map_err(|why| {
                Refusal::failed(format!(
                    "failed to convert new object {what} to proper version: unable to convert unstructured object to \
                     {group_version}, Kind={}: {why}",
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
        Ok((self.in_its_place(body.value, Some(name))?, applied.entries))
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
        /// How many names are tried.
        const TRIES: usize = 8;
        let metadata = &mut object["metadata"];
        let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
        let (name, stem) = (text("name"), text("generateName"));
        if name.is_empty() && !stem.is_empty() {
            let stem: String = stem.chars().take(STEM).collect();
            let mut tries = (0..TRIES).map(|_| format!("{stem}{}", self.cluster.suffix()));
            // Who has no luck so often is refused.
            let free = tries.find(|name| self.cluster.store.get(&self.key(name)).is_none());
            metadata["name"] = json!(free.unwrap_or(stem));
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

impl Target<'_> {
    /// Refuses an object that says it is something else.
    fn is(&self, said: &Said) -> Result<(), Refusal> {
        match self.fits(said) {
            Err(why) if why.starts_with(OTHER_VERSION) && !self.tongue_tied => Err(Refusal::bad_request(why)),
            Err(why) => Err(self.unhandled(said, &why)),
            Ok(()) => Ok(()),
        }
    }

    fn fits(&self, said: &Said) -> Result<(), String> {
        if said.kind == self.kind && said.api_version == self.api_version {
            return Ok(());
        }
        let known =
            kinds::built_in().values().find(|known| known.kind == said.kind && known.api_version() == said.api_version);
        let is_version = match (self.group, known) {
            ("autoscaling", None) => said.kind == self.kind && OLDER_SCALES.contains(&&*said.api_version),
            (group, Some(known)) => known.kind == self.kind && known.group == group,
            (_, None) => false,
        };
        Err(match known {
            _ if is_version => self.other_version(said),
            Some(known) => {
                let package = self.group.split('.').next().filter(|group| !group.is_empty()).unwrap_or("core");
                format!(
                    "converting ({}.{}) to ({package}.{}): unknown conversion",
                    known.version, known.kind, self.kind
                )
            }
            None => decoding::unregistered(said),
        })
    }

    fn other_version(&self, said: &Said) -> String {
        let (given, expected) = (&said.api_version, &self.api_version);
        format!("{OTHER_VERSION} ({given}) does not match the expected API version ({expected})")
    }

    fn unhandled(&self, said: &Said, why: &str) -> Refusal {
        if self.tongue_tied {
            return Refusal::bad_request(
                "no kind is registered for the type v1.Scale in scheme \"pkg/runtime/scheme.go:111\"",
            );
        }
        let version = said.api_version.rsplit('/').next().unwrap_or_default();
        let message = format!("{} in version \"{version}\" cannot be handled as a {}: {why}", said.kind, self.kind);
        Refusal::bad_request(message)
    }

    /// Lets an object say what it is, if that goes without saying.
    fn mark(&self, object: &mut Value) {
        if self.defined.is_none() {
            object["kind"] = json!(self.kind);
            object["apiVersion"] = json!(self.api_version);
        }
    }
}

/// Why a text is no group and version.
fn no_version(text: &str) -> Option<String> {
    (text.matches('/').count() > 1).then(|| format!("unexpected GroupVersion string: {text}"))
}

/// What the metadata of a kind looks like.
fn metadata(root: Typed<'_>) -> Typed<'_> {
    root.below("metadata").expect("objects of every kind that is written have metadata")
}
