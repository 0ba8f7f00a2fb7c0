//! Steps and branches: their names, and the order in which they say they come.

use std::collections::HashMap;

use rhai::{CustomExpr, Expr, Position, Stmt};

use super::{
    labelled,
    scope::Kind,
    walk::{Walk, line},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    script::try_catch::TryCatch,
};

/// The statements of one block, one after the other or as branches.
#[derive(Default)]
pub struct Sequence {
    /// The word and the line with which one of them left.
    pub ended: Option<(&'static str, usize)>,
    /// That something after it can't be reached is said once.
    pub reported: bool,
    steps: Vec<Sibling>,
    parallel: bool,
}

struct Sibling {
    name: String,
    position: Position,
    keyed: bool,
    after: Vec<(String, Position)>,
}

/// A name in an `after` clause.
pub struct After {
    pub name: String,
    pub span: Span,
}

impl Walk<'_, '_> {
    /// A `step`, a `parallel` or a `try`.
    pub fn custom(&mut self, custom: &CustomExpr, position: Position) {
        match (custom.tokens.first(), TryCatch::of(custom.tokens.first(), &custom.inputs)) {
            (_, Some(parts)) => self.try_catch(&parts),
            (Some(keyword), _) if keyword == "step" => self.step(custom),
            _ => self.parallel(custom, position),
        }
    }

    fn try_catch(&mut self, parts: &TryCatch<Expr>) {
        self.expression(parts.body);
        self.scope.enter(Kind::Block);
        if let Some(Expr::Variable(caught, _, position)) = parts.caught {
            self.scope.declare(&caught.1, line(*position), false, None);
        }
        self.expression(parts.rescue);
        self.scope.leave();
    }

    fn step(&mut self, custom: &CustomExpr) {
        let mut step = Sibling { name: String::new(), position: Position::NONE, keyed: false, after: Vec::new() };
        let mut inputs = custom.inputs.iter();
        let mut clause = "name";
        for token in &custom.tokens[1..] {
            if !token.starts_with('$') {
                clause = token.as_str();
                continue;
            }
            let input = inputs.next();
            match (clause, input) {
                (_, Some(Expr::Stmt(_))) if token == "$block$" => {}
                ("name", Some(Expr::StringConstant(name, position))) => {
                    step.name = name.to_string();
                    step.position = *position;
                }
                ("after", Some(Expr::StringConstant(name, position))) => step.after.push((name.to_string(), *position)),
                ("key", Some(key)) => {
                    step.keyed = true;
                    self.expression(key);
                }
                _ => {}
            }
        }
        self.facts.steps.insert(step.name.clone());
        for (name, position) in &step.after {
            self.facts.afters.push(After { name: name.clone(), span: self.source.span(*position) });
        }
        self.sequences.last_mut().expect("statements are in a sequence").steps.push(step);
        if let Some(Expr::Stmt(block)) = custom.inputs.last() {
            self.steps += 1;
            self.block(block.statements(), Kind::Step);
            self.steps -= 1;
        }
    }

    fn parallel(&mut self, custom: &CustomExpr, position: Position) {
        let Some((Expr::Stmt(block), clauses)) = custom.inputs.split_last() else {
            return;
        };
        match clauses.split_first() {
            Some((Expr::Variable(item, ..), of)) => {
                self.expressions(of);
                self.scope.enter(Kind::Branch);
                self.scope.declare(&item.1, line(position), false, None);
                self.block(block.statements(), Kind::Branch);
                self.scope.leave();
            }
            _ => {
                self.sequences.push(Sequence { parallel: true, ..Sequence::default() });
                for statement in block.statements() {
                    self.branch(statement);
                }
                self.end_sequence();
            }
        }
    }

    /// A statement of a `parallel` block has a scope of its own.
    fn branch(&mut self, statement: &Stmt) {
        self.scope.enter(Kind::Branch);
        self.statement(statement);
        self.scope.leave();
    }

    /// Judges the steps of a block by each other.
    pub fn end_sequence(&mut self) {
        let sequence = self.sequences.pop().expect("every end follows a beginning");
        let steps = sequence.steps;
        let mut first_of = HashMap::new();
        for step in steps.iter().filter(|step| !step.keyed) {
            let first: &Sibling = first_of.entry(step.name.as_str()).or_insert(step);
            if !std::ptr::eq(first, step) {
                let message = format!("two steps of one block are named `{}`", step.name);
                let hint = "give each a name of its own: a step is known by its name in the journal and in `after`";
                let place = self.source.span(step.position);
                let finding = Diagnostic::error("duplicate_step", message).at(place).hint(hint);
                let mut finding = labelled(finding, "named again");
                finding.related.push((self.source.span(first.position), "named first here".to_owned()));
                self.findings.push(finding);
            }
        }
        if sequence.parallel {
            self.cycles(&steps);
        } else {
            self.backward(&steps);
        }
    }

    /// Steps one after the other that come after a later one.
    fn backward(&mut self, steps: &[Sibling]) {
        for (index, step) in steps.iter().enumerate() {
            for (name, position) in &step.after {
                let earlier = steps[..index].iter().any(|earlier| earlier.name == *name);
                if earlier || !steps[index..].iter().any(|later| later.name == *name) {
                    continue;
                }
                let message = if *name == step.name {
                    format!("the step `{name}` comes after itself")
                } else {
                    format!("`{}` comes after `{name}`, and stands before it", step.name)
                };
                let hint = "put them in the order in which they run, or side by side in `parallel { … }`";
                self.find("step_cycle", *position, message, "not done by then", hint);
            }
        }
    }

    /// Branches that wait for each other.
    fn cycles(&mut self, steps: &[Sibling]) {
        let follow = |name: &str| steps.iter().position(|step| step.name == name);
        let mut reported = vec![false; steps.len()];
        for start in 0..steps.len() {
            let mut trail = Vec::new();
            if reported[start] || !leads_back(steps, &follow, start, start, &mut trail, &mut vec![false; steps.len()]) {
                continue;
            }
            trail.iter().for_each(|index| reported[*index] = true);
            reported[start] = true;
            let names: Vec<String> = std::iter::once(start)
                .chain(trail.iter().copied())
                .map(|index| format!("`{}`", steps[index].name))
                .collect();
            let next = *trail.first().expect("a cycle has an edge");
            let (_, position) =
                steps[start].after.iter().find(|(name, _)| *name == steps[next].name).expect("the edge is there");
            let message = match names.len() {
                2 => format!("the step {} comes after itself", names[0]),
                _ => format!("these steps wait for each other: {}", names.join(" after ")),
            };
            self.find("step_cycle", *position, message, "closes the circle", "take one of the `after` clauses out");
        }
    }
}

/// True if `after` clauses lead from one step to the goal; `trail` is the way then, the goal last.
fn leads_back(
    steps: &[Sibling],
    follow: &impl Fn(&str) -> Option<usize>,
    from: usize,
    goal: usize,
    trail: &mut Vec<usize>,
    seen: &mut Vec<bool>,
) -> bool {
    for (name, _) in &steps[from].after {
        let Some(next) = follow(name) else {
            continue;
        };
        trail.push(next);
        if next == goal {
            return true;
        }
        if !std::mem::replace(&mut seen[next], true) && leads_back(steps, follow, next, goal, trail, seen) {
            return true;
        }
        trail.pop();
    }
    false
}
