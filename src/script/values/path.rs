//! Paths into a value, as operators write them: `spec.containers[0].image`, `metadata.labels["app.kubernetes.io/name"]`.

use std::sync::Arc;

use rhai::{Array, Dynamic, Map};

use super::fields::Fields;
use super::object::Object;
use super::tree::Tree;

/// The names and indexes of a path, from the outside in.
#[derive(Clone, Debug, PartialEq)]
pub struct Path(Vec<Segment>);

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment {
    pub(super) text: String,
    /// Bare names may be pieces of one name with dots in it; what stands in brackets is whole.
    bare: bool,
}

/// Why a value cannot be put where the path leads.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PathError {
    #[error("`{0}` is no path: {1}")]
    Malformed(String, &'static str),
    #[error("`{at}` is {kind}, so `{below}` cannot be set in it")]
    NoHolder { at: String, kind: &'static str, below: String },
    #[error("`{at}` has {length} items, so `{below}` cannot be set in it")]
    OutOfBounds { at: String, length: usize, below: String },
}

impl Path {
    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }

    pub fn parse(text: &str) -> Result<Self, PathError> {
        let malformed = |why| PathError::Malformed(text.to_owned(), why);
        let mut segments = Vec::new();
        let mut rest = text;
        loop {
            if let Some(bracket) = rest.strip_prefix('[') {
                let (text, after) = match bracket.strip_prefix('"') {
                    Some(quoted) => quoted.split_once("\"]").ok_or_else(|| malformed("a `\"]` is missing"))?,
                    None => bracket.split_once(']').ok_or_else(|| malformed("a `]` is missing"))?,
                };
                segments.push(Segment { text: text.to_owned(), bare: false });
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                if end == 0 {
                    return Err(malformed("a name is missing"));
                }
                segments.push(Segment { text: rest[..end].to_owned(), bare: true });
                rest = &rest[end..];
            }
            match rest.strip_prefix('.') {
                Some(next) => rest = next,
                None if rest.is_empty() => return Ok(Self(segments)),
                None if rest.starts_with('[') => {}
                None => return Err(malformed("a `.` or `[` is expected after `]`")),
            }
        }
    }
}

/// The longest run of bare segments that is a name here: `app.kubernetes.io/name` is found without brackets.
pub(super) fn longest_name(segments: &[Segment], known: impl Fn(&str) -> bool) -> Option<(String, &[Segment])> {
    let bare = segments.iter().take_while(|segment| segment.bare).count();
    (1..=bare.max(1)).rev().find_map(|count| {
        let name = joined(&segments[..count]);
        known(&name).then(|| (name, &segments[count..]))
    })
}

fn joined(segments: &[Segment]) -> String {
    segments.iter().map(|segment| segment.text.as_str()).collect::<Vec<_>>().join(".")
}

/// Negative indexes count from the end, as everywhere in scripts.
pub(super) fn index_of(segment: &Segment, length: usize) -> Option<usize> {
    let index: i64 = segment.text.parse().ok()?;
    let index = if index < 0 { index + i64::try_from(length).ok()? } else { index };
    usize::try_from(index).ok()
}

/// What lies at the path, if anything does.
pub fn find<'a>(tree: &'a Tree, path: &Path) -> Option<&'a Tree> {
    find_below(tree, &path.0)
}

fn find_below<'a>(tree: &'a Tree, segments: &[Segment]) -> Option<&'a Tree> {
    let Some(first) = segments.first() else { return Some(tree) };
    match tree {
        Tree::Map(fields) => {
            let (name, rest) = longest_name(segments, |name| fields.contains(name))?;
            find_below(fields.get(&name)?, rest)
        }
        Tree::List(items) => find_below(items.get(index_of(first, items.len())?)?, &segments[1..]),
        _ => None,
    }
}

/// The same through native maps and arrays, which may hold objects.
pub fn find_native(value: &Dynamic, path: &Path) -> Option<Dynamic> {
    find_native_below(value, &path.0)
}

fn find_native_below(value: &Dynamic, segments: &[Segment]) -> Option<Dynamic> {
    let Some(first) = segments.first() else { return Some(value.clone()) };
    if let Some(fields) = value.read_lock::<Map>() {
        let (name, rest) = longest_name(segments, |name| fields.contains_key(name))?;
        find_native_below(fields.get(name.as_str())?, rest)
    } else if let Some(items) = value.read_lock::<Array>() {
        find_native_below(items.get(index_of(first, items.len())?)?, &segments[1..])
    } else {
        let object = value.read_lock::<Object>()?;
        let (name, rest) = longest_name(segments, |name| object.fields().contains(name))?;
        find_below(object.fields().get(&name)?, rest).map(Tree::to_dynamic)
    }
}

/// Puts a value at the path, making the objects on the way; `null` makes way for an object, anything else does not.
pub fn set(fields: &mut Arc<Fields>, path: &Path, value: Tree) -> Result<(), PathError> {
    set_field(Arc::make_mut(fields), &path.0, "", value)
}

/// As [`set`], in whatever the whole is: a list has its items already.
pub(super) fn set_in(tree: &mut Tree, path: &Path, value: Tree) -> Result<(), PathError> {
    set_below(tree, &path.0, "", value)
}

/// As [`remove`], from whatever the whole is.
pub(super) fn remove_in(tree: &mut Tree, path: &Path) -> Option<Tree> {
    remove_below(tree, &path.0)
}

fn set_field(fields: &mut Fields, segments: &[Segment], holder: &str, value: Tree) -> Result<(), PathError> {
    let (name, rest) = longest_name(segments, |name| fields.contains(name))
        .unwrap_or_else(|| (segments[0].text.clone(), &segments[1..]));
    if rest.is_empty() {
        fields.insert(name.into(), value);
        return Ok(());
    }
    let at = if holder.is_empty() { name.clone() } else { format!("{holder}.{name}") };
    if let Some(field) = fields.get_mut(&name) {
        return set_below(field, rest, &at, value);
    }
    // Made aside, so that a refusal leaves nothing behind.
    let mut field = Tree::Null;
    set_below(&mut field, rest, &at, value)?;
    fields.insert(name.into(), field);
    Ok(())
}

fn set_below(tree: &mut Tree, segments: &[Segment], at: &str, value: Tree) -> Result<(), PathError> {
    let below = joined(segments);
    match tree {
        Tree::Map(fields) => set_field(Arc::make_mut(fields), segments, at, value),
        Tree::Null if segments[0].bare || index_of(&segments[0], 0).is_none() => {
            let mut fields = Fields::default();
            set_field(&mut fields, segments, at, value)?;
            *tree = Tree::Map(Arc::new(fields));
            Ok(())
        }
        Tree::List(items) => match index_of(&segments[0], items.len()).filter(|index| *index < items.len()) {
            None => Err(PathError::OutOfBounds { at: at.to_owned(), length: items.len(), below }),
            Some(index) => {
                let item = &mut Arc::make_mut(items)[index];
                match &segments[1..] {
                    [] => *item = value,
                    rest => set_below(item, rest, &format!("{at}[{index}]"), value)?,
                }
                Ok(())
            }
        },
        other => Err(PathError::NoHolder { at: at.to_owned(), kind: other.kind(), below }),
    }
}

/// Takes out what lies at the path.
pub fn remove(fields: &mut Arc<Fields>, path: &Path) -> Option<Tree> {
    // A look first: taking from a shared object would copy it even where there is nothing to take.
    find(&Tree::Map(fields.clone()), path)?;
    let mut tree = Tree::Map(std::mem::take(fields));
    let taken = remove_below(&mut tree, &path.0);
    if let Tree::Map(left) = tree {
        *fields = left;
    }
    taken
}

fn remove_below(tree: &mut Tree, segments: &[Segment]) -> Option<Tree> {
    match tree {
        Tree::Map(fields) => {
            let (name, rest) = longest_name(segments, |name| fields.contains(name))?;
            let fields = Arc::make_mut(fields);
            if rest.is_empty() { fields.remove(&name) } else { remove_below(fields.get_mut(&name)?, rest) }
        }
        Tree::List(items) => {
            let index = index_of(&segments[0], items.len()).filter(|index| *index < items.len())?;
            let items = Arc::make_mut(items);
            if segments.len() == 1 {
                Some(items.remove(index))
            } else {
                remove_below(&mut items[index], &segments[1..])
            }
        }
        _ => None,
    }
}
