//! Patches: instructions for changing an object, in the three forms that are not an apply.
//!
//! They know nothing of requests, and don't look whether what comes out is valid.

mod json;
mod merge;
mod strategic;
pub mod words;

use serde_json::Value;

use self::{json::Operation, strategic::Misfit};
use super::{answer::Refusal, schema::Typed};

/// A patch that was read.
pub enum Patch {
    Json(Vec<Operation>),
    Merge(Value),
    Strategic(Value),
}

/// How many steps a JSON patch may have.
const STEPS: usize = 10_000;

impl Patch {
    /// # Errors
    /// If it is malformed.
    pub fn read(form: Form, body: &Value) -> Result<Self, Refusal> {
        match form {
            Form::Json => {
                let steps = body.as_array().map(Vec::as_slice).unwrap_or_default();
                if steps.len() > STEPS {
                    return Err(Refusal::too_large(format!(
                        "The allowed maximum operations in a JSON patch is {STEPS}, got {}",
                        steps.len()
                    )));
                }
                Ok(Patch::Json(steps.iter().filter_map(Operation::read).collect()))
            }
            Form::Merge => Ok(Patch::Merge(body.clone())),
            Form::Strategic => Ok(Patch::Strategic(body.clone())),
        }
    }

    /// The object with the patch on it; `typed` is what its kind says of its fields.
    ///
    /// # Errors
    /// If it doesn't fit.
    pub fn on(&self, object: &Value, typed: Option<Typed>) -> Result<Value, Refusal> {
        let mut patched = object.clone();
        match self {
            Patch::Json(operations) => {
                let fits = operations.iter().try_for_each(|operation| operation.on(&mut patched));
                fits.map(|()| patched).ok_or_else(Refusal::unprocessable)
            }
            Patch::Merge(patch) => {
                merge::merge(&mut patched, patch);
                Ok(patched)
            }
            Patch::Strategic(patch) => {
                let Value::Object(original) = patched else { return Ok(patched) };
                strategic::merge(original, patch, typed).map(Value::Object).map_err(|misfit| match misfit {
                    Misfit::Malformed(why) => Refusal::bad_request(why),
                    Misfit::Unprocessable => Refusal::unprocessable(),
                    Misfit::Failed(why) => Refusal::failed(why),
                })
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
