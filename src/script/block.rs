//! A step's block in the scope where it stands: running it, and the outer variables that it reads and sets.

use std::collections::BTreeSet;

use rhai::{ASTNode, Dynamic, EvalContext, Expr, Expression, Stmt};

use super::{
    conductor::{Outcome, Stage, Variable},
    context::Context,
    diagnostic::{self, Script},
    sources::Sources,
    values::value,
};

/// A block and the scope around it.
pub struct Block<'r, 'a, 's, 'ps, 'g, 'c, 't> {
    pub context: &'r mut EvalContext<'a, 's, 'ps, 'g, 'c, 't>,
    pub body: &'r Expression<'r>,
    pub mentioned: Vec<String>,
    pub overwritten: BTreeSet<String>,
}

impl Stage for Block<'_, '_, '_, '_, '_, '_, '_> {
    fn run(&mut self) -> Outcome<Dynamic> {
        evaluate(self.context, self.body)
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
            let overwritten = self.overwritten.contains(name);
            found.push(Variable { name: name.clone(), value, fingerprint, overwritten });
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

/// Evaluates a block. What goes wrong in it is explained at once, while the variables are there to be asked.
pub fn evaluate(context: &mut EvalContext, body: &Expression) -> Outcome<Dynamic> {
    let outside = context.scope().len();
    let global = context.global_runtime_state_mut();
    let (imports, searched) = (global.num_imports(), global.always_search_scope);
    global.scope_level += 1;
    #[expect(deprecated, reason = "volatile, not deprecated; the engine's version is pinned")]
    let result = body.eval_with_context_raw(context, false);
    let result = result.map_err(|error| {
        let sources = Context::of_tag(context.tag()).sources().clone();
        diagnostic::as_fault(error, script(context, &sources))
    });
    context.scope_mut().rewind(outside);
    let global = context.global_runtime_state_mut();
    global.scope_level -= 1;
    global.truncate_imports(imports);
    global.always_search_scope = searched;
    result
}

/// The script as it is at this place.
pub fn script<'c>(context: &'c EvalContext, sources: &'c Sources) -> Script<'c> {
    let source = context.source().unwrap_or_default();
    Script { engine: context.engine(), sources, source, scope: Some(context.scope()) }
}

/// The names of all variables in a block, its own among them.
pub fn mentioned(body: &Expression) -> Vec<String> {
    let mut names = BTreeSet::new();
    let expr: &Expr = body;
    expr.walk(&mut Vec::new(), &mut |path| note(path, &mut names));
    names.into_iter().collect()
}

fn note(path: &[ASTNode], names: &mut BTreeSet<String>) -> bool {
    match path.last() {
        Some(ASTNode::Expr(Expr::Variable(variable, ..))) if variable.2.is_empty() => {
            names.insert(variable.1.to_string());
        }
        Some(ASTNode::Stmt(Stmt::Share(shared))) => names.extend(shared.iter().map(|(name, _)| name.name.to_string())),
        _ => {}
    }
    true
}

/// The outer variables that a block sets, whatever happens in it, before anything in it reads them.
pub fn overwritten(body: &Expression) -> BTreeSet<String> {
    let Expr::Stmt(block) = &**body else {
        return BTreeSet::new();
    };
    let (mut seen, mut overwritten) = (BTreeSet::new(), BTreeSet::new());
    for statement in block.statements() {
        let mut leaves = false;
        let mut look = |path: &[ASTNode]| {
            leaves |= matches!(path.last(), Some(ASTNode::Stmt(Stmt::Return(..) | Stmt::BreakLoop(..))));
            note(path, &mut seen)
        };
        match statement {
            Stmt::Assignment(assignment) if !assignment.0.is_op_assignment() => {
                assignment.1.rhs.walk(&mut Vec::new(), &mut look);
                if let Expr::Variable(variable, ..) = &assignment.1.lhs
                    && !leaves
                    && !seen.contains(variable.1.as_str())
                {
                    overwritten.insert(variable.1.to_string());
                }
            }
            Stmt::Var(declared, ..) => {
                declared.1.walk(&mut Vec::new(), &mut look);
                seen.insert(declared.0.name.to_string());
            }
            other => {
                other.walk(&mut Vec::new(), &mut look);
            }
        }
        if leaves {
            break;
        }
    }
    overwritten
}
