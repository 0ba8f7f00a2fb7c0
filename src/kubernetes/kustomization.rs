//! Folders with a kustomization file, and the objects they add up to.

use kustomize::Unread;
use serde_json::Value;

use crate::{
    host::files::{FileError, Files},
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// The objects, in the order in which `kubectl kustomize` prints them.
///
/// # Errors
/// `parse` with the place of what is wrong, or isn't supported.
pub fn build(files: &Files, folder: &str) -> Result<Vec<Tree>, Fault> {
    let objects = kustomize::build(folder, &|path| read(files, path)).map_err(unbuilt)?;
    Ok(objects.into_iter().map(Tree::from_json).collect())
}

/// The same as a Kustomization of Flux has it whose `spec` this is, before its variables are filled in.
///
/// # Errors
/// As for [`build`], and `file` if the folder can't be listed.
pub fn build_for_flux(files: &Files, folder: &str, spec: &Value) -> Result<Vec<Value>, Fault> {
    let mut paths = Vec::new();
    list(files, folder.trim_end_matches('/').trim_start_matches("./"), &mut paths)?;
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    kustomize::flux::build(folder, spec, &paths, &|path| read(files, path)).map_err(unbuilt)
}

fn unbuilt(refusal: kustomize::Refusal) -> Fault {
    Fault::new(Kind::Parse, refusal.to_string())
}

fn read(files: &Files, path: &str) -> Result<Vec<u8>, Unread> {
    files.read_bytes(path).map_err(|error| match error {
        FileError::Missing { .. } => Unread::Absent,
        _ if files.list(path).is_ok() => Unread::Absent,
        error => Unread::Refused(error.to_string()),
    })
}

/// All files below a folder.
fn list(files: &Files, folder: &str, found: &mut Vec<String>) -> Result<(), FileError> {
    for name in files.list(if folder.is_empty() { "." } else { folder })? {
        let path = if matches!(folder, "" | ".") { name } else { format!("{folder}/{name}") };
        match path.strip_suffix('/') {
            Some(inner) => list(files, inner, found)?,
            None => found.push(path),
        }
    }
    Ok(())
}
