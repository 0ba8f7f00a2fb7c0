//! A source as tokens with their extents: what stands at a position, and which expression ends or begins there.

use std::{ops::Range, sync::Arc};

use rhai::{Engine, Position, Token};

use crate::diagnostic::Span;
use crate::script::tokens::{self, Spot};

/// The text of a source and its tokens.
pub struct Passage {
    source: String,
    text: Arc<str>,
    spots: Vec<Spot>,
}

/// Longer expressions are cut where a message quotes them.
const LONGEST_QUOTE: usize = 60;

impl Passage {
    pub fn read(engine: &Engine, source: &str, text: Arc<str>) -> Self {
        let spots = tokens::lex(engine, &text);
        Self { source: source.to_owned(), spots, text }
    }

    pub fn token(&self, index: usize) -> Option<&Token> {
        self.spots.get(index).map(|spot| &spot.token)
    }

    pub fn tokens(&self) -> impl DoubleEndedIterator<Item = &Token> {
        self.spots.iter().map(|spot| &spot.token)
    }

    /// The token that begins at the position, or that it lies in.
    pub fn at(&self, position: Position) -> Option<usize> {
        let (line, column) = (position.line()?, position.position().unwrap_or(1));
        let after = self.spots.partition_point(|spot| (spot.line, spot.column) <= (line, column));
        after.checked_sub(1).filter(|index| self.spots[*index].line == line)
    }

    /// Where the tokens stand; of several lines only the first.
    pub fn span(&self, tokens: &Range<usize>) -> Span {
        let (line, column) = self.start(tokens.start);
        let quoted = self.raw(tokens);
        let length = quoted.lines().next().unwrap_or_default().trim_end().chars().count();
        Span { source: self.source.clone(), line, column, length }
    }

    /// The text of the tokens on one line, as messages quote it.
    pub fn quote(&self, tokens: &Range<usize>) -> String {
        let words: Vec<&str> = self.raw(tokens).split_whitespace().collect();
        let quoted = words.join(" ");
        match quoted.char_indices().nth(LONGEST_QUOTE) {
            Some((cut, _)) => format!("{}…", &quoted[..cut]),
            None => quoted,
        }
    }

    /// The expression of names, calls and indexes that ends before `end`, a `.` or an operator: `pods[0].status`.
    pub fn before(&self, end: usize) -> Option<Range<usize>> {
        let mut start = end.checked_sub(1)?;
        loop {
            start = match self.token(start)? {
                Token::RightBracket | Token::RightParen | Token::RightBrace => self.opening(start)?,
                _ => start,
            };
            let Some(previous) = start.checked_sub(1) else { break };
            let opens = matches!(
                self.token(start)?,
                Token::LeftParen | Token::Unit | Token::LeftBracket | Token::QuestionBracket
            );
            start = match self.token(previous)? {
                Token::Period | Token::Elvis | Token::DoubleColon => previous.checked_sub(1)?,
                Token::Identifier(_) | Token::RightBracket | Token::RightParen if opens => previous,
                _ => break,
            };
        }
        Some(start..end)
    }

    /// The expression of names, calls and indexes that begins at `start`.
    pub fn after(&self, start: usize) -> Option<Range<usize>> {
        let mut end = start;
        if matches!(self.token(end)?, Token::LeftParen | Token::LeftBracket | Token::MapStart) {
            end = self.closing(end)?;
        }
        end += 1;
        loop {
            match self.token(end) {
                Some(Token::Period | Token::Elvis | Token::DoubleColon) => end += 2,
                Some(Token::Unit) => end += 1,
                Some(Token::LeftParen | Token::LeftBracket | Token::QuestionBracket) => end = self.closing(end)? + 1,
                _ => return Some(start..end.min(self.spots.len())),
            }
        }
    }

    /// The expression that a position stands for: that of `a.b` is its dot.
    pub fn whole(&self, index: usize) -> Option<Range<usize>> {
        let joint =
            matches!(self.token(index)?, Token::Period | Token::Elvis | Token::LeftBracket | Token::QuestionBracket);
        match joint.then(|| self.before(index)).flatten() {
            Some(before) => self.after(before.start),
            None => self.after(index),
        }
    }

    /// A name with the modules before it and after it: `k8s::get`.
    pub fn qualified(&self, index: usize) -> Range<usize> {
        let is_joint = |at: usize| matches!(self.token(at), Some(Token::DoubleColon));
        // The position of a field is its dot.
        let index = if matches!(self.token(index), Some(Token::Period | Token::Elvis)) { index + 1 } else { index };
        let mut range = index..index + 1;
        while range.start >= 2 && is_joint(range.start - 1) {
            range.start -= 2;
        }
        while is_joint(range.end) && range.end + 1 < self.spots.len() {
            range.end += 2;
        }
        range
    }

    /// The arguments between the bracket at `open` and its partner.
    pub fn arguments(&self, open: usize) -> Vec<Range<usize>> {
        let Some(close) = self.closing(open) else { return Vec::new() };
        let mut arguments = Vec::new();
        let (mut depth, mut start) = (0_usize, open + 1);
        for index in open + 1..close {
            match &self.spots[index].token {
                token if opens(token) => depth += 1,
                token if closes(token) => depth = depth.saturating_sub(1),
                Token::Comma if depth == 0 => {
                    arguments.push(start..index);
                    start = index + 1;
                }
                _ => {}
            }
        }
        arguments.push(start..close);
        arguments
    }

    fn opening(&self, close: usize) -> Option<usize> {
        let mut depth = 0_usize;
        (0..=close).rev().find(|index| {
            match &self.spots[*index].token {
                token if closes(token) => depth += 1,
                token if opens(token) => depth -= 1,
                _ => {}
            }
            depth == 0
        })
    }

    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        (open..self.spots.len()).find(|index| {
            match &self.spots[*index].token {
                token if opens(token) => depth += 1,
                token if closes(token) => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })
    }

    fn start(&self, index: usize) -> (usize, usize) {
        self.spots.get(index).map_or((0, 0), |spot| (spot.line, spot.column))
    }

    fn raw(&self, tokens: &Range<usize>) -> &str {
        let begin = self.byte(self.start(tokens.start));
        let end = self.spots.get(tokens.end).map_or(self.text.len(), |spot| self.byte((spot.line, spot.column)));
        self.text.get(begin..end).unwrap_or_default().trim_end()
    }

    fn byte(&self, (line, column): (usize, usize)) -> usize {
        let before: usize = self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = &self.text[before..];
        before + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(byte, _)| byte)
    }
}

fn opens(token: &Token) -> bool {
    matches!(token, Token::LeftParen | Token::LeftBracket | Token::QuestionBracket | Token::LeftBrace | Token::MapStart)
}

fn closes(token: &Token) -> bool {
    matches!(token, Token::RightParen | Token::RightBracket | Token::RightBrace)
}
