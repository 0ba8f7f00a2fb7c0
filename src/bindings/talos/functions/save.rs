//! What a node sends piece by piece, kept as a file that is in its place when it is whole.

use std::time::Duration;

use rhai::{Dynamic, NativeCallContext};
use serde_json::Value;

use super::look::{object, text};
use crate::{
    bindings::talos::{machines::Talos, reach::Node},
    host::{
        effect::{Effect, digest},
        files::Arriving,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::Fault,
        values::tree::Tree,
    },
};

/// What is saved, and where.
pub struct Saving<'a> {
    pub talos: &'a Talos,
    pub node: &'a str,
    pub verb: &'a str,
    /// What of the node; nothing if the verb says it.
    pub of: &'a str,
    /// The file, as the script gives it.
    pub path: &'a str,
    pub timeout: Duration,
}

/// Announces the file, has it filled, and puts it into its place; where it is, how long, and the SHA-256 of it.
///
/// # Errors
/// Why it isn't there.
pub fn save<F>(
    context: &NativeCallContext,
    saving: &Saving<'_>,
    fill: impl FnOnce(Node, Arriving) -> F + Send + 'static,
) -> Outcome<Dynamic>
where
    F: Future<Output = Result<Arriving, Fault>> + Send + 'static,
{
    let Saving { talos, node: name, verb, of, path, timeout } = *saving;
    let node = talos.node(name).map_err(|fault| context.raise(fault))?;
    let host = context.host();
    let what = if of.is_empty() { String::new() } else { format!(": {of}") };
    let effect = Effect {
        verb: verb.to_owned(),
        object: format!("{talos}: node {node}{what} to {}", host.files.name(path)),
        digest: digest(&[talos.to_string().as_bytes(), name.as_bytes(), of.as_bytes(), path.as_bytes()]),
        repeatable: true,
        destroys: None,
    };
    let path = path.to_owned();
    let written = context.change(Change::repeatable(effect, timeout, async move {
        let file = fill(node, host.files.arriving(&path)?).await?;
        let (size, sha256) = (file.size(), file.sha256());
        file.arrive()?;
        let value = object([("path", text(&path)), ("size", Tree::from_json(size.into())), ("sha256", text(&sha256))]);
        Ok(Changed { value, kept: Value::Null, detail: Some(format!("{size} bytes")) })
    }))?;
    Ok(written.to_dynamic())
}
