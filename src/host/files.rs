//! Files, below the runbook's folder unless somebody said otherwise.

use std::{
    io,
    path::{Component, Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::frame;

/// The files a run may read, and which of them it did read.
pub struct Files {
    root: PathBuf,
    reads: Mutex<Vec<Read>>,
}

/// A file that a step read, so that an edit of it counts as a change of the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub step: String,
    /// Relative to the runbook's folder.
    pub path: String,
    pub digest: String,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("`{path}` lies outside of the runbook's folder")]
    Outside { path: String },
    #[error("file `{path}` is not there")]
    Missing { path: String, looked_in: PathBuf },
    #[error("file `{path}` is not text: {reason}")]
    NotText { path: String, reason: String },
    #[error("can't read `{path}`: {reason}")]
    Unreadable { path: String, reason: String },
}

impl Files {
    /// Files below `root`, the runbook's folder.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), reads: Mutex::default() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where `path` is, if a script may read it.
    ///
    /// # Errors
    /// If it is absolute, climbs out of the folder, or is a link to something outside.
    pub fn locate(&self, path: &str) -> Result<PathBuf, FileError> {
        let outside = || FileError::Outside { path: path.to_owned() };
        let mut depth = 0_i32;
        for component in Path::new(path).components() {
            depth += match component {
                Component::Normal(_) => 1,
                Component::CurDir => 0,
                Component::ParentDir => -1,
                Component::RootDir | Component::Prefix(_) => return Err(outside()),
            };
            if depth < 0 {
                return Err(outside());
            }
        }
        let full = self.root.join(path);
        match (full.canonicalize(), self.root.canonicalize()) {
            (Ok(real), Ok(root)) if !real.starts_with(&root) => Err(outside()),
            _ => Ok(full),
        }
    }

    /// Reads a text file below the runbook's folder and notes that this step did.
    ///
    /// # Errors
    /// If it lies outside, is missing, can't be read, or isn't UTF-8.
    pub fn read(&self, path: &str) -> Result<String, FileError> {
        let full = self.locate(path)?;
        let bytes = std::fs::read(&full).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FileError::Missing { path: path.to_owned(), looked_in: self.root.clone() },
            _ => FileError::Unreadable { path: path.to_owned(), reason: error.to_string() },
        })?;
        let read = Read { step: frame::step().to_string(), path: path.to_owned(), digest: digest(&bytes) };
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).push(read);
        String::from_utf8(bytes)
            .map_err(|error| FileError::NotText { path: path.to_owned(), reason: error.utf8_error().to_string() })
    }

    /// True if there is a file or a folder at `path`.
    ///
    /// # Errors
    /// If it lies outside.
    pub fn exists(&self, path: &str) -> Result<bool, FileError> {
        Ok(self.locate(path)?.exists())
    }

    /// The names in a folder below the runbook's folder, in order; those of folders end in `/`.
    ///
    /// # Errors
    /// If it lies outside, is missing, or can't be read.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => FileError::Missing { path: path.to_owned(), looked_in: self.root.clone() },
            _ => FileError::Unreadable { path: path.to_owned(), reason: error.to_string() },
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.locate(path)?).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let slash = if entry.path().is_dir() { "/" } else { "" };
            let name = entry.file_name().into_string().map_err(|name| FileError::Unreadable {
                path: path.to_owned(),
                reason: format!("the name {name:?} in it is not text"),
            })?;
            names.push(format!("{name}{slash}"));
        }
        names.sort();
        Ok(names)
    }

    /// The files that the step at `step`, or one inside it, has read.
    pub fn read_in(&self, step: &str) -> Vec<Read> {
        let reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let inside = |read: &&Read| {
            read.step.strip_prefix(step).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[']))
        };
        let mut found: Vec<Read> = reads.iter().filter(inside).cloned().collect();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path && a.digest == b.digest);
        found
    }

    /// The digest of a file as it is now; nothing if it can't be read.
    pub fn digest_of(&self, path: &str) -> Option<String> {
        std::fs::read(self.locate(path).ok()?).ok().map(|bytes| digest(&bytes))
    }

    /// Reads a file that a person keeps elsewhere, such as a kubeconfig or a file named by `--set` or a param.
    ///
    /// # Errors
    /// If it can't be read or isn't UTF-8.
    pub fn read_personal(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }
}

fn digest(bytes: &[u8]) -> String {
    super::effect::digest(&[bytes])
}
