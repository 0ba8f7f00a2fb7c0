//! What is wrong and where, as plain data: what checks and failed runs give, and what a terminal draws.

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// A stable word: the kind of a fault (`not_found`), or the name of a check (`unknown_function`).
    pub code: String,
    /// Lowercase, names the thing in backticks.
    pub message: String,
    /// Where it is, and what to write under it.
    pub place: Option<Span>,
    pub label: Option<String>,
    /// More places, outermost last: the calls that led here, or the first of two steps with one name.
    pub related: Vec<(Span, String)>,
    /// What was seen on the way, a line each.
    pub notes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Warning,
    Error,
}

/// A stretch of one line of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The name of the source, as positions give it.
    pub source: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In characters; 0 if only the beginning is known.
    pub length: usize,
}

impl Diagnostic {
    pub fn error(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: code.into(),
            message: message.into(),
            place: None,
            label: None,
            related: Vec::new(),
            notes: Vec::new(),
            hint: None,
        }
    }

    pub fn warning(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    #[must_use]
    pub fn at(mut self, place: Span) -> Self {
        self.place = Some(place);
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
