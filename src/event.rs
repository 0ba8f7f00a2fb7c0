//! What happened in a run, as plain data in the past tense.
//!
//! The stream of events is a promise to programs that read `--json`: a variant or a field is added, never renamed or
//! removed, while [`VERSION`] stays.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The version of the event schema, in every line of `--json` as `v`.
pub const VERSION: u32 = 1;

/// One thing that happened: when (since the start of this process' run), in which step, and what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Time since the start, in milliseconds.
    #[serde(with = "millis", rename = "at_ms")]
    pub at: Duration,
    /// The path of the step it happened in; empty outside of all steps.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub step: String,
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// A run began, or went on after it had stopped (`resumed`).
    RunStarted {
        run: String,
        runbook: String,
        resumed: bool,
        narration: String,
        steps: usize,
        /// The world that it is rehearsed on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rehearsed_on: Option<String>,
    },
    /// A resumed run has come to the first step that it doesn't take from the journal.
    ResumedAt {
        /// The paths of the steps before, whose values were taken from the journal.
        replayed: Vec<String>,
        /// Why this step is not.
        because: String,
        /// What changed in it, as lines of a diff.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        diff: Vec<String>,
    },
    /// A step began its `attempt`, counted from 1.
    StepStarted {
        narration: String,
        attempt: u32,
        of: u32,
    },
    /// A step failed and is tried again after a pause.
    StepRetried {
        attempt: u32,
        of: u32,
        #[serde(with = "millis", rename = "pause_ms")]
        pause: Duration,
        fault: FaultShown,
    },
    StepFinished {
        outcome: Outcome,
        #[serde(with = "millis", rename = "elapsed_ms")]
        elapsed: Duration,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<FaultShown>,
        /// Why it was replayed, skipped, or stopped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
    /// Something is waited for; `wait` names it in the events that follow.
    WaitStarted {
        wait: u64,
        what: String,
        #[serde(with = "millis", rename = "deadline_ms")]
        deadline: Duration,
        /// How long it has been waited for: what may be over at once is told of only when it isn't.
        #[serde(with = "millis", rename = "elapsed_ms", default)]
        elapsed: Duration,
    },
    /// Why what is waited for isn't so yet.
    WaitChanged {
        wait: u64,
        because: String,
    },
    WaitFinished {
        wait: u64,
        ended: WaitEnd,
        #[serde(with = "millis", rename = "elapsed_ms")]
        elapsed: Duration,
    },
    /// A change of the world is about to be made; it is in the journal.
    EffectIntended {
        effect: u64,
        verb: String,
        object: String,
        destroys: bool,
        /// What dies with it, a line each.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        dies: Vec<String>,
    },
    /// A change of the world was made, or was refused or failed (`fault`).
    EffectClosed {
        effect: u64,
        outcome: EffectEnd,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// The script printed a line.
    Printed {
        text: String,
    },
    /// The script showed a table.
    Tabled {
        columns: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    /// A program of this machine that the script runs wrote a line, on its output or its errors.
    ProgramSaid {
        program: String,
        text: String,
    },
    /// Something that deserves attention and doesn't stop the run.
    Warned {
        text: String,
    },
    /// Something that was learnt on the way. What is `minor` is for whoever wants to see more.
    Noted {
        text: String,
        #[serde(default)]
        minor: bool,
    },
    /// The bell rang.
    BellRang {
        text: String,
    },
    TimerStarted {
        timer: String,
    },
    TimerStopped {
        timer: String,
        #[serde(with = "millis", rename = "elapsed_ms")]
        elapsed: Duration,
    },
    /// A person was asked.
    Asked {
        question: String,
    },
    /// A person answered; a secret answer is not in it.
    Answered {
        question: String,
        answer: String,
    },
    /// The run was asked to stop (Ctrl-C, SIGTERM, SIGHUP).
    StopRequested {
        signal: String,
        now: bool,
    },
    RunFinished {
        outcome: RunEnd,
        #[serde(with = "millis", rename = "elapsed_ms")]
        elapsed: Duration,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fault: Option<FaultShown>,
        /// How to go on, if the run can be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<String>,
    },
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    Failed,
    /// Left out by `--from`, `--until`, `--only`, `--skip` or a person.
    Skipped,
    /// Taken from the journal.
    Replayed,
    /// Stopped before its end, by a person, a deadline further out, or a branch beside it.
    Stopped,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitEnd {
    Met,
    Failed,
    TimedOut,
    Stopped,
}

/// How a change of the world ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectEnd {
    Done,
    Failed,
    /// Done in an earlier part of the run: its outcome is taken from the journal.
    Replayed,
    /// Nobody knows whether it happened.
    InDoubt,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    Done,
    Failed,
    Stopped,
    Refused,
}

/// A fault as it is shown in an event: its facts without its place in the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultShown {
    pub kind: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// `file:line:column`, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &Duration, out: S) -> Result<S::Ok, S::Error> {
        (value.as_micros() as f64 / 1000.0).serialize(out)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        f64::deserialize(from).map(|millis| Duration::from_secs_f64(millis / 1000.0))
    }
}
