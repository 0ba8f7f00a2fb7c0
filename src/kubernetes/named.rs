//! What a request names of an object, which tells what it changed from what others wrote at the same moment.

use std::collections::BTreeMap;

use super::{change::Patching, difference::names_of, object::text, ownership};
use crate::script::values::{fields::Fields, json, tree::Tree};

/// What is named of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Named {
    /// With all that is in it.
    Whole,
    /// Of a map some fields; of a list some items, by their names.
    Parts(BTreeMap<String, Named>),
}

impl Default for Named {
    fn default() -> Self {
        Self::Parts(BTreeMap::new())
    }
}

impl Named {
    /// What a patch names.
    pub fn by_patch(patching: Patching, change: &Tree) -> Self {
        match (patching, change) {
            (Patching::Json, Tree::List(operations)) => {
                operations.iter().map(by_operation).fold(Self::default(), Self::and)
            }
            (Patching::Json | Patching::Merge, change) => by_value(change, &|_| Self::Whole),
            (Patching::Strategic, change) => by_value(change, &by_items),
        }
        .with_written_only()
    }

    /// What applying a document names: its fields, and those that we applied before, which go if it no longer has them.
    pub fn by_document(document: &Tree, live: &Tree) -> Self {
        let owned = ownership::applied_by_us(live).map(by_owned).unwrap_or_default();
        by_value(document, &by_items).and(owned).with_written_only()
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Parts(mut parts), Self::Parts(others)) => {
                for (name, other) in others {
                    let part = parts.remove(&name).unwrap_or_default();
                    parts.insert(name, part.and(other));
                }
                Self::Parts(parts)
            }
            _ => Self::Whole,
        }
    }

    /// What is written to `stringData` of a Secret is found in its `data`.
    fn with_written_only(self) -> Self {
        let Self::Parts(parts) = &self else { return self };
        let Some(written) = parts.get("stringData").cloned() else { return self };
        self.and(Self::Parts(BTreeMap::from([("data".to_owned(), written)])))
    }

    /// The object as it was before, with what is named as it is after.
    pub fn changed(&self, before: &Tree, after: &Tree) -> Tree {
        self.of(Some(before), after)
    }

    fn of(&self, before: Option<&Tree>, after: &Tree) -> Tree {
        let Self::Parts(parts) = self else { return after.clone() };
        match (before, after) {
            (None, Tree::Map(after)) => fields_of(parts, &Fields::default(), after),
            (Some(Tree::Map(before)), Tree::Map(after)) => fields_of(parts, before, after),
            (None, Tree::List(after)) => items_of(parts, &[], after),
            (Some(Tree::List(before)), Tree::List(after)) => items_of(parts, before, after),
            _ => after.clone(),
        }
    }
}

fn part(named: Option<&Named>, before: Option<&Tree>, after: Option<&Tree>) -> Option<Tree> {
    match named {
        None => before.cloned(),
        Some(named) => after.map(|after| named.of(before, after)),
    }
}

fn fields_of(parts: &BTreeMap<String, Named>, before: &Fields, after: &Fields) -> Tree {
    let added = after.names().filter(|name| !before.contains(name));
    let names = before.names().chain(added);
    names
        .filter_map(|name| Some((name.clone(), part(parts.get(name.as_str()), before.get(name), after.get(name))?)))
        .collect()
}

fn items_of(parts: &BTreeMap<String, Named>, before: &[Tree], after: &[Tree]) -> Tree {
    let whole = || Tree::List(after.to_vec().into());
    let (Some(old), Some(new)) = (names_of(before), names_of(after)) else { return whole() };
    // An item may be named otherwise, such as by its place.
    if parts.keys().any(|name| !old.contains(&name.as_str()) && !new.contains(&name.as_str())) {
        return whole();
    }
    let item = |items: &'_ [Tree], names: &[&str], name: &str| {
        names.iter().position(|other| *other == name).map(|place| items[place].clone())
    };
    let added = new.iter().filter(|name| !old.contains(name));
    let names = old.iter().chain(added);
    names
        .filter_map(|name| part(parts.get(*name), item(before, &old, name).as_ref(), item(after, &new, name).as_ref()))
        .collect()
}

/// The fields of a value, and of lists what `of_list` finds in them.
fn by_value(value: &Tree, of_list: &dyn Fn(&[Tree]) -> Named) -> Named {
    match value {
        // The directives of a strategic patch.
        Tree::Map(fields) if fields.contains("$patch") || fields.contains("$retainKeys") => Named::Whole,
        Tree::Map(fields) => Named::Parts(
            fields
                .iter()
                .map(|(name, value)| match name.rsplit_once('/') {
                    Some((directive, name)) if directive.starts_with('$') => (name.to_owned(), Named::Whole),
                    _ => (name.to_string(), by_value(value, of_list)),
                })
                .collect(),
        ),
        Tree::List(items) => of_list(items),
        _ => Named::Whole,
    }
}

fn by_items(items: &[Tree]) -> Named {
    let Some(names) = names_of(items) else { return Named::Whole };
    let each = names.into_iter().zip(items);
    Named::Parts(each.map(|(name, item)| (name.to_owned(), by_value(item, &by_items))).collect())
}

/// What an operation of a JSON patch names.
fn by_operation(operation: &Tree) -> Named {
    let pointers = [text(operation, &["path"]), text(operation, &["from"])];
    let named = pointers.into_iter().flatten().map(|pointer| {
        let names = pointer.rsplit('/').filter(|name| !name.is_empty());
        let names = names.map(|name| name.replace("~1", "/").replace("~0", "~"));
        names.fold(Named::Whole, |inner, name| Named::Parts(BTreeMap::from([(name, inner)])))
    });
    named.fold(Named::default(), Named::and)
}

/// What an entry of `managedFields` says that its manager owns.
fn by_owned(owned: &Tree) -> Named {
    let Tree::Map(fields) = owned else { return Named::default() };
    if fields.is_empty() {
        return Named::Whole;
    }
    let parts = fields.iter().filter(|(key, _)| key.as_str() != ".");
    Named::Parts(parts.map(|(key, owned)| (owned_name(key), by_owned(owned))).collect())
}

fn owned_name(key: &str) -> String {
    let of_item = |fields: &str| {
        let fields = json::read(fields, "the owner's key").ok()?;
        Some(text(&fields, &["name"])?.to_owned())
    };
    match (key.strip_prefix("f:"), key.strip_prefix("k:")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(fields)) => of_item(fields).unwrap_or_else(|| key.to_owned()),
        (None, None) => key.to_owned(),
    }
}
