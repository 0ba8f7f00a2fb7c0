//! The language's own lexer, with comments kept and interpolated strings followed to their end.

use std::borrow::Cow;

use rhai::{Engine, Position, Token};

/// A token and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    pub token: Token,
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// The text with its `#!` line, if it begins with one, made a comment. Positions stay.
pub fn without_interpreter(text: &str) -> Cow<'_, str> {
    match text.strip_prefix("#!") {
        // Another slash or an exclamation mark would make it documentation.
        Some(rest) => Cow::Owned(match rest.strip_prefix(['/', '!']) {
            Some(rest) => format!("// {rest}"),
            None => format!("//{rest}"),
        }),
        None => Cow::Borrowed(text),
    }
}

/// All tokens of a text, comments included. Ends at the first lexing error, which is the last token then.
pub fn lex(engine: &Engine, text: &str) -> Vec<Spot> {
    let text = without_interpreter(text);
    let inputs = [&*text];
    let (mut tokens, control) = engine.lex(&inputs);
    tokens.state.include_comments = true;
    let mut found = Vec::new();
    // For each open interpolation, how many braces inside it are open.
    let mut interpolations: Vec<usize> = Vec::new();
    for (token, position) in tokens {
        match &token {
            Token::EOF => break,
            // A comment that is never closed goes on for ever, after the end of the text.
            Token::Comment(text) if text.is_empty() => break,
            Token::InterpolatedString(_) => interpolations.push(0),
            Token::LeftBrace | Token::MapStart => {
                if let Some(depth) = interpolations.last_mut() {
                    *depth += 1;
                }
            }
            Token::RightBrace => {
                if let Some(depth) = interpolations.last_mut() {
                    *depth -= 1;
                    if *depth == 0 {
                        // The text goes on after the closing brace, up to the next interpolation or its end.
                        interpolations.pop();
                        control.borrow_mut().is_within_text = true;
                    }
                }
            }
            _ => {}
        }
        let failed = matches!(token, Token::LexError(_));
        found.push(spot(token, position));
        if failed {
            break;
        }
    }
    found
}

fn spot(token: Token, position: Position) -> Spot {
    Spot { token, line: position.line().unwrap_or(0), column: position.position().unwrap_or(0) }
}
