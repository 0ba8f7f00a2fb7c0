//! Patches: instructions for changing an object, in the three forms that are not an apply.
//!
//! They know nothing of requests, and don't look whether what comes out is valid.

pub mod json;
mod merge;
mod strategic;
pub mod words;

use serde_json::{Map, Value};

use self::{json::Operation, strategic::Misfit};
use super::{
    answer::Refusal,
    decoding::{self, Again, Body, Numbers, Strictness},
    schema::Typed,
};

/// A patch that was read.
#[derive(Debug, Clone)]
pub enum Patch {
    Json(Vec<Operation>),
    Merge(Value),
    Strategic(Value),
}

/// What a step of a JSON patch consists of.
const FIELDS: [&str; 4] = ["op", "path", "from", "value"];

/// True for what should be a text in a step and is something else.
fn is_no_text(key: &str, value: &Value) -> bool {
    matches!(key, "op" | "path" | "from") && !matches!(value, Value::String(_) | Value::Null)
}

/// How many steps a JSON patch may have.
const STEPS: usize = 10_000;

impl Patch {
    /// Reads a patch; the answer says what is odd about it, too, and how its numbers were written that are in the places where they
    /// come to be.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn given(form: Form, text: &[u8], strictness: Strictness) -> Result<(Self, Vec<String>, Numbers), Refusal> {
        // Who wants to hear nothing of oddities hears the words of another reader.
        let (prefix, list, step) = match (form, strictness) {
            (Form::Json, Strictness::Ignore) => ("", "jsonpatch.Patch", "jsonpatch.Operation"),
            (Form::Json | Form::Merge, _) => {
                ("error decoding patch: ", "[]handlers.jsonPatchOp", "handlers.jsonPatchOp")
            }
            (Form::Strategic, _) => ("", "", ""),
        };
        let malformed = |why: String| Refusal::bad_request(format!("{prefix}{why}"));
        let unfit = |found: &Value, wanted: &str| {
            malformed(format!("json: cannot unmarshal {} into Go value of type {wanted}", decoding::sort(found)))
        };
        // Nothing in a patch has a type yet, into which what comes twice could be read.
        let quiet = form == Form::Merge && strictness == Strictness::Ignore;
        let no_patch = || Refusal::bad_request("Invalid JSON Patch");
        let body =
            Body::json_with(text, Again::Replaces).map_err(|why| if quiet { no_patch() } else { malformed(why) })?;
        let mut odd = body.repeated();
        let numbers = if form == Form::Merge { body.numbers() } else { Numbers::new() };
        let patch = match (form, body.value) {
            (Form::Json, Value::Array(steps)) => {
                if steps.len() > STEPS {
                    return Err(Refusal::too_large(format!(
                        "The allowed maximum operations in a JSON patch is {STEPS}, got {}",
                        steps.len()
                    )));
                }
                for (index, found) in steps.iter().enumerate() {
                    let fields = match found {
                        Value::Object(fields) => fields,
                        // Such a step can't be taken, but it can be read.
                        Value::Null => continue,
                        _ => return Err(unfit(found, step)),
                    };
                    if let Some((key, value)) =
                        fields.iter().find(|(key, value)| strictness != Strictness::Ignore && is_no_text(key, value))
                    {
                        let found = decoding::sort(value);
                        let why = format!(
                            "json: cannot unmarshal {found} into Go struct field jsonPatchOp.{key} of type string"
                        );
                        return Err(malformed(why));
                    }
                    let unknown = fields.keys().filter(|key| !FIELDS.contains(&key.as_str()));
                    odd.extend(unknown.map(|key| format!("unknown field \"[{index}].{key}\"")));
                }
                odd.iter_mut().for_each(|text| text.insert_str(0, "json patch "));
                Patch::of_steps(&steps)
            }
            (Form::Json, Value::Null) => Patch::Json(Vec::new()),
            (Form::Json, other) => return Err(unfit(&other, list)),
            (Form::Merge, Value::Null) => return Err(no_patch()),
            // A list takes the place of the object, which it then isn't any more.
            (Form::Merge, patch @ Value::Array(_)) if quiet => Patch::Merge(patch),
            (Form::Merge, Value::Bool(_) | Value::Number(_) | Value::String(_)) if quiet => return Err(no_patch()),
            (Form::Strategic, Value::Null) => Patch::Strategic(Value::Object(Map::new())),
            (Form::Merge, patch @ Value::Object(_)) => Patch::Merge(patch),
            (Form::Strategic, patch @ Value::Object(_)) => Patch::Strategic(patch),
            (_, other) => return Err(unfit(&other, words::MAP)),
        };
        Ok((patch, odd, numbers))
    }

    /// A JSON patch; what is no step is left out.
    pub fn of_steps(steps: &[Value]) -> Self {
        Patch::Json(steps.iter().filter_map(Operation::read).collect())
    }

    /// Lays the patch over an object; `typed` is what its kind says of its fields. Of a strategic one less is left.
    ///
    /// # Errors
    /// If it doesn't fit.
    pub fn lay_over(&mut self, object: &mut Value, typed: Option<Typed>) -> Result<(), Refusal> {
        match self {
            Patch::Json(operations) => {
                operations.iter().try_for_each(|operation| operation.on(object)).map_err(|_| Refusal::unprocessable())
            }
            Patch::Merge(patch) => {
                merge::merge(object, patch);
                Ok(())
            }
            Patch::Strategic(patch) => {
                let Value::Object(original) = object.take() else { return Ok(()) };
                let merged = strategic::merge(original, patch, typed).map_err(|misfit| match misfit {
                    Misfit::Malformed(why) => Refusal::bad_request(why),
                    Misfit::Unprocessable => Refusal::unprocessable(),
                    Misfit::Failed(why) => Refusal::failed(why),
                })?;
                *object = Value::Object(merged);
                Ok(())
            }
        }
    }
}

/// The forms of patches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    Merge,
    Strategic,
}

impl Form {
    pub fn of(media_type: &str) -> Option<Self> {
        match media_type {
            "application/json-patch+json" => Some(Form::Json),
            "application/merge-patch+json" => Some(Form::Merge),
            "application/strategic-merge-patch+json" => Some(Form::Strategic),
            _ => None,
        }
    }
}
