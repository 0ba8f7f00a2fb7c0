//! Folders with a kustomization file, and the objects they add up to.

use kustomize::Unread;

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
    let read = |path: &str| {
        files.read_bytes(path).map_err(|error| match error {
            FileError::Missing { .. } => Unread::Absent,
            _ if files.list(path).is_ok() => Unread::Absent,
            error => Unread::Refused(error.to_string()),
        })
    };
    let objects = kustomize::build(folder, &read).map_err(|refusal| Fault::new(Kind::Parse, refusal.to_string()))?;
    Ok(objects.into_iter().map(Tree::from_json).collect())
}
