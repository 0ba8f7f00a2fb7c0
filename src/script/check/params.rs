//! Parameters: what a runbook asks for must be readable from its text alone.

use std::collections::HashMap;

use rhai::{Expr, Position};

use super::{labelled, walk::Walk};
use crate::diagnostic::{Diagnostic, Span};

/// The parameters declared so far.
#[derive(Default)]
pub struct Params {
    declared: HashMap<String, Span>,
    count: usize,
}

impl Walk<'_, '_> {
    /// True if parameters were declared while `walk` went on.
    pub fn with_params(&mut self, walk: impl FnOnce(&mut Self)) -> bool {
        let before = self.params.count;
        walk(self);
        self.params.count > before
    }

    /// Judges a call of `param(name, options)`.
    pub fn param(&mut self, arguments: &[Expr], position: Position) {
        let is_outermost = self.home.function.is_none() && self.scope.is_outermost() && self.steps == 0;
        if !is_outermost {
            let message = "`param` is called inside of a block or a function".to_owned();
            let hint = "declare it at the top of the runbook: `let x = param(…);`";
            return self.find("param_not_top_level", position, message, "not at the top level", hint);
        }
        let (name, at) = match arguments.first() {
            Some(Expr::StringConstant(name, at)) => (name.to_string(), *at),
            Some(other) => {
                let message = "the name of a parameter is not written as a text".to_owned();
                let hint = "write it as it is: `param(\"name\", …)`; it is read before the runbook is run";
                return self.find("param_name_not_literal", other.start_position(), message, "not a plain text", hint);
            }
            None => return,
        };
        self.params.count += 1;
        if let Some(options) = arguments.get(1) {
            self.default_among_choices(&name, options);
        }
        let span = self.source.span(at);
        match self.params.declared.get(&name) {
            Some(first) => {
                let message = format!("the parameter `{name}` is declared twice");
                let hint = "give one of them another name, or use the variable of the first";
                let finding = Diagnostic::error("duplicate_param", message).at(span).hint(hint);
                let mut finding = labelled(finding, "declared again");
                finding.related.push((first.clone(), "declared first here".to_owned()));
                self.findings.push(finding);
            }
            None => {
                self.params.declared.insert(name, span);
            }
        }
    }

    /// A default that may not be chosen is a slip in one of the two.
    fn default_among_choices(&mut self, name: &str, options: &Expr) {
        let Expr::Map(parts, _) = options else {
            return;
        };
        let option = |wanted: &str| parts.0.iter().find(|(key, _)| key.name == wanted).map(|(_, value)| value);
        let (Some(default), Some(choices)) = (option("default"), option("choices")) else {
            return;
        };
        let (Some(value), Some(listed)) = (default.get_literal_value(None), choices.get_literal_value(None)) else {
            return;
        };
        let choices: Vec<String> =
            listed.try_cast::<rhai::Array>().unwrap_or_default().iter().map(ToString::to_string).collect();
        if !choices.is_empty() && !choices.contains(&value.to_string()) {
            let message = format!("the default of the parameter `{name}` is none of its choices");
            let hint = format!("make it one of {}", choices.join(", "));
            self.find("default_not_among_choices", default.start_position(), message, "not a choice", hint);
        }
    }
}
