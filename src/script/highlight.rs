//! What the words of a text are, for whoever shows them in colours.

use std::ops::Range;

use rhai::{Engine, Token};

use super::{
    syntax::KEYWORDS,
    tokens::{self, Spot},
};

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Comment,
    Text,
    /// Also `true` and `false`.
    Number,
    Keyword,
    /// What stands before `::`.
    Module,
    /// A function that is called or declared.
    Function,
}

/// The words of a text that have a sort, in their order, by their bytes. Ends where the lexer can't read on.
pub fn words(engine: &Engine, text: &str) -> Vec<(Range<usize>, Sort)> {
    let lines: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let spots = tokens::lex(engine, text);
    let mut words = Vec::new();
    let mut done = 0;
    for (index, spot) in spots.iter().enumerate() {
        let begin = byte(&lines, text, spot).max(done);
        let end = spots.get(index + 1).map_or(text.len(), |next| byte(&lines, text, next)).max(begin);
        done = end;
        if let Some(sort) = sort(spot, spots.get(index + 1)) {
            let mut last = begin + text[begin..end].trim_end().len();
            if sort == Sort::Number {
                // A duration, `5m`, is two words to the lexer.
                last += text[last..].find(|letter: char| !letter.is_alphanumeric()).unwrap_or(text.len() - last);
                done = done.max(last);
            }
            words.push((begin..last, sort));
        }
    }
    words
}

fn sort(spot: &Spot, next: Option<&Spot>) -> Option<Sort> {
    let before = |wanted: &Token| next.is_some_and(|next| next.token == *wanted);
    match &spot.token {
        Token::Comment(_) => Some(Sort::Comment),
        Token::StringConstant(_) | Token::InterpolatedString(_) | Token::CharConstant(_) => Some(Sort::Text),
        Token::IntegerConstant(_) | Token::FloatConstant(_) | Token::True | Token::False => Some(Sort::Number),
        Token::Identifier(word) if KEYWORDS.contains(&word.as_str()) => Some(Sort::Keyword),
        Token::Identifier(_) if before(&Token::DoubleColon) => Some(Sort::Module),
        Token::Identifier(_) | Token::Reserved(_) if before(&Token::LeftParen) => Some(Sort::Function),
        Token::Custom(_) => Some(Sort::Keyword),
        token if token.is_standard_keyword() => Some(Sort::Keyword),
        _ => None,
    }
}

fn byte(lines: &[usize], text: &str, spot: &Spot) -> usize {
    let Some(start) = lines.get(spot.line.saturating_sub(1)) else { return text.len() };
    let column = spot.column.saturating_sub(1);
    text[*start..].char_indices().nth(column).map_or(text.len(), |(at, _)| start + at)
}
