//! What a step saw of folders: names that came or went since count as a change of the step.

use std::collections::BTreeSet;

use super::{Files, GONE};

/// What tells a folder from a file.
const FOLDER: char = '/';

/// A file or folder that came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub path: String,
    pub came: bool,
}

impl Files {
    pub(super) fn note_folder(&self, folder: &str, names: &[String]) {
        self.note(format!("{}{FOLDER}", self.name(folder)), names.join("\n"));
    }

    pub(super) fn note_pattern(&self, pattern: &str, paths: &BTreeSet<String>) {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        self.note(pattern.to_owned(), paths.join("\n"));
    }

    /// What would be noted now under this name of a folder or a pattern; nothing if it is neither.
    pub(super) fn listing(&self, noted: &str) -> Option<String> {
        let lines = match noted.strip_suffix(FOLDER) {
            Some(folder) => self.names_in(folder).ok(),
            None if is_pattern(noted) && !self.exists(noted).unwrap_or(false) => {
                self.matching(noted).ok().map(|paths| paths.into_iter().collect())
            }
            None => return None,
        };
        Some(lines.map_or_else(|| GONE.to_owned(), |lines: Vec<String>| lines.join("\n")))
    }
}

pub(super) fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?'])
}

/// What came and went between two states of a folder or a pattern; nothing if the name is that of a file.
pub fn moved(noted: &str, was: &str, is: &str) -> Option<Vec<Moved>> {
    let below = match noted.strip_suffix(FOLDER) {
        Some(".") => String::new(),
        Some(_) => noted.to_owned(),
        None if is_pattern(noted) => String::new(),
        None => return None,
    };
    let names = |lines: &'_ str| -> BTreeSet<String> {
        let lines = lines.lines().filter(|line| !line.is_empty() && *line != GONE);
        lines.map(|name| format!("{below}{}", name.trim_end_matches(FOLDER))).collect()
    };
    let (was, is) = (names(was), names(is));
    let differing = was.symmetric_difference(&is);
    Some(differing.map(|path| Moved { path: path.clone(), came: is.contains(path) }).collect())
}
