//! What the language leaves to the run engine: steps, branches, questions, parameters.
//!
//! The language host parses and evaluates; a conductor decides what is run, replayed, skipped, tried again or stopped.

use std::time::Duration;

use rhai::{Dynamic, EvalAltResult, NativeCallContext};

use super::fault::Place;
use crate::host::ask::{Answer, Question};

/// The result of whatever a script calls.
pub type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// A `step` statement as it is met.
#[derive(Debug, Clone)]
pub struct Step {
    pub name: String,
    pub after: Vec<String>,
    pub timeout: Option<Duration>,
    /// How often it is tried again after it failed.
    pub retry: u32,
    /// The value of its `key` clause, which tells the rounds of a loop apart.
    pub key: Option<String>,
    pub place: Place,
}

/// The script side of a step.
pub trait Stage {
    /// Runs the block once.
    fn run(&mut self) -> Outcome<Dynamic>;

    /// The outer variables that the block mentions, as they are now.
    fn variables(&mut self) -> Vec<Variable>;

    /// Sets an outer variable, as the block did when it was run.
    fn set(&mut self, name: &str, value: Dynamic);
}

/// An outer variable of a step.
#[derive(Debug, Clone)]
pub struct Variable {
    pub name: String,
    pub value: Dynamic,
    /// Equal as long as the value is.
    pub fingerprint: String,
    /// The block sets it before anything in it reads it: its value before makes no difference.
    pub overwritten: bool,
}

/// One branch of a `parallel` block or a `race`.
pub struct Branch<'a> {
    /// What tells it apart from its siblings in a step's path: the item, or the number of the branch.
    pub label: String,
    /// The name of the step that the branch consists of, if it is one.
    pub step: Option<String>,
    /// The steps of the same block that must be done before.
    pub after: Vec<String>,
    pub place: Place,
    pub body: Box<dyn FnOnce() -> Outcome<Dynamic> + Send + 'a>,
}

/// How branches are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fork {
    /// How many at once at most.
    pub limit: Option<usize>,
    /// The first to finish wins, and the others are stopped.
    pub race: bool,
    /// Each branch's label is part of the paths of the steps inside it (`drain[worker-2]`).
    pub labelled: bool,
}

/// A value that a script asks its run for.
#[derive(Debug, Clone, Default)]
pub struct ParamOptions {
    pub default: Option<Dynamic>,
    pub secret: bool,
}

/// The run engine, as a script sees it.
pub trait Conductor: Send + Sync {
    fn step(&self, step: &Step, stage: &mut dyn Stage) -> Outcome<Dynamic>;

    /// Runs branches and gives their values in order; in a race the winner's number and value alone.
    fn fork(&self, fork: Fork, branches: Vec<Branch<'_>>, place: Place) -> Outcome<Vec<(usize, Dynamic)>>;

    /// The value of a declared parameter.
    fn param(&self, context: &NativeCallContext, name: &str, options: ParamOptions) -> Outcome<Dynamic>;

    /// Asks a person and keeps the answer.
    fn ask(&self, context: &NativeCallContext, question: Question) -> Outcome<Answer>;
}
