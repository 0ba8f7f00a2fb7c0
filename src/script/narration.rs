//! Narration: the comments of a runbook, which are its prose.

use std::borrow::Cow;

use rhai::{Engine, Token};

use super::tokens::{self, Spot};

/// The text as Rhai's parser takes it: `///` anywhere but above a function is an error to it, so the third slash is
/// blanked there, and a `#!` line is a comment. Positions stay.
pub fn readable<'t>(engine: &Engine, text: &'t str) -> Cow<'t, str> {
    let text = tokens::without_interpreter(text);
    if !text.contains("///") {
        return text;
    }
    let spots = tokens::lex(engine, &text);
    let mut blanked: Vec<(usize, usize)> = Vec::new();
    for (index, spot) in spots.iter().enumerate() {
        if is_doc_comment(spot) && !precedes_function(&spots[index + 1..]) {
            blanked.push((spot.line, spot.column));
        }
    }
    if blanked.is_empty() {
        return text;
    }
    let mut blanked = blanked.into_iter().peekable();
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split_inclusive('\n').enumerate() {
        match blanked.next_if(|(at, _)| *at == number + 1) {
            Some((_, column)) => {
                let third = line.char_indices().nth(column + 1).map_or(line.len(), |(byte, _)| byte);
                out.push_str(&line[..third]);
                out.push(' ');
                out.push_str(line.get(third + 1..).unwrap_or_default());
            }
            None => out.push_str(line),
        }
    }
    Cow::Owned(out)
}

fn is_doc_comment(spot: &Spot) -> bool {
    matches!(&spot.token, Token::Comment(text) if text.starts_with("///") && !text.starts_with("////"))
}

fn precedes_function(rest: &[Spot]) -> bool {
    let next = rest.iter().find(|spot| !matches!(spot.token, Token::Comment(_)));
    next.is_some_and(|spot| matches!(spot.token, Token::Fn | Token::Private))
}

/// The Markdown of a run of comment lines: their slashes and one space taken off.
pub fn prose<'c>(comments: impl IntoIterator<Item = &'c str>) -> String {
    let lines = comments.into_iter().map(|comment| {
        let text = comment.trim_start_matches('/');
        let text = text.strip_prefix('!').unwrap_or(text);
        text.strip_prefix(' ').unwrap_or(text).trim_end()
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
