//! Statements that nothing reaches.

use rhai::{ASTFlags, Expr, Position, Stmt};

use super::{labelled, walk::Walk};
use crate::{diagnostic::Diagnostic, script::try_catch::TryCatch};

impl Walk<'_, '_> {
    /// Walks a statement that follows others, and reports it if it can't be reached from them.
    pub fn in_sequence(&mut self, statement: &Stmt) {
        let sequence = self.sequences.last_mut().expect("statements are in a sequence");
        if let Some((word, at)) = sequence.ended.filter(|_| !sequence.reported)
            && !matches!(statement, Stmt::Noop(_))
        {
            sequence.reported = true;
            let message = format!("this is never reached: line {at} leaves with `{word}`");
            self.warn(
                "unreachable",
                statement.position(),
                message,
                "never reached",
                "take it out, or make the leaving conditional",
            );
        }
        self.statement(statement);
        if let Some(end) = end_of(statement) {
            let sequence = self.sequences.last_mut().expect("statements are in a sequence");
            sequence.ended.get_or_insert(end);
        }
    }

    /// Reports a condition of `if` that is written as a literal.
    pub fn always(&mut self, condition: &Expr, has_else: bool, position: Position) {
        match condition {
            Expr::BoolConstant(false, _) => self.warn(
                "unreachable",
                position,
                "the block of this `if` is never run: its condition is `false`".to_owned(),
                "never run",
                "take it out, or write the condition",
            ),
            Expr::BoolConstant(true, _) if has_else => self.warn(
                "unreachable",
                position,
                "the `else` of this `if` is never run: its condition is `true`".to_owned(),
                "never run",
                "take it out, or write the condition",
            ),
            _ => {}
        }
    }

    /// Reports a loop whose condition is written as `false`.
    pub fn never(&mut self, condition: &Expr, position: Position) {
        if matches!(condition, Expr::BoolConstant(false, _)) {
            let message = "this loop is never run: its condition is `false`".to_owned();
            self.warn("unreachable", position, message, "never run", "take it out, or write the condition");
        }
    }

    pub fn warn(&mut self, code: &str, position: Position, message: String, label: &str, hint: &str) {
        let finding = Diagnostic::warning(code, message).at(self.source.span(position)).hint(hint);
        self.findings.push(labelled(finding, label));
    }
}

/// The word and the line with which a statement leaves, whatever happens.
fn end_of(statement: &Stmt) -> Option<(&'static str, usize)> {
    let within = |statements: &[Stmt]| statements.iter().find_map(end_of);
    let within_block = |block: &Expr| match block {
        Expr::Stmt(block) => within(block.statements()),
        _ => None,
    };
    match statement {
        Stmt::Return(_, flags, position) => {
            let word = if flags.contains(ASTFlags::BREAK) { "throw" } else { "return" };
            Some((word, super::walk::line(*position)))
        }
        Stmt::BreakLoop(_, flags, position) => {
            let word = if flags.contains(ASTFlags::BREAK) { "break" } else { "continue" };
            Some((word, super::walk::line(*position)))
        }
        Stmt::Block(block) => within(block.statements()),
        Stmt::If(flow, _) => within(flow.body.statements()).and(within(flow.branch.statements())),
        Stmt::Expr(expression) => match &**expression {
            Expr::Stmt(_) => within_block(expression),
            Expr::Custom(custom, _) if custom.tokens.first().is_some_and(|keyword| keyword == "step") => {
                custom.inputs.last().and_then(within_block)
            }
            Expr::Custom(custom, _) => {
                let TryCatch { body, rescue, .. } = TryCatch::of(custom.tokens.first(), &custom.inputs)?;
                within_block(body).and(within_block(rescue))
            }
            _ => None,
        },
        _ => None,
    }
}
