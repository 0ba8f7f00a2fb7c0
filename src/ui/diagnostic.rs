//! Diagnostics as text: a headline, the source with what is meant underlined, the calls that led there, and a hint.

use std::{fmt, sync::Arc};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents, ThemeCharacters, ThemeStyles,
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::diagnostic::{Diagnostic, Severity, Span};

/// What the reader's screen can show.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub colour: bool,
    pub unicode: bool,
    /// In columns.
    pub width: usize,
    /// Whether places are links of the terminal.
    pub links: bool,
}

/// How wide a tab is drawn.
const TAB: usize = 4;

/// What miette draws beside a line of source: its number, bars and blanks.
const GUTTER: usize = 5;

/// What miette draws between a place and what is written beside it.
const LABEL_TAIL: usize = 5;

/// One report of all diagnostics; `text_of` gives the text of a source by its name.
pub fn render(diagnostics: &[Diagnostic], text_of: &dyn Fn(&str) -> Option<Arc<str>>, look: Look) -> String {
    let mut report = String::new();
    for diagnostic in diagnostics {
        if !report.is_empty() {
            report.push('\n');
        }
        one(&mut report, diagnostic, text_of, look);
    }
    if diagnostics.len() > 1 {
        report.push('\n');
        report.push_str(&count(diagnostics));
        report.push('\n');
    }
    report
}

fn one(report: &mut String, diagnostic: &Diagnostic, text_of: &dyn Fn(&str) -> Option<Arc<str>>, look: Look) {
    let (word, styles) = match diagnostic.severity {
        Severity::Error => ("error", Style::Error),
        Severity::Warning => ("warning", Style::Warning),
    };
    entry(report, &format!("{word}[{}]:", diagnostic.code), styles, &diagnostic.message, look);
    if let Some(place) = &diagnostic.place {
        snippet(report, place, diagnostic.label.as_deref(), text_of, look);
    }
    for (place, label) in &diagnostic.related {
        entry(report, "", Style::Plain, label, look);
        snippet(report, place, None, text_of, look);
    }
    for note in &diagnostic.notes {
        entry(report, "note:", Style::Note, note, look);
    }
    if let Some(hint) = &diagnostic.hint {
        entry(report, "hint:", Style::Hint, hint, look);
    }
}

#[derive(Clone, Copy)]
enum Style {
    Plain,
    Error,
    Warning,
    Note,
    Hint,
}

/// A sentence behind its word, with what doesn't fit on the line below it.
fn entry(report: &mut String, word: &str, style: Style, text: &str, look: Look) {
    let indent = if word.is_empty() { 0 } else { word.width() + 1 };
    // A long first word would leave the rest of its lines in a corner.
    let hanging = indent.min(6);
    let painted = match (look.colour, style) {
        (false, _) | (_, Style::Plain) => word.to_owned(),
        (true, Style::Error) => format!("\u{1b}[1;31m{word}\u{1b}[0m"),
        (true, Style::Warning) => format!("\u{1b}[1;33m{word}\u{1b}[0m"),
        (true, Style::Note) => format!("\u{1b}[36m{word}\u{1b}[0m"),
        (true, Style::Hint) => format!("\u{1b}[1;36m{word}\u{1b}[0m"),
    };
    report.push_str(&painted);
    let mut column = indent.saturating_sub(1);
    let mut first = word.is_empty();
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            report.push('\n');
            report.push_str(&" ".repeat(hanging));
            column = hanging;
            first = true;
        }
        for part in line.split(' ') {
            let fits = first || column + 1 + part.width() <= look.width;
            if !fits {
                report.push('\n');
                report.push_str(&" ".repeat(hanging));
                column = hanging;
            } else if !first {
                report.push(' ');
                column += 1;
            }
            report.push_str(part);
            column += part.width();
            first = false;
        }
    }
    report.push('\n');
}

/// The line of a place with the place underlined, or the place alone if the text is not known.
fn snippet(
    report: &mut String,
    place: &Span,
    label: Option<&str>,
    text_of: &dyn Fn(&str) -> Option<Arc<str>>,
    look: Look,
) {
    let text = text_of(&place.source);
    let line = text.as_deref().and_then(|text| line_of(text, place.line));
    let Some(line) = line.filter(|_| place.line > 0 && place.column > 0) else {
        match place.line {
            0 => report.push_str(&format!("  at {}\n", place.source)),
            _ => report.push_str(&format!("  at {}:{}:{}\n", place.source, place.line, place.column)),
        }
        return;
    };
    let room = look.width.saturating_sub(GUTTER + place.line.to_string().len()).max(20);
    let beside = label.map_or(0, |label| label.width() + LABEL_TAIL);
    let excerpt = Excerpt::cut(line, place, room, beside, look.unicode);
    let drawn = draw(&excerpt, label, look);
    // miette begins with a headline, which is ours to write.
    let body = drawn.split_once('\n').map_or("", |(_, body)| body);
    for line in body.lines() {
        report.push_str(line.trim_end());
        report.push('\n');
    }
}

/// The line of that number, without what ends it; the one after the last line is empty.
fn line_of(text: &str, number: usize) -> Option<&str> {
    let index = number.checked_sub(1)?;
    let mut lines = text.split('\n');
    lines.nth(index).map(|line| line.strip_suffix('\r').unwrap_or(line))
}

/// As much of one line as is shown.
#[derive(Debug)]
struct Excerpt {
    text: String,
    /// In bytes of the text.
    span: SourceSpan,
    name: String,
    line: usize,
    column: usize,
}

impl Excerpt {
    /// Cuts the line so that the place is seen, with what stands before and after it, and with room for what is written
    /// beside the place.
    fn cut(line: &str, place: &Span, room: usize, beside: usize, unicode: bool) -> Self {
        let letters: Vec<char> = line.chars().collect();
        let start = (place.column - 1).min(letters.len());
        let mut end = (start + place.length.max(1)).min(letters.len());
        // A letter and the marks above it are one.
        while letters.get(end).is_some_and(|letter| letter.width() == Some(0)) {
            end += 1;
        }
        let width = |range: std::ops::Range<usize>| letters[range].iter().map(|letter| columns(*letter)).sum::<usize>();
        let (mut from, mut to) = (0, letters.len());
        let middle = usize::midpoint(start, end);
        if width(from..to) > room || width(from..middle) + beside > room {
            let ellipsis = if unicode { 1 } else { 3 };
            let room = room - 2 * ellipsis;
            from = start;
            while from > 0 && width(from - 1..start) <= room / 3 {
                from -= 1;
            }
            to = from;
            while to < letters.len() && width(from..to + 1) <= room {
                to += 1;
            }
            let reach = room.saturating_sub(beside).max(room / 3);
            while from > 0 && width(from - 1..to) <= room && width(from - 1..middle) <= reach {
                from -= 1;
            }
            end = end.min(to);
        }
        let ellipsis = if unicode { "…" } else { "..." };
        let bytes =
            |range: std::ops::Range<usize>| letters[range].iter().map(|letter| letter.len_utf8()).sum::<usize>();
        let before = if from > 0 { ellipsis } else { "" };
        let after = if to < letters.len() { ellipsis } else { "" };
        let shown: String = letters[from..to].iter().collect();
        let offset = before.len() + bytes(from..start);
        let mut text = format!("{before}{shown}{after}");
        if offset >= text.len() {
            // There is nothing at the end of a line to stand under.
            text.push(' ');
        }
        let length = bytes(start..end).max(1);
        Self {
            text,
            span: SourceSpan::new(offset.into(), length),
            name: place.source.clone(),
            line: place.line - 1,
            column: place.column - 1,
        }
    }
}

fn columns(letter: char) -> usize {
    if letter == '\t' { TAB } else { letter.width().unwrap_or(0) }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        _span: &SourceSpan,
        _before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = SourceSpan::new(0.into(), self.text.len());
        let contents =
            MietteSpanContents::new_named(self.name.clone(), self.text.as_bytes(), whole, self.line, self.column, 1);
        Ok(Box::new(contents))
    }
}

#[derive(Debug)]
struct Pointer<'a> {
    excerpt: &'a Excerpt,
    label: Option<&'a str>,
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Pointer<'_> {}

impl miette::Diagnostic for Pointer<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(self.label.map(str::to_owned), self.excerpt.span);
        Some(Box::new(std::iter::once(label)))
    }
}

fn draw(excerpt: &Excerpt, label: Option<&str>, look: Look) -> String {
    let characters = if look.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let styles = if look.colour { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_width(look.width)
        .with_links(look.links)
        .with_context_lines(0)
        .tab_width(TAB)
        .without_syntax_highlighting();
    let mut drawn = String::new();
    handler.render_report(&mut drawn, &Pointer { excerpt, label }).expect("a text takes all that is written to it");
    drawn
}

/// `2 errors, 1 warning in deploy.rhai`
fn count(diagnostics: &[Diagnostic]) -> String {
    let plural = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let of = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let counts = [plural(of(Severity::Error), "error"), plural(of(Severity::Warning), "warning")];
    let mut sources: Vec<&str> =
        diagnostics.iter().filter_map(|one| Some(one.place.as_ref()?.source.as_str())).collect();
    sources.sort_unstable();
    sources.dedup();
    let counts = counts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    match sources.as_slice() {
        [] => counts,
        [source] => format!("{counts} in {source}"),
        _ => format!("{counts} in {} files", sources.len()),
    }
}
