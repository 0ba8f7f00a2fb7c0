//! Telling what is wrong, on standard error.

use std::sync::Arc;

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
    screen.say(&diagnostic::render(diagnostics, &|name| sources.text(name), look(screen)));
}

/// From now on a panic is told as what it is, a mistake of the program, without secrets. The process ends with it as if it
/// were killed, and the journal is made for that.
pub fn mistakes(screen: &Screen, secrets: Arc<Vault>) {
    let look = look(screen);
    screen.on_panic(move |panic| {
        let what = panic.payload_as_str().unwrap_or("it panicked");
        let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
        let mistake = Diagnostic::error("bug", format!("this is a mistake in cozyscript: {what}{place}"))
            .hint("please report it with the runbook; `cozyscript resume` goes on from the journal");
        diagnostic::render(&[redacted(mistake, &secrets)], &|_| None, look)
    });
}

fn look(screen: &Screen) -> Look {
    let style = screen.style();
    Look { colour: style.colored, unicode: style.symbols.ellipsis == "…", width: screen.columns(), links: false }
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
