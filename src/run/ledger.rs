//! The ledger: the journal of this run, and the decision about each effect that a binding announces.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::{
    journal::{
        format::{Intent, Record},
        past::{EffectPast, Past, Settled, is_inside},
        write::Writer,
    },
    lane,
};
use crate::{
    event::{EffectEnd, What},
    host::{
        ask::{Answer, Ask, Question, QuestionKind},
        cancel::{Cancel, Reason},
        clock::Clock,
        effect::{Decision, Effect, Effects, Ticket},
        events::Events,
        secrets::Vault,
        threads::Threads,
    },
};

/// What a run may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Everything that the runbook says.
    #[default]
    All,
    /// A person is asked before something is destroyed.
    AskBeforeDestroying,
    /// A person is asked before each change.
    AskBeforeEach,
    /// Nothing.
    ReadOnly,
}

/// The parts of the host that the ledger itself needs; the host is made with the ledger in it.
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    pub events: Arc<Events>,
    pub ask: Arc<dyn Ask>,
    pub threads: Arc<dyn Threads>,
    pub secrets: Arc<Vault>,
    pub cancel: Cancel,
}

pub struct Ledger {
    ports: Ports,
    policy: Policy,
    state: Mutex<State>,
}

struct State {
    writer: Writer,
    past: Past,
    /// How often each change was announced in the execution of its step that is going on.
    announced: BTreeMap<Identity, usize>,
    next_effect: u64,
}

/// What makes two announcements the same change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    step: String,
    verb: String,
    object: String,
    digest: String,
}

impl Ledger {
    pub fn new(ports: Ports, policy: Policy, writer: Writer, past: Past) -> Self {
        let next_effect = past.next_effect();
        Self { ports, policy, state: Mutex::new(State { writer, past, announced: BTreeMap::new(), next_effect }) }
    }

    /// Writes a record. If the journal can't be written the run is stopped: it could not be resumed rightly.
    pub fn record(&self, record: Record) {
        self.write(&mut self.lock(), record);
    }

    fn write(&self, state: &mut State, record: Record) -> bool {
        if let Record::StepStarted { step, .. } = &record {
            state.announced.retain(|identity, _| !is_inside(&identity.step, step));
        }
        match state.writer.write(self.ports.clock.now(), record) {
            Ok(line) => {
                state.past.add(&line).expect("the engine writes records in a legal order");
                true
            }
            Err(error) => {
                let path = state.writer.path().display();
                self.ports.cancel.stop(Reason::Journal(format!("the journal `{path}` can't be written: {error}")));
                false
            }
        }
    }

    /// Looks at what has happened so far.
    pub fn past<T>(&self, look: impl FnOnce(&Past) -> T) -> T {
        look(&self.lock().past)
    }

    /// Asks a person, on this script thread, and tells it as events.
    pub fn ask(&self, question: Question) -> Answer {
        self.ports.events.emit(What::Asked { question: question.text.clone() });
        let secret = question.kind == QuestionKind::Secret;
        let text = question.text.clone();
        let answering = self.ports.ask.ask(question);
        let slot = Arc::new(Mutex::new(None));
        let result = slot.clone();
        self.ports.threads.drive(Box::pin(async move {
            let answer = answering.await;
            *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }));
        let answer = slot.lock().unwrap_or_else(PoisonError::into_inner).take().expect("the question was answered");
        let shown = match &answer {
            Answer::Yes => "yes".to_owned(),
            Answer::No => "no".to_owned(),
            Answer::Text(_) if secret => "(secret)".to_owned(),
            Answer::Text(text) => text.clone(),
            Answer::Nobody(why) => format!("(nobody: {why})"),
        };
        self.ports.events.emit(What::Answered { question: text, answer: shown });
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusal(&self, effect: &Effect) -> Option<String> {
        let asked = match self.policy {
            Policy::All => false,
            Policy::ReadOnly => return Some("`--read-only` was given".to_owned()),
            Policy::AskBeforeDestroying => effect.destroys.is_some(),
            Policy::AskBeforeEach => true,
        };
        if !asked {
            return None;
        }
        let question = Question {
            preface: effect.destroys.clone().unwrap_or_default(),
            text: format!("{} {}?", effect.verb, effect.object),
            kind: QuestionKind::Confirm,
            key: Some(format!("{}@{}", lane::current().step, effect.object)),
        };
        match self.ask(question) {
            Answer::Yes => None,
            Answer::Nobody(why) => Some(format!("nobody could be asked, because {why}")),
            Answer::No | Answer::Text(_) => Some("a person said no".to_owned()),
        }
    }

    /// Asks what to do with a change that can't be repeated and was made by an earlier execution of a finished step.
    fn again(&self, effect: &Effect, before: &EffectPast) -> Again {
        let what = format!("{} {}", effect.verb, effect.object);
        let question = Question {
            preface: vec![
                format!("`{what}` was done in this run already, at {}.", before.at),
                "Its step runs again. Do it again, keep what came of it then, or stop here.".to_owned(),
            ],
            text: format!("{what} again?"),
            kind: QuestionKind::Choose { choices: ["again", "keep", "stop"].map(str::to_owned).to_vec() },
            key: Some(format!("{}@{}", lane::current().step, effect.object)),
        };
        match self.ask(question) {
            Answer::Text(choice) if choice == "again" => Again::Yes,
            Answer::Yes => Again::Yes,
            Answer::Text(choice) if choice == "keep" => Again::Keep,
            Answer::Nobody(why) => Again::Stop(format!(
                "`{what}` was done in this run already and its step would do it again; nobody was asked, because {why}"
            )),
            Answer::No | Answer::Text(_) => Again::Stop(format!("stopped before `{what}` was done again")),
        }
    }
}

/// The one of these changes that the execution of its step that is going on has announced already, in another process.
fn open<'p>(same: &[&'p EffectPast], before: usize) -> Option<&'p EffectPast> {
    let mut open = same.iter().copied().filter(|past| past.settled.is_none());
    let unnumbered = open.clone().filter(|past| past.intent.before.is_none()).nth(before);
    open.find(|past| past.intent.before == Some(before)).or(unnumbered)
}

/// The one of these changes that an earlier execution of its step made at this place. If it made none here but did later
/// on, that one: better to ask once too often.
fn finished<'p>(same: &[&'p EffectPast], before: usize) -> Option<&'p EffectPast> {
    let made = |past: &&EffectPast| past.was_done() && past.settled == Some(Settled::Finished);
    let mut newest_first = same.iter().rev().copied().filter(made);
    let later = newest_first.clone().find(|past| past.intent.before.is_none_or(|number| number > before));
    newest_first.find(|past| past.intent.before == Some(before)).or(later)
}

enum Again {
    Yes,
    Keep,
    Stop(String),
}

impl Effects for Ledger {
    fn announce(&self, effect: Effect) -> Decision {
        let lane = lane::current();
        if lane.step.is_empty() {
            let why = "it changes the world and stands outside of a step; put it into `step \"…\" { … }`";
            return Decision::Refused(why.to_owned());
        }
        if let Some(why) = self.refusal(&effect) {
            return Decision::Refused(why);
        }
        // As the journal has it: what a resumed run reads there must be found again.
        let identity = Identity {
            step: lane.place(),
            verb: effect.verb.clone(),
            object: self.ports.secrets.redact(&effect.object).into_owned(),
            digest: effect.digest.clone(),
        };
        let mut state = self.lock();
        let Identity { step, verb, object, digest } = &identity;
        let same = state.past.same_effects(step, verb, object, digest);
        let before = state.announced.get(&identity).copied().unwrap_or(0);
        let open = open(&same, before).cloned();
        let finished = finished(&same, before).filter(|_| !effect.repeatable && open.is_none()).cloned();
        *state.announced.entry(identity.clone()).or_default() += 1;
        if let Some(before) = finished {
            drop(state);
            match self.again(&effect, &before) {
                Again::Yes => {}
                Again::Keep => {
                    let kept = before.end.map_or(Value::Null, |(_, kept)| kept);
                    self.tell_replayed(before.intent.effect, &effect);
                    return Decision::Done(kept);
                }
                Again::Stop(why) => {
                    self.ports.cancel.stop(Reason::Unanswered(why.clone()));
                    return Decision::Refused(why);
                }
            }
            state = self.lock();
        }
        let number = match open {
            Some(past) if effect.repeatable => past.intent.effect,
            Some(EffectPast { end: Some((EffectEnd::Done | EffectEnd::Replayed, kept)), intent, .. }) => {
                drop(state);
                self.tell_replayed(intent.effect, &effect);
                return Decision::Done(kept);
            }
            Some(EffectPast { end: Some((EffectEnd::Failed, _)), intent, .. }) => intent.effect,
            Some(EffectPast { end: None | Some((EffectEnd::InDoubt, _)), intent, .. }) => {
                drop(state);
                self.tell_intended(intent.effect, &effect);
                return Decision::Doubt(Ticket(intent.effect));
            }
            None => {
                state.next_effect += 1;
                state.next_effect - 1
            }
        };
        let Identity { step, verb, object, digest } = identity;
        let (before, repeatable) = (Some(before), effect.repeatable);
        let intent = Intent { effect: number, step, verb, object, digest, before, repeatable };
        if !self.write(&mut state, Record::Intent(intent)) {
            return Decision::Refused("the journal can't be written".to_owned());
        }
        drop(state);
        self.tell_intended(number, &effect);
        Decision::Go(Ticket(number))
    }

    fn close(&self, ticket: Ticket, end: EffectEnd, kept: Value, detail: Option<String>) {
        self.record(Record::Outcome { effect: ticket.0, end, kept, detail: detail.clone() });
        self.ports.events.emit(What::EffectClosed { effect: ticket.0, outcome: end, detail });
    }
}

impl Ledger {
    fn tell_intended(&self, number: u64, effect: &Effect) {
        self.ports.events.emit(What::EffectIntended {
            effect: number,
            verb: effect.verb.clone(),
            object: effect.object.clone(),
            destroys: effect.destroys.is_some(),
            dies: effect.destroys.clone().unwrap_or_default(),
        });
    }

    fn tell_replayed(&self, number: u64, effect: &Effect) {
        self.tell_intended(number, effect);
        let detail = Some("done earlier in this run".to_owned());
        self.ports.events.emit(What::EffectClosed { effect: number, outcome: EffectEnd::Replayed, detail });
    }
}
