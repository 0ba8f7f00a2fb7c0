//! What differs between two states of an object, field by field and as a text. What a Secret holds is never told.

use similar::TextDiff;

use super::object::{self, at};
use crate::script::values::{tree::Tree, yaml};

/// What the server keeps by itself.
const BOOKKEEPING: &[&str] =
    &["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

/// Where `kubectl apply` keeps a copy of the whole object, Secrets included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The longest value that is told in one line.
const LONGEST: usize = 60;

/// A field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// `spec.template.spec.containers[web].image`
    pub path: String,
    /// None if there was none.
    pub before: Option<Tree>,
    pub after: Option<Tree>,
}

impl std::fmt::Display for Field {
    /// `spec.replicas: 2 → 3`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: &Option<Tree>| match value {
            None => "none".to_owned(),
            Some(Tree::Text(text)) => shortened(text),
            Some(value) => shortened(&value.to_string()),
        };
        write!(f, "{}: {} → {}", self.path, shown(&self.before), shown(&self.after))
    }
}

fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.len() == text.len() && line.chars().count() <= LONGEST {
        true if text.is_empty() => "\"\"".to_owned(),
        true => text.to_owned(),
        false => format!("{}…", line.chars().take(LONGEST).collect::<String>()),
    }
}

/// Both states without what the server keeps by itself, and with the values of a Secret hidden.
fn told(before: &Tree, after: &Tree) -> (Tree, Tree) {
    (told_of(before, after, "(secret, before)"), told_of(after, before, "(secret, after)"))
}

fn told_of(object: &Tree, other: &Tree, differs: &str) -> Tree {
    let Tree::Map(fields) = object else { return object.clone() };
    let hides = object::kind(object) == "Secret" && object::api_version(object) == "v1";
    let hidden = |path: &[&str], value: &Tree| match at(other, path) {
        Some(other) if other.equals(value) => Tree::Text("(secret)".into()),
        _ => Tree::Text(differs.into()),
    };
    let annotation = |key: &str, value: &Tree| match hides && key == LAST_APPLIED {
        true => hidden(&["metadata", "annotations", key], value),
        false => value.clone(),
    };
    let metadata = |name: &str, value: &Tree| match (name, value) {
        ("annotations", Tree::Map(annotations)) => {
            annotations.iter().map(|(key, value)| (key.clone(), annotation(key, value))).collect()
        }
        (_, value) => value.clone(),
    };
    let part = |name: &str, value: &Tree| match (name, value) {
        ("metadata", Tree::Map(fields)) => {
            let kept = fields.iter().filter(|(name, _)| !BOOKKEEPING.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), metadata(name, value))).collect()
        }
        ("data" | "stringData", Tree::Map(data)) if hides => {
            data.iter().map(|(key, value)| (key.clone(), hidden(&[name, key], value))).collect()
        }
        (_, value) => value.clone(),
    };
    let kept = fields.iter().filter(|(name, _)| name.as_str() != "status");
    kept.map(|(name, value)| (name.clone(), part(name, value))).collect()
}

/// The fields that differ between two states of an object, in the order of their paths.
pub fn fields(before: &Tree, after: &Tree) -> Vec<Field> {
    let mut found = Vec::new();
    let (before, after) = told(before, after);
    compare("", &before, &after, &mut found);
    found
}

fn compare(path: &str, before: &Tree, after: &Tree, found: &mut Vec<Field>) {
    match (before, after) {
        (Tree::Map(before), Tree::Map(after)) => {
            let mut names: Vec<&str> = before.names().chain(after.names()).map(|name| name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                compare_parts(path, before.get(name), after.get(name), found);
            }
        }
        (Tree::List(before), Tree::List(after)) => compare_lists(path, before, after, found),
        (before, after) if before.equals(after) => {}
        (before, after) => {
            let (before, after) = (Some(before.clone()), Some(after.clone()));
            found.push(Field { path: path.to_owned(), before, after });
        }
    }
}

fn compare_parts(path: String, before: Option<&Tree>, after: Option<&Tree>, found: &mut Vec<Field>) {
    match (before, after) {
        (Some(before), Some(after)) => compare(&path, before, after, found),
        (before, after) => found.push(Field { path, before: before.cloned(), after: after.cloned() }),
    }
}

/// Items are told apart by their names, if all have one, and by their places otherwise.
fn compare_lists(path: &str, before: &[Tree], after: &[Tree], found: &mut Vec<Field>) {
    if let (Some(names_before), Some(names_after)) = (names_of(before), names_of(after)) {
        for (name, item) in names_before.iter().zip(before) {
            let now = names_after.iter().position(|other| other == name).map(|place| &after[place]);
            compare_parts(format!("{path}[{name}]"), Some(item), now, found);
        }
        for (name, item) in names_after.iter().zip(after).filter(|(name, _)| !names_before.contains(name)) {
            compare_parts(format!("{path}[{name}]"), None, Some(item), found);
        }
        return;
    }
    for place in 0..before.len().max(after.len()) {
        compare_parts(format!("{path}[{place}]"), before.get(place), after.get(place), found);
    }
}

/// The names of items, if all have one, and each its own.
pub fn names_of(items: &[Tree]) -> Option<Vec<&str>> {
    let names: Vec<&str> = items.iter().map(|item| object::text(item, &["name"])).collect::<Option<_>>()?;
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    (once.len() == names.len()).then_some(names)
}

/// How many changed fields are told in a line.
const FIELDS: usize = 4;

/// `unchanged`, or `changed: spec.replicas: 2 → 3`.
pub fn line(fields: &[Field]) -> String {
    match fields.is_empty() {
        true => "unchanged".to_owned(),
        false => format!("changed: {}", listed(fields.iter().map(ToString::to_string))),
    }
}

/// The first of these, and how many more there are.
pub fn listed(changes: impl ExactSizeIterator<Item = String>) -> String {
    let more = changes.len().saturating_sub(FIELDS);
    let first = changes.take(FIELDS).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{first} and {more} more") } else { first }
}

/// The difference as a text: lines with `-` are there now, lines with `+` would be.
pub fn text(title: &str, before: Option<&Tree>, after: Option<&Tree>) -> String {
    let nothing = Tree::Null;
    let (before, after) = told(before.unwrap_or(&nothing), after.unwrap_or(&nothing));
    let written = |state: &Tree| if state.is_null() { String::new() } else { yaml::write(state) };
    let (before, after) = (written(&before), written(&after));
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    let name = |written: &str| if written.is_empty() { "none".to_owned() } else { title.to_owned() };
    diff.unified_diff().context_radius(3).header(&name(&before), &name(&after)).to_string()
}
