//! The two keywords that cozyscript adds to Rhai: `step` and `parallel`.

use std::time::Duration;

use rhai::{
    Array, Dynamic, Engine, EvalAltResult, EvalContext, Expression, ImmutableString, LexError, Map, ParseError,
    Position,
};

use crate::duration;

use super::{
    block::{Block, mentioned, overwritten},
    conductor::{Outcome, Step},
    context::Context,
    diagnostic::type_words::with_article,
    fault::{Fault, Kind, Place},
    fork,
    options::nearest,
    values::value,
};

/// What begins a statement of ours.
pub const KEYWORDS: [&str; 2] = ["step", "parallel"];

pub fn register(engine: &mut Engine) {
    engine.register_custom_syntax_with_state_raw("step", parse_step, false, run_step);
    engine.register_custom_syntax_with_state_raw("parallel", parse_parallel, false, fork::run_parallel);
}

const STEP_CLAUSES: [&str; 4] = ["after", "timeout", "retry", "key"];

/// What the parser knows of a `step`; what it comes to stays in the tree as the state of the expression.
#[derive(Debug, Clone, Default)]
pub struct Clauses {
    pub after: Vec<String>,
    pub timeout: Option<Duration>,
    pub retry: Option<u32>,
    /// Which of the expression's inputs is the key.
    pub key: Option<usize>,
    inputs: usize,
    awaited: Awaited,
}

/// What the token just read was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Awaited {
    #[default]
    Nothing,
    /// The word of a clause; its value follows.
    Clause(ImmutableString),
    After,
    Retry,
    TimeoutText,
    TimeoutNumber,
    TimeoutUnit(ImmutableString),
    Key,
    Block,
}

impl Clauses {
    /// The clauses in the state of a `step` expression.
    pub fn of(state: &Dynamic) -> Self {
        let Some(state) = state.read_lock::<Map>() else { return Self::default() };
        let number = |name: &str| state.get(name).and_then(|number| u64::try_from(number.as_int().ok()?).ok());
        let after = state.get("after").and_then(|after| after.read_lock::<Array>());
        Self {
            after: after.map(|after| after.iter().map(ToString::to_string).collect()).unwrap_or_default(),
            timeout: number("timeout").map(Duration::from_micros),
            retry: number("retry").and_then(|times| u32::try_from(times).ok()),
            key: number("key").and_then(|index| usize::try_from(index).ok()),
            ..Self::default()
        }
    }

    /// The same in values of the language: it hashes the bodies of closures, and can't hash a type of ours.
    fn state(&self) -> Dynamic {
        let number =
            |number: i128| Dynamic::from_int(i64::try_from(number).expect("the clauses were read within bounds"));
        let mut state = Map::new();
        state.insert("after".into(), self.after.iter().cloned().map(Dynamic::from).collect::<Array>().into());
        if let Some(timeout) = self.timeout {
            state.insert("timeout".into(), number(timeout.as_micros() as i128));
        }
        if let Some(times) = self.retry {
            state.insert("retry".into(), number(times.into()));
        }
        if let Some(index) = self.key {
            state.insert("key".into(), number(index as i128));
        }
        state.into()
    }

    fn take(&mut self, marker: &'static str, awaited: Awaited) -> Result<Option<ImmutableString>, ParseError> {
        self.inputs += 1;
        self.awaited = awaited;
        Ok(Some(marker.into()))
    }

    fn read(&mut self, last: &ImmutableString) -> Result<(), ParseError> {
        match std::mem::take(&mut self.awaited) {
            Awaited::After => self.after.push(last.to_string()),
            Awaited::Retry => {
                let Ok(times) = u32::try_from(last.parse::<i64>().unwrap_or(-1)) else {
                    return Err(wrong(format!("`retry {last}` is out of range")));
                };
                self.retry = Some(times);
            }
            Awaited::TimeoutText => self.timeout = Some(duration::parse(last).map_err(wrong)?),
            Awaited::TimeoutUnit(number) => {
                self.timeout = Some(duration::parse(&format!("{number}{last}")).map_err(wrong)?);
            }
            other => self.awaited = other,
        }
        Ok(())
    }

    fn has(&self, clause: &str) -> bool {
        match clause {
            "timeout" => self.timeout.is_some(),
            "retry" => self.retry.is_some(),
            "key" => self.key.is_some(),
            _ => false,
        }
    }
}

/// What comes next in `step "name" [after "x"]… [timeout 10m] [retry 3] [key EXPR] { … }`.
fn parse_step(
    symbols: &[ImmutableString],
    next: &str,
    state: &mut Dynamic,
) -> Result<Option<ImmutableString>, ParseError> {
    if symbols.len() == 1 {
        *state = Dynamic::from(Clauses::default());
    }
    let mut clauses = state.write_lock::<Clauses>().expect("the state is what the line above put there");
    if symbols.len() == 1 {
        return clauses.take("$string$", Awaited::Nothing);
    }
    let last = symbols.last().expect("the keyword is there");
    clauses.read(last)?;
    match std::mem::take(&mut clauses.awaited) {
        Awaited::Block => {
            let known = clauses.state();
            drop(clauses);
            *state = known;
            Ok(None)
        }
        Awaited::TimeoutNumber => clauses.take("$ident$", Awaited::TimeoutUnit(last.clone())),
        Awaited::Clause(clause) => match clause.as_str() {
            "after" => clauses.take("$string$", Awaited::After),
            "retry" => clauses.take("$int$", Awaited::Retry),
            "timeout" if next.starts_with(|c: char| c.is_ascii_digit()) => {
                clauses.take("$int$", Awaited::TimeoutNumber)
            }
            "timeout" => clauses.take("$string$", Awaited::TimeoutText),
            _ => {
                clauses.key = Some(clauses.inputs);
                clauses.take("$expr$", Awaited::Key)
            }
        },
        _ if next == "{" => clauses.take("$block$", Awaited::Block),
        _ if clauses.has(next) => Err(wrong(format!("the clause `{next}` is there twice"))),
        _ if STEP_CLAUSES.contains(&next) => {
            clauses.awaited = Awaited::Clause(next.into());
            Ok(Some(next.into()))
        }
        _ => Err(unexpected(next, "step", &STEP_CLAUSES)),
    }
}

/// What comes next in `parallel { … }` and `parallel for x in xs [limit n] { … }`.
fn parse_parallel(
    symbols: &[ImmutableString],
    next: &str,
    _state: &mut Dynamic,
) -> Result<Option<ImmutableString>, ParseError> {
    let marker = |marker: &str| Ok(Some(marker.into()));
    match (symbols.len(), next) {
        _ if symbols.last().is_some_and(|last| last == "$block$") => Ok(None),
        (1, "{") => marker("$block$"),
        (1, "for") => marker("for"),
        (1, _) => Err(unexpected(next, "parallel", &["for"])),
        (2, _) => marker("$ident$"),
        (3, _) => marker("in"),
        (4 | 6, _) => marker("$expr$"),
        (5, "limit") => marker("limit"),
        (5 | 7, "{") => marker("$block$"),
        _ => Err(unexpected(next, "parallel for", &["limit"])),
    }
}

fn unexpected(found: &str, keyword: &str, clauses: &[&str]) -> ParseError {
    let expected = clauses.iter().map(|clause| format!("`{clause}`")).collect::<Vec<_>>().join(", ");
    let hint = match nearest(found, clauses.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    };
    let found = if found.is_empty() { "the end of the text".to_owned() } else { format!("`{found}`") };
    wrong(format!("expected `{{` or {expected} after `{keyword}`, found {found}{hint}"))
}

fn wrong(message: impl Into<String>) -> ParseError {
    // The parser puts the position of the token that comes next in place of this one.
    LexError::ImproperSymbol(String::new(), message.into()).into_err(Position::NONE)
}

fn run_step(context: &mut EvalContext, inputs: &[Expression], state: &Dynamic) -> Outcome<Dynamic> {
    let around = Context::of_tag(context.tag());
    let Clauses { after, timeout, retry, key, .. } = Clauses::of(state);
    let name = inputs[0].get_string_value().expect("a step's name is a literal").to_owned();
    let place = Place::new(context.source().unwrap_or_default(), inputs[0].position());
    let key = match key {
        Some(index) => {
            let value = inputs[index].eval_with_context(context)?;
            Some(label(context, &value, inputs[index].position())?)
        }
        None => None,
    };
    let step = Step { name, after, timeout, retry: retry.unwrap_or(0), key, place };
    let body = inputs.last().expect("a step has a block");
    let (mentioned, overwritten) = (mentioned(body), overwritten(body));
    around.conductor().step(&step, &mut Block { context, body, mentioned, overwritten })
}

/// The text that tells one round of a loop from another.
pub fn label(context: &EvalContext, value: &Dynamic, position: Position) -> Outcome<String> {
    value::label(value).ok_or_else(|| {
        let message =
            format!("a key must be a text, a number or a named object, not {}", with_article(value.type_name()));
        let fault = Fault::new(Kind::Usage, message).hint("take a field that names the item, as in `key item.name`");
        raise_at(fault, context, position)
    })
}

/// A fault at a place that is no call.
pub fn raise_at(mut fault: Fault, context: &EvalContext, position: Position) -> Box<EvalAltResult> {
    fault.place = Some(Place::new(context.source().unwrap_or_default(), position));
    EvalAltResult::ErrorRuntime(Dynamic::from(fault), position).into()
}
