//! Reading a journal, whatever became of the process that wrote it.

use super::format::{Head, Line, Record, VERSION};

/// A journal as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    pub head: Head,
    pub lines: Vec<Line>,
    /// How many bytes of the text are whole records; the rest is a write that was cut off.
    pub whole: usize,
}

/// Why a text is no journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("the journal is empty: its run never began")]
    Empty,
    #[error("line {line} is damaged: {reason}")]
    Line { line: usize, reason: String },
    #[error("line 1 is not the beginning of a journal")]
    NoHead,
}

impl Journal {
    /// True if this program may write to it.
    pub fn is_writable(&self) -> bool {
        self.head.journal <= VERSION
    }
}

/// Reads the bytes of a journal file.
///
/// # Errors
/// [`Damage`], if something before the last line can't be read.
pub fn read(bytes: &[u8]) -> Result<Journal, Damage> {
    let mut lines = Vec::new();
    let mut whole = 0;
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let is_last = whole + line.len() == bytes.len();
        let Some(text) = line.strip_suffix(b"\n") else {
            break;
        };
        match serde_json::from_slice::<Line>(text) {
            Ok(read) => lines.push(read),
            Err(_) if is_last => break,
            Err(error) => return Err(Damage::Line { line: index + 1, reason: error.to_string() }),
        }
        whole += line.len();
    }
    let head = match lines.first() {
        Some(Line { record: Record::Run(head), .. }) => head.clone(),
        Some(_) => return Err(Damage::NoHead),
        None => return Err(Damage::Empty),
    };
    Ok(Journal { head, lines, whole })
}
