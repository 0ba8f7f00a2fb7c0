//! A runbook as a document: what it is for, its parameters, and its steps with what is said of each. As Markdown, or as a page.

use std::fmt::Write;

use rhai::Dynamic;

use super::program::{self, Program};
use crate::{
    diagnostic::Diagnostic,
    duration,
    pages::{self, Page, Prose},
    script::{
        page::{self, Part},
        params::Declared,
        values::tree::Tree,
    },
};

/// The document.
pub struct Document<'p> {
    program: &'p Program,
    /// What the runbook is for, from its title on.
    introduction: String,
    parameters: Vec<Declared>,
    parts: Vec<Part>,
}

impl<'p> Document<'p> {
    /// # Errors
    /// The syntax error, if it is no runbook.
    pub fn of(program: &'p Program) -> Result<Self, Diagnostic> {
        let parameters = program::declared(&program.compile()?);
        let outline = program.outline();
        let introduction = match outline.narration.as_str() {
            titled if titled.starts_with("# ") => titled.to_owned(),
            narration => format!("# {}\n\n{narration}", title(program)).trim_end().to_owned(),
        };
        let parts = page::parts(&program.engine, &program.text, outline);
        Ok(Self { program, introduction, parameters, parts })
    }

    pub fn markdown(&self) -> String {
        let mut out = format!("{}\n{}", self.introduction, table(&self.parameters));
        for part in &self.parts {
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
        out
    }

    /// As a file that stands alone.
    pub fn html(&self) -> String {
        let engine = &self.program.engine;
        let mut prose = Prose::new(engine);
        let mut page = Page::new(self.title());
        page.body.push_str(&prose.html(&format!("{}\n{}", self.introduction, table(&self.parameters))));
        for part in &self.parts {
            match part {
                Part::Prose(text) => page.body.push_str(&prose.html(text)),
                Part::Code(code) => page.body.push_str(&pages::block(engine, "rhai", code)),
                Part::Step { name, prose: text, code } => {
                    let anchor = page.place(name);
                    let level = prose.below();
                    push(
                        &mut page.body,
                        format_args!(
                            "<section class=\"step\" id=\"{anchor}\">\n\
                             <h{level}><a href=\"#{anchor}\">{}</a></h{level}>\n{}{}</section>\n",
                            pages::escaped(name),
                            prose.html(text),
                            pages::block(engine, "rhai", code),
                        ),
                    );
                }
            }
        }
        page.html()
    }

    fn title(&self) -> &str {
        let first = self.introduction.lines().next().unwrap_or_default();
        first.trim_start_matches('#').trim()
    }
}

/// The name of the file, for a runbook that says no title.
fn title(program: &Program) -> &str {
    let name = program.name.rsplit('/').next().unwrap_or(&program.name);
    name.strip_suffix(".rhai").unwrap_or(name)
}

/// The parameters as a table, with an empty line before it.
fn table(declared: &[Declared]) -> String {
    if declared.is_empty() {
        return String::new();
    }
    let mut out = "\n| parameter | what | if it is not given |\n|---|---|---|\n".to_owned();
    for parameter in declared {
        let help = cell(&parameter.help);
        push(&mut out, format_args!("| `{}` | {help} | {} |\n", parameter.name, cell(&otherwise(parameter))));
    }
    out
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
