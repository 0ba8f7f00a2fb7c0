//! Why a resumed run goes on where it does: what changed in a step since it was run.

use std::{collections::BTreeMap, sync::Arc};

use rhai::Engine;
use similar::TextDiff;

use super::runner::Known;
use crate::script::outline::{self, Outline};

/// Compares a step's text with what it was: why it is another, and the lines that changed.
pub(super) fn explain(
    lexer: &Engine,
    before: &BTreeMap<String, String>,
    now: &BTreeMap<String, Arc<str>>,
    known: &Known,
) -> (Option<String>, Vec<String>) {
    let (Some(old), Some(new)) = (text_of(before, &known.source), now.get(&known.source)) else {
        return (None, Vec::new());
    };
    let is_edited = |(name, text): (&String, &Arc<str>)| text_of(before, name).is_some_and(|old| old[..] != text[..]);
    if !now.iter().any(is_edited) {
        return (None, Vec::new());
    }
    let (old_outline, new_outline) = (outline::outline(lexer, old), outline::outline(lexer, new));
    let Some((was, is)) = step_text(&old_outline, old, &known.path).zip(step_text(&new_outline, new, &known.path))
    else {
        return (Some("it is new".to_owned()), Vec::new());
    };
    if was != is {
        return (Some("its text changed".to_owned()), diff(&was, &is));
    }
    for (source, _) in now.iter().filter(|source| is_edited(*source)) {
        let lines = diff(text_of(before, source).expect("it was found"), &now[source]);
        if !lines.is_empty() && (*source != known.source || old_outline.functions_differ(&new_outline)) {
            return (Some(format!("something it calls in `{source}` changed")), lines);
        }
    }
    (None, Vec::new())
}

/// The text that a source had; one that was moved, or is named from another folder, is known by its file's name.
fn text_of<'b>(before: &'b BTreeMap<String, String>, source: &str) -> Option<&'b String> {
    let file = |name: &str| name.rsplit('/').next().map(str::to_owned);
    before.get(source).or_else(|| before.iter().find(|(name, _)| file(name) == file(source)).map(|(_, text)| text))
}

fn step_text(outline: &Outline, text: &str, path: &str) -> Option<String> {
    let step = outline.steps.iter().find(|step| step.path == path)?;
    let lines: Vec<&str> = text.lines().skip(step.line - 1).take(step.last_line + 1 - step.line).collect();
    Some(lines.join("\n"))
}

/// The changed lines with a little around them, in the form of a unified diff without its head.
fn diff(old: &str, new: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(old, new);
    let unified = diff.unified_diff().context_radius(2).missing_newline_hint(false).to_string();
    unified.lines().take(40).map(str::to_owned).collect()
}
