//! What is wrong with a text that was to be read, and exactly where.

use std::fmt;

/// The place of a mistake in a JSON or YAML text; line and column count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq)]
pub struct Misread {
    /// What the text is called: a file name, a URL, `stdin`.
    pub source: String,
    pub line: usize,
    pub column: usize,
    pub message: String,
    /// The line it is on, where it is of a length to be shown.
    pub snippet: Option<String>,
}

const LONGEST_SNIPPET: usize = 160;

impl Misread {
    pub(in crate::script) fn new(text: &str, source: &str, line: usize, column: usize, message: String) -> Self {
        // A lone carriage return ends a line too, for YAML.
        let text = text.replace("\r\n", "\n");
        let snippet = text.split(['\n', '\r']).nth(line - 1).filter(|line| line.chars().count() <= LONGEST_SNIPPET);
        Self { source: source.to_owned(), line, column, message, snippet: snippet.map(str::to_owned) }
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.source, self.line, self.column, self.message)
    }
}

impl std::error::Error for Misread {}
