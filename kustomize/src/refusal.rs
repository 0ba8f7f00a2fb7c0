//! Why nothing is built, and where the reason stands.

/// Where something is wrong, and what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", place(file, *line))]
pub struct Refusal {
    pub file: String,
    /// Counted from 1.
    pub line: Option<usize>,
    pub why: String,
}

impl Refusal {
    pub(crate) fn of(file: &str, why: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, why: why.into() }
    }

    pub(crate) fn at(file: &str, line: usize, why: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::of(file, why) }
    }
}

fn place(file: &str, line: Option<usize>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}
