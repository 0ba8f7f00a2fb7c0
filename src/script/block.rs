//! A step's block in the scope where it stands: running it, and the outer variables that it reads and sets.

use rhai::{ASTNode, Dynamic, EvalContext, Expr, Expression, Stmt};

use super::conductor::{Outcome, Stage, Variable};
use super::value;

/// A block and the scope around it.
pub struct Block<'r, 'a, 's, 'ps, 'g, 'c, 't> {
    pub context: &'r mut EvalContext<'a, 's, 'ps, 'g, 'c, 't>,
    pub body: &'r Expression<'r>,
    pub mentioned: Vec<String>,
}

impl Stage for Block<'_, '_, '_, '_, '_, '_, '_> {
    fn run(&mut self) -> Outcome<Dynamic> {
        self.body.eval_with_context(self.context)
    }

    fn variables(&mut self) -> Vec<Variable> {
        let mut found = Vec::new();
        for name in &self.mentioned {
            let Some(value) = self.context.scope().get(name).cloned() else {
                continue;
            };
            let value = value.flatten();
            let fingerprint = value::fingerprint(&value, &mut |handle| {
                // A handle is what it shows itself as: `testbed`, `https://…`.
                self.context.call_native_fn("to_string", (handle.clone(),)).ok()
            });
            found.push(Variable { name: name.clone(), value, fingerprint });
        }
        found
    }

    fn set(&mut self, name: &str, value: Dynamic) {
        let Some(variable) = self.context.scope_mut().get_mut(name) else {
            return;
        };
        // A variable that a closure shares keeps being shared.
        if variable.is_shared() {
            *variable.write_lock::<Dynamic>().expect("a shared value can be written") = value;
        } else {
            *variable = value;
        }
    }
}

/// The names of all variables in a block, its own among them.
pub fn mentioned(body: &Expression) -> Vec<String> {
    let mut names = Vec::new();
    let expr: &Expr = body;
    expr.walk(&mut Vec::new(), &mut |path| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Variable(variable, ..))) if variable.2.is_empty() => {
                names.push(variable.1.to_string());
            }
            Some(ASTNode::Stmt(Stmt::Share(shared))) => {
                names.extend(shared.iter().map(|(name, _)| name.name.to_string()));
            }
            _ => {}
        }
        true
    });
    names.sort();
    names.dedup();
    names
}
