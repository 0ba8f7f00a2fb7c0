//! How objects of defined kinds are read: their metadata, and that of objects within them, against its types, the rest by the schema.

use serde_json::{Value, json};

use super::{prune, structural::Node, validate::below};
use crate::kubernetes::{decoding::Body, schema::Typed};

/// Takes out of an object what nobody knows, and says of each field that it is unknown, in the order of the real server. Without
/// a schema, as of an object that says it is of another kind, nothing is known but metadata.
///
/// # Errors
/// If its version is nothing, or its metadata, or the kind or metadata of an object within it, is of another type.
pub fn read(object: &mut Value, schema: Option<&Node>, metadata: Typed) -> Result<Vec<String>, String> {
    if object.get("apiVersion").is_some_and(Value::is_null) {
        return Err(".apiVersion accessor error: <nil> is of the type <nil>, expected string".to_owned());
    }
    let mut odd = match object.get_mut("metadata") {
        Some(own) => own_metadata(own, metadata, "metadata")?,
        None => Vec::new(),
    };
    let Some(schema) = schema else { return Ok(odd) };
    odd.extend(prune::prune(object, schema).iter().map(|path| format!("unknown field \"{path}\"")));
    let mut within = Vec::new();
    Reader { metadata, odd: &mut within }.read(object, schema, "")?;
    within.sort();
    odd.extend(within);
    Ok(odd)
}

/// Reads metadata against its types; what is odd about it is told with the path at which it is.
fn own_metadata(value: &mut Value, typed: Typed, path: &str) -> Result<Vec<String>, String> {
    value.sort_all_objects();
    let mut body = Body::of(value.take());
    let odd = body.read_as(typed, "ObjectMeta")?;
    *value = body.value;
    Ok(odd.iter().map(|line| line.replacen('"', &format!("\"{path}."), 1)).collect())
}

struct Reader<'r> {
    metadata: Typed<'r>,
    odd: &'r mut Vec<String>,
}

impl Reader<'_> {
    fn read(&mut self, value: &mut Value, of: &Node, path: &str) -> Result<(), String> {
        if of.embedded && value.is_object() {
            self.object(value, path)?;
        }
        match value {
            Value::Array(items) => {
                let Some(of) = &of.items else { return Ok(()) };
                let mut items = items.iter_mut().enumerate();
                items.try_for_each(|(index, item)| self.read(item, of, &format!("{path}[{index}]")))
            }
            Value::Object(map) => map.iter_mut().try_for_each(|(key, value)| match of.below(key) {
                Some(of) => self.read(value, of, &below(path, key)),
                None => Ok(()),
            }),
            _ => Ok(()),
        }
    }

    /// What an object within an object says of itself.
    fn object(&mut self, value: &mut Value, path: &str) -> Result<(), String> {
        for field in ["kind", "apiVersion"] {
            if let Some(said) = value.get(field).filter(|said| !said.is_string() && !said.is_null()) {
                return Err(format!("{}: Invalid value: {said}: must be a string", below(path, field)));
            }
        }
        let Some(metadata) = value.get_mut("metadata") else { return Ok(()) };
        if metadata.is_null() {
            *metadata = json!({});
        }
        let place = below(path, "metadata");
        metadata.sort_all_objects();
        let shown = metadata.to_string();
        let odd = own_metadata(metadata, self.metadata, &place);
        self.odd.extend(odd.map_err(|why| format!("{place}: Invalid value: {shown}: {why}"))?);
        self.metadata.normalise(metadata);
        Ok(())
    }
}
