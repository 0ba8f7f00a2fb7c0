//! `cozyscript docs`: runbooks as documents; the references, of functions from their own documentation, and of world files from
//! their schema.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    page::Document,
    program::{Program, all_bindings},
    report,
    run::Look,
    status::Status,
};
use crate::{
    rehearsal,
    script::{
        catalogue::{Catalogue, Default, Function, Item},
        engine,
        fault::Kind,
        sources::Sources,
    },
};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    subject: Subject,
    /// The runbook as a page: one HTML file that stands alone
    #[arg(long, conflicts_with_all = ["functions", "faults", "world"])]
    html: bool,
    #[command(flatten)]
    look: Look,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Subject {
    /// A runbook as a document, in Markdown unless `--html`: its prose, parameters and steps
    file: Option<PathBuf>,
    /// The reference of all functions, as Markdown
    #[arg(long)]
    functions: bool,
    /// The kinds of faults that `catch` may see, as Markdown
    #[arg(long)]
    faults: bool,
    /// What may stand in world files, as Markdown
    #[arg(long)]
    world: bool,
}

pub fn main(arguments: &Arguments) -> Status {
    let text = match &arguments.subject {
        Subject { file: Some(file), .. } => match runbook(file, arguments) {
            Some(text) => text,
            None => return Status::Usage,
        },
        Subject { functions: true, .. } => functions(),
        Subject { faults: true, .. } => faults(),
        Subject { .. } => rehearsal::reference(),
    };
    report::data(text.trim_end());
    Status::Done
}

/// A runbook as a document, or nothing once it was told why there is none.
fn runbook(file: &Path, arguments: &Arguments) -> Option<String> {
    let (screen, _) = arguments.look.open();
    let (finding, sources) = match Program::read(file, &[]) {
        Ok(program) => match Document::of(&program) {
            Ok(document) => return Some(if arguments.html { document.html() } else { document.markdown() }),
            Err(finding) => (finding, program.sources),
        },
        Err(finding) => (finding, Sources::default()),
    };
    report::show(&screen, &[finding], &sources);
    None
}

/// The reference of all functions, in Markdown.
pub fn functions() -> String {
    let bindings = all_bindings();
    let engine = engine::build(&bindings, &Sources::default());
    let catalogue = Catalogue::default();
    let mut out = "# Functions\n".to_owned();
    for binding in &bindings {
        let prefix = format!("{}::", binding.name);
        let own = catalogue.functions(&engine).values().filter(|function| function.name.starts_with(&prefix));
        let own: Vec<_> = own.filter(|function| !function.doc.summary.is_empty()).collect();
        if own.is_empty() {
            continue;
        }
        push(&mut out, format_args!("\n## {}\n\n{}\n", binding.name, sentence(binding.summary)));
        for function in own {
            push(&mut out, format_args!("\n### {}\n\n{}", function.name, entry(function)));
        }
    }
    out
}

/// The kinds of faults, in Markdown.
pub fn faults() -> String {
    let mut out = "# Faults\n\n\
        What `catch (fault) { … }` finds in `fault.kind`. A fault has `message`, `hint`, `status` (of an HTTP answer), `notes`,\n\
        `file`, `line` and `column`, too. An error of the language itself, such as a wrong index, is one as well. What a\n\
        script throws arrives as it was thrown.\n\n\
        | kind | when |\n|---|---|\n"
        .to_owned();
    for (_, word, meaning) in Kind::ALL {
        push(&mut out, format_args!("| `{word}` | {meaning} |\n"));
    }
    out
}

/// One function's entry, in Markdown, without its heading.
pub fn entry(function: &Function) -> String {
    let mut out = String::new();
    out.push_str("```rhai\n");
    for signature in &function.signatures {
        push(&mut out, format_args!("{}\n", form(function, &signature.parameters)));
    }
    out.push_str("```\n");
    push(&mut out, format_args!("\n{}\n", function.doc.text));
    list(&mut out, "Parameters", &function.doc.parameters);
    list(&mut out, "Options", &function.doc.options);
    if !function.doc.returns.is_empty() {
        push(&mut out, format_args!("\n**Returns:** {}\n", function.doc.returns));
    }
    if let Some(effect) = &function.doc.effect {
        push(&mut out, format_args!("\n**Changes the world:** {effect}\n"));
    }
    list(&mut out, "Faults", &function.doc.faults);
    for example in &function.doc.examples {
        push(&mut out, format_args!("\n**Example**\n\n```rhai\n{}```\n", example.code));
    }
    out
}

/// A form as it is called: `cluster.get(kind, name)` for methods, `k8s::connect(options)` otherwise.
fn form(function: &Function, parameters: &[(String, String)]) -> String {
    let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "_").collect();
    let name = match function.name.rsplit_once("::") {
        Some((_, name)) if function.method => name,
        _ => function.name.as_str(),
    };
    match (parameters.first(), names.split_first()) {
        (Some((_, kind)), Some((receiver, rest))) if function.method && kind.starts_with("&mut") => {
            format!("{receiver}.{name}({})", rest.join(", "))
        }
        _ => format!("{name}({})", names.join(", ")),
    }
}

fn list(out: &mut String, title: &str, items: &[Item]) {
    if items.is_empty() {
        return;
    }
    push(out, format_args!("\n**{title}**\n\n"));
    for item in items {
        let default = match &item.default {
            Some(Default::Literal(literal)) => format!(", `{literal}` if left out"),
            Some(Default::Words(words)) => format!(", {words} if left out"),
            None => String::new(),
        };
        let kind = if item.kind.is_empty() { String::new() } else { format!(" ({}{default})", item.kind) };
        push(out, format_args!("- `{}`{kind}: {}\n", item.name, item.text));
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let capital: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    if capital.ends_with('.') { capital } else { format!("{capital}.") }
}

fn push(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("a text can always grow");
}
