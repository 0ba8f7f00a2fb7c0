//! Whether applying an object would change nothing: it is owned by us as it is wanted, field by field, and has these values.
//!
//! It says so only of what is certain. Where a schema would have to be known, or the server rewrites a value, it says no, and
//! the object is sent.

use super::{
    client::MANAGER,
    object::{at, items, text},
};
use crate::script::values::{fields::Fields, json, tree::Tree};

/// What names an object is owned by nobody.
const NAMES: &[&str] = &["apiVersion", "kind"];
const NAMES_BELOW_METADATA: &[&str] = &["name", "namespace"];

/// True if the server would answer with the very object that is there.
pub fn is_applied(live: &Tree, wanted: &Tree) -> bool {
    let Some(entry) = ours(live) else { return false };
    let going = at(live, &["metadata", "deletionTimestamp"]).is_some();
    let (Some(Tree::Map(owned)), Tree::Map(live), Tree::Map(sent)) = (at(entry, &["fieldsV1"]), live, wanted) else {
        return false;
    };
    !going && text(entry, &["apiVersion"]) == text(wanted, &["apiVersion"]) && holds_object(owned, sent, live)
}

/// The fields that we have applied before.
pub fn applied_by_us(live: &Tree) -> Option<&Tree> {
    at(ours(live)?, &["fieldsV1"])
}

/// Our entry among the owners, if there is one.
fn ours(live: &Tree) -> Option<&Tree> {
    let is_ours = |entry: &&Tree| {
        text(entry, &["manager"]) == Some(MANAGER)
            && text(entry, &["operation"]) == Some("Apply")
            && text(entry, &["subresource"]).is_none()
    };
    let mut ours = items(live, &["metadata", "managedFields"]).iter().filter(is_ours);
    let entry = ours.next()?;
    ours.next().is_none().then_some(entry)
}

fn holds_object(owned: &Fields, wanted: &Fields, live: &Fields) -> bool {
    let parts = || wanted.iter().filter(|(name, _)| !NAMES.contains(&name.as_str()));
    let held = parts().all(|(name, wanted)| {
        let (Some(live), owned) = (live.get(name), child(owned, name)) else { return false };
        match (name.as_str(), wanted, live) {
            ("metadata", Tree::Map(wanted), Tree::Map(live)) => holds_metadata(owned, wanted, live),
            _ => owned.is_some_and(|owned| holds(owned, wanted, live)),
        }
    });
    held && owned.names().all(|key| is_wanted(key, wanted))
}

fn holds_metadata(owned: Option<&Fields>, wanted: &Fields, live: &Fields) -> bool {
    let mut parts = wanted.iter().filter(|(name, _)| !NAMES_BELOW_METADATA.contains(&name.as_str()));
    match owned {
        None => parts.next().is_none(),
        Some(owned) => {
            parts.all(|(name, wanted)| holds_field(owned, name, wanted, live))
                && owned.names().all(|key| is_wanted(key, wanted))
        }
    }
}

/// The fields that are owned below `name`.
fn child<'f>(owned: &'f Fields, name: &str) -> Option<&'f Fields> {
    match owned.get(&format!("f:{name}")) {
        Some(Tree::Map(fields)) => Some(fields),
        _ => None,
    }
}

/// True if what is owned under this key is still wanted: a field that no longer is has to go.
fn is_wanted(key: &str, wanted: &Fields) -> bool {
    key == "." || key.strip_prefix("f:").is_some_and(|name| wanted.contains(name))
}

fn holds_field(owned: &Fields, name: &str, wanted: &Tree, live: &Fields) -> bool {
    let (Some(owned), Some(live)) = (child(owned, name), live.get(name)) else { return false };
    holds(owned, wanted, live)
}

fn holds(owned: &Fields, wanted: &Tree, live: &Tree) -> bool {
    match (wanted, live) {
        // A leaf: a plain value, or a whole that has one owner.
        _ if owned.is_empty() => is_same(wanted, live),
        (Tree::Map(wanted), Tree::Map(live)) => {
            wanted.iter().all(|(name, wanted)| holds_field(owned, name, wanted, live))
                && owned.names().all(|key| is_wanted(key, wanted))
        }
        (Tree::List(wanted), Tree::List(live)) => holds_items(owned, wanted, live),
        _ => false,
    }
}

/// The items of a list whose items have owners of their own; their order counts, too.
fn holds_items(owned: &Fields, wanted: &[Tree], live: &[Tree]) -> bool {
    let mut rest = live.iter();
    let each = wanted.iter().all(|wanted| {
        let Some((key, owned)) = owned_item(owned, wanted) else { return false };
        rest.by_ref().find(|live| key.names(live)).is_some_and(|live| holds(owned, wanted, live))
    });
    each && owned.names().filter(|key| key.as_str() != ".").count() == wanted.len()
}

/// What tells the items of a list apart.
enum Key {
    Fields(Tree),
    Value(Tree),
}

impl Key {
    fn read(key: &str) -> Option<Self> {
        let (make, written): (fn(Tree) -> Self, &str) = match (key.strip_prefix("k:"), key.strip_prefix("v:")) {
            (Some(fields), _) => (Self::Fields, fields),
            (_, Some(value)) => (Self::Value, value),
            _ => return None,
        };
        json::read(written, "the owner's key").ok().map(make)
    }

    /// True if it is this item's.
    fn names(&self, item: &Tree) -> bool {
        match self {
            Self::Value(value) => value.equals(item),
            Self::Fields(Tree::Map(fields)) => {
                fields.iter().all(|(name, value)| at(item, &[name]).is_some_and(|found| found.equals(value)))
            }
            Self::Fields(_) => false,
        }
    }
}

fn owned_item<'f>(owned: &'f Fields, item: &Tree) -> Option<(Key, &'f Fields)> {
    owned.iter().find_map(|(key, fields)| match (Key::read(key), fields) {
        (Some(key), Tree::Map(fields)) if key.names(item) => Some((key, &**fields)),
        _ => None,
    })
}

fn is_same(wanted: &Tree, live: &Tree) -> bool {
    match (wanted, live) {
        // What is null is left out by some kinds and kept by others.
        (Tree::Null, _) => false,
        (Tree::Secret(wanted), Tree::Text(live)) => wanted.expose() == live.as_str(),
        (Tree::Map(wanted), Tree::Map(live)) => {
            wanted.len() == live.len()
                && wanted.iter().all(|(name, wanted)| live.get(name).is_some_and(|live| is_same(wanted, live)))
        }
        (Tree::List(wanted), Tree::List(live)) => {
            wanted.len() == live.len() && wanted.iter().zip(live.iter()).all(|(wanted, live)| is_same(wanted, live))
        }
        (wanted, live) => wanted.equals(live),
    }
}
