//! Variables: whether each name is in sight where it is read, and whether it may be assigned.

use rhai::{Expr, Ident, Position};

use super::{
    calls::Awaited,
    labelled,
    scope::{Kind, Scope, Target},
    walk::Walk,
};
use crate::{diagnostic::Diagnostic, script::options::nearest};

impl Walk<'_, '_> {
    pub fn assign(&mut self, target: &Expr, reads: bool) {
        match target {
            Expr::Variable(parts, _, position) if parts.2.is_empty() => {
                if reads {
                    self.variable(&parts.1, *position);
                } else if self.scope.find(&parts.1).is_none() {
                    self.unknown_variable(&parts.1, *position);
                }
                self.keep_constant(&parts.1, *position);
            }
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => {
                if let Expr::Variable(root, _, position) = &parts.lhs
                    && root.2.is_empty()
                {
                    self.keep_constant(&root.1, *position);
                }
                self.expression(target);
                self.assigned_entries(&parts.rhs);
            }
            _ => self.expression(target),
        }
    }

    fn assigned_entries(&mut self, chain: &Expr) {
        match chain {
            Expr::Property(parts, _) => {
                self.facts.entries.insert(parts.2.to_string());
            }
            Expr::StringConstant(name, _) => {
                self.facts.entries.insert(name.to_string());
            }
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => {
                self.assigned_entries(&parts.lhs);
                self.assigned_entries(&parts.rhs);
            }
            _ => {}
        }
    }

    fn keep_constant(&mut self, name: &str, position: Position) {
        if self.scope.is_own_constant(name) {
            let message = format!("`{name}` is a constant, and is assigned");
            let hint = format!("declare it with `let {name}`, or give the new value a name of its own");
            self.find("constant_assigned", position, message, "assigned here", hint);
        }
    }

    pub fn variable(&mut self, name: &str, position: Position) {
        match self.scope.find(name) {
            Some(variable) => variable.read = true,
            None if self.scripts.contains_key(name) => {}
            None => self.unknown_variable(name, position),
        }
    }

    fn unknown_variable(&mut self, name: &str, position: Position) {
        let outside = self.outermost.get(name).copied();
        if let (Some((function, _)), Some((constant, _))) = (&self.home.function, outside) {
            let message = format!("the function `{function}` can't see the variable `{name}` outside of it");
            let hint = if constant {
                format!("write `global::{name}`: of what is outside, functions see constants alone")
            } else {
                format!("pass it as an argument, or make it a `const` and write `global::{name}`")
            };
            return self.find("variable_in_function", position, message, "not seen here", hint);
        }
        let hint = match (self.scope.gone(name), outside) {
            (Some((Kind::Step, line)), _) => format!(
                "the `{name}` of line {line} ends with its step; declare it before the step, or let the step give it: `let {name} = step … {{ … }}`"
            ),
            (Some((Kind::Branch, line)), _) => format!(
                "the `{name}` of line {line} ends with its branch; each statement of `parallel` is a branch of its own, so declare it before"
            ),
            (Some((_, line)), _) => {
                format!("the `{name}` of line {line} ends with its block; declare it before the block")
            }
            (None, Some((_, line))) => format!("it is declared further down, in line {line}"),
            (None, None) => match nearest(name, self.scope.names().chain(self.script_names())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it first: `let {name} = …`"),
            },
        };
        self.find("unknown_variable", position, format!("there is no variable `{name}`"), "not known here", hint);
    }

    pub fn qualified_variable(&mut self, path: &[Ident], name: &str, position: Position) {
        let root = path[0].name.as_str();
        if root == "global" {
            self.read_globals.insert(name.to_owned());
            match self.outermost.get(name) {
                Some((true, _)) => {}
                Some((false, _)) => {
                    let message = format!("`{name}` is a variable, and `global::` reaches constants alone");
                    self.find(
                        "unknown_variable",
                        position,
                        message,
                        "no constant",
                        format!("declare it with `const {name}`"),
                    );
                }
                None => {
                    let constants = self.outermost.iter().filter(|(_, (constant, _))| *constant);
                    let hint = match nearest(name, constants.map(|(name, _)| name.as_str())) {
                        Some(near) => format!("did you mean `global::{near}`?"),
                        None => format!("declare it outside of all functions: `const {name} = …`"),
                    };
                    self.find(
                        "unknown_variable",
                        position,
                        format!("there is no constant `{name}`"),
                        "not known",
                        hint,
                    );
                }
            }
            return;
        }
        match self.scope.alias(root) {
            Some(Target::File(number)) if path.len() == 1 => {
                let span = self.source.span(position);
                self.facts.awaited.push(Awaited::Export {
                    file: number,
                    alias: root.to_owned(),
                    name: name.to_owned(),
                    span,
                });
            }
            Some(_) => {}
            None if self.known.has_module(root) => {}
            None => self.unknown_module(root, None, path[0].pos),
        }
    }

    pub fn unused_params(&mut self, outside: Scope) {
        for variable in outside.into_variables() {
            let Some(span) = variable.param.filter(|_| !variable.read) else {
                continue;
            };
            if self.read_globals.contains(variable.name.as_str()) {
                continue;
            }
            let message = format!("the parameter `{}` is never read", variable.name);
            let finding = Diagnostic::warning("unused_param", message).at(span).hint("read it, or take it out");
            self.findings.push(labelled(finding, "never read"));
        }
    }
}
