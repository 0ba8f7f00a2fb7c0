//! What a binding function reaches through its call: the host, the options it was given, waiting, and changing the world.

use std::{future::Future, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rhai::{Dynamic, EvalAltResult, Map, NativeCallContext};
use serde_json::Value;

use super::{
    catalogue::Catalogue,
    conductor::{Conductor, Outcome},
    fault::{Fault, Kind},
    options::Options,
    sources::Sources,
};
use crate::{
    duration,
    event::EffectEnd,
    host::{
        Host,
        ask::{Answer, Question, QuestionKind},
        cancel::Reason,
        effect::{Decision, Effect, Ticket},
        frame,
        wait::{Interrupted, Progress, Wait, Waiting},
    },
};

/// The engine's tag: everything around a script.
#[derive(Clone)]
pub struct Context(Arc<Around>);

struct Around {
    host: Host,
    conductor: Arc<dyn Conductor>,
    catalogue: Arc<Catalogue>,
    sources: Sources,
}

impl Context {
    pub fn new(host: Host, conductor: Arc<dyn Conductor>, catalogue: Arc<Catalogue>, sources: Sources) -> Self {
        Self(Arc::new(Around { host, conductor, catalogue, sources }))
    }

    pub fn host(&self) -> &Host {
        &self.0.host
    }

    pub fn conductor(&self) -> &dyn Conductor {
        &*self.0.conductor
    }

    pub fn sources(&self) -> &Sources {
        &self.0.sources
    }

    /// The context in an engine's tag.
    ///
    /// # Panics
    /// If the engine was not made by [`super::engine`].
    pub fn of_tag(tag: &Dynamic) -> Self {
        tag.clone().try_cast().expect("the engine's tag is its context")
    }
}

/// A change of the world that a binding wants to make.
pub struct Change<T> {
    pub effect: Effect,
    /// How long the request may take.
    pub deadline: Duration,
    /// Sends it, and may say meanwhile why it isn't done yet.
    pub perform: Perform<T>,
    /// Makes the value again from what was kept of an earlier, finished change; unused if it is repeatable.
    pub recall: Recall<T>,
    /// Finds out whether an earlier, unfinished one happened; unused if it is repeatable.
    pub settle: BoxFuture<'static, Result<Settled<T>, Fault>>,
}

/// See [`Change::perform`].
pub type Perform<T> = Box<dyn FnOnce(Progress) -> BoxFuture<'static, Result<Changed<T>, Fault>> + Send>;

/// See [`Change::recall`].
pub type Recall<T> = Box<dyn FnOnce(Value) -> BoxFuture<'static, Result<T, Fault>> + Send>;

/// A change that was made.
#[derive(Debug, Clone)]
pub struct Changed<T> {
    pub value: T,
    /// What the journal keeps, for [`Change::recall`]. No secrets, and no more than needed.
    pub kept: Value,
    /// What is shown of it: `created`, `unchanged`, `200 OK`.
    pub detail: Option<String>,
}

/// What is known of a change in doubt.
pub enum Settled<T> {
    Happened(Changed<T>),
    DidNot,
    /// A person has to say; if it happened, this is taken as its result.
    Unknown {
        why: String,
        assumed: Changed<T>,
    },
}

impl<T: Send + 'static> Change<T> {
    /// A change that may be made twice.
    ///
    /// # Panics
    /// If the effect is not repeatable.
    pub fn repeatable(
        effect: Effect,
        deadline: Duration,
        perform: impl Future<Output = Result<Changed<T>, Fault>> + Send + 'static,
    ) -> Self {
        Self::repeatable_telling(effect, deadline, |_| perform)
    }

    /// The same for one that says meanwhile why it isn't done yet.
    ///
    /// # Panics
    /// If the effect is not repeatable.
    pub fn repeatable_telling<F>(
        effect: Effect,
        deadline: Duration,
        perform: impl FnOnce(Progress) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Changed<T>, Fault>> + Send + 'static,
    {
        assert!(effect.repeatable, "only a repeatable effect needs no way to settle it");
        Self {
            effect,
            deadline,
            perform: Box::new(|progress| Box::pin(perform(progress))),
            recall: Box::new(|_| unreachable!("a repeatable effect is done again, not recalled")),
            settle: Box::pin(async { Ok(Settled::DidNot) }),
        }
    }
}

/// What a binding function may do through its call.
pub trait Call {
    fn context(&self) -> Context;

    fn host(&self) -> Host {
        self.context().host().clone()
    }

    /// Reads an option map against the options documented for `function` (`k8s::wait`).
    ///
    /// # Errors
    /// A usage fault that names the nearest option, if a key or a type is not as documented.
    fn options(&self, function: &str, options: Map) -> Outcome<Options>;

    /// True if the documentation of a function says that a call with this word changes nothing.
    fn is_harmless(&self, function: &str, name: &str, word: &str) -> bool;

    /// Waits; see [`Host::wait`].
    ///
    /// # Errors
    /// The work's own fault, a `timeout` fault, or the end of the script if it was stopped.
    fn wait<T, F>(&self, waiting: Waiting, work: impl FnOnce(Progress) -> F) -> Outcome<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static;

    /// One piece of a longer wait; see [`Wait::drive`].
    ///
    /// # Errors
    /// As for [`Call::wait`].
    fn drive<T, F>(&self, wait: &mut Wait<'_>, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static;

    /// The end of a [`Wait`] as this call's error, for those that look at it first.
    fn interrupted(&self, interrupted: Interrupted) -> Box<EvalAltResult>;

    /// Announces a change, makes it if the engine agrees, and closes it.
    ///
    /// # Errors
    /// The change's fault, a `refused` fault, or the end of the script if it was stopped.
    fn change<T: Send + 'static>(&self, change: Change<T>) -> Outcome<T>;

    /// A fault as this call's error.
    fn raise(&self, fault: Fault) -> Box<EvalAltResult>;
}

impl Call for NativeCallContext<'_> {
    fn context(&self) -> Context {
        Context::of_tag(self.tag().expect("the engine has a tag"))
    }

    fn options(&self, function: &str, options: Map) -> Outcome<Options> {
        Options::read(self.context().0.catalogue.function(self.engine(), function), options)
            .map_err(|fault| fault.raise(self))
    }

    fn is_harmless(&self, function: &str, name: &str, word: &str) -> bool {
        self.context().0.catalogue.function(self.engine(), function).doc.is_harmless(name, word)
    }

    fn wait<T, F>(&self, waiting: Waiting, work: impl FnOnce(Progress) -> F) -> Outcome<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let host = self.host();
        let mut wait = host.begin(waiting);
        let work = work(wait.progress());
        let value = self.drive(&mut wait, work)?;
        wait.end(crate::event::WaitEnd::Met);
        Ok(value)
    }

    fn drive<T, F>(&self, wait: &mut Wait<'_>, work: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        match wait.drive(work) {
            Ok(result) => result.map_err(|fault| fault.raise(self)),
            Err(interrupted) => Err(self.interrupted(interrupted)),
        }
    }

    fn interrupted(&self, interrupted: Interrupted) -> Box<EvalAltResult> {
        interruption(self, interrupted)
    }

    fn change<T: Send + 'static>(&self, change: Change<T>) -> Outcome<T> {
        let context = self.context();
        let host = context.host();
        // Once the run is to stop, no further change is begun.
        if let Some(reason) = frame::current().cancel.reason() {
            return Err(stopped(self, reason));
        }
        let Change { effect, deadline, perform, recall, settle } = change;
        let what = format!("{} {}", effect.verb, effect.object);
        hold(self)?;
        match host.effects.announce(effect) {
            Decision::Refused(why) => Err(Fault::new(Kind::Refused, format!("`{what}` is refused: {why}")).raise(self)),
            Decision::Done(kept) => self.wait(Waiting::request(what, deadline), |_| recall(kept)),
            Decision::Go(ticket) => perform_change(self, ticket, what, deadline, perform, EffectEnd::Failed),
            Decision::Doubt(ticket) => {
                let asked = format!("whether `{what}` happened");
                match self.wait(Waiting::request(asked, deadline), |_| settle)? {
                    Settled::Happened(changed) => Ok(close(host, ticket, changed)),
                    // The request of then may still be on its way, and be why this one fails.
                    Settled::DidNot => perform_change(self, ticket, what, deadline, perform, EffectEnd::InDoubt),
                    Settled::Unknown { why, assumed } => match ask_whether(self, ticket, &what, &why)? {
                        Verdict::Happened => Ok(close(host, ticket, assumed)),
                        Verdict::DidNot => perform_change(self, ticket, what, deadline, perform, EffectEnd::Failed),
                    },
                }
            }
        }
    }

    fn raise(&self, fault: Fault) -> Box<EvalAltResult> {
        fault.raise(self)
    }
}

/// Makes a change; `failed` is what a fault means for it.
fn perform_change<T: Send + 'static>(
    call: &NativeCallContext,
    ticket: Ticket,
    what: String,
    deadline: Duration,
    perform: Perform<T>,
    failed: EffectEnd,
) -> Outcome<T> {
    let host = call.host();
    let mut wait = host.begin(Waiting::change(what.clone(), deadline));
    let perform = perform(wait.progress());
    match wait.drive(perform) {
        Ok(Ok(changed)) => {
            wait.end(crate::event::WaitEnd::Met);
            let value = close(&host, ticket, changed);
            // Its outcome is in the journal: this is the safe point at which a run that was asked to stop does.
            hold(call)?;
            Ok(value)
        }
        Ok(Err(fault)) => {
            // A connection that broke, or a server that gave up, says nothing about whether the change was made.
            let end = if fault.kind == Kind::InDoubt { EffectEnd::InDoubt } else { failed };
            host.effects.close(ticket, end, Value::Null, Some(fault.message.clone()));
            // What a stopped run did not do any more is no fault of the script.
            hold(call)?;
            Err(fault.raise(call))
        }
        Err(interrupted) => {
            host.effects.close(ticket, EffectEnd::InDoubt, Value::Null, None);
            Err(call.interrupted(interrupted))
        }
    }
}

fn close<T>(host: &Host, ticket: Ticket, changed: Changed<T>) -> T {
    host.effects.close(ticket, EffectEnd::Done, changed.kept, changed.detail);
    changed.value
}

/// Ends the script if it was asked to stop: nothing more is changed then.
fn hold(call: &NativeCallContext) -> Outcome<()> {
    match frame::peek(|frame| frame.cancel.reason()).flatten() {
        Some(reason) => Err(stopped(call, reason)),
        None => Ok(()),
    }
}

enum Verdict {
    Happened,
    DidNot,
}

/// The words that settle a change in doubt.
pub const VERDICTS: [&str; 2] = ["happened", "repeat"];

fn ask_whether(call: &NativeCallContext, ticket: Ticket, what: &str, why: &str) -> Outcome<Verdict> {
    let [happened, repeat] = VERDICTS;
    let number = ticket.0;
    let question = Question {
        preface: vec![
            format!("`{what}` was begun and the run was cut off before an answer came."),
            why.to_owned(),
            "Look at the other side, then say: it happened (go on after it), repeat it, or stop here.".to_owned(),
        ],
        text: format!("did `{what}` happen?"),
        kind: QuestionKind::Choose { choices: [happened, repeat, "stop"].map(str::to_owned).to_vec() },
        key: Some(number.to_string()),
    };
    match call.context().conductor().ask(call, question)? {
        Answer::Text(choice) if choice == happened => Ok(Verdict::Happened),
        Answer::Text(choice) if choice == repeat => Ok(Verdict::DidNot),
        other => {
            let nobody = match other {
                Answer::Nobody(nobody) => format!("{why}, and nobody was asked, because {nobody}"),
                Answer::Yes | Answer::No | Answer::Text(_) => why.to_owned(),
            };
            let message = format!(
                "nobody knows whether `{what}` happened: {nobody}; look at the other side, then resume with \
                 `--settle {number}={happened}` or `--settle {number}={repeat}`"
            );
            Err(stopped(call, Reason::Unanswered(message)))
        }
    }
}

/// An interruption as the error that ends the script (if it was stopped) or that it may catch (if time ran out).
fn interruption(call: &NativeCallContext, interrupted: Interrupted) -> Box<EvalAltResult> {
    match interrupted {
        Interrupted::Stopped(reason) => stopped(call, reason),
        Interrupted::TimedOut { what, after, because } => {
            let after = duration::show_limit(after);
            let mut fault = Fault::new(Kind::Timeout, format!("gave up waiting for {what} after {after}"));
            if let Some(because) = because {
                fault = fault.note(format!("last seen: {because}"));
            }
            fault.raise(call)
        }
    }
}

fn stopped(call: &NativeCallContext, reason: Reason) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::from(reason), call.call_position()).into()
}
