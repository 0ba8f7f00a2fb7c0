//! Looking at files without reading them.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::PathBuf, time::SystemTime};

use wildmatch::WildMatch;

use super::{FileError, Files, listing::is_pattern};

/// What there is to know of a file without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub sort: Sort,
    pub size: u64,
    /// The permission bits: `0o644`.
    pub mode: u32,
    pub modified: SystemTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    File,
    Folder,
    /// A socket, a pipe, a device.
    Other,
}

impl Files {
    /// True if there is a file or a folder at `path`.
    ///
    /// # Errors
    /// If it lies outside.
    pub fn exists(&self, path: &str) -> Result<bool, FileError> {
        match self.locate(path) {
            Ok(full) => Ok(full.exists()),
            Err(FileError::Dangling { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What is known of a file or a folder.
    ///
    /// # Errors
    /// If it lies outside or is missing.
    pub fn facts(&self, path: &str) -> Result<Facts, FileError> {
        let unreadable = |error| self.unreadable(path, &error);
        let facts = fs::metadata(self.locate(path)?).map_err(unreadable)?;
        let sort = match (facts.is_file(), facts.is_dir()) {
            (true, _) => Sort::File,
            (_, true) => Sort::Folder,
            _ => Sort::Other,
        };
        let mode = facts.permissions().mode() & 0o7777;
        Ok(Facts { sort, size: facts.len(), mode, modified: facts.modified().map_err(unreadable)? })
    }

    /// The names in a folder, in order; those of folders end in `/`. It is noted that this step saw them.
    ///
    /// # Errors
    /// If it lies outside, is missing, or can't be read.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        let names = self.names_in(path)?;
        self.note_folder(path, &names);
        Ok(names)
    }

    pub(super) fn names_in(&self, path: &str) -> Result<Vec<String>, FileError> {
        let entries = self.entries(path)?;
        Ok(entries.into_iter().map(|entry| format!("{}{}", entry.name, if entry.folder { "/" } else { "" })).collect())
    }

    /// The files that match a pattern, in order: `*` and `?` stand for letters of one name, `**` for any folders. What
    /// begins with a dot is matched only by a pattern that does, and links to folders are not followed. It is noted that this
    /// step saw them.
    ///
    /// # Errors
    /// If it lies outside, or a folder can't be read.
    pub fn glob(&self, pattern: &str) -> Result<Vec<String>, FileError> {
        let found = self.matching(pattern)?;
        if is_pattern(pattern) {
            self.note_pattern(pattern, &found);
        }
        Ok(found.into_iter().collect())
    }

    pub(super) fn matching(&self, pattern: &str) -> Result<BTreeSet<String>, FileError> {
        let (prefix, pattern) = match pattern.strip_prefix('/') {
            Some(rest) => ("/", rest),
            None => ("", pattern),
        };
        let segments: Vec<&str> = pattern.split('/').filter(|segment| !segment.is_empty()).collect();
        let mut found = BTreeSet::new();
        self.match_below(prefix, &segments, &mut found)?;
        Ok(found)
    }

    fn match_below(&self, folder: &str, segments: &[&str], found: &mut BTreeSet<String>) -> Result<(), FileError> {
        let literal = segments.iter().take_while(|segment| !segment.contains(['*', '?'])).count();
        let path = |name: &str| match folder {
            "" | "/" => format!("{folder}{name}"),
            _ => format!("{folder}/{name}"),
        };
        if literal > 0 {
            let (path, rest) = (path(&segments[..literal].join("/")), &segments[literal..]);
            match rest.is_empty() {
                true if self.exists(&path)? && self.facts(&path)?.sort == Sort::File => drop(found.insert(path)),
                false if self.exists(&path)? => self.match_below(&path, rest, found)?,
                _ => {}
            }
            return Ok(());
        }
        let Some((segment, rest)) = segments.split_first() else { return Ok(()) };
        let here = if folder.is_empty() { "." } else { folder };
        let entries =
            self.entries(here)?.into_iter().filter(|entry| segment.starts_with('.') || !entry.name.starts_with('.'));
        if *segment == "**" {
            let rest = if rest.is_empty() { &["*"] } else { rest };
            self.match_below(folder, rest, found)?;
            for entry in entries.filter(|entry| entry.folder && !entry.link) {
                self.match_below(&path(&entry.name), segments, found)?;
            }
            return Ok(());
        }
        let pattern = WildMatch::new(segment);
        for entry in entries.filter(|entry| pattern.matches(&entry.name)) {
            match rest.is_empty() {
                true if !entry.folder => drop(found.insert(path(&entry.name))),
                false if entry.folder && !entry.link => self.match_below(&path(&entry.name), rest, found)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// All files in a folder and below it, for whoever is to see what it holds; a file is itself.
    ///
    /// # Errors
    /// If it lies outside, or a folder can't be read.
    pub fn all_in(&self, path: &str) -> Result<Vec<String>, FileError> {
        let is_folder = match fs::symlink_metadata(self.seen(&self.entry(path)?)) {
            Ok(facts) => facts.is_dir(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.unreadable(path, &error)),
        };
        if !is_folder {
            return Ok(vec![path.to_owned()]);
        }
        let mut all = Vec::new();
        for entry in self.entries(path)? {
            let inner = format!("{}/{}", path.trim_end_matches('/'), entry.name);
            match entry.folder && !entry.link {
                true => all.extend(self.all_in(&inner)?),
                false => all.push(inner),
            }
        }
        Ok(all)
    }

    pub(super) fn entries(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let unreadable = |error| self.unreadable(path, &error);
        let reached = self.reached(path)?;
        let found = match &self.machine {
            Some(machine) => machine.entries(&reached),
            None => fs::read_dir(&reached)
                .and_then(|entries| entries.map(|entry| entry.map(|it| (it.file_name(), it.path()))).collect()),
        };
        let mut entries = Vec::new();
        for (name, place) in found.map_err(unreadable)? {
            let link = place.symlink_metadata().map_err(unreadable)?.is_symlink();
            let name = name.into_string().map_err(|name| FileError::Unreadable {
                path: path.to_owned(),
                reason: format!("the name {name:?} in it is not text"),
            })?;
            entries.push(Entry { name, folder: place.is_dir(), link, place });
        }
        Ok(entries)
    }
}

pub(super) struct Entry {
    pub name: String,
    /// Also true of a link to a folder.
    pub folder: bool,
    pub link: bool,
    /// Where it really lies.
    pub place: PathBuf,
}
