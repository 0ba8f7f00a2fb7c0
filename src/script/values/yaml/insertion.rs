//! How a value is written where it is put into a text.

use serde_saphyr::granit_parser::ScalarStyle;

use super::{
    edit::Holder,
    layout::Content,
    scalar::{Plain, plain},
    write,
};
use crate::script::values::tree::Tree;

/// How a value is written: as a person would, or in one line with all texts in quotes, which fits everywhere.
#[derive(Clone, Copy, PartialEq)]
pub enum Manner {
    Nice,
    Safe,
}

/// Writes values into a text.
pub struct Writer {
    pub manner: Manner,
    /// The line breaks that the text has.
    pub newline: &'static str,
}

impl Writer {
    /// A value in lines of its own, as the writer has it, at this column.
    pub fn indented(&self, value: &Tree, column: usize) -> String {
        let indent = " ".repeat(column);
        let lines = self.lines(value);
        let lines = lines.iter().map(|line| if line.is_empty() { String::new() } else { format!("{indent}{line}") });
        lines.collect::<Vec<_>>().join(self.newline)
    }

    /// The same, but for the first line, which stands behind something.
    pub fn hanging(&self, value: &Tree, column: usize) -> String {
        self.indented(value, column).trim_start_matches(' ').to_owned()
    }

    pub fn lines(&self, value: &Tree) -> Vec<String> {
        match self.manner {
            Manner::Nice => write(value).trim_end_matches('\n').lines().map(str::to_owned).collect(),
            Manner::Safe => vec![self.flow(value)],
        }
    }

    /// A value that begins in the line of its key.
    pub fn inline(&self, value: &Tree, before: &Content, holder: Holder) -> String {
        if let (Tree::Text(text), Manner::Nice, false) = (value, self.manner, holder.flow) {
            if text.contains('\n')
                && let Some(column) = holder.column
            {
                return self.block_text(value, column);
            }
            match before {
                Content::Scalar(ScalarStyle::DoubleQuoted) => return quoted(text),
                Content::Scalar(ScalarStyle::SingleQuoted) if !text.contains(char::is_control) => {
                    return format!("'{}'", text.replace('\'', "''"));
                }
                _ => {}
            }
        }
        match value {
            Tree::List(_) | Tree::Map(_) => self.flow(value),
            _ => self.scalar(value, holder.flow),
        }
    }

    /// A text of several lines, as the writer has it below a key.
    fn block_text(&self, value: &Tree, column: usize) -> String {
        let entry: Tree = [("k".into(), value.clone())].into_iter().collect();
        let lines = self.indented(&entry, column);
        lines.trim_start().trim_start_matches("k:").trim_start().to_owned()
    }

    pub fn flow(&self, value: &Tree) -> String {
        match value {
            Tree::List(items) => {
                format!("[{}]", items.iter().map(|item| self.flow(item)).collect::<Vec<_>>().join(", "))
            }
            Tree::Map(fields) => {
                let entry = |(name, value): (&rhai::ImmutableString, &Tree)| {
                    format!("{}: {}", self.scalar(&Tree::Text(name.clone()), true), self.flow(value))
                };
                format!("{{{}}}", fields.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
            scalar => self.scalar(scalar, true),
        }
    }

    /// A scalar in one line, in quotes if it could be taken for something else.
    pub fn scalar(&self, value: &Tree, flow: bool) -> String {
        match value {
            Tree::Text(text) if self.manner == Manner::Nice && reads_plainly(text, flow) => text.to_string(),
            Tree::Text(text) => quoted(text),
            other => write(other).trim_end().to_owned(),
        }
    }
}

/// Whether a text without quotes is read as itself, by the strictest of readers.
fn reads_plainly(text: &str, flow: bool) -> bool {
    let harmless = |letter: char| letter.is_alphanumeric() || "_-./@+=%~".contains(letter) || letter == ' ';
    let inside = |letter: char| harmless(letter) || !flow && ",:()'\"[]{}".contains(letter);
    let begins = text.starts_with(|first: char| first.is_alphanumeric() || "_./".contains(first));
    let number_like = text.starts_with(|first: char| first.is_ascii_digit()) && text.contains(':');
    begins
        && !number_like
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && text.chars().all(inside)
        && plain(text) == Plain::Text
}

/// In double quotes, as JSON has it, which YAML reads alike.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}
