//! A source text and the stretches of it that findings point at.

use std::{cell::OnceCell, sync::Arc};

use rhai::Position;

use crate::diagnostic::Span;

pub struct Source {
    /// The name that positions in it give.
    pub name: String,
    pub text: Arc<str>,
    /// Where its lines begin. Only a text with findings needs them.
    lines: OnceCell<Vec<usize>>,
}

impl Source {
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into(), lines: OnceCell::new() }
    }

    /// The token that begins at the position.
    pub fn span(&self, position: Position) -> Span {
        self.token(position.line().unwrap_or(1), position.position().unwrap_or(1))
    }

    /// The language also counts lone carriage returns as lines, so a position may lie behind the text: its end is meant.
    pub fn token(&self, line: usize, column: usize) -> Span {
        let lines = self.lines().len();
        let (line, column) = match line > lines {
            true => (lines, self.text.rsplit('\n').next().unwrap_or_default().chars().count() + 1),
            false => (line, column),
        };
        let length = token_length(self.rest_of_line(line, column));
        Span { source: self.name.clone(), line, column, length }
    }

    fn lines(&self) -> &[usize] {
        self.lines.get_or_init(|| {
            std::iter::once(0).chain(self.text.match_indices('\n').map(|(index, _)| index + 1)).collect()
        })
    }

    /// What stands on the line from the column on.
    pub fn rest_of_line(&self, line: usize, column: usize) -> &str {
        let begin = self.lines().get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let line = self.text[begin..].split('\n').next().unwrap_or_default();
        let byte = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(byte, _)| byte);
        &line[byte..]
    }
}

/// How many characters the token at the beginning of the text has; a text that goes on on the next line ends with it.
fn token_length(text: &str) -> usize {
    let mut chars = text.chars();
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    match chars.next() {
        None => 0,
        Some(c) if is_word(&c) => 1 + chars.take_while(is_word).count(),
        Some(quote @ ('"' | '`' | '\'')) => {
            let mut length = 1;
            let mut escaped = false;
            for c in chars {
                length += 1;
                if c == quote && !escaped {
                    break;
                }
                escaped = c == '\\' && !escaped;
            }
            length
        }
        Some(c) if "=!<>+-*/%&|^.?:#".contains(c) => 1 + chars.take_while(|c| "=&|.?:{<>*".contains(*c)).count(),
        Some(_) => 1,
    }
}
