//! The parts of an object with paths of their own: what a write to one reaches, and `/scale`.

use serde_json::{Value, json};

use super::{Write, given::NO_SCALE_OF_DEFINED, metadata};
use crate::kubernetes::{
    answer::{Cause, Refusal},
    rules::Scale,
    selector::shown,
};

/// What a write leaves alone where it says `metadata`.
const METADATA: [&str; 4] = ["labels", "annotations", "finalizers", "ownerReferences"];

impl Write<'_> {
    /// What this write leaves as it is, path by path.
    pub(super) fn left(&self) -> Result<Vec<Vec<&str>>, Refusal> {
        let part = if self.part == "scale" { "" } else { self.part };
        let left = self.rules("write")?.leaves(part);
        Ok(left.into_iter().map(|path| path.split('.').collect()).collect())
    }

    /// Puts what this write leaves alone back as it was.
    pub(super) fn keep_left(&self, object: &mut Value, there: &Value) -> Result<(), Refusal> {
        for path in self.left()? {
            match path.as_slice() {
                ["metadata"] => METADATA.iter().for_each(|field| put(object, &["metadata", field], there)),
                path => put(object, path, there),
            }
        }
        Ok(())
    }

    /// Takes out of a new object what is not for its creator to say.
    pub(super) fn without_left(&self, object: &mut Value) -> Result<(), Refusal> {
        let blank = self.kind.schema().root().blank();
        for path in self.rules("create")?.leaves("") {
            put(object, &path.split('.').collect::<Vec<_>>(), &blank);
        }
        Ok(())
    }

    pub(super) fn scale(&self) -> Result<Scale<'_>, Refusal> {
        self.rules("scale")?.scale().ok_or_else(|| Refusal::not_modelled(format!("scale of `{}`", self.kind.stored)))
    }

    /// What is there as the path of the request shows it.
    ///
    /// # Errors
    /// If it shows a scale, and the kind has none.
    pub fn seen(&self, object: &Value) -> Result<Value, Refusal> {
        let seen = self.kind.seen(object);
        match self.part {
            "scale" => {
                let places = self.scale()?;
                if !self.kind.built_in() && at(&seen, places.replicas).is_none() {
                    let why = format!("the spec replicas field \".{}\" does not exist", places.replicas);
                    return Err(Refusal::internal(&why));
                }
                Ok(scale(places, &seen))
            }
            _ => Ok(seen.into_owned()),
        }
    }
}

/// Makes what is at a path as it is in another object.
fn put(object: &mut Value, path: &[&str], there: &Value) {
    match path {
        [] => {}
        [field] => match there.get(field) {
            Some(value) => object[*field] = value.clone(),
            None => drop(object.as_object_mut().and_then(|map| map.shift_remove(*field))),
        },
        [field, rest @ ..] => {
            let none = json!({});
            let there = there.get(field).unwrap_or(&none);
            if !object[*field].is_object() {
                object[*field] = json!({});
            }
            put(&mut object[*field], rest, there);
        }
    }
}

fn at<'o>(object: &'o Value, path: &str) -> Option<&'o Value> {
    path.split('.').try_fold(object, |value, field| value.get(field))
}

/// The scale of an object.
pub fn scale(places: Scale<'_>, object: &Value) -> Value {
    let number = |path: &str| at(object, path).and_then(Value::as_i64).unwrap_or_default();
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object["metadata"].get(field) {
            metadata[field] = value.clone();
        }
    }
    let mut spec = json!({});
    if number(places.replicas) != 0 {
        spec["replicas"] = json!(number(places.replicas));
    }
    let mut status = json!({"replicas": number(places.status_replicas)});
    let selector = places.selector.and_then(|path| at(object, path)).map(shown).unwrap_or_default();
    if !selector.is_empty() {
        status["selector"] = json!(selector);
    }
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status})
}

/// Stands for the scale of what has none: nobody asks for it.
const NO_SCALE: i64 = i32::MIN as i64;

impl Write<'_> {
    /// The scale that somebody is to patch.
    pub(super) fn scale_there(&self, object: &Value) -> Result<Value, Refusal> {
        let places = self.scale()?;
        let mut there = scale(places, object);
        if !self.kind.built_in() && at(object, places.replicas).is_none() {
            there["spec"]["replicas"] = json!(NO_SCALE);
        }
        Ok(there)
    }

    /// An object with another scale.
    pub(super) fn rescaled(&self, object: &Value, scale: &Value) -> Result<Value, Refusal> {
        let places = self.scale()?;
        if self.kind.built_in() {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let wrong = metadata::wrong_in_scale(scale);
            if !wrong.is_empty() {
                return Err(Refusal::invalid("Scale", "autoscaling", name, wrong));
            }
            return scaled(places, object, scale);
        }
        if scale["spec"]["replicas"] == NO_SCALE {
            let why = format!("the spec replicas field \".{}\" cannot be empty", places.replicas);
            return Err(Refusal::bad_request(why));
        }
        let mut rescaled = object.clone();
        let replicas = scale["spec"]["replicas"].as_i64().unwrap_or_default();
        let target = places.replicas.split('.').fold(&mut rescaled, |object, field| &mut object[field]);
        *target = json!(replicas);
        if let Some(version) = scale["metadata"].get("resourceVersion") {
            rescaled["metadata"]["resourceVersion"] = version.clone();
        }
        Ok(rescaled)
    }
}

impl Write<'_> {
    /// An object of which nobody owns the number of its scale if that is none, which scales don't say.
    pub(super) fn as_scaled(&self, object: &Value) -> Result<Value, Refusal> {
        let path = self.scale()?.replicas;
        let (mut bare, (outer, field)) = (object.clone(), path.rsplit_once('.').unwrap_or(("", path)));
        if at(object, path) == Some(&json!(0))
            && let Some(Value::Object(map)) = bare.pointer_mut(&format!("/{}", outer.replace('.', "/")))
        {
            map.shift_remove(field);
        }
        Ok(bare)
    }

    /// What is applied as a scale, as a configuration of the object.
    pub(super) fn scale_applied(&self, config: &Value) -> Result<Value, Refusal> {
        Ok(sized(self.scale()?.replicas, config.pointer("/spec/replicas")))
    }

    /// An object without all that its scale doesn't say.
    pub(super) fn only_scale(&self, object: &Value) -> Result<Value, Refusal> {
        let path = self.scale()?.replicas;
        Ok(sized(path, at(object, path)))
    }

    /// What is there with the scale that an apply gives it.
    pub(super) fn scaled_by_apply(
        &self,
        live: &Value,
        applied: &Value,
        config: &Value,
        what: &str,
    ) -> Result<Value, Refusal> {
        let places = self.scale()?;
        let replicas = at(applied, places.replicas).cloned().unwrap_or_else(|| json!(0));
        if self.kind.built_in() {
            return self.rescaled(live, &json!({"metadata": config["metadata"], "spec": {"replicas": replicas}}));
        }
        let there = scale(places, live);
        let same = |config: &Value, there: &Value| {
            let fields = config.as_object().into_iter().flatten();
            fields.into_iter().all(|(field, value)| there.get(field) == Some(value))
        };
        let unchanged = *applied == self.as_scaled(live)?
            && same(&config["metadata"], &there["metadata"])
            && same(&config["status"], &there["status"]);
        match unchanged {
            true => Ok(live.clone()),
            false => Err(Refusal::failed(format!(
                "failed to convert new object {what} to proper version: {NO_SCALE_OF_DEFINED}"
            ))),
        }
    }
}

/// An object of which there is nothing but the number of its scale.
fn sized(path: &str, replicas: Option<&Value>) -> Value {
    let mut object = json!({});
    if let Some(replicas) = replicas {
        *path.split('.').fold(&mut object, |object, field| &mut object[field]) = replicas.clone();
    }
    object
}

/// An object with another scale.
pub fn scaled(places: Scale<'_>, object: &Value, scale: &Value) -> Result<Value, Refusal> {
    let name = scale["metadata"]["name"].as_str().unwrap_or_default();
    let replicas = scale["spec"]["replicas"].as_i64().unwrap_or_default();
    if replicas < 0 {
        let cause = Cause::invalid("spec.replicas", &json!(replicas), "must be greater than or equal to 0");
        return Err(Refusal::invalid("Scale", "autoscaling", name, vec![cause]));
    }
    let mut scaled = object.clone();
    *places.replicas.split('.').fold(&mut scaled, |object, field| &mut object[field]) = json!(replicas);
    for field in ["uid", "resourceVersion"] {
        if let Some(given) = scale["metadata"].get(field) {
            scaled["metadata"][field] = given.clone();
        }
    }
    Ok(scaled)
}
