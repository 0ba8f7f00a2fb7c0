//! Putting values in for names, by the rules of GNU's envsubst and of Flux.

use std::collections::BTreeSet;

/// Whose rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `$NAME`, `${NAME}`, `${NAME:-default}`, `$$`.
    Both,
    /// As [`Style::Both`], but `$NAME` is left alone.
    Flux,
    /// `$NAME` and `${NAME}`, and whatever else stands behind a dollar is left alone.
    Envsubst,
}

#[derive(Debug, Clone, Copy)]
pub struct Rules<'r> {
    pub style: Style,
    /// The names that values are put in for; all, if there is no such list.
    pub only: Option<&'r BTreeSet<String>>,
}

/// Why a text can't be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfilled {
    /// These names have neither a value nor a default.
    Missing(BTreeSet<String>),
    /// Line and column count from 1.
    Malformed { line: usize, column: usize, why: &'static str },
}

/// Defaults in defaults, deeper than anybody writes.
const DEEPEST: usize = 32;

/// The text with the values that `lookup` knows.
///
/// # Errors
/// [`Unfilled`], if there is no value for a name or something is not written as it should be.
pub fn substitute(text: &str, rules: &Rules, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Unfilled> {
    let mut filler = Filler { text, at: 0, rules, lookup, missing: BTreeSet::new() };
    let filled = filler.fill(0, 0, true).map_err(|(at, why)| {
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Unfilled::Malformed { line, column, why }
    })?;
    if filler.missing.is_empty() { Ok(filled) } else { Err(Unfilled::Missing(filler.missing)) }
}

/// Where something is wrong, and what.
type Wrong = (usize, &'static str);

struct Filler<'t> {
    text: &'t str,
    at: usize,
    rules: &'t Rules<'t>,
    lookup: &'t dyn Fn(&str) -> Option<String>,
    missing: BTreeSet<String>,
}

impl<'t> Filler<'t> {
    /// To the end of the text or, inside of braces, to the one that closes those that opened there. What is not `live` is read
    /// and not used.
    fn fill(&mut self, opened: usize, depth: usize, live: bool) -> Result<String, Wrong> {
        let mut filled = String::new();
        while let Some(next) = self.rest().chars().next() {
            if next == '}' && depth > 0 {
                return Ok(filled);
            }
            let bare = name(&self.rest()[next.len_utf8()..]);
            if next != '$' {
                filled.push(next);
                self.at += next.len_utf8();
            } else if self.rest().starts_with("$$") && self.rules.style != Style::Envsubst {
                // In a default, Flux leaves both.
                filled.push_str(if depth == 0 { "$" } else { "$$" });
                self.at += 2;
            } else if self.rest().starts_with("${") {
                filled.push_str(&self.braced(depth, live)?);
            } else if !bare.is_empty() && self.rules.style != Style::Flux {
                self.at += 1 + bare.len();
                filled.push_str(&self.value(bare, None, &self.text[self.at - bare.len() - 1..self.at], live));
            } else {
                filled.push('$');
                self.at += 1;
            }
        }
        if depth > 0 { Err((opened, "no `}` closes this")) } else { Ok(filled) }
    }

    fn braced(&mut self, depth: usize, live: bool) -> Result<String, Wrong> {
        let begun = self.at;
        self.at += 2;
        let name = name(self.rest());
        let behind = &self.rest()[name.len()..];
        if !name.is_empty() && behind.starts_with('}') {
            self.at += name.len() + 1;
            return Ok(self.value(name, None, &self.text[begun..self.at], live));
        }
        if self.rules.style == Style::Envsubst {
            return Ok("${".to_owned());
        }
        if name.is_empty() {
            return Err((begun, "a name is expected behind `${`"));
        }
        if !behind.starts_with(":-") && !behind.starts_with(":=") {
            return Err((begun, "behind the name stands neither `}` nor `:-` and a default"));
        }
        if depth == DEEPEST {
            return Err((begun, "defaults stand in defaults too deep"));
        }
        self.at += name.len() + 2;
        let is_set = self.is_meant(name) && (self.lookup)(name).is_some_and(|value| !value.is_empty());
        let default = self.fill(begun, depth + 1, live && !is_set && self.is_meant(name))?;
        self.at += 1;
        Ok(self.value(name, Some(default), &self.text[begun..self.at], live))
    }

    /// What stands in place of a name, which was written so.
    fn value(&mut self, name: &str, default: Option<String>, written: &str, live: bool) -> String {
        if !self.is_meant(name) {
            return written.to_owned();
        }
        let value = (self.lookup)(name);
        match (value, default) {
            (Some(value), Some(default)) if value.is_empty() => default,
            (Some(value), _) => value,
            (None, Some(default)) => default,
            (None, None) => {
                if live {
                    self.missing.insert(name.to_owned());
                }
                String::new()
            }
        }
    }

    fn is_meant(&self, name: &str) -> bool {
        self.rules.only.is_none_or(|only| only.contains(name))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }
}

/// The name that a text begins with, if it does.
fn name(text: &str) -> &str {
    let first = text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    if first { &text[..end] } else { "" }
}
