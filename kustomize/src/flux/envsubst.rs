//! Variables in a text, as Flux fills them in: those of drone's envsubst, with its functions and its liberties.
//!
//! `${name}`, `${name:-otherwise}` (also with `=`, `:=`, `:+` and `:?`, which are all the same), `${#name}`, `${name^}`, `${name,,}`,
//! `${name:2:3}`, `${name#prefix}`, `${name%suffix}` and `${name/old/new}`; `$${name}` is none. Lengths and positions count bytes.

use std::collections::BTreeMap;

use super::glob;

const BAD: &str = "bad substitution";

/// What becomes of variables that nobody knows, and that say nothing otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    Empty,
    Refused,
}

/// The text with its variables filled in.
///
/// # Errors
/// What is wrong with how it is written, or which variable nobody knows, in the words of the real one.
pub fn fill(text: &str, variables: &BTreeMap<String, String>, unknown: Unknown) -> Result<String, String> {
    let mut filler = Filler { rest: text, variables, unknown: None };
    let whole = filler.whole()?;
    match filler.unknown {
        Some(name) if unknown == Unknown::Refused => Err(format!("variable not set (strict mode): {name:?}")),
        _ => Ok(whole),
    }
}

struct Filler<'t> {
    rest: &'t str,
    variables: &'t BTreeMap<String, String>,
    /// The first variable that nobody knows.
    unknown: Option<&'t str>,
}

impl<'t> Filler<'t> {
    fn whole(&mut self) -> Result<String, &'static str> {
        let mut whole = String::new();
        loop {
            whole.push_str(&self.plain(|_| true, &['$']));
            if self.rest.is_empty() {
                return Ok(whole);
            }
            self.rest = &self.rest[2..];
            whole.push_str(&self.variable()?);
        }
    }

    /// What stands before the next variable, for as long as its letters are taken; before one of another kind, these are escaped: a
    /// dollar before a dollar, a backslash before a backslash or a slash.
    fn plain(&mut self, takes: impl Fn(char) -> bool, escapes: &[char]) -> String {
        let mut plain = String::new();
        loop {
            let mut letters = self.rest.chars();
            let (Some(letter), next) = (letters.next(), letters.next()) else { return plain };
            let is_escape = escapes.contains(&letter)
                && match letter {
                    '$' => next == Some('$'),
                    _ => matches!(next, Some('/' | '\\')),
                };
            match next {
                Some('{') if letter == '$' => return plain,
                Some(next) if is_escape => {
                    plain.push(next);
                    self.rest = letters.as_str();
                }
                _ if takes(letter) => {
                    plain.push(letter);
                    self.rest = &self.rest[letter.len_utf8()..];
                }
                _ => return plain,
            }
        }
    }

    /// A variable whose `${` is behind us.
    fn variable(&mut self) -> Result<String, &'static str> {
        if self.take("#") {
            let name = self.name(BAD)?;
            self.close()?;
            return Ok(self.value(name).len().to_string());
        }
        let name = self.name("unable to parse variable name")?;
        let value = self.variables.get(name).cloned().unwrap_or_default();
        let whole = match self.rest.as_bytes() {
            [b'=', ..] | [b':', b'=' | b'-' | b'?' | b'+', ..] => return self.otherwise(value),
            [b':', ..] => self.part(value),
            [b',' | b'^', ..] => self.in_case(value),
            [b'/', ..] => self.replaced(value),
            [b'#' | b'%', ..] => self.without(value),
            [b'}', ..] => self.close().map(|()| value),
            _ => Err("missing closing brace"),
        };
        // Those in its parameters come first.
        self.value(name);
        whole
    }

    fn name(&mut self, otherwise: &'static str) -> Result<&'t str, &'static str> {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = self.rest.find(|letter| !is_part(letter)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        if name.is_empty() { Err(otherwise) } else { Ok(name) }
    }

    /// The value of a variable that has to be known.
    fn value(&mut self, name: &'t str) -> &'t str {
        let value = self.variables.get(name);
        if value.is_none() {
            self.unknown.get_or_insert(name);
        }
        value.map_or("", String::as_str)
    }

    /// One parameter of a function: a variable, or letters that are taken, of which there has to be one.
    fn parameter(&mut self, takes: impl Fn(char) -> bool, escapes: &[char]) -> Result<String, &'static str> {
        if self.take("${") {
            return self.variable();
        }
        let before = self.rest;
        let plain = self.plain(takes, escapes);
        if self.rest == before { Err("unable to parse substitution within function") } else { Ok(plain) }
    }

    fn otherwise(&mut self, value: String) -> Result<String, &'static str> {
        self.rest = &self.rest[if self.rest.starts_with('=') { 1 } else { 2 }..];
        let mut otherwise = String::new();
        while !self.take("}") {
            otherwise.push_str(&self.parameter(is_inside, &[])?);
        }
        Ok(if value.is_empty() { otherwise } else { value })
    }

    fn part(&mut self, value: String) -> Result<String, &'static str> {
        self.take(":");
        let position = self.parameter(|letter| letter != ':' && is_inside(letter), &[])?;
        let mut length = None;
        if !self.take("}") {
            self.take_all(':')?;
            length = Some(self.parameter(is_inside, &[])?);
            self.close()?;
        }
        let number = |text: &str| text.parse::<i64>().ok();
        let whole = i64::try_from(value.len()).unwrap_or(i64::MAX);
        let Some(position) = number(&position) else { return Ok(value) };
        let begin = if position < 0 { (whole + position).max(0) } else { position.min(whole) };
        let end = match length.as_deref().map(number) {
            None => whole,
            Some(None) => return Ok(value),
            Some(Some(length)) if length < 0 => (whole + length).max(begin),
            Some(Some(length)) => begin.saturating_add(length).min(whole),
        };
        let at = |number: i64| usize::try_from(number).expect("it is neither negative nor beyond the end");
        Ok(String::from_utf8_lossy(&value.as_bytes()[at(begin)..at(end)]).into_owned())
    }

    fn in_case(&mut self, value: String) -> Result<String, &'static str> {
        let operator = self.operator(|letter| matches!(letter, ',' | '^'));
        self.close()?;
        let first = |changed: fn(char) -> char| {
            let mut letters = value.chars();
            letters.next().map(changed).into_iter().chain(letters).collect()
        };
        Ok(match operator {
            "," => first(lower),
            "^" => first(upper),
            ",," => value.chars().map(lower).collect(),
            "^^" => value.chars().map(upper).collect(),
            _ => value,
        })
    }

    fn without(&mut self, value: String) -> Result<String, &'static str> {
        let kind = self.rest.chars().next();
        let operator = self.operator(|letter| Some(letter) == kind);
        let pattern = self.parameter(is_inside, &[])?;
        self.close()?;
        let reversed = |text: &str| text.chars().rev().collect::<String>();
        Ok(match operator {
            "#" | "##" => glob::without_prefix(&value, &pattern, operator == "##").to_owned(),
            _ => reversed(glob::without_prefix(&reversed(&value), &reversed(&pattern), operator == "%%")),
        })
    }

    fn replaced(&mut self, value: String) -> Result<String, &'static str> {
        const ESCAPES: [char; 2] = ['$', '\\'];
        self.take("/");
        let place = ["/", "#", "%"].into_iter().find(|place| self.take(place)).unwrap_or_default();
        let old = self.parameter(|letter| letter != '/', &ESCAPES)?;
        self.take_all('/')?;
        let mut new = None;
        if !self.take("}") {
            new = Some(self.parameter(is_inside, &ESCAPES)?);
            self.close()?;
        }
        Ok(match (place, new) {
            ("/", new) => value.replace(&old, &new.unwrap_or_default()),
            ("", new) => value.replacen(&old, &new.unwrap_or_default(), 1),
            // Nothing is put in place of them only where something is.
            (_, None) => value,
            ("#", Some(new)) => value.strip_prefix(&old).map(|rest| new + rest).unwrap_or(value),
            (_, Some(new)) => value.strip_suffix(&old).map(|rest| rest.to_owned() + &new).unwrap_or(value),
        })
    }

    /// One or two letters of this kind.
    fn operator(&mut self, is_it: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.chars().take(2).take_while(|letter| is_it(*letter)).count();
        let (operator, rest) = self.rest.split_at(end);
        self.rest = rest;
        operator
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// One of these, or as many as there are.
    fn take_all(&mut self, letter: char) -> Result<(), &'static str> {
        let rest = self.rest.trim_start_matches(letter);
        if rest.len() == self.rest.len() {
            return Err(BAD);
        }
        self.rest = rest;
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        if self.take("}") { Ok(()) } else { Err(BAD) }
    }
}

fn is_inside(letter: char) -> bool {
    letter != '}'
}

/// One letter becomes one letter: what has a longer form stays as it is.
fn upper(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    if upper.len() == 1 { upper.next().unwrap_or(letter) } else { letter }
}

fn lower(letter: char) -> char {
    let mut lower = letter.to_lowercase();
    if lower.len() == 1 { lower.next().unwrap_or(letter) } else { letter }
}
