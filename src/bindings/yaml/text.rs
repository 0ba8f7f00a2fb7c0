//! What YAML and JSON have in common: files, values that can be written, and mistakes in a text.

use rhai::{Dynamic, NativeCallContext};

use crate::script::{conductor::Outcome, context::Call, values::misread::Misread, values::tree::Tree};

/// The text of a file below the runbook's folder.
pub fn file(context: &NativeCallContext, path: &str) -> Outcome<String> {
    context.host().files.read(path).map_err(|error| context.raise(error.into()))
}

/// The value as a tree, if it can be written.
pub fn tree(context: &NativeCallContext, value: &Dynamic) -> Outcome<Tree> {
    Tree::from_dynamic(value).map_err(|error| context.raise(error.into()))
}

/// A mistake in a text, with the line it is on.
pub fn misread(context: &NativeCallContext, misread: Misread) -> Box<rhai::EvalAltResult> {
    context.raise(misread.into())
}
