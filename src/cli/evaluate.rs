//! Running a runbook's text to its end, and what that end means for the process.

use rhai::{AST, Scope};

use super::program::Program;
use crate::{
    diagnostic::Diagnostic,
    event::{FaultShown, RunEnd},
    host::{
        cancel::{Cancel, Reason},
        frame::{self, Frame},
    },
    script::{
        diagnostic::{self, Script},
        fault::Kind,
    },
};

/// What the evaluation of a runbook came to.
pub struct End {
    pub outcome: RunEnd,
    pub diagnostic: Option<Diagnostic>,
    /// For the journal.
    pub because: Option<String>,
    pub fault: Option<FaultShown>,
}

/// Runs the text on this thread, which is a script thread.
pub fn evaluate(program: &Program, ast: &AST, cancel: &Cancel) -> End {
    let script = Script { engine: &program.engine, sources: &program.sources, source: &program.name, scope: None };
    let mut scope = Scope::new();
    let result = frame::within(Frame::root(cancel.clone()), || program.engine.run_ast_with_scope(&mut scope, ast));
    match result.map_err(|error| diagnostic::as_fault(error, Script { scope: Some(&scope), ..script })) {
        Ok(()) => match cancel.reason() {
            Some(reason) => stopped(reason),
            None => End { outcome: RunEnd::Done, diagnostic: None, because: None, fault: None },
        },
        Err(error) => match diagnostic::reason_of(&error) {
            Some(reason) => stopped(reason),
            None => {
                let fault = diagnostic::fault_of(&error, script);
                let refused = fault.as_ref().is_some_and(|fault| fault.kind == Kind::Refused);
                // What was refused because the run was to stop has stopped, and has not failed.
                if let Some(reason) = cancel.reason() {
                    return stopped(reason);
                }
                End {
                    outcome: if refused { RunEnd::Refused } else { RunEnd::Failed },
                    diagnostic: diagnostic::of_error(&error, script),
                    because: fault.as_ref().map(|fault| fault.message.clone()),
                    fault: fault.map(|fault| fault.shown()),
                }
            }
        },
    }
}

fn stopped(reason: Reason) -> End {
    let diagnostic = match &reason {
        Reason::Unanswered(what) => {
            let hint = "resume on a terminal and answer, or give the answer ahead with `--yes` or `--settle`";
            Some(Diagnostic::warning("unanswered", what.clone()).hint(hint))
        }
        Reason::Journal(what) => {
            Some(Diagnostic::error("journal", what.clone()).hint("make room or mend the folder, then resume"))
        }
        Reason::Signal(_) | Reason::Timeout(_) | Reason::Sibling(_) | Reason::Lost => None,
    };
    End { outcome: RunEnd::Stopped, because: Some(reason.to_string()), diagnostic, fault: None }
}
