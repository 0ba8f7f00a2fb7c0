//! The records of a journal.
//!
//! # The format, version 1
//!
//! A journal is a text file; each line is one JSON object, a *record*, ended by a newline. A last line without a newline,
//! or one that is no JSON, is a write that was cut off: it is dropped. Anything else that can't be read is damage, and
//! the journal is refused with the line's number.
//!
//! The first record is `run`. It carries `journal`, the version of the format. A program reads journals of newer
//! versions as far as it knows their records (`history`), and never writes to them.
//!
//! | record | says | flushed |
//! |---|---|---|
//! | `run` | a run was begun: its name, runbook, when | with the next |
//! | `session` | a process took the run up: who, where, which texts, parameters and chosen steps | with the next |
//! | `step_started` | a step began an attempt; `own` is the digest of its text without inner steps | with the next |
//! | `step_again` | a finished step begins again, only for a value that was not kept: what it did still counts | with the next |
//! | `intent` | a change is about to be sent | before it is sent |
//! | `outcome` | what became of a change (`done`, `failed`, `in_doubt`) and what was kept of it | with the next |
//! | `answer` | a person answered | at once |
//! | `step_finished` | how a step ended, its value, the outer variables it set, and what it depended on | with the next |
//! | `ended` | the process ended the run or stopped it | at once, if this process flushed anything before |
//!
//! "Flushed" means forced to the disk; every record is handed to the system when it is written, so that only a loss of
//! power can lose the ones that ride along. Secrets appear by reference only.
//!
//! A record is legal where [`super::past::Past`] has a place for it: an `outcome` after its `intent`, a `step_finished`
//! after its `step_started`, a `step_again` after its `step_finished`, everything after a `session`.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    event::{EffectEnd, Outcome, RunEnd},
    host::allowed::Allowed,
    run::select::Selection,
};

/// The version that this program writes.
pub const VERSION: u32 = 1;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Counts the records of the file from 0.
    pub seq: u64,
    /// The wall clock, RFC 3339.
    pub at: String,
    #[serde(flatten)]
    pub record: Record,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    Run(Head),
    Session(Session),
    StepStarted {
        step: String,
        attempt: u32,
        own: String,
    },
    StepAgain {
        step: String,
    },
    Intent(Intent),
    Outcome {
        effect: u64,
        end: EffectEnd,
        #[serde(default, skip_serializing_if = "Value::is_null")]
        kept: Value,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    Answer {
        #[serde(default)]
        step: String,
        question: String,
        answer: String,
    },
    StepFinished(Finished),
    Ended {
        outcome: RunEnd,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
        elapsed_ms: u64,
    },
    /// A record of a newer version.
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the format.
    pub journal: u32,
    /// The version of the program.
    pub cozyscript: String,
    pub run: String,
    /// The runbook's path, absolute.
    pub runbook: String,
    /// The runbook's title, if it has one.
    #[serde(default)]
    pub title: String,
    pub seed: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub process: u32,
    pub host: String,
    pub user: String,
    /// The text of every source as it was, by name.
    pub sources: BTreeMap<String, String>,
    /// The values that were given for parameters; secrets by reference.
    pub params: BTreeMap<String, Value>,
    /// Which steps were chosen: a resumed run leaves out the same ones.
    #[serde(default, skip_serializing_if = "Selection::is_everything")]
    pub selection: Selection,
    /// What the run was allowed beyond what every run may do.
    #[serde(default, skip_serializing_if = "Allowed::is_nothing")]
    pub allowed: Allowed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    pub effect: u64,
    /// Where it was announced: the step's path, with the labels of branches inside it.
    pub step: String,
    pub verb: String,
    pub object: String,
    pub digest: String,
    /// How many changes of that verb, object and digest this execution of the step had announced before it; a journal that
    /// was begun by an early program doesn't say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<usize>,
    pub repeatable: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    pub step: String,
    pub outcome: Outcome,
    /// The digest of its text with everything it reaches.
    #[serde(default)]
    pub whole: String,
    /// The fingerprints of the outer variables it mentions, as they were before it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reads: BTreeMap<String, String>,
    /// The digests of the files it read; of folders it listed (`charts/`) and patterns (`charts/*.yaml`) the names, a line each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// The outer variables it set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sets: BTreeMap<String, Value>,
    /// Why its value or a variable is not kept; it is run again on resume then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unkept: Option<String>,
    /// The selection by which steps inside it were left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    pub elapsed_ms: u64,
}

impl Finished {
    /// The end of a step of which nothing else is kept.
    pub fn new(step: &str, outcome: Outcome, elapsed: Duration) -> Self {
        Self {
            step: step.to_owned(),
            outcome,
            whole: String::new(),
            reads: BTreeMap::new(),
            files: BTreeMap::new(),
            value: Value::Null,
            sets: BTreeMap::new(),
            unkept: None,
            left_out: None,
            fault: None,
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
