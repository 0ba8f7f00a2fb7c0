//! What a program said and how it ended: while it runs, for the script, and for the journal.

use std::sync::Arc;

use rhai::{Dynamic, Map};
use serde_json::{Value, json};

use crate::{
    event::What,
    host::{events::Events, programs::Exit, secrets::Vault},
    script::fault::{Fault, Kind},
};

/// Output longer than this is not kept in the journal.
const LARGEST_KEPT: usize = 64 << 10;

/// Lines longer than this are shown without their end.
const LONGEST_LINE: usize = 4 << 10;

/// Letters that are looked at for a line's end, and for secrets, before a line is cut.
const LONGEST_LOOK: usize = 64 << 10;

/// What a program has said on one stream.
pub struct Heard {
    bytes: Vec<u8>,
    /// How many of them are kept at last: those at the end.
    limit: usize,
    /// How many bytes at the beginning were let go.
    lost: usize,
    line: Vec<u8>,
    /// The rest of a line that was shown already, cut.
    in_tail: bool,
    show: Option<Show>,
}

/// Where lines are shown as they come.
#[derive(Clone)]
pub struct Show {
    pub events: Arc<Events>,
    pub secrets: Arc<Vault>,
    pub step: Arc<str>,
    pub program: String,
}

impl Heard {
    pub fn new(limit: usize, show: Option<Show>) -> Self {
        Self { bytes: Vec::new(), limit, lost: 0, line: Vec::new(), in_tail: false, show }
    }

    pub fn hear(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
        // Half of it at a time, so that it is not moved for each chunk.
        if self.bytes.len() > self.limit.saturating_mul(2) {
            let surplus = self.bytes.len() - self.limit;
            self.bytes.drain(..surplus);
            self.lost += surplus;
        }
        if self.show.is_none() {
            return;
        }
        for piece in chunk.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            self.line.extend_from_slice(piece);
            let ended = piece.ends_with(b"\n") || piece.ends_with(b"\r");
            if ended || self.line.len() > LONGEST_LOOK {
                self.tell_line();
                self.in_tail = !ended;
            }
        }
    }

    fn tell_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let Some(show) = self.show.as_ref().filter(|_| !self.in_tail) else { return };
        let text = String::from_utf8_lossy(&line);
        // Secrets are taken out before it is cut: half a secret would not be recognised.
        let text = show.secrets.redact(text.trim_end()).into_owned();
        let text = match text.char_indices().nth(LONGEST_LINE) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        };
        if !text.is_empty() {
            show.events.emit_in(&show.step, What::ProgramSaid { program: show.program.clone(), text });
        }
    }

    /// The end of the stream: all that it said, or as much of its end as is kept.
    pub fn end(mut self) -> Stream {
        self.tell_line();
        let surplus = self.bytes.len().saturating_sub(self.limit);
        self.bytes.drain(..surplus);
        // What is text is not copied.
        let text = String::from_utf8(self.bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Stream { text, lost: self.lost + surplus }
    }
}

/// All that a program said on one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stream {
    pub text: String,
    pub lost: usize,
}

/// A program that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Nothing if nobody saw it end.
    pub status: Option<i64>,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    pub fn new(exit: Exit, stdout: String, stderr: String) -> Self {
        // As shells have it, so that one number tells both.
        let status = match exit {
            Exit::Status(status) => i64::from(status),
            Exit::Signal(signal) => 128 + i64::from(signal),
        };
        Self { status: Some(status), stdout, stderr }
    }

    /// What stands for the answer of a program that nobody saw end.
    pub fn assumed() -> Self {
        Self { status: None, stdout: String::new(), stderr: String::new() }
    }

    /// For the script.
    pub fn map(self) -> Map {
        let status = self.status.map_or(Dynamic::UNIT, Dynamic::from);
        [("status".into(), status), ("stdout".into(), self.stdout.into()), ("stderr".into(), self.stderr.into())].into()
    }

    /// For the journal: nothing of what it said, if that is long or holds a secret.
    pub fn keep(&self, secrets: &Vault) -> Value {
        let withheld = |why: &str| json!({ "status": self.status, "withheld": why });
        if self.stdout.len() + self.stderr.len() > LARGEST_KEPT {
            return withheld("it is longer than 64 KB");
        }
        let kept = json!({ "status": self.status, "stdout": self.stdout, "stderr": self.stderr });
        if secrets.redact_value(kept.clone()) == kept { kept } else { withheld("it holds a secret") }
    }

    /// The answer again.
    ///
    /// # Errors
    /// An `in_doubt` fault, if what it said was withheld.
    pub fn recall(shown: &str, kept: &Value) -> Result<Self, Fault> {
        let text = |name: &str| kept.get(name).and_then(Value::as_str).map(str::to_owned);
        match (text("stdout"), text("stderr")) {
            (Some(stdout), Some(stderr)) => Ok(Self { status: kept["status"].as_i64(), stdout, stderr }),
            _ => {
                let why = text("withheld").unwrap_or_else(|| "the journal holds none".to_owned());
                let message = format!("`{shown}` was run earlier in this run, but what it said was not kept: {why}");
                Err(Fault::new(Kind::InDoubt, message).hint(
                    "let the step that runs it use what it says and end there: a step that is done is not run again",
                ))
            }
        }
    }
}
