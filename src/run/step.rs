//! One step: chosen, taken from the journal, or run, as often as its `retry` says.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rhai::{Dynamic, EvalAltResult};
use serde_json::Value;

use super::{
    journal::{
        format::{Finished, Record},
        past::StepPast,
    },
    lane::{self, Lane},
    runner::{Known, Run},
    select::Chosen,
};
use crate::{
    duration,
    event::{self, What},
    host::{
        ask::{Answer, Question, QuestionKind},
        cancel::Reason,
        files,
        frame::{self, Deadline},
        wait::{Interrupted, Waiting},
    },
    script::{
        conductor::{Outcome, Stage, Step, Variable},
        diagnostic::reason_of,
        fault::{Fault, Kind},
        values::value,
    },
};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What is kept of a value is at most this long; a step with a longer one is run again on resume.
const LARGEST_VALUE: usize = 1 << 20;

/// What the journal says of a step that is met now.
enum Before {
    /// It did all this, and would do the same now.
    Done(Box<Finished>),
    /// It finished, but its value could not be kept, or steps inside it were left out that no longer are: it is run
    /// again, and what follows still holds.
    Unkept,
    /// It was begun: it is run, and what it did so far counts.
    Unfinished,
    /// It is not the step that it was, and why.
    Changed(Option<String>),
}

impl Run {
    pub(super) fn run_step(&self, step: &Step, stage: &mut dyn Stage) -> Outcome<Dynamic> {
        if let Some(reason) = frame::current().cancel.reason() {
            return Err(terminated(reason));
        }
        let path = self.path_of(step);
        let known = self.known(&step.place);
        let variables = stage.variables();
        match self.chosen(&path, &known)? {
            Chosen::Run | Chosen::Enter => {}
            Chosen::First => {
                if self.anew {
                    lane::mark_changed();
                }
            }
            Chosen::Before(because) => {
                // What was done earlier in the run is there for the steps that are run.
                let before = if lane::is_changed() { Before::Unkept } else { self.before(&path, &known, &variables) };
                let replayed = match before {
                    Before::Done(finished) => self.replay(&path, &finished, stage).ok(),
                    Before::Unkept | Before::Unfinished | Before::Changed(_) => None,
                };
                return Ok(replayed.unwrap_or_else(|| self.skip(&path, because)));
            }
            Chosen::Skip(because) => return Ok(self.skip(&path, because)),
        }
        let mut attempt = 1;
        let mut still_holds = false;
        if !lane::is_changed() {
            match self.before(&path, &known, &variables) {
                Before::Done(finished) => match self.replay(&path, &finished, stage) {
                    Ok(value) => return Ok(value),
                    Err(value::Unkept(_)) => still_holds = true,
                },
                Before::Unkept => still_holds = true,
                Before::Unfinished => {
                    attempt = self.ledger.past(|past| past.step(&path).map_or(1, |past| past.attempt));
                    // If steps inside it were begun, the innermost one is where the run goes on.
                    if !self.ledger.past(|past| past.steps_inside(&path)) {
                        self.tell_resumed(&path, &known, None);
                    }
                }
                Before::Changed(because) => {
                    self.tell_resumed(&path, &known, because.as_deref());
                    lane::mark_changed();
                }
            }
        }
        self.hold_after(step)?;
        if still_holds {
            self.ledger.record(Record::StepAgain { step: path.clone() });
        }
        let result = self.attempts(step, &path, &known, &variables, attempt, stage);
        if !still_holds {
            lane::mark_changed();
        }
        result
    }

    /// What the command line, or a person who is asked, makes of the step.
    fn chosen(&self, path: &str, known: &Known) -> Outcome<Chosen> {
        let chosen = self.selecting.choose(path);
        if !self.selecting.is_asking() || !matches!(chosen, Chosen::Run | Chosen::First) {
            return Ok(chosen);
        }
        let choices = ["run", "skip", "all", "quit"].map(str::to_owned).to_vec();
        let question = Question {
            preface: known.narration.lines().map(str::to_owned).collect(),
            text: format!("step `{path}`"),
            kind: QuestionKind::Choose { choices },
            key: None,
        };
        match self.ledger.ask(question) {
            Answer::Text(choice) if choice == "skip" => Ok(Chosen::Skip("a person said so".to_owned())),
            Answer::Text(choice) if choice == "all" => {
                self.selecting.stop_asking();
                Ok(chosen)
            }
            Answer::Text(choice) if choice == "run" => Ok(chosen),
            Answer::Yes => Ok(chosen),
            Answer::Nobody(why) => {
                let reason = Reason::Unanswered(format!("`--step` asks before each step, and {why}"));
                self.cancel.stop(reason.clone());
                Err(terminated(reason))
            }
            Answer::No | Answer::Text(_) => {
                let reason = Reason::Signal(format!("a person, before step `{path}`"));
                self.cancel.stop(reason.clone());
                Err(terminated(reason))
            }
        }
    }

    /// A step runs only after those that it says it comes after: done in this run, or left out by a person.
    fn hold_after(&self, step: &Step) -> Outcome<()> {
        let Some(missing) = step.after.iter().find(|name| !self.is_settled(name)) else {
            return Ok(());
        };
        let message = format!("step `{}` comes after `{missing}`, which is not done", step.name);
        let hint = format!("see why `{missing}` did not run or failed, or take it out of the `after` clause");
        let mut fault = Fault::new(Kind::Usage, message).hint(hint);
        fault.place = Some(step.place.clone());
        Err(EvalAltResult::ErrorRuntime(Dynamic::from(fault), rhai::Position::NONE).into())
    }

    /// Leaves the step out; its value is `()`.
    fn skip(&self, path: &str, because: String) -> Dynamic {
        self.note_skipped(path);
        let finished = Finished::new(path, event::Outcome::Skipped, Duration::ZERO);
        self.ledger.record(Record::StepFinished(finished));
        self.tell_finished(path, event::Outcome::Skipped, Duration::ZERO, None, Some(because));
        Dynamic::UNIT
    }

    /// Holds a step against the journal.
    fn before(&self, path: &str, known: &Known, variables: &[Variable]) -> Before {
        let Some(StepPast { own, finished, .. }) = self.ledger.past(|past| past.step(path).cloned()) else {
            let is_new = self.ledger.past(|past| past.sessions > 1);
            return Before::Changed(is_new.then(|| "it was not reached before".to_owned()));
        };
        let Some(finished) = finished.filter(|finished| finished.outcome == event::Outcome::Done) else {
            return if own == known.digests.own { Before::Unfinished } else { Before::Changed(None) };
        };
        if finished.whole != known.digests.whole {
            // Only what is inside it changed: the steps inside know which.
            return if own == known.digests.own { Before::Unfinished } else { Before::Changed(None) };
        }
        let reads = variables.iter().find(|variable| {
            finished.reads.get(&variable.name).is_some_and(|fingerprint| *fingerprint != variable.fingerprint)
        });
        if let Some(variable) = reads {
            let because = match self.param_before(&variable.name) {
                Some(was) => format!("`{}`, which it reads, was `{was}` and is `{}`", variable.name, variable.value),
                None => format!("`{}`, which it reads, is another", variable.name),
            };
            return Before::Changed(Some(because));
        }
        if let Some(because) = finished.files.iter().find_map(|(path, digest)| self.edited(path, digest)) {
            return Before::Changed(Some(because));
        }
        let left_out = finished.left_out.as_ref().is_some_and(|given| *given != self.selecting.given());
        if left_out || finished.unkept.is_some() { Before::Unkept } else { Before::Done(Box::new(finished)) }
    }

    /// How a file that the step read, or a folder that it listed, is another now. What the run itself made of it is no edit.
    fn edited(&self, path: &str, digest: &str) -> Option<String> {
        let now = self.host.files.digest_of(path);
        if now == digest {
            return None;
        }
        let Some(moved) = files::moved(path, digest, &now) else {
            let is_ours = self.ledger.past(|past| past.has_written(path, &now));
            return (!is_ours).then(|| format!("the file `{path}`, which it reads, changed"));
        };
        let found = moved.into_iter().find(|moved| !self.ledger.past(|past| past.has_touched(&moved.path)))?;
        let what = if found.came { "is new" } else { "is gone" };
        Some(format!("`{}`, in `{path}`, which it lists, {what}", found.path))
    }

    /// Does what the step did to its surroundings, and gives its value.
    fn replay(&self, path: &str, finished: &Finished, stage: &mut dyn Stage) -> Result<Dynamic, value::Unkept> {
        let reread = |reference: &str| self.host.secrets.known(reference);
        let mut sets = Vec::new();
        for (name, kept) in &finished.sets {
            sets.push((name, value::restore(kept, &reread)?));
        }
        let value = value::restore(&finished.value, &reread)?;
        for (name, value) in sets {
            stage.set(name, value);
        }
        self.note_replayed(path);
        self.tell_finished(path, event::Outcome::Replayed, Duration::ZERO, None, None);
        Ok(value)
    }

    fn attempts(
        &self,
        step: &Step,
        path: &str,
        known: &Arc<Known>,
        variables: &[Variable],
        first: u32,
        stage: &mut dyn Stage,
    ) -> Outcome<Dynamic> {
        // Whoever resumes a step that used up its attempts gives it new ones.
        let of = step.retry.saturating_add(first);
        let mut attempt = first;
        let started = self.host.clock.elapsed();
        loop {
            self.ledger.record(Record::StepStarted { step: path.to_owned(), attempt, own: known.digests.own.clone() });
            let narration = if attempt == first { known.narration.clone() } else { String::new() };
            self.host.events.emit_in(path, What::StepStarted { narration, attempt, of });
            let result = self.once(step, path, stage);
            let elapsed = self.host.clock.elapsed().saturating_sub(started);
            let error = match result {
                Ok(value) => {
                    self.finish_done(path, known, variables, &value, elapsed, stage);
                    return Ok(value);
                }
                Err(error) => error,
            };
            let fault = match reason_of(&error) {
                Some(reason) => {
                    self.finish_stopped(path, &reason, elapsed);
                    return Err(error);
                }
                None => self.fault_of(&error),
            };
            if attempt >= of || !may_be_retried(&fault, &error) {
                self.finish_failed(path, &fault, elapsed);
                self.warn_of_skipped(path, variables);
                return Err(error);
            }
            let pause = self.pause(attempt - first + 1);
            self.host.events.emit_in(path, What::StepRetried { attempt, of, pause, fault: fault.shown() });
            attempt += 1;
            if let Err(reason) = self.sleep(pause) {
                self.finish_stopped(path, &reason, elapsed);
                return Err(terminated(reason));
            }
            self.meet_again(path);
        }
    }

    /// One attempt: the block, in a frame of its own.
    fn once(&self, step: &Step, path: &str, stage: &mut dyn Stage) -> Outcome<Dynamic> {
        let outer = frame::current();
        let name: Arc<str> = path.into();
        let deadline = step.timeout.map(|timeout| {
            let at = self.host.clock.elapsed() + timeout;
            Deadline { at, step: name.clone() }
        });
        let frame = outer.inner(name.clone(), outer.cancel.child(), deadline);
        let lane = Lane { step: path.to_owned(), labels: Vec::new(), behind: lane::behind() };
        let (result, _) = lane::within(lane, || frame::within(frame, || stage.run()));
        result.map_err(|error| match (reason_of(&error), step.timeout) {
            (Some(Reason::Timeout(whose)), Some(timeout)) if whose == name => {
                let message = format!("step `{path}` ran out of its {}", duration::show(timeout));
                let mut fault =
                    Fault::new(Kind::Timeout, message).hint("give it more with `timeout`, or see what it waited for");
                fault.place = Some(step.place.clone());
                EvalAltResult::ErrorRuntime(Dynamic::from(fault), error.position()).into()
            }
            _ => error,
        })
    }

    fn pause(&self, failures: u32) -> Duration {
        let pause = Duration::from_secs(1 << failures.saturating_sub(1).min(5)).min(LONGEST_PAUSE);
        // Between three quarters and five quarters, so that steps that failed together don't come back together.
        pause.mul_f64(0.75 + self.host.clock.chance() / 2.0)
    }

    fn sleep(&self, pause: Duration) -> Result<(), Reason> {
        let sleeping = self.host.clock.sleep(pause);
        match self.host.wait(Waiting::pause(pause + Duration::from_secs(1)), |_| sleeping) {
            Err(Interrupted::Stopped(reason)) => Err(reason),
            Ok(()) | Err(Interrupted::TimedOut { .. }) => Ok(()),
        }
    }

    fn finish_done(
        &self,
        path: &str,
        known: &Known,
        before: &[Variable],
        value: &Dynamic,
        elapsed: Duration,
        stage: &mut dyn Stage,
    ) {
        let mut finished = Finished {
            whole: known.digests.whole.clone(),
            reads: (before.iter().filter(|variable| !variable.overwritten))
                .map(|variable| (variable.name.clone(), variable.fingerprint.clone()))
                .collect(),
            files: self.host.files.read_in(path).into_iter().map(|read| (read.path, read.digest)).collect(),
            left_out: (!self.skipped_in(path).is_empty()).then(|| self.selecting.given()),
            ..Finished::new(path, event::Outcome::Done, elapsed)
        };
        match self.kept(before, value, stage) {
            Ok((value, sets)) => {
                finished.value = value;
                finished.sets = sets;
            }
            Err(why) => finished.unkept = Some(why),
        }
        self.ledger.record(Record::StepFinished(finished));
        self.tell_finished(path, event::Outcome::Done, elapsed, None, None);
    }

    /// What the journal keeps of a step's value and of the variables it set, or why it keeps nothing.
    fn kept(
        &self,
        before: &[Variable],
        value: &Dynamic,
        stage: &mut dyn Stage,
    ) -> Result<(Value, BTreeMap<String, Value>), String> {
        let value = value::keep(value).map_err(|unkept| format!("its value is a {}, which can't be kept", unkept.0))?;
        let mut sets = BTreeMap::new();
        for after in stage.variables() {
            let was = before.iter().find(|variable| variable.name == after.name);
            if !after.overwritten && was.is_some_and(|was| was.fingerprint == after.fingerprint) {
                continue;
            }
            let kept = value::keep(&after.value)
                .map_err(|unkept| format!("it sets `{}` to a {}, which can't be kept", after.name, unkept.0))?;
            sets.insert(after.name, kept);
        }
        for kept in std::iter::once(&value).chain(sets.values()) {
            // The journal would hold another text than the one the steps after it have seen.
            if self.host.secrets.redact_value(kept.clone()) != *kept {
                return Err("a secret stands in its value".to_owned());
            }
        }
        let size = std::iter::once(&value).chain(sets.values()).map(|kept| kept.to_string().len()).sum::<usize>();
        if size > LARGEST_VALUE {
            return Err(format!("its value is {} KiB long, which is too long to keep", size >> 10));
        }
        Ok((value, sets))
    }

    /// Says which variables of a failed step have no value, if steps were left out that might have given them one.
    fn warn_of_skipped(&self, path: &str, variables: &[Variable]) {
        let skipped = self.skipped_in("");
        let empty: Vec<String> = variables
            .iter()
            .filter(|variable| variable.value.is_unit())
            .map(|variable| format!("`{}`", variable.name))
            .collect();
        if skipped.is_empty() || empty.is_empty() {
            return;
        }
        let text = format!("{} had no value, and these steps were left out: {}", empty.join(", "), skipped.join(", "));
        self.host.events.emit_in(path, What::Warned { text });
    }

    fn finish_failed(&self, path: &str, fault: &Fault, elapsed: Duration) {
        let fault_kept = Some(fault.message.clone());
        let finished = Finished { fault: fault_kept, ..Finished::new(path, event::Outcome::Failed, elapsed) };
        self.ledger.record(Record::StepFinished(finished));
        self.tell_finished(path, event::Outcome::Failed, elapsed, Some(fault), None);
    }

    fn finish_stopped(&self, path: &str, reason: &Reason, elapsed: Duration) {
        let because = Some(reason.to_string());
        let finished = Finished { fault: because, ..Finished::new(path, event::Outcome::Stopped, elapsed) };
        self.ledger.record(Record::StepFinished(finished));
        self.tell_finished(path, event::Outcome::Stopped, elapsed, None, Some(reason.to_string()));
    }

    fn tell_finished(
        &self,
        path: &str,
        outcome: event::Outcome,
        elapsed: Duration,
        fault: Option<&Fault>,
        because: Option<String>,
    ) {
        let fault = fault.map(Fault::shown);
        self.host.events.emit_in(path, What::StepFinished { outcome, elapsed, fault, because });
    }
}

/// True if trying again can help: the script's own mistakes and a person's decisions stay as they are.
fn may_be_retried(fault: &Fault, error: &EvalAltResult) -> bool {
    let mistake = match error.unwrap_inner() {
        // What a script throws by itself may be of the kind `script`, too.
        EvalAltResult::ErrorRuntime(thrown, _) => fault.kind == Kind::Script && thrown.is::<Fault>(),
        _ => true,
    };
    !mistake && !matches!(fault.kind, Kind::Usage | Kind::Refused | Kind::InDoubt)
}

fn terminated(reason: Reason) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::from(reason), rhai::Position::NONE).into()
}
