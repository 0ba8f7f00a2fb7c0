//! Telling what is wrong, on standard error.

use crate::{
    diagnostic::Diagnostic,
    host::secrets::Vault,
    script::sources::Sources,
    ui::{
        diagnostic::{self, Look},
        screen::Screen,
    },
};

/// Shows diagnostics with the lines of the sources that they are about.
pub fn show(screen: &Screen, diagnostics: &[Diagnostic], sources: &Sources) {
    if diagnostics.is_empty() {
        return;
    }
    let style = screen.style();
    let look =
        Look { colour: style.colored, unicode: style.symbols.ellipsis == "…", width: screen.columns(), links: false };
    screen.say(&diagnostic::render(diagnostics, &|name| sources.text(name), look));
}

/// What a world had no model of.
pub fn unmodelled(what: &str) -> Diagnostic {
    Diagnostic::error("not_modelled", what)
        .hint("what the runbook met here is not what a real server would have done: rehearse the rest without it")
}

/// The diagnostic without secrets.
pub fn redacted(mut diagnostic: Diagnostic, secrets: &Vault) -> Diagnostic {
    let clean = |text: &mut String| *text = secrets.redact(text).into_owned();
    clean(&mut diagnostic.message);
    diagnostic.notes.iter_mut().for_each(clean);
    diagnostic.hint.as_mut().map(clean);
    diagnostic.label.as_mut().map(clean);
    diagnostic.related.iter_mut().for_each(|(_, label)| clean(label));
    diagnostic
}

/// Writes a line of data to standard output; once nobody reads it any more, nothing.
pub fn data(line: &str) {
    use std::io::Write;
    // A reader that has seen enough, such as `head`, is no failure.
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}
