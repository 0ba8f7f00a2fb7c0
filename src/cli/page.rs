//! A runbook as a Markdown document: what it is for, its parameters, and its steps with what is said of each.

use std::fmt::Write;

use rhai::Dynamic;

use super::program::{self, Program};
use crate::{
    diagnostic::Diagnostic,
    duration,
    script::{
        page::{self, Part},
        params::Declared,
        values::tree::Tree,
    },
};

/// The document.
///
/// # Errors
/// The syntax error, if it is no runbook.
pub fn markdown(program: &Program) -> Result<String, Diagnostic> {
    let declared = program::declared(&program.compile()?);
    let outline = program.outline();
    let parts = page::parts(&program.engine, &program.text, outline);
    let mut out = match outline.narration.as_str() {
        titled if titled.starts_with("# ") => format!("{titled}\n"),
        narration => format!("# {}\n\n{narration}\n", title(program)),
    };
    parameters(&mut out, &declared);
    for part in &parts {
        match part {
            Part::Prose(prose) => push(&mut out, format_args!("\n{prose}\n")),
            Part::Code(code) => fenced(&mut out, code),
            Part::Step { name, prose, code } => {
                push(&mut out, format_args!("\n### {name}\n"));
                if !prose.is_empty() {
                    push(&mut out, format_args!("\n{prose}\n"));
                }
                fenced(&mut out, code);
            }
        }
    }
    Ok(out)
}

/// The name of the file, for a runbook that says no title.
fn title(program: &Program) -> &str {
    let name = program.name.rsplit('/').next().unwrap_or(&program.name);
    name.strip_suffix(".rhai").unwrap_or(name)
}

fn parameters(out: &mut String, declared: &[Declared]) {
    if declared.is_empty() {
        return;
    }
    out.push_str("\n| parameter | what | if it is not given |\n|---|---|---|\n");
    for parameter in declared {
        let help = cell(&parameter.help);
        push(out, format_args!("| `{}` | {help} | {} |\n", parameter.name, cell(&otherwise(parameter))));
    }
}

/// What becomes of a parameter that nobody gives.
fn otherwise(parameter: &Declared) -> String {
    let from = parameter.from.as_deref().filter(|from| *from != "prompt").map(|from| format!("taken from `{from}`"));
    let default = match &parameter.default {
        Some(Some(value)) => format!("`{}`", shown(value)),
        Some(None) => "found out by the runbook".to_owned(),
        None => "asked for".to_owned(),
    };
    match from {
        Some(from) => format!("{from}, or else {default}"),
        None => default,
    }
}

fn shown(value: &Dynamic) -> String {
    if let Some(span) = value.read_lock::<std::time::Duration>() {
        return duration::show(*span);
    }
    Tree::from_dynamic(value).map_or_else(|_| value.to_string(), |tree| tree.to_string())
}

/// A text within a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Code between fences that are longer than any in it.
fn fenced(out: &mut String, code: &str) {
    let longest = code.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    push(out, format_args!("\n{fence}rhai\n{code}\n{fence}\n"));
}

fn push(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("a text can always grow");
}
