//! A text as its parser met it: the tokens around the place where it stopped.

use rhai::{Engine, Position, Token};

use super::{source::Source, walk::line};
use crate::{
    diagnostic::Span,
    script::tokens::{self, Spot},
};

/// The tokens around an error.
pub struct Reading {
    pub source: Source,
    pub spots: Vec<Spot>,
    /// The number of the token at which the parser stopped; that of the end, if there was none.
    pub stopped: usize,
}

impl Reading {
    pub fn of(source: Source, position: Position) -> Self {
        let mut spots = tokens::lex(&Engine::new_raw(), &source.text);
        spots.retain(|spot| !matches!(spot.token, Token::Comment(_)));
        let stop = (line(position), position.position().unwrap_or(1));
        let stopped = spots.iter().position(|spot| (spot.line, spot.column) >= stop).unwrap_or(spots.len());
        Self { source, spots, stopped }
    }

    pub fn span(&self, spot: &Spot) -> Span {
        self.source.token(spot.line, spot.column)
    }

    pub fn here_span(&self, position: Position) -> Span {
        match (self.spots.get(self.stopped), self.spots.last()) {
            (Some(spot), _) if spot.line == line(position) => self.source.span(position),
            (None, Some(last)) => self.behind(last),
            _ => self.source.span(position),
        }
    }

    /// The place right behind a token.
    pub fn behind(&self, spot: &Spot) -> Span {
        let span = self.span(spot);
        Span { column: span.column + span.length, length: 1, ..span }
    }

    pub fn written(&self, spot: &Spot) -> &str {
        let rest = self.source.rest_of_line(spot.line, spot.column);
        let length = self.span(spot).length;
        rest.char_indices().nth(length).map_or(rest, |(end, _)| &rest[..end])
    }

    /// The token so many before the one at which the parser stopped.
    pub fn before(&self, count: usize) -> Option<&Spot> {
        self.spots.get(self.stopped.checked_sub(count)?)
    }

    pub fn word_before(&self, count: usize) -> &str {
        self.before(count).map_or("", |spot| self.written(spot))
    }

    pub fn here(&self) -> &str {
        self.spots.get(self.stopped).map_or("", |spot| self.written(spot))
    }

    pub fn found(&self) -> String {
        match self.here() {
            "" => "the end of the text".to_owned(),
            here => format!("`{here}`"),
        }
    }

    /// The bracket that lacks its end. A closing brace that stands further out than its line began belongs to another.
    pub fn unclosed(&self) -> Option<&Spot> {
        let mut open: Vec<&Spot> = Vec::new();
        let mut suspect = None;
        for (index, spot) in self.spots.iter().enumerate() {
            match spot.token {
                Token::LeftBrace | Token::MapStart | Token::LeftParen | Token::LeftBracket => open.push(spot),
                Token::RightBrace | Token::RightParen | Token::RightBracket => {
                    let opener = open.pop()?;
                    let begins_line = index == 0 || self.spots[index - 1].line < spot.line;
                    if begins_line && spot.line > opener.line && spot.column < self.indentation(opener.line) {
                        suspect.get_or_insert(opener);
                    }
                }
                _ => {}
            }
        }
        let last = open.last().copied()?;
        Some(suspect.unwrap_or(last))
    }

    /// The column of the first token of a line.
    fn indentation(&self, line: usize) -> usize {
        let index = self.spots.partition_point(|spot| spot.line < line);
        self.spots.get(index).map_or(1, |spot| spot.column)
    }
}
