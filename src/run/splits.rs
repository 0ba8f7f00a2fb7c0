//! How long the steps of a runbook took, run by run, and the best of it. Never touches files.
//!
//! A time counts if a step did its work in one go: one that was skipped, taken from the journal, or done by a resumed run has
//! none.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::journal::{
    format::{Line, Record},
    store::Kept,
};
use crate::event::{Outcome, RunEnd};

/// The times of a runbook.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Splits {
    /// In the order of the newest run, with what only older ones had behind.
    pub steps: Vec<(String, Times)>,
    /// Of runs that were done whole and in one go.
    pub whole: Times,
    /// What a run would take in which each step was as quick as it ever was; of steps side by side the longest counts.
    pub sum_of_best: Option<Duration>,
}

/// Times of one thing, the newest last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn last(&self) -> Option<Duration> {
        self.0.last().copied()
    }

    pub fn best(&self) -> Option<Duration> {
        self.0.iter().min().copied()
    }

    pub fn average(&self) -> Option<Duration> {
        let count = u32::try_from(self.0.len()).ok().filter(|count| *count > 0)?;
        Some(self.0.iter().sum::<Duration>() / count)
    }

    /// The middle one; of an even number the mean of both in the middle.
    pub fn median(&self) -> Option<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort();
        let middle = sorted.len() / 2;
        match sorted.len() % 2 {
            _ if sorted.is_empty() => None,
            0 => Some((sorted[middle - 1] + sorted[middle]) / 2),
            _ => Some(sorted[middle]),
        }
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// The times of the steps of these runs, which are of one runbook, the newest last.
pub fn splits(runs: &[&Kept]) -> Splits {
    let mut times: BTreeMap<&str, Times> = BTreeMap::new();
    let mut whole = Times::default();
    for run in runs {
        for (step, took) in first_session(&run.journal.lines).iter().filter_map(done) {
            times.entry(step).or_default().0.push(took);
        }
        let complete = run.past.session.as_ref().is_some_and(|session| session.selection.is_everything());
        if complete && run.past.sessions == 1 && run.past.ended == Some(RunEnd::Done) {
            whole.0.push(Duration::from_millis(run.past.elapsed_ms));
        }
    }
    let sum_of_best = whole.last().and_then(|_| {
        let newest = runs.iter().rev().find(|run| run.past.sessions == 1 && run.past.ended == Some(RunEnd::Done))?;
        Some(stretches(&newest.journal.lines).iter().map(|stretch| longest_best(stretch, &times)).sum())
    });
    let mut steps = Vec::new();
    for run in runs.iter().rev() {
        for step in begun(&run.journal.lines) {
            if let Some(times) = times.remove(step) {
                steps.push((step.to_owned(), times));
            }
        }
    }
    Splits { steps, whole, sum_of_best }
}

/// The records up to a second session, which goes on with what an earlier one began.
fn first_session(lines: &[Line]) -> &[Line] {
    let mut sessions = lines.iter().enumerate().filter(|(_, line)| matches!(line.record, Record::Session(_)));
    sessions.nth(1).map_or(lines, |(second, _)| &lines[..second])
}

fn done(line: &Line) -> Option<(&str, Duration)> {
    match &line.record {
        Record::StepFinished(finished) if finished.outcome == Outcome::Done => {
            Some((&finished.step, Duration::from_millis(finished.elapsed_ms)))
        }
        _ => None,
    }
}

fn begun(lines: &[Line]) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let steps = lines.iter().filter_map(|line| match &line.record {
        Record::StepStarted { step, .. } => Some(step.as_str()),
        _ => None,
    });
    steps.filter(|step| seen.insert(*step)).collect()
}

/// The outermost steps of a run, in stretches that follow one another: those of one stretch overlap.
fn stretches(lines: &[Line]) -> Vec<Vec<&str>> {
    let mut stretches: Vec<Vec<&str>> = Vec::new();
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for line in lines {
        match &line.record {
            Record::StepStarted { step, .. } => {
                let inside =
                    open.iter().any(|outer| step.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/')));
                if inside || open.contains(step.as_str()) {
                    continue;
                }
                if open.is_empty() {
                    stretches.push(Vec::new());
                }
                open.insert(step);
                stretches.last_mut().expect("one was just begun").push(step);
            }
            Record::StepFinished(finished) => {
                open.remove(finished.step.as_str());
            }
            _ => {}
        }
    }
    stretches
}

fn longest_best(stretch: &[&str], times: &BTreeMap<&str, Times>) -> Duration {
    stretch.iter().filter_map(|step| times.get(step)?.best()).max().unwrap_or_default()
}
