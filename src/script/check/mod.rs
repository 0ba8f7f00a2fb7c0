//! What can be known to go wrong before the first step: every file of a runbook is read, and nothing of it is run.
//!
//! A finding is certain, or it is a warning. The check never evaluates, and of the world it asks only which files exist.

mod calls;
mod effects;
mod files;
mod forms;
mod known;
mod params;
mod parse;
mod reach;
mod reading;
mod scope;
mod source;
mod steps;
mod variables;
mod walk;
mod whole;

use std::path::PathBuf;

use rhai::{Engine, Token};

use self::{files::Files, known::Known, walk::Walk};
use super::{catalogue::Catalogue, sources, sources::Sources, tokens};
use crate::diagnostic::{Diagnostic, Span};

pub use parse::parse_diagnostic;

/// What a check has to know of where its text comes from.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// Files that the text names are looked for here.
    pub root: PathBuf,
    /// A runbook changes the world in steps alone; examples and modules may do so anywhere.
    pub is_runbook: bool,
    /// Variables that are there before the first line: those of a session, or the surroundings of an example.
    pub given: Vec<String>,
}

/// All findings of a text and of the script files it imports, in the order of their places.
pub fn check(
    engine: &Engine,
    catalogue: &Catalogue,
    sources: &Sources,
    name: &str,
    text: &str,
    options: &CheckOptions,
) -> Vec<Diagnostic> {
    let known = Known::of(engine, catalogue);
    let mut files = Files::beginning_with(sources, name, text);
    let mut findings = Vec::new();
    let mut facts = Vec::new();
    // Walking a file finds more of them.
    while let Some(source) = files.get(facts.len()) {
        match sources::compile(engine, &source.name, &source.text) {
            Ok(ast) => {
                findings.extend(unclosed_comment(engine, &source.name, &source.text));
                let walk = Walk::new(engine, &known, options, &mut files, facts.len(), &mut findings);
                facts.push(Some(walk.file(&ast)));
            }
            Err(error) => {
                findings.push(parse_diagnostic(&source.name, &source.text, &error));
                facts.push(None);
            }
        }
    }
    whole::judge(engine, &known, &files, &facts, options, &mut findings);
    in_order(findings)
}

/// Rhai takes a comment that is never closed for the end of the text.
fn unclosed_comment(engine: &Engine, name: &str, text: &str) -> Option<Diagnostic> {
    if !text.contains("/*") {
        return None;
    }
    let last = tokens::lex(engine, text).pop()?;
    let Token::Comment(comment) = &last.token else {
        return None;
    };
    let is_open = comment.starts_with("/*") && comment.matches("/*").count() > comment.matches("*/").count();
    is_open.then(|| {
        let place = Span { source: name.to_owned(), line: last.line, column: last.column, length: 2 };
        let finding =
            Diagnostic::error("unclosed_comment", "this comment is never closed: all that follows is part of it");
        labelled(finding.at(place).hint("close it with `*/`"), "opened here")
    })
}

fn in_order(mut findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    findings.sort_by(|a, b| (&a.place, &a.code, &a.message).cmp(&(&b.place, &b.code, &b.message)));
    findings.dedup_by(|a, b| (&a.place, &a.message) == (&b.place, &b.message));
    findings
}

/// What to write under the place of a finding.
fn labelled(mut finding: Diagnostic, label: impl Into<String>) -> Diagnostic {
    finding.label = Some(label.into());
    finding
}
