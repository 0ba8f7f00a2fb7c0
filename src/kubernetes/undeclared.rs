//! Fields that a kind doesn't have, left out of a document if that is wanted.

use std::sync::Arc;

use super::object::at;
use crate::script::{
    fault::{Fault, Kind},
    values::{json, tree::Tree},
};

/// What servers say of such a field, after its path.
const UNDECLARED: &str = ": field not declared in schema";

/// Takes the fields out that the fault says are none, and gives their paths.
pub fn leave_out(document: &mut Tree, fault: &Fault) -> Vec<String> {
    if fault.kind != Kind::Invalid {
        return Vec::new();
    }
    let told =
        fault.notes.iter().filter_map(|note| note.strip_prefix('`')?.strip_suffix(UNDECLARED)?.strip_suffix('`'));
    told.filter(|path| remove(document, &steps(path))).map(str::to_owned).collect()
}

/// A line for each undeclared field that a server names: `.spec.containers[name="web"].imge: field not declared in schema`.
pub fn notes(message: &str) -> Vec<String> {
    let paths = message.lines().filter_map(|line| line.trim_end().strip_suffix(UNDECLARED)?.rsplit(' ').next());
    paths.map(|path| format!("`{}`{UNDECLARED}", path.trim_start_matches('.'))).collect()
}

enum Step {
    Name(String),
    /// The item that has these fields.
    Item(Vec<(String, Tree)>),
    Place(usize),
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        match rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((inner, after)) => {
                steps.push(item(inner));
                rest = after;
            }
            None => {
                rest = rest.trim_start_matches('.');
                let end = rest.find(['.', '[']).unwrap_or(rest.len()).max(1).min(rest.len());
                steps.push(Step::Name(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
    }
    steps
}

fn item(written: &str) -> Step {
    match written.parse() {
        Ok(place) => Step::Place(place),
        Err(_) => Step::Item(
            written
                .split(',')
                .filter_map(|pair| pair.split_once('='))
                .filter_map(|(name, value)| Some((name.to_owned(), json::read(value, "the key").ok()?)))
                .collect(),
        ),
    }
}

fn remove(tree: &mut Tree, steps: &[Step]) -> bool {
    match (tree, steps) {
        (Tree::Map(fields), [Step::Name(name)]) => Arc::make_mut(fields).remove(name).is_some(),
        (Tree::Map(fields), [Step::Name(name), rest @ ..]) => {
            Arc::make_mut(fields).get_mut(name).is_some_and(|field| remove(field, rest))
        }
        (Tree::List(items), [step, rest @ ..]) => {
            let place = match step {
                Step::Place(place) => Some(*place),
                Step::Item(fields) => items.iter().position(|item| {
                    fields.iter().all(|(name, value)| at(item, &[name]).is_some_and(|found| found.equals(value)))
                }),
                Step::Name(_) => None,
            };
            place.and_then(|place| Arc::make_mut(items).get_mut(place)).is_some_and(|item| remove(item, rest))
        }
        _ => false,
    }
}
