//! A failed evaluation as a diagnostic: what went wrong in the innermost source, and the calls that led there.

mod beside;
mod language_fault;
mod names;
pub mod passage;
pub mod type_words;

use std::{ops::Range, sync::Arc};

use rhai::{Dynamic, Engine, EvalAltResult, Map, Position, Scope};

use crate::script::{
    diagnostic::language_fault::Explained,
    diagnostic::passage::Passage,
    fault::{Fault, Kind, Place},
    sources::Sources,
    values::absent::{self, OF_UNKNOWN},
    values::object::Object,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    host::cancel::Reason,
};

/// The script that an error comes from.
#[derive(Clone, Copy)]
pub struct Script<'a> {
    pub engine: &'a Engine,
    pub sources: &'a Sources,
    /// The name of the source that was evaluated: errors name only those further in.
    pub source: &'a str,
    /// The variables where it failed, as long as they are there; those of functions never are.
    pub scope: Option<&'a Scope<'a>>,
}

const CLOSURE: &str = "called from here: a closure";

/// More calls than these are left out, from the middle.
const SHOWN_CALLS: usize = 8;

/// The diagnostic of a failed evaluation; nothing if it was stopped, see [`reason_of`].
pub fn of_error(error: &EvalAltResult, script: Script) -> Option<Diagnostic> {
    let mut calls = Vec::new();
    let (inner, source) = innermost(error, script.source, &mut calls);
    let explained = explain(inner, &script, source, !calls.is_empty())?;
    if let Some(place) = again(inner, source, &explained.fault) {
        calls.push((place, "thrown again here".to_owned()));
    }
    calls.reverse();
    let mut calls = folded(calls);
    let Explained { code, fault, label } = explained;
    let mut notes = fault.notes;
    if let Some(more) = calls.len().checked_sub(SHOWN_CALLS).filter(|more| *more > 0) {
        calls.drain(SHOWN_CALLS / 2..SHOWN_CALLS / 2 + more);
        notes.push(format!("{more} calls in between are left out"));
    }
    let place = fault.span.or_else(|| fault.place.as_ref().map(|place| script.span(place)));
    let mut diagnostic = Diagnostic::error(code, fault.message);
    diagnostic.place = place;
    diagnostic.label = label;
    diagnostic.related = calls.iter().map(|(place, label)| (script.span(place), label.clone())).collect();
    diagnostic.notes = notes;
    diagnostic.hint = fault.hint;
    Some(diagnostic)
}

/// The fault of a failed evaluation, whoever raised it; nothing if it was stopped.
pub fn fault_of(error: &EvalAltResult, script: Script) -> Option<Fault> {
    let mut calls = Vec::new();
    let (inner, source) = innermost(error, script.source, &mut calls);
    explain(inner, &script, source, !calls.is_empty()).map(|explained| explained.fault)
}

/// The same error with its innermost part made a fault, as `catch` gives it. What the script threw stays what it is, and
/// so does what no script can catch.
pub fn as_fault(error: Box<EvalAltResult>, script: Script) -> Box<EvalAltResult> {
    let fault = match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(thrown, _) if !is_unexplained(thrown) => None,
        inner if inner.is_pseudo_error() || !inner.is_catchable() => None,
        _ => fault_of(&error, script),
    };
    match fault {
        Some(fault) => with_fault(*error, fault),
        None => error,
    }
}

/// The same error with this fault in it, behind the same calls.
pub fn with_fault(error: EvalAltResult, fault: Fault) -> Box<EvalAltResult> {
    use EvalAltResult::{ErrorInFunctionCall, ErrorInModule, ErrorRuntime};
    Box::new(match error {
        ErrorInFunctionCall(name, source, inner, at) => {
            ErrorInFunctionCall(name, source, with_fault(*inner, fault), at)
        }
        ErrorInModule(name, inner, at) => ErrorInModule(name, with_fault(*inner, fault), at),
        inner => ErrorRuntime(Dynamic::from(fault), inner.position()),
    })
}

/// True for a fault that only the source tells the rest of.
fn is_unexplained(thrown: &Dynamic) -> bool {
    thrown.read_lock::<Fault>().is_some_and(|fault| fault.message.ends_with(OF_UNKNOWN))
}

/// Why the evaluation was stopped, if it was.
pub fn reason_of(error: &EvalAltResult) -> Option<Reason> {
    match error.unwrap_inner() {
        EvalAltResult::ErrorTerminated(reason, _) => reason.clone().try_cast(),
        _ => None,
    }
}

impl Script<'_> {
    pub(super) fn passage(&self, source: &str) -> Option<Arc<Passage>> {
        self.sources.passage(source, |text| Passage::read(self.engine, source, text))
    }

    /// The hint, and the names that are there beside an absent field.
    fn beside(&self, passage: &Passage, absent: &Range<usize>, hint: &str) -> String {
        match self.scope.and_then(|scope| beside::beside(passage, absent, scope)) {
            Some(beside) => absent::hint(hint, &beside.missing, &beside.names),
            None => hint.to_owned(),
        }
    }

    /// The token at a place, with the module it is qualified by.
    fn span(&self, place: &Place) -> Span {
        let bare = Span { source: place.source.clone(), line: place.line, column: place.column, length: 0 };
        let Some(position) = position(place) else { return bare };
        let Some(passage) = self.passage(&place.source) else { return bare };
        passage.at(position).map_or(bare, |index| passage.span(&passage.qualified(index)))
    }
}

/// The error at the end of a chain of calls and imports, and its source; the calls are pushed, outermost first.
fn innermost<'e>(
    error: &'e EvalAltResult,
    source: &'e str,
    calls: &mut Vec<(Place, String)>,
) -> (&'e EvalAltResult, &'e str) {
    let (label, within, inner, position) = match error {
        EvalAltResult::ErrorInFunctionCall(name, within, inner, position) => {
            let anonymous = name.starts_with("anon$");
            let label = if anonymous { CLOSURE.to_owned() } else { format!("called from here: `{name}`") };
            (label, within, inner, *position)
        }
        EvalAltResult::ErrorInModule(name, inner, position) => {
            (format!("imported from here: `{name}`"), name, inner, *position)
        }
        inner => return (inner, source),
    };
    if !position.is_none() {
        calls.push((Place::new(source, position), label));
    }
    innermost(inner, if within.is_empty() { source } else { within }, calls)
}

/// The calls without those that say nothing new: a function's calls of itself are counted, and a closure is called by the
/// function it was given to, at the very same place.
fn folded(calls: Vec<(Place, String)>) -> Vec<(Place, String)> {
    let mut folded: Vec<(Place, String, usize)> = Vec::new();
    for (place, label) in calls {
        match folded.last_mut() {
            Some((last, same, times)) if *last == place && *same == label => *times += 1,
            Some((last, closure, _)) if *last == place && *closure == CLOSURE => *closure = label,
            _ => folded.push((place, label, 1)),
        }
    }
    let counted = folded.into_iter().map(|(place, label, times)| match times {
        1 => (place, label),
        _ => (place, format!("{label}, {times} times")),
    });
    counted.collect()
}

/// Where a caught fault was thrown a second time.
fn again(inner: &EvalAltResult, source: &str, fault: &Fault) -> Option<Place> {
    let thrown = matches!(inner, EvalAltResult::ErrorRuntime(..)) && !inner.position().is_none();
    let place = Place::new(source, inner.position());
    (thrown && fault.place.as_ref().is_some_and(|first| *first != place)).then_some(place)
}

fn explain(inner: &EvalAltResult, script: &Script, source: &str, called: bool) -> Option<Explained> {
    let script = &Script { scope: script.scope.filter(|_| !called), ..*script };
    let mut explained = match inner {
        EvalAltResult::ErrorTerminated(..) | EvalAltResult::Return(..) | EvalAltResult::Exit(..) => return None,
        EvalAltResult::ErrorRuntime(value, _) => thrown(value),
        language => language_fault::explain(language, script, source, called),
    };
    let place = || Place::new(source, inner.position());
    let first = explained.fault.place.get_or_insert_with(place);
    if first.source.is_empty() {
        first.source = source.to_owned();
    }
    if explained.fault.kind == Kind::Absent && explained.fault.span.is_none() {
        let place = first.clone();
        point_at_absent(&mut explained, script, &place);
    }
    Some(explained)
}

/// A fault of a read below an absent value stands behind it.
fn point_at_absent(explained: &mut Explained, script: &Script, place: &Place) {
    let Some(passage) = script.passage(&place.source) else { return };
    let index = position(place).and_then(|position| passage.at(position));
    let Some(absent) = index.and_then(|index| passage.before(index)) else { return };
    if let Some(done) = explained.fault.message.strip_suffix(OF_UNKNOWN) {
        explained.fault.message = format!("`{}` is absent, so {done}", passage.quote(&absent));
        explained.fault.hint = explained.fault.hint.take().map(|hint| script.beside(&passage, &absent, &hint));
    }
    explained.fault.span = Some(passage.span(&absent));
    explained.label = Some("absent".to_owned());
}

fn position(place: &Place) -> Option<Position> {
    let line = u16::try_from(place.line).ok().filter(|line| *line > 0)?;
    Some(Position::new(line, u16::try_from(place.column).unwrap_or(u16::MAX)))
}

fn thrown(value: &Dynamic) -> Explained {
    if let Some(fault) = value.read_lock::<Fault>() {
        return fault.clone().into();
    }
    let fields = match value.read_lock::<Object>() {
        Some(object) => object.tree().to_native(),
        None => value.clone(),
    };
    if let Some(map) = fields.read_lock::<Map>() {
        return thrown_map(&map);
    }
    let message = match value.is_unit() {
        true => "the script threw nothing".to_owned(),
        false if value.is_string() => value.to_string(),
        false => format!("the script threw `{value}`"),
    };
    Fault::new(Kind::Script, message).into()
}

/// `throw #{ kind: "not_found", message: "…", hint: "…" }`
fn thrown_map(map: &Map) -> Explained {
    let text = |name: &str| map.get(name).filter(|value| value.is_string()).map(ToString::to_string);
    let message = text("message").unwrap_or_else(|| format!("the script threw `{}`", Dynamic::from(map.clone())));
    let word = text("kind").unwrap_or_else(|| Kind::Script.word().to_owned());
    let kind = Kind::of_word(&word).unwrap_or(Kind::Script);
    let mut fault = Fault::new(kind, message);
    fault.hint = text("hint");
    Explained { code: word, ..fault.into() }
}
