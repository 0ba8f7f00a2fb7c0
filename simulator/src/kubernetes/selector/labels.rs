//! The words of label selectors, read as the real server reads them: `app=web,tier in (a, b),!canary`.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Holds, Requirement};
use crate::kubernetes::{answer::Cause, rules::form};

/// A piece of a selector. `in` and `notin` are signs only where one is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Sign(&'t str),
    End,
}

impl<'t> Token<'t> {
    fn text(self) -> &'t str {
        match self {
            Token::Word(text) | Token::Sign(text) => text,
            Token::End => "",
        }
    }

    fn starts_requirement(self) -> bool {
        matches!(self, Token::Word(_) | Token::Sign("!"))
    }

    fn expected(self, what: &str) -> String {
        format!("found '{}', expected: {what}", self.text())
    }
}

/// # Errors
/// What is wrong with it.
pub fn read(text: &str) -> Result<Vec<Requirement>, String> {
    let mut reader = Reader { rest: text };
    let mut requirements = Vec::new();
    loop {
        match reader.peek() {
            Token::End => return Ok(requirements),
            token if token.starts_requirement() => {}
            token => return Err(token.expected("!, identifier, or 'end of string'")),
        }
        let requirement = reader.requirement().map_err(|why| format!("unable to parse requirement: {why}"))?;
        requirements.push(requirement);
        match reader.next() {
            Token::End => return Ok(requirements),
            Token::Sign(",") if reader.peek().starts_requirement() => {}
            Token::Sign(",") => return Err(reader.peek().expected("identifier after ','")),
            token => return Err(token.expected("',' or 'end of string'")),
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Token<'t> {
        token(self.rest).0
    }

    fn next(&mut self) -> Token<'t> {
        let (token, rest) = token(self.rest);
        self.rest = rest;
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let absent = self.peek() == Token::Sign("!");
        if absent {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key.to_owned(),
            token => return Err(token.expected("identifier")),
        };
        if let Some(wrong) = wrong_key(&key, "<nil>") {
            return Err(wrong);
        }
        if absent {
            // What follows is for the next requirement, which complains.
            return Ok(Requirement { key, holds: Holds::NotThere });
        }
        if matches!(self.peek(), Token::End | Token::Sign(",")) {
            return Ok(Requirement { key, holds: Holds::There });
        }
        let sign = match self.next().text() {
            sign @ ("in" | "notin" | "=" | "==" | "!=" | ">" | "<") => sign,
            other => return Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
        };
        let values = match sign {
            "in" | "notin" => self.values()?,
            _ => BTreeSet::from([self.value()?]),
        };
        let values: Vec<String> = values.into_iter().map(str::to_owned).collect();
        let mut wrong = Vec::new();
        if let (">" | "<", Some(value)) = (sign, values.first())
            && value.parse::<i64>().is_err()
        {
            let why = "for 'Gt', 'Lt' operators, the value must be an integer";
            wrong.push(told(&Cause::invalid("values[0]", &json!(value), why)));
        }
        for (at, value) in values.iter().enumerate() {
            let found = form::label_value(value);
            if !found.is_empty() {
                let place = format!("values[{at}][{key}]");
                wrong.push(told(&Cause::invalid(place, &json!(value), &found.join("; "))));
            }
        }
        match wrong.as_slice() {
            [] => {}
            [one] => return Err(one.clone()),
            many => return Err(format!("[{}]", many.join(", "))),
        }
        let bound = || values.first().and_then(|value| value.parse().ok()).unwrap_or_default();
        let holds = match sign {
            ">" => Holds::Above(bound()),
            "<" => Holds::Below(bound()),
            "notin" | "!=" => Holds::NotIn(values),
            _ => Holds::In(values),
        };
        Ok(Requirement { key, holds })
    }

    /// The one value after a sign; none is an empty one.
    fn value(&mut self) -> Result<&'t str, String> {
        match self.peek() {
            Token::End | Token::Sign(",") => Ok(""),
            Token::Word(value) => {
                self.next();
                Ok(value)
            }
            token => Err(token.expected("identifier")),
        }
    }

    /// The values in brackets. Between commas may be nothing, which is an empty value.
    fn values(&mut self) -> Result<BTreeSet<&'t str>, String> {
        match self.next() {
            Token::Sign("(") => {}
            token => return Err(format!("found '{}' expected: '('", token.text())),
        }
        let mut values = BTreeSet::new();
        match self.peek() {
            Token::Sign(")") => {
                self.next();
                return Ok(BTreeSet::from([""]));
            }
            Token::Word(_) | Token::Sign(",") => {}
            token => return Err(token.expected("',', ')' or identifier")),
        }
        loop {
            match self.next() {
                Token::Word(value) => {
                    values.insert(value);
                    match self.peek() {
                        Token::Sign(",") => {}
                        Token::Sign(")") => break,
                        token => return Err(token.expected("',' or ')'")),
                    }
                }
                Token::Sign(",") => {
                    if values.is_empty() {
                        values.insert("");
                    }
                    match self.peek() {
                        Token::Sign(")") => {
                            values.insert("");
                            break;
                        }
                        Token::Sign(",") => drop(values.insert("")),
                        _ => {}
                    }
                }
                token => return Err(token.expected("',', or identifier")),
            }
        }
        self.next();
        Ok(values)
    }
}

fn token(text: &str) -> (Token<'_>, &str) {
    const SIGNS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];
    let text = text.trim_start_matches(is_blank);
    if let Some(sign) = SIGNS.into_iter().find(|sign| text.starts_with(sign)) {
        return (Token::Sign(sign), &text[sign.len()..]);
    }
    let end = text.find(|letter| is_blank(letter) || "=!(),><".contains(letter)).unwrap_or(text.len());
    match text.split_at(end) {
        ("", rest) => (Token::End, rest),
        (word, rest) => (Token::Word(word), rest),
    }
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

fn wrong_key(key: &str, place: &str) -> Option<String> {
    let found = form::qualified_name(key);
    (!found.is_empty()).then(|| told(&Cause::invalid(place, &json!(key), &found.join("; "))))
}

fn told(cause: &Cause) -> String {
    format!("{}: {}", cause.field, cause.message)
}
