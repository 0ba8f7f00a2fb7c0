//! Looking into a tree by the names of its fields.

use rhai::ImmutableString;

use super::tree::Tree;

/// What lies below these names.
pub fn at<'t>(tree: &'t Tree, names: &[&str]) -> Option<&'t Tree> {
    names.iter().try_fold(tree, |tree, name| match tree {
        Tree::Map(fields) => fields.get(name),
        _ => None,
    })
}

pub fn text<'t>(tree: &'t Tree, names: &[&str]) -> Option<&'t str> {
    match at(tree, names)? {
        Tree::Text(text) => Some(text.as_str()),
        _ => None,
    }
}

pub fn integer(tree: &Tree, names: &[&str]) -> Option<i64> {
    match at(tree, names)? {
        Tree::Int(number) => Some(*number),
        _ => None,
    }
}

pub fn flag(tree: &Tree, names: &[&str]) -> bool {
    matches!(at(tree, names), Some(Tree::Bool(true)))
}

/// The items of a list; none if it is absent.
pub fn items<'t>(tree: &'t Tree, names: &[&str]) -> &'t [Tree] {
    match at(tree, names) {
        Some(Tree::List(items)) => items,
        _ => &[],
    }
}

/// The fields of a map; none if it is absent.
pub fn entries<'t>(tree: &'t Tree, names: &[&str]) -> impl Iterator<Item = (&'t ImmutableString, &'t Tree)> {
    let fields = match at(tree, names) {
        Some(Tree::Map(fields)) => Some(fields.iter()),
        _ => None,
    };
    fields.into_iter().flatten()
}
