//! Changing files: whole or not at all, and on the disk before anybody is told so.

use std::{
    fs::{self, File, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;

use super::{FileError, Files, look::Entry};

/// The mode of a file with a secret in it: nobody but its owner reads it.
pub const SECRET_MODE: u32 = 0o600;

/// What the process' own mask is taken from, for a new file that was given no mode.
pub(super) const OPEN_MODE: u32 = 0o666;

/// What became of a file that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    Created,
    Changed,
    Unchanged,
}

impl Written {
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A folder outside of the runbook's that is there for as long as somebody holds it.
#[derive(Clone)]
pub struct Temporary {
    path: PathBuf,
    _held: Arc<TempDir>,
}

impl Temporary {
    pub fn path(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }
}

impl Files {
    /// Puts these bytes into a file, making the folders on the way. A file that is there keeps its mode if none is given.
    ///
    /// # Errors
    /// If it lies outside, or can't be written.
    pub fn write(&self, path: &str, bytes: &[u8], mode: Option<u32>) -> Result<Written, FileError> {
        let full = self.locate_to_change(path)?;
        write_whole(&full, bytes, mode).map_err(|error| unwritable(path, &error))
    }

    /// Puts these bytes behind those that are in a file.
    ///
    /// # Errors
    /// If it lies outside, can't be read, or can't be written.
    pub fn append(&self, path: &str, bytes: &[u8], mode: Option<u32>) -> Result<Written, FileError> {
        let full = self.locate_to_change(path)?;
        let mut whole = match fs::read(&full) {
            Ok(before) => before,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(self.unreadable(path, &error)),
        };
        whole.extend_from_slice(bytes);
        write_whole(&full, &whole, mode).map_err(|error| unwritable(path, &error))
    }

    /// Whether these bytes are the last ones of a file.
    ///
    /// # Errors
    /// If it lies outside or can't be read.
    pub fn ends_with(&self, path: &str, bytes: &[u8]) -> Result<bool, FileError> {
        match fs::read(self.locate(path)?) {
            Ok(whole) => Ok(whole.ends_with(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.unreadable(path, &error)),
        }
    }

    /// Makes a folder and those on the way to it; false if it was there.
    ///
    /// # Errors
    /// If it lies outside or can't be made.
    pub fn make_folder(&self, path: &str) -> Result<bool, FileError> {
        if self.locate(path)?.is_dir() {
            return Ok(false);
        }
        fs::create_dir_all(self.locate_to_change(path)?).map_err(|error| unwritable(path, &error))?;
        Ok(true)
    }

    /// Copies a file, or a folder with all that is in it, with their modes. What is there already is overwritten; links in a
    /// folder are copied as links.
    ///
    /// # Errors
    /// If either lies outside, the first is missing, or the second can't be written.
    pub fn copy(&self, from: &str, to: &str) -> Result<Written, FileError> {
        let (source, target) = (self.reached(from)?, self.reached(to)?);
        let facts = fs::metadata(self.seen(&source)).map_err(|error| self.unreadable(from, &error))?;
        if !facts.is_dir() {
            let bytes = self.read_bytes(from)?;
            return self.write(to, &bytes, Some(facts.permissions().mode()));
        }
        if target.starts_with(&source) {
            let reason = format!("it lies in `{from}`, of which it is to be a copy");
            return Err(FileError::Unwritable { path: to.to_owned(), reason });
        }
        let created = !self.seen(&target).exists();
        self.copy_folder(from, to)?;
        Ok(if created { Written::Created } else { Written::Changed })
    }

    fn copy_folder(&self, from: &str, to: &str) -> Result<(), FileError> {
        self.make_folder(to)?;
        for Entry { name, folder, link, place } in self.entries(from)? {
            let (inner, copy) = (format!("{from}/{name}"), format!("{to}/{name}"));
            if link {
                let leads_to = fs::read_link(place).map_err(|error| self.unreadable(&inner, &error))?;
                self.remove(&copy)?;
                let target = self.entry_to_change(&copy)?;
                symlink(leads_to, target).map_err(|error| unwritable(&copy, &error))?;
            } else if folder {
                self.copy_folder(&inner, &copy)?;
            } else {
                self.copy(&inner, &copy)?;
            }
        }
        Ok(())
    }

    fn entry_to_change(&self, path: &str) -> Result<PathBuf, FileError> {
        let entry = self.entry(path)?;
        let place = self.machine.as_ref().map_or_else(|| Ok(entry.clone()), |machine| machine.changed(&entry));
        place.map_err(|error| unwritable(path, &error))
    }

    /// Removes a file, a link, or a folder with all that is in it; false if it was not there.
    ///
    /// # Errors
    /// If it lies outside, is the runbook's folder itself, or can't be removed.
    pub fn remove(&self, path: &str) -> Result<bool, FileError> {
        let entry = self.entry(path)?;
        let removed = self.machine.as_ref().map_or_else(|| remove_entry(&entry), |machine| machine.remove(&entry));
        removed.map_err(|error| unwritable(path, &error))
    }

    /// Makes a folder that is removed with its last holder; the run may use it like its own.
    ///
    /// # Errors
    /// If it can't be made.
    pub fn temporary(&self) -> Result<Temporary, FileError> {
        let failed = |error: io::Error| FileError::Unwritable {
            path: std::env::temp_dir().to_string_lossy().into_owned(),
            reason: error.to_string(),
        };
        const PREFIX: &str = "cozyscript-";
        let made = match &self.machine {
            Some(machine) => machine.temporary(PREFIX),
            None => TempDir::with_prefix(PREFIX).map(|folder| (folder.path().to_owned(), folder)),
        };
        let (path, held) = made.map_err(failed)?;
        self.allow(path.clone());
        Ok(Temporary { path, _held: Arc::new(held) })
    }
}

pub(super) fn unwritable(path: &str, error: &io::Error) -> FileError {
    FileError::Unwritable { path: path.to_owned(), reason: error.to_string() }
}

/// Writes beside the file, forces that to the disk, and puts it in the file's place.
fn write_whole(full: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<Written> {
    let folder = full.parent().expect("a file lies in a folder");
    let before = match fs::metadata(full) {
        Ok(facts) if facts.is_dir() => return Err(io::Error::from(ErrorKind::IsADirectory)),
        Ok(facts) => Some(facts.permissions().mode() & 0o7777),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mode = mode.map(|mode| mode & 0o7777).or(before);
    if before.is_some() && before == mode && fs::read(full)? == bytes {
        return Ok(Written::Unchanged);
    }
    fs::create_dir_all(folder)?;
    let beginning = Permissions::from_mode(mode.unwrap_or(OPEN_MODE));
    let mut file = tempfile::Builder::new().prefix(".cozyscript-").permissions(beginning).tempfile_in(folder)?;
    file.write_all(bytes)?;
    if let Some(mode) = mode {
        // The process' mask may have taken something away.
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
    }
    file.as_file().sync_all()?;
    file.persist(full)?;
    File::open(folder)?.sync_all()?;
    Ok(if before.is_some() { Written::Changed } else { Written::Created })
}

pub(super) fn remove_entry(full: &Path) -> io::Result<bool> {
    let removed = match fs::symlink_metadata(full) {
        Ok(facts) if facts.is_dir() => fs::remove_dir_all(full),
        Ok(_) => fs::remove_file(full),
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
