//! Manifests: the objects in texts, files and folders, taken out of their lists and held against what every object has.

use rhai::{Array, Dynamic};

use super::object::{self, items, text};
use crate::{
    host::files::{FileError, Files},
    script::{
        fault::{Fault, Kind},
        values::{
            tree::Tree,
            yaml::{self, Lint},
        },
    },
};

/// The objects in these trees; lists are taken apart and empty documents left out.
///
/// # Errors
/// `usage` with the number of the document and what it lacks.
pub fn documents(trees: Vec<Tree>) -> Result<Vec<Tree>, Fault> {
    let mut documents = Vec::new();
    for tree in trees {
        unwrap(tree, &mut documents);
    }
    for (index, document) in documents.iter().enumerate() {
        let which = match documents.len() {
            1 => "the document".to_owned(),
            of => format!("document {} of {of}", index + 1),
        };
        check(document, &which)?;
    }
    Ok(documents)
}

/// What a script gives as objects: one as a map or an `Object`, YAML text with any number of documents, or a list of these.
///
/// # Errors
/// `parse` for a text that is no YAML, `usage` for what is no object.
pub fn given(value: &Dynamic) -> Result<Vec<Tree>, Fault> {
    if let Ok(text) = value.clone().into_immutable_string() {
        return read(&text);
    }
    if let Some(items) = value.read_lock::<Array>() {
        let trees = items.iter().map(given).collect::<Result<Vec<_>, _>>()?;
        return Ok(trees.into_iter().flatten().collect());
    }
    match Tree::from_dynamic(value)? {
        tree @ Tree::Map(_) => Ok(vec![tree]),
        other => Err(Fault::new(Kind::Usage, format!("this is {}, not a Kubernetes object", other.kind()))
            .hint("give a map, an object, YAML text, or a list of them")),
    }
}

/// The documents of a YAML text.
///
/// # Errors
/// `parse` with the place.
pub fn read(text: &str) -> Result<Vec<Tree>, Fault> {
    Ok(yaml::read_all(text, "the text")?)
}

/// The objects of a file, or of the files of a folder in the order of their names; and what is odd about their text.
///
/// # Errors
/// `file`, `parse` with the place, or `usage` with the file and the number of the document.
pub fn load(files: &Files, path: &str, recursive: bool) -> Result<(Vec<Tree>, Vec<String>), Fault> {
    let mut found = (Vec::new(), Vec::new());
    match files.list(path) {
        Ok(names) => load_folder(files, path, names, recursive, &mut found)?,
        Err(FileError::Outside { path }) => return Err(FileError::Outside { path }.into()),
        Err(_) => load_file(files, path, &mut found)?,
    }
    Ok(found)
}

type Found = (Vec<Tree>, Vec<String>);

fn load_folder(
    files: &Files,
    folder: &str,
    names: Vec<String>,
    recursive: bool,
    found: &mut Found,
) -> Result<(), Fault> {
    for name in names {
        let path = if folder == "." { name.clone() } else { format!("{}/{name}", folder.trim_end_matches('/')) };
        match name.strip_suffix('/') {
            Some(_) if recursive => {
                let inner = path.trim_end_matches('/');
                load_folder(files, inner, files.list(inner)?, recursive, found)?;
            }
            Some(_) => {}
            None if [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending)) => {
                load_file(files, &path, found)?;
            }
            None => {}
        }
    }
    Ok(())
}

fn load_file(files: &Files, path: &str, (objects, lints): &mut Found) -> Result<(), Fault> {
    let (trees, odd) = yaml::read_all_linted(&files.read(path)?, path)?;
    let told = |lint: Lint| format!("{path}:{}:{}: {}; {}", lint.line, lint.column, lint.message, lint.hint);
    lints.extend(odd.into_iter().map(told));
    let mut documents = Vec::new();
    trees.into_iter().for_each(|tree| unwrap(tree, &mut documents));
    for (index, document) in documents.iter().enumerate() {
        check(document, &format!("document {} of `{path}`", index + 1))?;
    }
    objects.extend(documents);
    Ok(())
}

fn unwrap(tree: Tree, into: &mut Vec<Tree>) {
    match &tree {
        Tree::Null => {}
        Tree::List(trees) => trees.iter().for_each(|tree| unwrap(tree.clone(), into)),
        Tree::Map(_)
            if object::kind(&tree).ends_with("List")
                && matches!(object::at(&tree, &["items"]), Some(Tree::List(_))) =>
        {
            items(&tree, &["items"]).iter().for_each(|tree| unwrap(tree.clone(), into));
        }
        _ => into.push(tree),
    }
}

fn check(document: &Tree, which: &str) -> Result<(), Fault> {
    if !matches!(document, Tree::Map(_)) {
        let message = format!("{which} is {}, not a Kubernetes object", document.kind());
        return Err(
            Fault::new(Kind::Usage, message).hint("an object is a map with `apiVersion`, `kind` and `metadata`")
        );
    }
    let lacks = |path: &[&str]| text(document, path).unwrap_or_default().is_empty();
    for path in ["apiVersion", "kind"] {
        if lacks(&[path]) {
            let message = format!("{which} has no `{path}`");
            return Err(Fault::new(Kind::Usage, message).hint("every Kubernetes object has `apiVersion` and `kind`"));
        }
    }
    if lacks(&["metadata", "name"]) && lacks(&["metadata", "generateName"]) {
        let message = format!("{which}, a {}, has no `metadata.name`", object::kind(document));
        return Err(Fault::new(Kind::Usage, message).hint("give it a name"));
    }
    Ok(())
}
