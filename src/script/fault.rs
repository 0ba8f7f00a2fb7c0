//! Faults: what went wrong, as a value that a script can catch and a report can show.

use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Position};

use crate::{diagnostic::Span, event::FaultShown, host::files::FileError};

/// The sort of a fault: a short word that scripts compare with and that never changes.
///
/// `catch (e)` gives a fault with `e.kind` for whatever a function raised and for every error of the language itself, be it a
/// division by zero. What a script throws is caught as it was thrown: a text, a map, or a fault that was caught before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Absent,
    AlreadyExists,
    Conflict,
    Denied,
    Failed,
    File,
    InDoubt,
    Invalid,
    NotFound,
    Parse,
    Refused,
    Script,
    Status,
    Timeout,
    Tls,
    Unauthenticated,
    Unavailable,
    Unreachable,
    Unsupported,
    Usage,
}

impl Kind {
    /// Every kind, its word, and what it means.
    pub const ALL: &[(Kind, &str, &str)] = &[
        (Kind::Absent, "absent", "a field was read below one that is not there"),
        (Kind::AlreadyExists, "already_exists", "what was to be created is there already"),
        (Kind::Conflict, "conflict", "somebody else changed the object, or owns a field of it"),
        (Kind::Denied, "denied", "the server knows who asks and does not allow it"),
        (Kind::Failed, "failed", "what was waited for can no longer happen, or a step inside failed"),
        (Kind::File, "file", "a file is missing, outside of the runbook's folder, or can't be read or written"),
        (Kind::InDoubt, "in_doubt", "nobody knows whether a change happened"),
        (Kind::Invalid, "invalid", "the server refused what was sent as malformed or not allowed by the schema"),
        (Kind::NotFound, "not_found", "the object, or its namespace, is not there"),
        (Kind::Parse, "parse", "a text is not the YAML, JSON, kubeconfig, duration … it should be"),
        (Kind::Refused, "refused", "a person, `--read-only` or the run's rules did not allow a change"),
        (Kind::Script, "script", "the script itself went wrong, or threw a text"),
        (Kind::Status, "status", "an HTTP server answered with a status that was not asked for"),
        (Kind::Timeout, "timeout", "it did not happen in the time it was given"),
        (Kind::Tls, "tls", "the connection could not be trusted"),
        (Kind::Unauthenticated, "unauthenticated", "the server does not know who asks"),
        (Kind::Unavailable, "unavailable", "the server is overloaded, starting, or broken for now"),
        (Kind::Unreachable, "unreachable", "no connection: refused, no route, unknown name, or cut off"),
        (Kind::Unsupported, "unsupported", "the server has no such kind or function"),
        (Kind::Usage, "usage", "a function was given something it can't take"),
    ];

    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).expect("every kind is in the list").1
    }

    /// The kind of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(kind, ..)| *kind)
    }

    /// True if trying again later may help without anybody changing anything.
    pub fn passes(self) -> bool {
        matches!(self, Kind::Unavailable | Kind::Unreachable)
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub kind: Kind,
    /// Lowercase, names the thing in backticks.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The status of an HTTP answer.
    pub status: Option<u16>,
    /// What was seen on the way, a line each: conditions, events, the end of a log.
    pub notes: Vec<String>,
    /// Where it happened first, which a `throw` further out doesn't change.
    pub place: Option<Place>,
    /// What a report points at, if it is not just the call at that place.
    pub span: Option<Span>,
}

/// A place in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path of the file, or the name of the module; empty for a text without a file.
    pub source: String,
    pub line: usize,
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.source, self.line, self.column)
    }
}

impl Fault {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, status: None, notes: Vec::new(), place: None, span: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    #[must_use]
    pub fn notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// As an error of the call in `context`: catchable by the script, with the call's place.
    pub fn raise(mut self, context: &NativeCallContext) -> Box<EvalAltResult> {
        // The position that Rhai itself gives is missing for calls with a namespace.
        let position = context.call_position();
        self.place.get_or_insert_with(|| Place::new(context.call_source().unwrap_or_default(), position));
        EvalAltResult::ErrorRuntime(Dynamic::from(self), position).into()
    }

    /// The fault that an error of the transport was made of: a tunnel says so why it has no connection to give.
    pub fn behind<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e Fault> {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        (error.downcast_ref::<Fault>())
            .or_else(|| inner.and_then(|inner| Fault::behind(inner)))
            .or_else(|| error.source().and_then(Fault::behind))
    }

    /// The fault inside a Rhai error, if it is one of ours; not looking into calls.
    pub fn of(error: &EvalAltResult) -> Option<Fault> {
        match error {
            EvalAltResult::ErrorRuntime(value, _) => value.clone().try_cast(),
            _ => None,
        }
    }

    pub fn shown(&self) -> FaultShown {
        FaultShown {
            kind: self.kind.word().to_owned(),
            message: self.message.clone(),
            hint: self.hint.clone(),
            at: self.place.as_ref().map(ToString::to_string),
        }
    }
}

impl From<FileError> for Fault {
    fn from(error: FileError) -> Self {
        let fault = Fault::new(Kind::File, error.to_string());
        match error {
            FileError::Outside { .. } => {
                fault.hint("put it below the runbook's folder, or allow its folder: `--allow-path DIR`")
            }
            FileError::Missing { looked_in, .. } => fault.note(format!("looked in `{}`", looked_in.display())),
            FileError::Root { .. }
            | FileError::Dangling { .. }
            | FileError::NotText { .. }
            | FileError::Unreadable { .. }
            | FileError::Unwritable { .. } => fault,
        }
    }
}

impl Place {
    pub fn new(source: impl Into<String>, position: Position) -> Self {
        Self { source: source.into(), line: position.line().unwrap_or(0), column: position.position().unwrap_or(0) }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// Makes faults readable in `catch (fault) { … }`: `kind`, `message`, `hint`, `status`, `line`, `column`, `file`, `notes`.
pub fn register(engine: &mut Engine) {
    fn text(value: Option<String>) -> Dynamic {
        value.map_or(Dynamic::UNIT, Dynamic::from)
    }
    engine
        .register_type_with_name::<Fault>("Fault")
        .register_get("kind", |fault: &mut Fault| fault.kind.word().to_owned())
        .register_get("message", |fault: &mut Fault| fault.message.clone())
        .register_get("hint", |fault: &mut Fault| text(fault.hint.clone()))
        .register_get("status", |fault: &mut Fault| {
            fault.status.map_or(Dynamic::UNIT, |status| Dynamic::from(i64::from(status)))
        })
        .register_get("notes", |fault: &mut Fault| {
            fault.notes.iter().cloned().map(Dynamic::from).collect::<rhai::Array>()
        })
        .register_get("file", |fault: &mut Fault| text(fault.place.as_ref().map(|place| place.source.clone())))
        .register_get("line", |fault: &mut Fault| {
            fault.place.as_ref().map_or(Dynamic::UNIT, |place| Dynamic::from(place.line as i64))
        })
        .register_get("column", |fault: &mut Fault| {
            fault.place.as_ref().map_or(Dynamic::UNIT, |place| Dynamic::from(place.column as i64))
        })
        .register_fn("to_string", |fault: &mut Fault| fault.message.clone())
        .register_fn("to_debug", |fault: &mut Fault| format!("{}: {}", fault.kind.word(), fault.message));
}
