//! Files, below the runbook's folder unless somebody said otherwise.

mod arriving;
mod change;
mod listing;
mod look;
mod machine;

use std::{
    fs::File,
    io::{self, ErrorKind, Read as _},
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

pub use self::arriving::Arriving;
pub use self::change::{SECRET_MODE, Temporary, Written};
pub use self::listing::{Moved, moved};
pub use self::look::{Facts, Sort};
pub use self::machine::Machine;
use super::{effect::Digester, frame};

/// The files that a run may read and change, and which of them it did read.
pub struct Files {
    root: PathBuf,
    /// Folders elsewhere that a person allowed, or that the run made for itself.
    allowed: RwLock<Vec<PathBuf>>,
    reads: Mutex<Vec<Read>>,
    /// The machine that a rehearsal plays; nothing for this one.
    machine: Option<Arc<Machine>>,
}

/// A file that a step read, or names that it listed, so that an edit of them counts as a change of the step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub step: String,
    /// Relative to the runbook's folder, or absolute if it lies elsewhere; of a folder with a slash behind it, and of names that
    /// were found by a pattern the pattern.
    pub path: String,
    /// The digest of a file; the names themselves, a line each.
    pub digest: String,
}

/// What stands for the digest of a file that is not there.
pub const GONE: &str = "gone";

/// Why something can't be done with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("`{path}` lies outside of the runbook's folder")]
    Outside { path: String },
    #[error("`{path}` is the runbook's folder itself")]
    Root { path: String },
    #[error("`{path}` leads through `{link}`, a link to what is not there")]
    Dangling { path: String, link: PathBuf },
    #[error("file `{path}` is not there")]
    Missing { path: String, looked_in: PathBuf },
    #[error("file `{path}` is not text: {reason}")]
    NotText { path: String, reason: String },
    #[error("can't read `{path}`: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("can't write `{path}`: {reason}")]
    Unwritable { path: String, reason: String },
}

impl Files {
    /// Files below `root`, the runbook's folder.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), allowed: RwLock::default(), reads: Mutex::default(), machine: None }
    }

    /// All that the run changes, and what a person keeps elsewhere, lies on this machine, if there is one.
    #[must_use]
    pub fn played_on(self, machine: Option<Arc<Machine>>) -> Self {
        Self { machine, ..self }
    }

    /// Where a file really lies that a person may keep elsewhere.
    pub(super) fn personal(&self, path: &Path) -> PathBuf {
        let absolute = || std::path::absolute(path).map(|path| plain(&path));
        match (&self.machine, absolute()) {
            (Some(machine), Ok(path)) => machine.seen(&path),
            _ => path.to_owned(),
        }
    }

    /// Where such a file can be changed.
    pub(super) fn personal_to_change(&self, path: &Path) -> io::Result<PathBuf> {
        match &self.machine {
            Some(machine) => machine.changed(&plain(&std::path::absolute(path)?)),
            None => Ok(path.to_owned()),
        }
    }

    /// And below these folders.
    #[must_use]
    pub fn allowing(self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        for folder in folders {
            self.allow(folder);
        }
        self
    }

    fn allow(&self, folder: PathBuf) {
        self.allowed.write().unwrap_or_else(PoisonError::into_inner).push(folder);
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where `path` really is, if a script may reach it: below the runbook's folder, or below one that was allowed.
    ///
    /// # Errors
    /// If it lies elsewhere, or leads elsewhere by a link.
    pub fn locate(&self, path: &str) -> Result<PathBuf, FileError> {
        self.reached(path).map(|reached| self.seen(&reached))
    }

    /// Where what is at `path` can be changed.
    fn locate_to_change(&self, path: &str) -> Result<PathBuf, FileError> {
        let reached = self.reached(path)?;
        match &self.machine {
            Some(machine) => machine.changed(&reached).map_err(|error| change::unwritable(path, &error)),
            None => Ok(reached),
        }
    }

    /// The one path of the machine for what is at `path`, if a script may reach it.
    fn reached(&self, path: &str) -> Result<PathBuf, FileError> {
        let outside = || FileError::Outside { path: path.to_owned() };
        let full = std::path::absolute(self.root.join(path)).map_err(|_| outside())?;
        let plain = plain(&full);
        let real = self.machine.as_ref().map_or_else(|| real(&plain), |machine| machine.real(&plain));
        let real = real.map_err(|link| FileError::Dangling { path: path.to_owned(), link })?;
        if self.folders().iter().any(|folder| real.starts_with(folder)) { Ok(real) } else { Err(outside()) }
    }

    fn seen(&self, reached: &Path) -> PathBuf {
        self.machine.as_ref().map_or_else(|| reached.to_owned(), |machine| machine.seen(reached))
    }

    /// The path of the entry `path` of a folder; a link is the link itself, not what it leads to.
    fn entry(&self, path: &str) -> Result<PathBuf, FileError> {
        let plain = self.name(path);
        let (parent, name) = match (Path::new(&plain).parent(), Path::new(&plain).file_name()) {
            (Some(parent), Some(name)) if plain != "." => (parent.to_string_lossy().into_owned(), name),
            _ => return Err(FileError::Root { path: path.to_owned() }),
        };
        let folder = self.reached(&parent).map_err(|error| match error {
            FileError::Outside { .. } => FileError::Outside { path: path.to_owned() },
            other => other,
        })?;
        Ok(folder.join(name))
    }

    /// One name for a file, however its path is written.
    pub fn name(&self, path: &str) -> String {
        let absolute = |path: &Path| std::path::absolute(path).map(|path| plain(&path));
        match (absolute(&self.root.join(path)), absolute(&self.root)) {
            (Ok(full), Ok(root)) => match full.strip_prefix(&root) {
                Ok(below) if below.as_os_str().is_empty() => ".".to_owned(),
                Ok(below) => below.to_string_lossy().into_owned(),
                Err(_) => full.to_string_lossy().into_owned(),
            },
            // Without a working folder a relative path has no other name.
            _ => path.to_owned(),
        }
    }

    fn folders(&self) -> Vec<PathBuf> {
        let allowed = self.allowed.read().unwrap_or_else(PoisonError::into_inner);
        let folders = allowed.iter().chain([&self.root]);
        match &self.machine {
            Some(_) => folders.filter_map(|folder| std::path::absolute(folder).ok()).map(|path| plain(&path)).collect(),
            // A folder that is not there holds nothing that could be reached.
            None => folders.filter_map(|folder| folder.canonicalize().ok()).collect(),
        }
    }

    /// Reads a text file and notes that this step did.
    ///
    /// # Errors
    /// If it lies outside, is missing, can't be read, or isn't UTF-8.
    pub fn read(&self, path: &str) -> Result<String, FileError> {
        String::from_utf8(self.read_bytes(path)?)
            .map_err(|error| FileError::NotText { path: path.to_owned(), reason: error.utf8_error().to_string() })
    }

    /// Reads a file, whatever is in it, and notes that this step did.
    ///
    /// # Errors
    /// If it lies outside, is missing, or can't be read.
    pub fn read_bytes(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let bytes = std::fs::read(self.locate(path)?).map_err(|error| self.unreadable(path, &error))?;
        self.note_read(path, digest(&bytes));
        Ok(bytes)
    }

    /// Reads a file piece by piece, however large it is, and notes that this step did.
    ///
    /// # Errors
    /// If it lies outside, is missing, or can't be read.
    pub fn pour(&self, path: &str, into: &mut dyn FnMut(&[u8])) -> Result<(), FileError> {
        let full = self.locate(path)?;
        let digest = pour(&full, into).map_err(|error| self.unreadable(path, &error))?;
        self.note_read(path, digest);
        Ok(())
    }

    fn note_read(&self, path: &str, digest: String) {
        self.note(self.name(path), digest);
    }

    fn note(&self, path: String, digest: String) {
        let read = Read { step: frame::step().to_string(), path, digest };
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).push(read);
    }

    fn unreadable(&self, path: &str, error: &io::Error) -> FileError {
        match error.kind() {
            ErrorKind::NotFound => FileError::Missing { path: path.to_owned(), looked_in: self.root.clone() },
            _ => FileError::Unreadable { path: path.to_owned(), reason: error.to_string() },
        }
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

    /// The digest of a file as it is now, or what [`Read`] has in its place; [`GONE`] if it can't be read.
    pub fn digest_of(&self, path: &str) -> String {
        if let Some(names) = self.listing(path) {
            return names;
        }
        let digest = self.locate(path).ok().and_then(|full| pour(&full, &mut |_| {}).ok());
        digest.unwrap_or_else(|| GONE.to_owned())
    }

    /// Reads a file that a person keeps elsewhere, such as a kubeconfig or a file named by `--set` or a param.
    ///
    /// # Errors
    /// If it can't be read or isn't UTF-8.
    pub fn read_personal(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(self.personal(path))
    }
}

/// The digest of a file with this in it.
pub fn digest(bytes: &[u8]) -> String {
    super::effect::digest(&[bytes])
}

/// Reads a file piece by piece, and gives its digest.
fn pour(full: &Path, into: &mut dyn FnMut(&[u8])) -> io::Result<String> {
    const PIECE: usize = 64 << 10;
    let mut file = File::open(full)?;
    let mut digester = Digester::default();
    digester.begin(file.metadata()?.len());
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(digester.finish()),
            length => {
                digester.feed(&piece[..length]);
                into(&piece[..length]);
            }
        }
    }
}

/// A path without `.` and `..`, which `..` after a link would make another.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// The path with all links followed, also if its last parts are not there yet; a link to nothing is the error.
fn real(path: &Path) -> Result<PathBuf, PathBuf> {
    if let Ok(real) = path.canonicalize() {
        return Ok(real);
    }
    if path.symlink_metadata().is_ok_and(|facts| facts.is_symlink()) {
        return Err(path.to_owned());
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok(real(parent)?.join(name)),
        _ => Ok(path.to_owned()),
    }
}
