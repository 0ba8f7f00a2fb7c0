//! JSON, read straight into trees and written from them.

use std::sync::Arc;

use serde::de::DeserializeSeed;

use super::interner::Interner;
pub use super::misread::Misread as JsonError;
use super::tree::{Shown, Tree, TreeSeed, Wire};

/// Reads one value; `source` is the name errors call the text by.
pub fn read(text: &str, source: &str) -> Result<Tree, JsonError> {
    read_sharing(text.as_bytes(), source, &mut Interner::default())
}

/// Reads one value, sharing its parts with what else was read through the interner.
pub fn read_sharing(bytes: &[u8], source: &str, interner: &mut Interner) -> Result<Tree, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let tree = TreeSeed(interner).deserialize(&mut deserializer);
    tree.and_then(|tree| deserializer.end().map(|()| tree)).map_err(|error| misread(bytes, source, &error))
}

fn misread(bytes: &[u8], source: &str, error: &serde_json::Error) -> JsonError {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let told = error.to_string();
    let message = told.strip_suffix(&place).unwrap_or(&told).replace("EOF", "the end of the text");
    let line = error.line().max(1);
    let start = bytes.split(|byte| *byte == b'\n').nth(line - 1).unwrap_or_default();
    // serde_json counts bytes, and nothing yet at the start of a line.
    let before = &start[..error.column().saturating_sub(1).min(start.len())];
    let column = String::from_utf8_lossy(before).chars().count() + 1;
    JsonError::new(&String::from_utf8_lossy(bytes), source, line, column, message)
}

/// The value after a merge patch (RFC 7386).
pub fn merged(value: Tree, patch: &Tree) -> Tree {
    let Tree::Map(changes) = patch else { return patch.clone() };
    let mut fields = match value {
        Tree::Map(fields) => fields,
        _ => Arc::default(),
    };
    let whole = Arc::make_mut(&mut fields);
    for (name, change) in changes.iter() {
        let before = whole.remove(name);
        if !change.is_null() {
            whole.insert(name.clone(), merged(before.unwrap_or_default(), change));
        }
    }
    Tree::Map(fields)
}

/// One line, secrets by reference.
pub fn write(tree: &Tree) -> String {
    tree.to_string()
}

/// Indented, secrets by reference.
pub fn write_pretty(tree: &Tree) -> String {
    serde_json::to_string_pretty(&Shown(tree)).expect("a tree has text keys only")
}

/// One line as it goes over the wire: secrets stand in it in clear.
pub fn wire(tree: &Tree) -> Vec<u8> {
    serde_json::to_vec(&Wire(tree)).expect("a tree has text keys only")
}
