//! YAML: one reader and one writer for manifests, values and configuration. Never touches files.
//!
//! Scalars mean what they mean to kubectl (YAML 1.1 numbers, `0644` is octal), except that only `true` and `false` are booleans:
//! where kubectl would read `yes` as one, the text stays a text and a lint says so.

mod edit;
mod insertion;
mod layout;
mod read;
mod scalar;

pub use super::misread::Misread as YamlError;
pub use edit::{Edit, EditError, edit};
pub use read::{Lint, read_all, read_all_linted, read_one};

use super::tree::{Shown, Tree, Wire};

/// One document, secrets by reference.
pub fn write(tree: &Tree) -> String {
    serialize(&Shown(tree))
}

/// Documents behind one another, secrets by reference.
pub fn write_all<'a>(trees: impl IntoIterator<Item = &'a Tree>) -> String {
    trees.into_iter().map(write).collect::<Vec<_>>().join("---\n")
}

/// One document as it goes over the wire: secrets stand in it in clear.
pub fn wire(tree: &Tree) -> String {
    serialize(&Wire(tree))
}

fn serialize(tree: &impl serde::Serialize) -> String {
    // Long texts are not folded: what an operator greps for stays on one line.
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(tree, options).expect("a tree is made of what YAML can say")
}
