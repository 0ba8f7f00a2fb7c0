//! Effects outside of steps: what the journal could not tell done from not done.

use std::collections::{HashMap, HashSet};

use rhai::Position;

use super::{labelled, walk::Facts, walk::Walk};
use crate::diagnostic::{Diagnostic, Span};

/// Where a call stands: in a function, by its name and number of parameters, or outside of all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Home {
    pub file: usize,
    pub function: Option<(String, usize)>,
}

/// A call outside of all steps.
pub struct Reach {
    pub what: Reached,
    pub span: Span,
}

pub enum Reached {
    /// A function of the catalogue that changes the world, by its name.
    Effect(String),
    Script(Home),
}

impl Walk<'_, '_> {
    /// Notes a call that no step is around.
    pub fn reach(&mut self, position: Position, what: impl FnOnce() -> Reached) {
        if self.steps == 0 && self.dormant == 0 {
            let reach = Reach { what: what(), span: self.source.span(position) };
            self.facts.reaches.entry(self.home.clone()).or_default().push(reach);
        }
    }
}

/// The effect that a piece of script has when it is called.
struct Found<'f> {
    effect: &'f str,
    span: &'f Span,
}

/// Reports the calls of the runbook itself that lead to an effect with no step around them.
pub fn judge(facts: &[Option<Facts>], findings: &mut Vec<Diagnostic>) {
    let mut reaches: HashMap<&Home, &[Reach]> = HashMap::new();
    for file in facts.iter().flatten() {
        reaches.extend(file.reaches.iter().map(|(home, list)| (home, list.as_slice())));
    }
    let runbook = Home { file: 0, function: None };
    for reach in reaches.get(&runbook).copied().unwrap_or_default() {
        let mut seen = HashSet::new();
        match &reach.what {
            Reached::Effect(name) => {
                let message = format!("`{name}` changes the world, and is called outside of a step");
                findings.push(outside(message, &reach.span));
            }
            Reached::Script(home) => {
                let Some(found) = effect_of(home, &reaches, &mut seen) else {
                    continue;
                };
                let called = match &home.function {
                    Some((name, _)) => format!("`{name}`"),
                    None => "this import".to_owned(),
                };
                let message = format!(
                    "{called} calls `{}`, which changes the world, and is called outside of a step",
                    found.effect
                );
                let mut finding = outside(message, &reach.span);
                finding.related.push((found.span.clone(), format!("`{}` is called here", found.effect)));
                findings.push(finding);
            }
        }
    }
}

fn outside(message: String, span: &Span) -> Diagnostic {
    let hint = "put it in a step: `step \"…\" { … }`";
    labelled(Diagnostic::error("effect_outside_step", message).at(span.clone()).hint(hint), "no step is around it")
}

fn effect_of<'f>(home: &Home, reaches: &HashMap<&'f Home, &'f [Reach]>, seen: &mut HashSet<Home>) -> Option<Found<'f>> {
    if !seen.insert(home.clone()) {
        return None;
    }
    reaches.get(home)?.iter().find_map(|reach| match &reach.what {
        Reached::Effect(name) => Some(Found { effect: name, span: &reach.span }),
        Reached::Script(home) => effect_of(home, reaches, seen),
    })
}
