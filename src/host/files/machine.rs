//! The files of a machine that a rehearsal plays: what it changes lies in a folder of its own, by the paths that it gives.
//!
//! Below the runbook's folder it sees what is really there, until it changes that; everything else is only what the world has.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::TempDir;

use super::{change::remove_entry, plain};

/// How many links may lead to one another.
const LINKS: usize = 40;

pub struct Machine {
    /// Stands for the root of the machine.
    folder: PathBuf,
    /// The runbook's folder, as a path of the machine.
    root: PathBuf,
    /// What was removed of that which is really there.
    gone: RwLock<BTreeSet<PathBuf>>,
    /// How many folders were made for a while.
    folders: AtomicUsize,
}

impl Machine {
    /// All of it lies in a folder; it lends what is below another one.
    pub fn new(folder: PathBuf, root: &Path) -> Self {
        let root = std::path::absolute(root).map_or_else(|_| root.to_owned(), |root| plain(&root));
        Self { folder, root, gone: RwLock::default(), folders: AtomicUsize::new(0) }
    }

    /// Where a path of the machine lies if it was changed or belongs to the world.
    fn own(&self, path: &Path) -> PathBuf {
        self.folder.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn is_gone(&self, path: &Path) -> bool {
        let gone = self.gone.read().unwrap_or_else(PoisonError::into_inner);
        path.ancestors().any(|part| gone.contains(part))
    }

    fn is_lent(&self, path: &Path) -> bool {
        path.starts_with(&self.root) && !self.is_gone(path)
    }

    /// Where what is seen under a path of the machine really lies.
    pub fn seen(&self, path: &Path) -> PathBuf {
        let own = self.own(path);
        let is_own = own.symlink_metadata().is_ok();
        if !is_own && self.is_lent(path) { path.to_owned() } else { own }
    }

    /// Where a path of the machine can be changed: a copy of what is there, if anything is.
    ///
    /// # Errors
    /// If it can't be copied.
    pub fn changed(&self, path: &Path) -> io::Result<PathBuf> {
        let (own, seen) = (self.own(path), self.seen(path));
        if let Some(folder) = own.parent().filter(|_| path.parent().is_none_or(|parent| self.seen(parent).is_dir())) {
            fs::create_dir_all(folder)?;
        }
        if seen != own && seen.is_file() {
            fs::copy(&seen, &own)?;
        }
        Ok(own)
    }

    /// Removes what is at a path of the machine; false if nothing was.
    ///
    /// # Errors
    /// If it can't be removed.
    pub fn remove(&self, path: &Path) -> io::Result<bool> {
        let was_lent = self.is_lent(path) && path.symlink_metadata().is_ok();
        let was_own = remove_entry(&self.own(path))?;
        if was_lent {
            self.gone.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
        }
        Ok(was_own || was_lent)
    }

    /// The entries of a folder of the machine by their names, and where they really lie.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn entries(&self, path: &Path) -> io::Result<BTreeMap<OsString, PathBuf>> {
        let lent = self.is_lent(path).then(|| path.to_owned());
        let mut entries = BTreeMap::new();
        let mut is_there = false;
        for folder in lent.into_iter().chain([self.own(path)]) {
            let listed = match fs::read_dir(folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                listed => listed?,
            };
            is_there = true;
            for entry in listed {
                let name = entry?.file_name();
                let place = self.seen(&path.join(&name));
                if place.symlink_metadata().is_ok() {
                    entries.insert(name, place);
                }
            }
        }
        if is_there { Ok(entries) } else { Err(ErrorKind::NotFound.into()) }
    }

    /// The path with all links followed, as [`real`](super::real) does it on a real machine; a link to nothing is the error.
    pub fn real(&self, path: &Path) -> Result<PathBuf, PathBuf> {
        let mut rest = path.to_owned();
        for _ in 0..LINKS {
            let Some((link, target)) = self.first_link(&rest) else { return Ok(rest) };
            let behind = rest.strip_prefix(&link).expect("a link is a part of its path").to_owned();
            let target = plain(&link.parent().unwrap_or(Path::new("/")).join(target));
            if self.seen(&target).symlink_metadata().is_err() {
                return Err(link);
            }
            rest = plain(&target.join(behind));
        }
        Err(path.to_owned())
    }

    /// The first part of a path that is a link, and where it leads.
    fn first_link(&self, path: &Path) -> Option<(PathBuf, PathBuf)> {
        let parts: Vec<&Path> = path.ancestors().filter(|part| part.starts_with(&self.root)).collect();
        let mut parts = parts.into_iter().rev().filter(|part| *part != self.root);
        parts.find_map(|part| Some((part.to_owned(), fs::read_link(self.seen(part)).ok()?)))
    }

    /// Makes a folder for as long as somebody holds it. Its name is the same in each rehearsal, and another one each time that a
    /// run goes on: what was in an earlier one is gone.
    ///
    /// # Errors
    /// If it can't be made.
    pub fn temporary(&self, prefix: &str) -> io::Result<(PathBuf, TempDir)> {
        let place = Path::new("/tmp");
        let parent = self.own(place);
        fs::create_dir_all(&parent)?;
        let name = format!("{prefix}{}", self.folders.fetch_add(1, Ordering::Relaxed) + 1);
        let held = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir_in(&parent)?;
        Ok((place.join(name), held))
    }
}
