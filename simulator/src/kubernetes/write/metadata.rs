//! What every object has: its name, labels, annotations, finalizers and owners.

use serde_json::{Value, json};

use super::Write;
use crate::kubernetes::{
    answer::{Cause, Refusal},
    kinds::Kind,
    rules::{Look, NameForm, form},
};

/// How many bytes the annotations of an object may have in all.
const ANNOTATIONS: usize = 256 << 10;

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// What is wrong with the metadata of an object.
pub fn wrong(object: &Value, kind: &Kind, name_form: NameForm) -> Vec<Cause> {
    let mut wrong = wrong_in_any(object, kind, name_form);
    if has_standard_finalizers(kind) {
        wrong.extend(finalizers_of_built_in(&object["metadata"]["finalizers"]));
    }
    wrong
}

/// What is wrong with the metadata of a scale, which has the name of an object that is there.
pub fn wrong_in_scale(scale: &Value) -> Vec<Cause> {
    let metadata = &scale["metadata"];
    let mut wrong = labels(&metadata["labels"]);
    wrong.extend(annotations(&metadata["annotations"]));
    wrong.extend(owner_references(&metadata["ownerReferences"]));
    wrong.extend(finalizers(&metadata["finalizers"]));
    wrong.extend(finalizers_of_built_in(&metadata["finalizers"]));
    wrong
}

/// Groups whose objects may have any finalizers, as those of defined kinds may.
const ANY_FINALIZERS: [&str; 5] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
];

fn has_standard_finalizers(kind: &Kind) -> bool {
    kind.built_in() && !ANY_FINALIZERS.contains(&kind.group.as_str())
}

/// The same, as it is for objects of any kind.
pub fn wrong_in_any(object: &Value, kind: &Kind, name_form: NameForm) -> Vec<Cause> {
    let metadata = &object["metadata"];
    let mut wrong = names(metadata, name_form);
    if !kind.namespaced && metadata.get("namespace").is_some() {
        wrong.push(Cause::forbidden("metadata.namespace", "not allowed on this type"));
    }
    if metadata["generation"].as_i64().is_some_and(|generation| generation < 0) {
        let why = "must be greater than or equal to 0";
        wrong.push(Cause::invalid("metadata.generation", &metadata["generation"], why));
    }
    wrong.extend(labels(&metadata["labels"]));
    wrong.extend(annotations(&metadata["annotations"]));
    wrong.extend(owner_references(&metadata["ownerReferences"]));
    wrong.extend(finalizers(&metadata["finalizers"]));
    wrong
}

/// What is wrong with the metadata of an object in place of another. The real server looks for it as for all kinds, and then as the
/// kind itself has it, and tells it each time.
pub fn wrong_change(object: &Value, kind: &Kind, (look, names): (Look, NameForm), kept: Vec<Cause>) -> Vec<Cause> {
    let metadata = &object["metadata"];
    let mut changed = kept;
    changed.extend(labels(&metadata["labels"]));
    changed.extend(annotations(&metadata["annotations"]));
    changed.extend(owner_references(&metadata["ownerReferences"]));
    let common = wrong_in_any(object, kind, NameForm::PathSegment);
    let mut told = [common, changed.clone()].concat();
    if matches!(look, Look::AtChanges | Look::Twice) {
        told.extend(changed);
        if has_standard_finalizers(kind) {
            told.extend(finalizers_of_built_in(&metadata["finalizers"]));
        }
    }
    if matches!(look, Look::AtTheWhole | Look::Twice) {
        told.extend(wrong(object, kind, names));
    }
    told
}

/// The version that an object says it is.
///
/// # Errors
/// If it is no version.
pub fn version(object: &Value) -> Result<&str, Refusal> {
    match object["metadata"]["resourceVersion"].as_str().unwrap_or_default() {
        text if !text.is_empty() && text.parse::<u64>().is_err() => {
            Err(Refusal::failed(format!("strconv.ParseUint: parsing \"{text}\": invalid syntax")))
        }
        text => Ok(text),
    }
}

/// Takes the version out of a new object, which has none yet.
///
/// # Errors
/// If it says one.
pub fn versionless(object: &mut Value, strictly: bool) -> Result<(), Refusal> {
    let given = object["metadata"].as_object_mut().and_then(|metadata| metadata.shift_remove("resourceVersion"));
    match given.as_ref().and_then(Value::as_str).and_then(|version| version.parse::<u64>().ok()) {
        None | Some(0) => Ok(()),
        Some(_) if !strictly => Ok(()),
        Some(_) => Err(Refusal::failed("resourceVersion should not be set on objects to be created")),
    }
}

fn names(metadata: &Value, name_form: NameForm) -> Vec<Cause> {
    let check = match name_form {
        NameForm::Subdomain => form::subdomain,
        NameForm::Label => form::label,
        NameForm::Label1035 => form::label_1035,
        NameForm::PathSegment => form::path_segment,
    };
    let mut wrong = Vec::new();
    let stem = &metadata["generateName"];
    if let Some(text) = stem.as_str().filter(|stem| !stem.is_empty()) {
        // What follows may make it whole.
        let stand_in = text.strip_suffix('-').map(|text| format!("{text}a")).unwrap_or_else(|| text.to_owned());
        wrong.extend(check(&stand_in).iter().map(|why| Cause::invalid("metadata.generateName", stem, why)));
    }
    match metadata["name"].as_str().unwrap_or_default() {
        "" => wrong.push(Cause::required("metadata.name", "name or generateName is required")),
        name => wrong.extend(check(name).iter().map(|why| Cause::invalid("metadata.name", &metadata["name"], why))),
    }
    wrong
}

fn labels(labels: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for (key, value) in labels.as_object().into_iter().flatten() {
        let field = "metadata.labels";
        wrong.extend(form::qualified_name(key).iter().map(|why| Cause::invalid(field, &json!(key), why)));
        let values = form::label_value(value.as_str().unwrap_or_default());
        wrong.extend(values.iter().map(|why| Cause::invalid(field, value, why)));
    }
    wrong
}

fn annotations(annotations: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut bytes = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        bytes += key.len() + value.as_str().unwrap_or_default().len();
        let found = form::qualified_name(&key.to_lowercase());
        wrong.extend(found.iter().map(|why| Cause::invalid("metadata.annotations", &json!(key), why)));
    }
    if bytes > ANNOTATIONS {
        wrong.push(Cause::too_long("metadata.annotations", ANNOTATIONS));
    }
    wrong
}

fn owner_references(references: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut controller: Option<String> = None;
    for reference in references.as_array().into_iter().flatten() {
        let text = |field: &str| reference[field].as_str().unwrap_or_default();
        let place = "metadata.ownerReferences";
        let version = match text("apiVersion").split('/').collect::<Vec<_>>().as_slice() {
            [version] | [_, version] => *version,
            _ => "",
        };
        if version.is_empty() {
            wrong.push(Cause::invalid(
                format!("{place}.apiVersion"),
                &json!(text("apiVersion")),
                "version must not be empty",
            ));
        }
        for field in ["kind", "name", "uid"] {
            if text(field).is_empty() {
                wrong.push(Cause::invalid(format!("{place}.{field}"), &json!(""), "must not be empty"));
            }
        }
        if (text("apiVersion"), text("kind")) == ("v1", "Event") {
            wrong.push(Cause::invalid(place, reference, "/v1, Kind=Event is disallowed from being an owner"));
        }
        if reference["controller"] == true {
            let this = format!("{}/{}", text("kind"), text("name"));
            match &controller {
                Some(first) => wrong.push(Cause::invalid(
                    place,
                    references,
                    &format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} \
                         and {this}"
                    ),
                )),
                None => controller = Some(this),
            }
        }
    }
    wrong
}

fn finalizers(finalizers: &Value) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let has = |name: &str| finalizers.as_array().into_iter().flatten().any(|finalizer| finalizer == name);
    for finalizer in finalizers.as_array().into_iter().flatten() {
        let found = form::qualified_name(finalizer.as_str().unwrap_or_default());
        wrong.extend(found.iter().map(|why| Cause::invalid("metadata.finalizers", finalizer, why)));
    }
    if has(ORPHAN) && has(FOREGROUND) {
        let why = format!("finalizer {ORPHAN} and {FOREGROUND} cannot be both set");
        wrong.push(Cause::invalid("metadata.finalizers", finalizers, &why));
    }
    wrong
}

/// The finalizers of the kinds of Kubernetes itself are its own, or say whose they are.
fn finalizers_of_built_in(finalizers: &Value) -> Vec<Cause> {
    let list = finalizers.as_array().into_iter().flatten().enumerate();
    let stray = list.filter(|(_, finalizer)| {
        let name = finalizer.as_str().unwrap_or_default();
        !name.contains('/') && !["kubernetes", ORPHAN, FOREGROUND].contains(&name)
    });
    let why = "name is neither a standard finalizer name nor is it fully qualified";
    stray.map(|(at, finalizer)| Cause::invalid(format!("metadata.finalizers[{at}]"), finalizer, why)).collect()
}

/// Takes out owners that come twice; the answer is what is said of that.
pub fn each_owner_once(object: &mut Value, patched: bool) -> Option<String> {
    let owners = object["metadata"]["ownerReferences"].as_array_mut()?;
    let (mut kept, mut twice): (Vec<Value>, Vec<String>) = (Vec::new(), Vec::new());
    for owner in owners.drain(..) {
        match kept.contains(&owner) {
            true => twice.push(owner["uid"].as_str().unwrap_or_default().to_owned()),
            false => kept.push(owner),
        }
    }
    *owners = kept;
    twice.dedup();
    let told = "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your \
                requests; duplicate UID(s) observed:";
    (!twice.is_empty()).then(|| {
        let when = if patched { " after mutating admission happens" } else { "" };
        format!(".metadata.ownerReferences contains duplicate entries{when}; {told} {}", twice.join(", "))
    })
}

/// Keeps what no change can reach, and tells what was tried to be changed nevertheless.
pub fn kept(object: &mut Value, there: &Value) -> Vec<Cause> {
    let (metadata, there) = (&mut object["metadata"], &there["metadata"]);
    for field in ["generation", "creationTimestamp"] {
        keep(metadata, there, field);
    }
    if metadata["uid"].as_str().unwrap_or_default().is_empty() {
        keep(metadata, there, "uid");
    }
    if there.get("deletionTimestamp").is_some() {
        keep(metadata, there, "deletionTimestamp");
    }
    if metadata.get("deletionGracePeriodSeconds").is_none() {
        keep(metadata, there, "deletionGracePeriodSeconds");
    }
    let mut wrong = Vec::new();
    if there.get("deletionTimestamp").is_some() {
        let names = |metadata: &Value| -> Vec<String> {
            let list = metadata["finalizers"].as_array().into_iter().flatten();
            list.filter_map(|finalizer| Some(finalizer.as_str()?.to_owned())).collect()
        };
        let known = names(there);
        let mut new: Vec<String> = names(metadata).into_iter().filter(|name| !known.contains(name)).collect();
        new.sort();
        if !new.is_empty() {
            let new: Vec<String> = new.iter().map(|name| format!("\"{name}\"")).collect();
            wrong.push(Cause::forbidden(
                "metadata.finalizers",
                &format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers \
                     []string{{{}}}",
                    new.join(", ")
                ),
            ));
        }
    }
    for field in ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        if metadata.get(field) != there.get(field) {
            wrong.push(Cause::invalid(format!("metadata.{field}"), &metadata[field], "field is immutable"));
        }
    }
    wrong
}

fn keep(metadata: &mut Value, there: &Value, field: &str) {
    match there.get(field) {
        Some(value) => metadata[field] = value.clone(),
        None => drop(metadata.as_object_mut().and_then(|metadata| metadata.shift_remove(field))),
    }
}

impl Write<'_> {
    /// Refuses to replace what is not the object that was meant.
    pub(super) fn same_identity(&self, name: &str, object: &Value, stored: &Value) -> Result<(), Refusal> {
        let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let (given, found) = (uid(object), uid(stored));
        if given.is_empty() || given == found {
            return Ok(());
        }
        let place: Vec<&str> = [self.stored_as(), self.namespace.unwrap_or_default(), name].to_vec();
        let place: Vec<&str> = place.into_iter().filter(|segment| !segment.is_empty()).collect();
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}, ResourceVersion: 0, AdditionalErrorMsg: \
             Precondition failed: UID in precondition: {given}, UID in object meta: {found}",
            place.join("/")
        );
        Err(Refusal::conflict(&self.kind.resource, &self.kind.group, name, &why))
    }

    /// What the real server calls the place where it keeps objects of this kind.
    fn stored_as(&self) -> &str {
        match self.kind.resource.as_str() {
            "nodes" => "minions",
            "services" => "services/specs",
            "endpoints" => "services/endpoints",
            "replicationcontrollers" => "controllers",
            "ingresses" => "ingress",
            resource => resource,
        }
    }

    /// Refuses a change of what somebody else has changed meanwhile.
    pub(super) fn same_version(&self, object: &mut Value, there: &Value) -> Result<(), Refusal> {
        let name = there["metadata"]["name"].as_str().unwrap_or_default();
        match version(object)? {
            "" | "0" if self.rules("update")?.replacing_needs_version() => {
                let cause = Cause::invalid("metadata.resourceVersion", &json!(0), "must be specified for an update");
                Err(Refusal::invalid(&self.kind.resource, &self.kind.group, name, vec![cause]))
            }
            given if matches!(given, "" | "0") || given == version(there)? => {
                object["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
                Ok(())
            }
            _ => Err(self.modified(name)),
        }
    }
}
