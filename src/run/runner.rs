//! A run: everything that the steps of one runbook share while they run.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext};

use super::{
    journal::format::{Record, Session},
    journal::past::is_inside,
    lane,
    ledger::Ledger,
    params::Params,
    select::{self, Selecting, Selection},
};
use crate::{
    host::{
        Host,
        ask::{Answer, Question, QuestionKind},
        cancel::Cancel,
    },
    script::{
        conductor::{Branch, Conductor, Fork, Outcome, ParamOptions, Stage, Step},
        diagnostic::{self, Script},
        engine,
        fault::{Fault, Kind, Place},
        outline::{self, Digests, Outline},
        sources::Sources,
    },
};

/// The run engine's side of a script.
pub struct Run {
    pub(super) host: Host,
    pub(super) ledger: Arc<Ledger>,
    pub(super) selecting: Selecting,
    pub(super) cancel: Cancel,
    pub(super) anew: bool,
    params: Params,
    /// The runbook's name, as positions give it.
    name: String,
    sources: Sources,
    lexer: Engine,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outlines: BTreeMap<String, Arc<Outline>>,
    digests: BTreeMap<(String, usize, usize), Arc<Known>>,
    /// How often a step's path was met.
    met: BTreeMap<String, usize>,
    /// The steps that were left out.
    skipped: BTreeSet<String>,
    resuming: Option<Resuming>,
}

/// A resumed run that still takes steps from the journal.
struct Resuming {
    before: Session,
    replayed: Vec<String>,
}

/// What is known of a step from its text.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub digests: Digests,
    pub narration: String,
    /// The path of its text, for comparing with what it was.
    pub path: String,
    pub source: String,
}

/// What a run is made of.
pub struct Parts {
    pub host: Host,
    pub ledger: Arc<Ledger>,
    pub cancel: Cancel,
    pub params: Params,
    /// The runbook's name, as positions give it.
    pub name: String,
    pub sources: Sources,
    /// Of the runbook's own text.
    pub outline: Arc<Outline>,
    pub selection: Selection,
    /// The paths of all steps, as the text has them.
    pub steps: Vec<String>,
    /// What `--from` names is run anew, whatever the journal says.
    pub anew: bool,
    /// The session before, if the run is resumed.
    pub before: Option<Session>,
}

impl Run {
    pub fn new(parts: Parts) -> Self {
        let Parts { host, ledger, cancel, params, name, sources, outline, selection, steps, anew, before } = parts;
        let outlines = BTreeMap::from([(name.clone(), outline)]);
        let resuming = before.map(|before| Resuming { before, replayed: Vec::new() });
        Self {
            host,
            ledger,
            cancel,
            params,
            name,
            sources,
            selecting: Selecting::new(selection, steps),
            anew,
            lexer: engine::lexer(),
            state: Mutex::new(State { outlines, resuming, ..State::default() }),
        }
    }

    /// What the text says of the step whose name stands there.
    pub(super) fn known(&self, place: &Place) -> Arc<Known> {
        let key = (place.source.clone(), place.line, place.column);
        let mut state = self.lock();
        if let Some(known) = state.digests.get(&key) {
            return known.clone();
        }
        let outline = match state.outlines.get(&place.source) {
            Some(outline) => outline.clone(),
            None => {
                let text = self.sources.text(&place.source).unwrap_or_else(|| "".into());
                let outline = Arc::new(outline::outline(&self.lexer, &text));
                state.outlines.insert(place.source.clone(), outline.clone());
                outline
            }
        };
        let step = outline.step_at(place.line, place.column).expect("the parser and the outline see the same steps");
        let digests = outline.digests(step, &place.source, &self.lexer, &self.sources);
        let (narration, path, source) = (step.narration.clone(), step.path.clone(), place.source.clone());
        let known = Arc::new(Known { digests, narration, path, source });
        state.digests.insert(key, known.clone());
        known
    }

    /// The path of a step met now: the rounds of a loop are counted.
    pub(super) fn path_of(&self, step: &Step) -> String {
        let path = lane::current().path_of(&step.name, step.key.as_deref());
        // A path is written down and read back: a label must not depend on a secret that the journal does not keep.
        let path = self.host.secrets.redact(&path).into_owned();
        let mut state = self.lock();
        let times = state.met.entry(path.clone()).or_default();
        *times += 1;
        if *times == 1 { path } else { format!("{path}#{times}") }
    }

    /// Forgets which steps inside this one were met: it is run once more.
    pub(super) fn meet_again(&self, path: &str) {
        let inner = format!("{path}/");
        self.lock().met.retain(|met, _| !met.starts_with(&inner));
    }

    pub(super) fn note_skipped(&self, path: &str) {
        self.lock().skipped.insert(path.to_owned());
    }

    /// The steps that were left out, in or below `path`; all of them if it is empty.
    pub(super) fn skipped_in(&self, path: &str) -> Vec<String> {
        let state = self.lock();
        state.skipped.iter().filter(|skipped| path.is_empty() || is_inside(skipped, path)).cloned().collect()
    }

    /// True if a step of that name is done, or was left out by a person, who answers for it.
    pub(super) fn is_settled(&self, name: &str) -> bool {
        let is_it = |path: &str| {
            let plain = select::plain(path);
            plain.strip_suffix(name).is_some_and(|outer| outer.is_empty() || outer.ends_with('/'))
        };
        self.lock().skipped.iter().any(|path| is_it(path))
            || self.ledger.past(|past| past.done().into_iter().any(is_it))
    }

    /// Tells what was asked for on the command line and never came up.
    pub fn tell_unmet(&self) {
        for given in self.selecting.unmet() {
            let text = format!("`{given}` named a step that the run did not come to");
            self.host.events.emit_in("", crate::event::What::Warned { text });
        }
    }

    /// The value that a parameter had in the session before, if it is a short one that may be shown.
    pub(super) fn param_before(&self, name: &str) -> Option<String> {
        match self.lock().resuming.as_ref()?.before.params.get(name)? {
            serde_json::Value::String(text) if text.len() < 60 => Some(text.clone()),
            plain @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => Some(plain.to_string()),
            _ => None,
        }
    }

    pub(super) fn note_replayed(&self, path: &str) {
        if let Some(resuming) = &mut self.lock().resuming {
            resuming.replayed.push(path.to_owned());
        }
    }

    /// Tells, once, at which step a resumed run goes on and why.
    pub(super) fn tell_resumed(&self, path: &str, known: &Known, because: Option<&str>) {
        let Some(Resuming { before, replayed }) = self.lock().resuming.take() else {
            return;
        };
        let now = self.sources.all();
        let (why, diff) = super::resume::explain(&self.lexer, &before.sources, &now, known);
        let because = match (because, why) {
            (Some(because), _) => because.to_owned(),
            (None, Some(why)) => why,
            (None, None) => "it had not finished".to_owned(),
        };
        self.host.events.emit_in(path, crate::event::What::ResumedAt { replayed, because, diff });
    }

    /// The fault that an error of the script is.
    pub(super) fn fault_of(&self, error: &EvalAltResult) -> Fault {
        let script = Script { engine: &self.lexer, sources: &self.sources, source: &self.name, scope: None };
        diagnostic::fault_of(error, script).unwrap_or_else(|| Fault::new(Kind::Script, error.to_string()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Conductor for Run {
    fn step(&self, step: &Step, stage: &mut dyn Stage) -> Outcome<Dynamic> {
        self.run_step(step, stage)
    }

    fn fork(&self, fork: Fork, branches: Vec<Branch<'_>>, place: Place) -> Outcome<Vec<(usize, Dynamic)>> {
        self.run_branches(fork, branches, &place)
    }

    fn param(&self, context: &NativeCallContext, name: &str, options: ParamOptions) -> Outcome<Dynamic> {
        match (self.params.get(name), options.default) {
            (Some(value), _) => Ok(value.clone()),
            (None, Some(default)) => Ok(default),
            (None, None) => {
                let message = format!("parameter `{name}` has no value");
                let hint = "declare it at the top of the runbook with its name as a plain text";
                Err(Fault::new(Kind::Usage, message).hint(hint).raise(context))
            }
        }
    }

    fn ask(&self, context: &NativeCallContext, question: Question) -> Outcome<Answer> {
        let step = lane::current().place();
        let confirming = question.kind == QuestionKind::Confirm;
        let key = question.text.clone();
        if confirming {
            let before = self.ledger.past(|past| past.answer(&step, &key).map(str::to_owned));
            if before.as_deref() == Some("yes") {
                return Ok(Answer::Yes);
            }
        }
        let secret = question.kind == QuestionKind::Secret;
        let answer = self.ledger.ask(question);
        if let Some(reason) = self.cancel.reason() {
            return Err(EvalAltResult::ErrorTerminated(Dynamic::from(reason), context.call_position()).into());
        }
        let kept = match &answer {
            Answer::Yes => Some("yes".to_owned()),
            Answer::No => Some("no".to_owned()),
            Answer::Text(_) if secret => Some("(secret)".to_owned()),
            Answer::Text(text) => Some(text.clone()),
            Answer::Nobody(_) => None,
        };
        if let Some(answer) = kept {
            self.ledger.record(Record::Answer { step, question: key, answer });
        }
        Ok(answer)
    }
}
