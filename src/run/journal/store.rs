//! The folder of journals: where a run's file is, and which runs there are.

use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::{
    past::Past,
    read::{self, Journal},
};

/// A folder with a file for each run.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// A journal in the folder that can't be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub path: PathBuf,
    pub reason: String,
}

/// A run that can be read.
#[derive(Debug, Clone)]
pub struct Kept {
    pub path: PathBuf,
    pub journal: Journal,
    pub past: Past,
}

impl Store {
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a run.
    pub fn file(&self, run: &str) -> PathBuf {
        self.folder.join(format!("{run}.jsonl"))
    }

    /// A name for a new run that no other run has: the runbook's name and when it began.
    ///
    /// # Errors
    /// If the folder can't be made.
    pub fn name(&self, runbook: &Path, now: jiff::Timestamp) -> io::Result<String> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let stem = runbook.file_stem().map_or_else(|| "run".into(), |stem| stem.to_string_lossy());
        let stem: String =
            stem.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect();
        let base = format!("{stem}-{}", now.strftime("%Y%m%d-%H%M%S"));
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        let mut names = std::iter::once(base.clone()).chain(numbered);
        Ok(names.find(|name| !self.file(name).exists()).expect("some number is free"))
    }

    /// All runs, the newest last; and the files that can't be read.
    ///
    /// # Errors
    /// If the folder is there and can't be listed.
    pub fn runs(&self) -> io::Result<(Vec<Kept>, Vec<Unreadable>)> {
        let (mut kept, mut unreadable) = (Vec::new(), Vec::new());
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((kept, unreadable)),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "jsonl") {
                continue;
            }
            match load(&path) {
                Ok(run) => kept.push(run),
                Err(reason) => unreadable.push(Unreadable { path, reason }),
            }
        }
        kept.sort_by(|a, b| began(a).cmp(began(b)).then_with(|| a.path.cmp(&b.path)));
        unreadable.sort_by(|a, b| a.path.cmp(&b.path));
        Ok((kept, unreadable))
    }
}

fn began(run: &Kept) -> &str {
    run.journal.lines.first().map_or("", |line| line.at.as_str())
}

/// Reads one journal without writing to it.
///
/// # Errors
/// Why it can't be read.
pub fn load(path: &Path) -> Result<Kept, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let journal = read::read(&bytes).map_err(|damage| damage.to_string())?;
    let past = Past::of(&journal.lines).map_err(|illegal| illegal.to_string())?;
    Ok(Kept { path: path.to_owned(), journal, past })
}
