//! Colours and symbols: what they mean, and when there are any.

use std::{
    io::{self, IsTerminal},
    str::FromStr,
};

use super::Size;
use crate::host::environment::Environment;

/// `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal that can, unless `NO_COLOR` is set; elsewhere if `CLICOLOR_FORCE` is.
    #[default]
    Auto,
    Always,
    Never,
}

impl FromStr for Color {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            other => Err(format!("`{other}` is not one of auto, always, never")),
        }
    }
}

/// What is known of the terminal, and what the environment asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Standard input is a terminal.
    pub input: bool,
    /// Standard output is a terminal.
    pub output: bool,
    /// Standard error is a terminal.
    pub errors: bool,
    /// `TERM=dumb`: it can't move its cursor.
    pub dumb: bool,
    /// The locale is UTF-8.
    pub utf8: bool,
    /// `NO_COLOR` is set.
    pub no_color: bool,
    /// `CLICOLOR_FORCE` is set.
    pub force_color: bool,
}

impl Terminal {
    /// This process' terminal.
    pub fn of(environment: &dyn Environment) -> Self {
        Self {
            input: io::stdin().is_terminal(),
            output: io::stdout().is_terminal(),
            errors: io::stderr().is_terminal(),
            ..Self::described_by(environment)
        }
    }

    /// What the environment says, without looking at the streams.
    pub fn described_by(environment: &dyn Environment) -> Self {
        let set = |name| environment.variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_lowercase();
        Self {
            dumb: set("TERM").is_some_and(|term| term == "dumb"),
            utf8: locale.contains("utf-8") || locale.contains("utf8"),
            no_color: set("NO_COLOR").is_some(),
            force_color: set("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
            ..Self::default()
        }
    }

    /// Why nobody can be asked, if so.
    pub fn nobody(&self) -> Option<String> {
        match self {
            Self { input: false, .. } => Some("standard input is not a terminal".to_owned()),
            Self { errors: false, .. } => Some("standard error is not a terminal".to_owned()),
            _ => None,
        }
    }
}

/// What a piece of text means; colours follow from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Tone {
    #[default]
    Plain,
    Strong,
    Emphasis,
    /// Of no news: replayed, skipped, beside the point.
    Quiet,
    Done,
    Failed,
    /// Not yet, or in doubt.
    Waiting,
    Effect,
    Destroys,
    Heading,
    Code,
    Link,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "1",
            Self::Emphasis => "3",
            Self::Quiet => "2",
            Self::Done => "32",
            Self::Failed => "31",
            Self::Waiting => "33",
            Self::Effect | Self::Code => "36",
            Self::Destroys => "1;31",
            Self::Heading => "1;34",
            Self::Link => "4;34",
        }
    }
}

/// The signs a person learns to read at a glance.
#[derive(Debug, PartialEq, Eq)]
pub struct Symbols {
    pub started: &'static str,
    pub done: &'static str,
    pub failed: &'static str,
    pub stopped: &'static str,
    pub skipped: &'static str,
    pub replayed: &'static str,
    pub retried: &'static str,
    pub effect: &'static str,
    pub destroys: &'static str,
    pub doubt: &'static str,
    pub warning: &'static str,
    pub bell: &'static str,
    pub timer: &'static str,
    pub question: &'static str,
    pub bullet: &'static str,
    pub between: &'static str,
    pub ellipsis: &'static str,
    pub rule: &'static str,
    pub bold_rule: &'static str,
    pub quote: &'static str,
    pub times: &'static str,
    /// A bar's last cell, from empty to full.
    pub bar: &'static [&'static str],
    pub spinner: &'static [&'static str],
}

static UNICODE: Symbols = Symbols {
    started: "▸",
    done: "✓",
    failed: "✗",
    stopped: "■",
    skipped: "○",
    replayed: "↺",
    retried: "↻",
    effect: "~",
    destroys: "!",
    doubt: "?",
    warning: "▲",
    bell: "♪",
    timer: "◷",
    question: "?",
    bullet: "•",
    between: "·",
    ellipsis: "…",
    rule: "─",
    bold_rule: "━",
    quote: "│",
    times: "×",
    bar: &["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
};

static ASCII: Symbols = Symbols {
    started: ">",
    done: "+",
    failed: "x",
    stopped: "#",
    skipped: "o",
    replayed: "=",
    retried: "*",
    effect: "~",
    destroys: "!",
    doubt: "?",
    warning: "!",
    bell: "*",
    timer: "@",
    question: "?",
    bullet: "*",
    between: "-",
    ellipsis: "...",
    rule: "-",
    bold_rule: "=",
    quote: "|",
    times: "x",
    bar: &["", "#"],
    spinner: &["|", "/", "-", "\\"],
};

/// Colours or none, and which signs.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub colored: bool,
    /// What is written ends at the edge of a window.
    pub windowed: bool,
    pub symbols: &'static Symbols,
}

impl Style {
    /// The style of a stream of this process; `terminal_stream` says whether that stream is a terminal.
    pub fn new(color: Color, terminal: &Terminal, terminal_stream: bool) -> Self {
        let colored = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if terminal.no_color => false,
            Color::Auto => terminal.force_color || (terminal_stream && !terminal.dumb),
        };
        Self { colored, windowed: terminal_stream, symbols: if terminal.utf8 { &UNICODE } else { &ASCII } }
    }

    /// The columns that a table must fit; what goes elsewhere than to a window is as wide as it is.
    pub fn room(&self, size: Size) -> Option<usize> {
        self.windowed.then_some(size.columns.saturating_sub(1))
    }

    /// The text in the colour of its meaning.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        match tone.code() {
            code if self.colored && !code.is_empty() && !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}
