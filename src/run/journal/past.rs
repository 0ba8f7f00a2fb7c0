//! What a journal says has happened: a pure function of its records.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::format::{Finished, Head, Intent, Line, Record, Session};
use crate::event::{EffectEnd, Outcome, RunEnd};

/// The state that the records of a journal add up to.
#[derive(Debug, Clone, Default)]
pub struct Past {
    pub head: Option<Head>,
    /// The newest session.
    pub session: Option<Session>,
    pub sessions: usize,
    steps: BTreeMap<String, StepPast>,
    /// In the order of their intents.
    effects: Vec<EffectPast>,
    by_number: BTreeMap<u64, usize>,
    answers: BTreeMap<(String, String), String>,
    pub ended: Option<RunEnd>,
    pub elapsed_ms: u64,
    next_effect: u64,
}

/// What is known of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepPast {
    /// The digest of its text without inner steps when it last began.
    pub own: String,
    pub attempt: u32,
    /// How it ended, unless it was cut off.
    pub finished: Option<Finished>,
    /// It was done, and is run again only for a value that was not kept: however that goes, what it did still counts.
    again: bool,
}

/// What is known of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectPast {
    pub intent: Intent,
    pub at: String,
    /// Nothing if the process was cut off before it knew.
    pub end: Option<(EffectEnd, Value)>,
    /// Set once the execution of its step that it belongs to is over.
    pub settled: Option<Settled>,
}

/// How the execution of a step that a change belongs to was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The step finished.
    Finished,
    /// The attempt failed, and another one was begun.
    GivenUp,
}

impl EffectPast {
    pub fn was_done(&self) -> bool {
        matches!(self.end, Some((EffectEnd::Done, _)))
    }
}

/// A record where none of its kind can stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {seq} can't be there: {reason}")]
pub struct Illegal {
    pub seq: u64,
    pub reason: String,
}

impl Past {
    /// Adds up all records.
    ///
    /// # Errors
    /// [`Illegal`], if a record stands where none of its kind can.
    pub fn of(lines: &[Line]) -> Result<Self, Illegal> {
        let mut past = Self::default();
        for line in lines {
            past.add(line).map_err(|reason| Illegal { seq: line.seq, reason })?;
        }
        Ok(past)
    }

    /// Adds one record.
    ///
    /// # Errors
    /// Why it can't stand there.
    pub fn add(&mut self, line: &Line) -> Result<(), String> {
        if self.head.is_some() == matches!(line.record, Record::Run(_)) {
            return Err("a journal begins with one `run` record".to_owned());
        }
        let before_session = matches!(line.record, Record::Run(_) | Record::Session(_) | Record::Unknown);
        if self.session.is_none() && !before_session {
            return Err("it stands before any session".to_owned());
        }
        match &line.record {
            Record::Run(head) => self.head = Some(head.clone()),
            Record::Session(session) => {
                self.session = Some(session.clone());
                self.sessions += 1;
                self.ended = None;
                self.nothing_again();
            }
            Record::StepStarted { step, attempt, own } => self.step_started(step, *attempt, own),
            Record::StepAgain { step } => self.step_again(step)?,
            Record::Intent(intent) => {
                if let Some(index) = self.by_number.get(&intent.effect) {
                    let before = &mut self.effects[*index];
                    if before.was_done() && !before.intent.repeatable {
                        return Err(format!("effect {} can't be done twice", intent.effect));
                    }
                    before.end = None;
                    return Ok(());
                }
                let next = intent.effect.checked_add(1).ok_or("no effect has that number")?;
                self.next_effect = self.next_effect.max(next);
                self.by_number.insert(intent.effect, self.effects.len());
                self.effects.push(EffectPast { intent: intent.clone(), at: line.at.clone(), end: None, settled: None });
            }
            Record::Outcome { effect, end, kept, .. } => {
                let index = self.by_number.get(effect).ok_or_else(|| format!("effect {effect} was never intended"))?;
                let effect = &mut self.effects[*index];
                if effect.end.as_ref().is_some_and(|(end, _)| *end == EffectEnd::Done) {
                    return Err(format!("effect {} was done already", effect.intent.effect));
                }
                effect.end = Some((*end, kept.clone()));
            }
            Record::Answer { step, question, answer } => {
                self.answers.insert((step.clone(), question.clone()), answer.clone());
            }
            Record::StepFinished(finished) => self.step_finished(finished)?,
            Record::Ended { outcome, elapsed_ms, .. } => {
                self.ended = Some(*outcome);
                self.elapsed_ms = self.elapsed_ms.saturating_add(*elapsed_ms);
            }
            Record::Unknown => {}
        }
        Ok(())
    }

    fn step_started(&mut self, step: &str, attempt: u32, own: &str) {
        if let Some(before) = self.steps.get_mut(step).filter(|before| before.again) {
            (before.own, before.attempt) = (own.to_owned(), attempt);
            return;
        }
        let started = StepPast { own: own.to_owned(), attempt, finished: None, again: false };
        let before = self.steps.insert(step.to_owned(), started);
        let was_done = |past: &StepPast| past.finished.as_ref().is_some_and(|end| end.outcome == Outcome::Done);
        if before.as_ref().is_some_and(was_done) {
            self.answers.retain(|(place, _), _| !is_inside(place, step));
        }
        if before.is_some_and(|before| attempt > before.attempt) {
            // The script asked for another attempt: what the last one is known to have done is done again.
            for effect in self.effects.iter_mut().filter(|effect| is_inside(&effect.intent.step, step)) {
                if matches!(effect.end, Some((EffectEnd::Done | EffectEnd::Failed, _))) {
                    effect.settled.get_or_insert(Settled::GivenUp);
                }
            }
            self.steps.retain(|path, _| path == step || !is_inside(path, step));
        }
    }

    fn step_again(&mut self, step: &str) -> Result<(), String> {
        match self.steps.get_mut(step) {
            Some(past) if past.finished.is_some() => past.again = true,
            _ => return Err(format!("step `{step}` has not finished")),
        }
        for effect in self.effects.iter_mut().filter(|effect| is_inside(&effect.intent.step, step)) {
            effect.settled = effect.settled.filter(|settled| *settled != Settled::Finished);
        }
        Ok(())
    }

    /// A new process finds out by itself which steps it runs again.
    fn nothing_again(&mut self) {
        for (path, step) in &mut self.steps {
            if !std::mem::take(&mut step.again) {
                continue;
            }
            let inside = self.effects.iter_mut().filter(|effect| is_inside(&effect.intent.step, path));
            inside.filter(|effect| effect.was_done()).for_each(|effect| {
                effect.settled.get_or_insert(Settled::Finished);
            });
        }
    }

    fn step_finished(&mut self, finished: &Finished) -> Result<(), String> {
        if finished.outcome == Outcome::Skipped {
            // What an earlier session says of the step stays true.
            return Ok(());
        }
        match self.steps.get_mut(&finished.step) {
            Some(step) if step.again && finished.outcome != Outcome::Done => {}
            Some(step) => (step.finished, step.again) = (Some(finished.clone()), false),
            None => return Err(format!("step `{}` never started", finished.step)),
        }
        if finished.outcome == Outcome::Done {
            for effect in self.effects.iter_mut().filter(|effect| is_inside(&effect.intent.step, &finished.step)) {
                effect.settled.get_or_insert(Settled::Finished);
            }
        }
        Ok(())
    }

    pub fn step(&self, path: &str) -> Option<&StepPast> {
        self.steps.get(path)
    }

    /// True if a step inside this one was begun.
    pub fn steps_inside(&self, path: &str) -> bool {
        self.steps.keys().any(|step| step != path && is_inside(step, path))
    }

    /// All steps that were begun, by path.
    pub fn steps(&self) -> impl Iterator<Item = (&str, &StepPast)> {
        self.steps.iter().map(|(path, step)| (path.as_str(), step))
    }

    /// The changes announced in a step, or in one inside it.
    pub fn effects_in(&self, path: &str) -> impl Iterator<Item = &EffectPast> {
        self.effects.iter().filter(move |effect| is_inside(&effect.intent.step, path))
    }

    /// All changes, in the order of their intents.
    pub fn effects(&self) -> &[EffectPast] {
        &self.effects
    }

    /// The changes that one execution of a step announced with this identity, in order; `settled` ones belong to
    /// executions that are over.
    pub fn same_effects(&self, step: &str, verb: &str, object: &str, digest: &str) -> Vec<&EffectPast> {
        let same = |effect: &&EffectPast| {
            let intent = &effect.intent;
            intent.step == step && intent.verb == verb && intent.object == object && intent.digest == digest
        };
        self.effects.iter().filter(same).collect()
    }

    /// True if the run itself has made a file what it is now: `digest` is that of the file, or says that it is gone.
    pub fn has_written(&self, path: &str, digest: &str) -> bool {
        self.effects.iter().any(|effect| {
            let at_or_below =
                path.strip_prefix(&effect.intent.object).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            let kept = effect.end.as_ref().and_then(|(_, kept)| kept.as_str());
            at_or_below && (effect.intent.digest == digest || kept == Some(digest))
        })
    }

    /// True if the run itself may have made or removed a file or folder, with what is in it or around it.
    pub fn has_touched(&self, path: &str) -> bool {
        let below = |path: &str, other: &str| {
            path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.effects.iter().any(|effect| below(path, &effect.intent.object) || below(&effect.intent.object, path))
    }

    /// What a person answered to this question in this step.
    pub fn answer(&self, step: &str, question: &str) -> Option<&str> {
        self.answers.get(&(step.to_owned(), question.to_owned())).map(String::as_str)
    }

    /// The number for the next effect.
    pub fn next_effect(&self) -> u64 {
        self.next_effect
    }

    /// The paths of all steps that are finished and whose value is the newest word on them.
    pub fn done(&self) -> BTreeSet<&str> {
        let is_done = |step: &StepPast| step.finished.as_ref().is_some_and(|end| end.outcome == Outcome::Done);
        self.steps.iter().filter(|(_, step)| is_done(step)).map(|(path, _)| path.as_str()).collect()
    }
}

/// True if `path` is `step` or lies inside it: in a step there, or in a branch. Another round of a loop does not.
pub fn is_inside(path: &str, step: &str) -> bool {
    path.strip_prefix(step).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '[']))
}
