//! What every Kubernetes object has, read from its tree.

use std::sync::Arc;

pub use crate::script::values::at::{at, entries, flag, integer, items, text};
use crate::script::{
    fault::{Fault, Kind},
    values::fields::Fields,
    values::object::Object,
    values::tree::Tree,
};

pub fn name(object: &Tree) -> &str {
    text(object, &["metadata", "name"]).unwrap_or_default()
}

pub fn namespace(object: &Tree) -> Option<&str> {
    text(object, &["metadata", "namespace"])
}

pub fn uid(object: &Tree) -> Option<&str> {
    text(object, &["metadata", "uid"])
}

pub fn kind(object: &Tree) -> &str {
    text(object, &["kind"]).unwrap_or_default()
}

pub fn api_version(object: &Tree) -> &str {
    text(object, &["apiVersion"]).unwrap_or_default()
}

pub fn resource_version(object: &Tree) -> Option<&str> {
    text(object, &["metadata", "resourceVersion"])
}

/// Says which state of it an object comes from, or that it comes from none.
pub fn set_resource_version(object: &mut Tree, version: Option<&str>) {
    if let Tree::Map(fields) = object
        && let Some(Tree::Map(metadata)) = Arc::make_mut(fields).get_mut("metadata")
    {
        let metadata = Arc::make_mut(metadata);
        match version {
            Some(version) => metadata.insert("resourceVersion".into(), Tree::Text(version.into())),
            None => metadata.remove("resourceVersion"),
        };
    }
}

/// The condition of that type, whatever the case of its letters.
pub fn condition<'t>(object: &'t Tree, kind: &str) -> Option<&'t Tree> {
    items(object, &["status", "conditions"])
        .iter()
        .find(|condition| text(condition, &["type"]).is_some_and(|found| found.eq_ignore_ascii_case(kind)))
}

/// Takes out the bookkeeping of field ownership, which is most of an object's bulk and nearly never looked at.
pub fn strip_managed_fields(object: &mut Tree) {
    if let Tree::Map(fields) = object
        && has_managed_fields(fields)
        && let Some(Tree::Map(metadata)) = Arc::make_mut(fields).get_mut("metadata")
    {
        Arc::make_mut(metadata).remove("managedFields");
    }
}

fn has_managed_fields(fields: &Fields) -> bool {
    matches!(fields.get("metadata"), Some(Tree::Map(metadata)) if metadata.contains("managedFields"))
}

/// The object as scripts hold it.
///
/// # Errors
/// `unavailable`, if an answer that should be an object is none.
pub fn whole(tree: Tree) -> Result<Object, Fault> {
    Object::try_from(tree).map_err(|other| {
        Fault::new(Kind::Unavailable, format!("the API server answers with {}, not an object", other.kind()))
    })
}
