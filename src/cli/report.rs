//! Telling what is wrong, on standard error.

use crate::{
    diagnostic::Diagnostic,
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

/// Writes a line of data to standard output; once nobody reads it any more, nothing.
pub fn data(line: &str) {
    use std::io::Write;
    // A reader that has seen enough, such as `head`, is no failure.
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}
