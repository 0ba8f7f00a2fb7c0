//! Narration, which is Markdown, as lines of a terminal.
//!
//! What operators write above their steps: headings, paragraphs, lists, quotes, code, tables, links. Anything else is
//! shown as it stands.

use super::{
    line::Line,
    style::{Style, Tone},
    table,
};

/// The widest a rule between paragraphs becomes.
const RULE: usize = 40;

/// The text as it is written to a stream, each line ended. Code stays whole, so that it can be copied.
pub fn render(text: &str, width: usize, style: Style) -> String {
    page(text, width, usize::MAX, style).iter().map(|line| format!("{}\n", line.styled(style))).collect()
}

/// The text as lines of at most `width` columns; only code is not broken between words but cut.
pub fn lines(text: &str, width: usize, style: Style) -> Vec<Line> {
    page(text, width, width, style)
}

/// The text as lines of at most `width` columns, and `code` columns for code.
fn page(text: &str, width: usize, code: usize, style: Style) -> Vec<Line> {
    let source: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut lines = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let (block, next) = block(&source, at, width, code, style);
        // One empty line between blocks, none between the items of a list.
        let apart = !is_item(source[at]) || !follows_item(&source, at);
        if apart && !block.is_empty() && !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(block);
        at = next;
    }
    lines
}

/// The block that starts at a line, and the line after it.
fn block(source: &[&str], at: usize, width: usize, code: usize, style: Style) -> (Vec<Line>, usize) {
    let line = source[at];
    let text = line.trim_start();
    if text.is_empty() {
        return (Vec::new(), at + 1);
    }
    if let Some(fence) = fence(text) {
        let end = (at + 1..source.len()).find(|next| source[*next].trim_start() == fence).unwrap_or(source.len());
        let room = code.saturating_sub(2);
        let whole = source[at + 1..end].iter().map(|line| Line::of(Tone::Code, line));
        return (whole.map(|line| line.cut(room, style.symbols.ellipsis).indented(2)).collect(), end + 1);
    }
    if let Some(title) = heading(text) {
        let lines = inline(title, Tone::Heading).wrapped(width);
        return (lines, at + 1);
    }
    if is_rule(text) {
        return (vec![Line::of(Tone::Quiet, &style.symbols.rule.repeat(width.min(RULE)))], at + 1);
    }
    if text.starts_with('>') {
        let end = run(source, at, |next| next.trim_start().starts_with('>'));
        let quoted: Vec<&str> = source[at..end].iter().map(|quoted| quoted.trim_start()[1..].trim_start()).collect();
        let inner = page(&quoted.join("\n"), width.saturating_sub(2), code.saturating_sub(2), style);
        let bar = Line::of(Tone::Quiet, style.symbols.quote).with(Tone::Plain, " ");
        return (inner.into_iter().map(|line| bar.clone().join(line)).collect(), end);
    }
    if text.starts_with('|') && source.get(at + 1).is_some_and(|next| is_delimiter(next)) {
        let end = run(source, at, |next| next.trim_start().starts_with('|'));
        let header = cells(text).map(|cell| inline(cell, Tone::Strong)).collect();
        let body = source[at + 2..end].iter();
        let body = body.map(|row| cells(row).map(|cell| inline(cell, Tone::Plain)).collect()).collect();
        let right: Vec<bool> =
            cells(source[at + 1]).map(|rule| rule.ends_with(':') && !rule.starts_with(':')).collect();
        return (table::aligned(header, body, &right, Some(width), style), end);
    }
    if let Some((marker, rest)) = item(text) {
        // The item goes on in lines that start no other block.
        let end = run(source, at + 1, goes_on);
        let words: Vec<&str> =
            std::iter::once(rest).chain(source[at + 1..end].iter().map(|next| next.trim())).collect();
        let marker = if marker.len() == 1 { style.symbols.bullet } else { marker };
        let indent = line.len() - text.len();
        let lead = Line::of(Tone::Quiet, marker).with(Tone::Plain, " ").indented(indent);
        let hang = lead.width();
        let text = inline(&words.join(" "), Tone::Plain).wrapped(width.saturating_sub(hang));
        let lines = text
            .into_iter()
            .enumerate()
            .map(|(index, line)| if index == 0 { lead.clone().join(line) } else { line.indented(hang) });
        return (lines.collect(), end);
    }
    let end = run(source, at + 1, goes_on);
    let words: Vec<&str> = source[at..end].iter().map(|next| next.trim()).collect();
    (inline(&words.join(" "), Tone::Plain).wrapped(width), end)
}

/// The first line from `at` on that isn't so.
fn run(source: &[&str], at: usize, so: impl Fn(&str) -> bool) -> usize {
    (at..source.len()).find(|next| !so(source[*next])).unwrap_or(source.len())
}

/// True if a line belongs to the paragraph before it.
fn goes_on(line: &str) -> bool {
    let text = line.trim_start();
    !text.is_empty()
        && fence(text).is_none()
        && heading(text).is_none()
        && item(text).is_none()
        && !is_rule(text)
        && !text.starts_with(['>', '|'])
}

fn fence(text: &str) -> Option<&'static str> {
    ["```", "~~~"].into_iter().find(|fence| text.starts_with(fence))
}

fn heading(text: &str) -> Option<&str> {
    let title = text.trim_start_matches('#');
    let level = text.len() - title.len();
    ((1..=6).contains(&level) && title.starts_with(' ')).then(|| title.trim().trim_end_matches('#').trim_end())
}

fn is_rule(text: &str) -> bool {
    let marks: String = text.chars().filter(|mark| *mark != ' ').collect();
    marks.len() >= 3 && ["-", "*", "_"].iter().any(|mark| marks.replace(mark, "").is_empty())
}

/// A list item's marker and text.
fn item(text: &str) -> Option<(&str, &str)> {
    let (marker, rest) = text.split_once(' ')?;
    let number = marker.strip_suffix(['.', ')']);
    let numbered = number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    (numbered || ["-", "*", "+"].contains(&marker)).then(|| (marker, rest.trim_start()))
}

fn is_item(line: &str) -> bool {
    !is_rule(line.trim_start()) && item(line.trim_start()).is_some()
}

/// True if the lines above, up to an empty one, began with a list item.
fn follows_item(source: &[&str], at: usize) -> bool {
    source[..at].iter().rev().take_while(|line| !line.is_empty()).any(|line| is_item(line))
}

fn is_delimiter(line: &str) -> bool {
    let line = line.trim();
    line.contains('-') && line.chars().all(|mark| matches!(mark, '|' | '-' | ':' | ' '))
}

fn cells(row: &str) -> impl Iterator<Item = &str> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    row.strip_suffix('|').unwrap_or(row).split('|').map(str::trim)
}

/// A text with its code spans, emphasis and links.
fn inline(text: &str, tone: Tone) -> Line {
    let mut line = Line::default();
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let taken = span(rest, before).map(|span| {
            match span.kind {
                Kind::Code => line.push(Tone::Code, span.text),
                Kind::Escape => line.push(tone, span.text),
                Kind::Strong if tone == Tone::Plain => {
                    line = std::mem::take(&mut line).join(inline(span.text, Tone::Strong))
                }
                Kind::Emphasis if tone == Tone::Plain => {
                    line = std::mem::take(&mut line).join(inline(span.text, Tone::Emphasis))
                }
                // Inside of what stands out already only the words count.
                Kind::Strong | Kind::Emphasis => line = std::mem::take(&mut line).join(inline(span.text, tone)),
                Kind::Link(address) => {
                    if !span.text.is_empty() && span.text != address {
                        line = std::mem::take(&mut line).join(inline(span.text, tone));
                        line.push(tone, " (");
                        line.push(Tone::Link, address);
                        line.push(tone, ")");
                    } else {
                        line.push(Tone::Link, address);
                    }
                }
            }
            span.length
        });
        let taken = taken.unwrap_or_else(|| {
            line.push(tone, &rest[..first.len_utf8()]);
            first.len_utf8()
        });
        before = rest[..taken].chars().last().unwrap_or(' ');
        rest = &rest[taken..];
    }
    line
}

/// A piece of a text that is shown otherwise than it is written.
struct Span<'t> {
    kind: Kind<'t>,
    text: &'t str,
    /// How much of the source it takes.
    length: usize,
}

enum Kind<'t> {
    Code,
    Strong,
    Emphasis,
    Escape,
    Link(&'t str),
}

/// The span that `text` begins with, after the character `before`.
fn span(text: &str, before: char) -> Option<Span<'_>> {
    let first = text.chars().next()?;
    match first {
        '\\' => {
            let escaped = text[1..].chars().next().filter(char::is_ascii_punctuation)?;
            Some(Span { kind: Kind::Escape, text: &text[1..=escaped.len_utf8()], length: 2 })
        }
        '`' => {
            let ticks = text.len() - text.trim_start_matches('`').len();
            let inner = &text[ticks..];
            let end = inner.find(&text[..ticks])?;
            Some(Span { kind: Kind::Code, text: inner[..end].trim(), length: end + 2 * ticks })
        }
        '*' | '_' => {
            let (mark, kind) = match text.starts_with("**") || text.starts_with("__") {
                true => (&text[..2], Kind::Strong),
                false => (&text[..1], Kind::Emphasis),
            };
            let inner = &text[mark.len()..];
            let end = closing(inner, mark)?;
            // `snake_case` and `2 * 3 * 4` are no emphasis.
            let after = inner[end + mark.len()..].chars().next().unwrap_or(' ');
            let in_a_word = first == '_' && (before.is_alphanumeric() || after.is_alphanumeric());
            (!in_a_word).then(|| Span { kind, text: &inner[..end], length: end + 2 * mark.len() })
        }
        '!' if text.starts_with("![") => span(&text[1..], before).map(|link| Span { length: link.length + 1, ..link }),
        '[' => {
            let end = text.find("](")?;
            let address = &text[end + 2..];
            let close = address.find(')')?;
            let target = address[..close].split_whitespace().next().unwrap_or_default();
            Some(Span { kind: Kind::Link(target), text: &text[1..end], length: end + 2 + close + 1 })
        }
        '<' => {
            let end = text.find('>')?;
            let address = &text[1..end];
            let is_address = address.contains("://") && !address.contains(' ');
            is_address.then(|| Span { kind: Kind::Link(address), text: "", length: end + 1 })
        }
        _ => None,
    }
}

/// Where an emphasis ends: at a mark that follows a word.
fn closing(inner: &str, mark: &str) -> Option<usize> {
    if inner.starts_with([' ', '*', '_']) {
        return None;
    }
    let mut from = 0;
    loop {
        let end = from + inner[from..].find(mark)?;
        if end > 0 && !inner[..end].ends_with(' ') {
            return Some(end);
        }
        from = end + mark.len();
    }
}
