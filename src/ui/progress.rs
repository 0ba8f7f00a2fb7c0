//! What goes on in a run, as far as its events have told.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use crate::event::{EffectEnd, Event, FaultShown, Outcome, What};

/// The run so far.
#[derive(Debug, Default)]
pub struct Progress {
    pub runbook: String,
    /// The world that it is rehearsed on, if it is.
    pub rehearsed_on: Option<String>,
    /// How many steps there are at the top level.
    pub expected: usize,
    /// Running steps, in the order of their start.
    pub steps: Vec<Step>,
    pub waits: BTreeMap<u64, Wait>,
    pub effects: HashMap<u64, Effect>,
    pub timers: Vec<(String, Duration)>,
    pub finished: Vec<Finished>,
    pub changes: usize,
}

#[derive(Debug)]
pub struct Step {
    pub path: String,
    pub started: Duration,
    /// When it is tried again, and what went wrong.
    pub retry: Option<(Duration, String)>,
}

#[derive(Debug, Clone)]
pub struct Wait {
    pub step: String,
    pub what: String,
    pub started: Duration,
    /// It was told of only when it turned out not to be over at once.
    pub late: bool,
    pub deadline: Duration,
    pub because: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Effect {
    pub verb: String,
    pub object: String,
}

#[derive(Debug)]
pub struct Finished {
    pub path: String,
    pub outcome: Outcome,
    pub ended: Duration,
    pub elapsed: Duration,
    pub fault: Option<FaultShown>,
}

impl Progress {
    /// Takes in what happened. What has ended is forgotten here, so look at it before.
    pub fn note(&mut self, event: &Event) {
        let Event { at, step, what } = event;
        match what {
            What::RunStarted { runbook, steps, rehearsed_on, .. } => {
                self.runbook.clone_from(runbook);
                self.rehearsed_on.clone_from(rehearsed_on);
                self.expected = *steps;
            }
            What::StepStarted { .. } => match self.steps.iter_mut().find(|running| running.path == *step) {
                Some(again) => again.retry = None,
                None => self.steps.push(Step { path: step.clone(), started: *at, retry: None }),
            },
            What::StepRetried { pause, fault, .. } => {
                if let Some(running) = self.steps.iter_mut().find(|running| running.path == *step) {
                    running.retry = Some((*at + *pause, fault.message.clone()));
                }
            }
            What::StepFinished { outcome, elapsed, fault, .. } => {
                self.steps.retain(|running| running.path != *step);
                self.finished.push(Finished {
                    path: step.clone(),
                    outcome: *outcome,
                    ended: *at,
                    elapsed: *elapsed,
                    fault: fault.clone(),
                });
            }
            What::WaitStarted { wait, what, deadline, elapsed } => {
                let (step, what, started) = (step.clone(), what.clone(), at.saturating_sub(*elapsed));
                let late = !elapsed.is_zero();
                self.waits.insert(*wait, Wait { step, what, started, late, deadline: *deadline, because: None });
            }
            What::WaitChanged { wait, because } => {
                if let Some(wait) = self.waits.get_mut(wait) {
                    wait.because = Some(because.clone());
                }
            }
            What::WaitFinished { wait, .. } => {
                self.waits.remove(wait);
            }
            What::EffectIntended { effect, verb, object, .. } => {
                self.effects.insert(*effect, Effect { verb: verb.clone(), object: object.clone() });
            }
            What::EffectClosed { effect, outcome, detail } => {
                self.effects.remove(effect);
                let changed = *outcome == EffectEnd::Done && detail.as_deref() != Some("unchanged");
                self.changes += usize::from(changed);
            }
            What::TimerStarted { timer } => self.timers.push((timer.clone(), *at)),
            What::TimerStopped { timer, .. } => self.timers.retain(|(running, _)| running != timer),
            What::ResumedAt { .. }
            | What::Printed { .. }
            | What::Tabled { .. }
            | What::ProgramSaid { .. }
            | What::Warned { .. }
            | What::Noted { .. }
            | What::BellRang { .. }
            | What::Asked { .. }
            | What::Answered { .. }
            | What::StopRequested { .. }
            | What::RunFinished { .. } => {}
        }
    }

    /// How many steps of the top level have ended.
    pub fn finished_steps(&self) -> usize {
        self.finished.iter().filter(|step| depth(&step.path) == 0).count()
    }

    /// `5 done`, `1 failed`, …, `24 changes`: what there is.
    pub fn outcomes(&self) -> Vec<String> {
        let words = [
            (Outcome::Done, "done"),
            (Outcome::Failed, "failed"),
            (Outcome::Stopped, "stopped"),
            (Outcome::Replayed, "replayed"),
            (Outcome::Skipped, "skipped"),
        ];
        let steps = words.into_iter().filter_map(|(outcome, word)| {
            let count = self.finished.iter().filter(|step| step.outcome == outcome).count();
            (count > 0).then(|| format!("{count} {word}"))
        });
        let changes = (self.changes > 0).then(|| counted(self.changes, "change"));
        steps.chain(changes).collect()
    }
}

/// `1 step`, `3 steps`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// How many steps are around the one at `path`; a label such as `[tenant/web]` holds no steps.
pub fn depth(path: &str) -> usize {
    separators(path).count()
}

/// The path of the step around this one; empty at the top level.
pub fn parent(path: &str) -> &str {
    separators(path).last().map_or("", |at| &path[..at])
}

/// The path without the labels of branches: the same for all that `parallel for` makes of one step.
pub fn unlabelled(path: &str) -> String {
    let mut open = 0_usize;
    path.chars()
        .filter(|character| {
            open += usize::from(*character == '[');
            let outside = open == 0;
            open -= usize::from(*character == ']' && open > 0);
            outside
        })
        .collect()
}

/// The labels of the branches that a path goes through.
pub fn labels(path: &str) -> Vec<&str> {
    let (mut open, mut from) = (0_usize, 0);
    let mut labels = Vec::new();
    for (at, character) in path.char_indices() {
        match character {
            '[' => {
                if open == 0 {
                    from = at + 1;
                }
                open += 1;
            }
            ']' if open > 0 => {
                open -= 1;
                if open == 0 {
                    labels.push(&path[from..at]);
                }
            }
            _ => {}
        }
    }
    labels
}

fn separators(path: &str) -> impl Iterator<Item = usize> {
    let mut open = 0_usize;
    path.char_indices().filter_map(move |(at, character)| {
        match character {
            '[' => open += 1,
            ']' => open = open.saturating_sub(1),
            '/' if open == 0 => return Some(at),
            _ => {}
        }
        None
    })
}
