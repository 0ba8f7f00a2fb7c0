//! Patterns of file names, in which `*` stands for anything, `?` for one letter and `[a-z]` for one of these.

/// A pattern that is none.
struct Malformed;

/// The text without the shortest or the longest beginning, of at least one letter, that is as the pattern says. A malformed pattern
/// takes nothing away.
pub fn without_prefix<'t>(text: &'t str, pattern: &str, longest: bool) -> &'t str {
    let pattern: Vec<char> = pattern.chars().collect();
    let letters: Vec<char> = text.chars().collect();
    let mut found = text;
    for (end, _) in text.char_indices().map(|(at, letter)| (at + letter.len_utf8(), letter)).rev() {
        let prefix = &letters[..text[..end].chars().count()];
        match is_as(prefix, &pattern) {
            Ok(true) if longest => return &text[end..],
            Ok(true) => found = &text[end..],
            Ok(false) => {}
            Err(Malformed) => return text,
        }
    }
    found
}

/// Whether all of a text is as a pattern says.
fn is_as(text: &[char], pattern: &[char]) -> Result<bool, Malformed> {
    match (pattern, text) {
        ([], rest) => Ok(rest.is_empty()),
        (['*', pattern @ ..], rest) => {
            for begin in 0..=rest.len() {
                if is_as(&rest[begin..], pattern)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (_, []) => Ok(false),
        (['?', pattern @ ..], [_, rest @ ..]) => is_as(rest, pattern),
        (['[', pattern @ ..], [letter, rest @ ..]) => {
            let (is_one, pattern) = is_among(*letter, pattern)?;
            Ok(is_one && is_as(rest, pattern)?)
        }
        (['\\', pattern @ ..], _) => match (pattern, text) {
            ([wanted, pattern @ ..], [letter, rest @ ..]) => Ok(wanted == letter && is_as(rest, pattern)?),
            _ => Err(Malformed),
        },
        ([wanted, pattern @ ..], [letter, rest @ ..]) => Ok(wanted == letter && is_as(rest, pattern)?),
    }
}

/// Whether a letter is one of those of a class, whose bracket is behind us; and what follows the class.
fn is_among(letter: char, class: &[char]) -> Result<(bool, &[char]), Malformed> {
    let (negated, mut rest) = match class {
        ['^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (mut is_one, mut ranges) = (false, 0);
    loop {
        if let ([']', after @ ..], 1..) = (rest, ranges) {
            return Ok((is_one != negated, after));
        }
        let (low, mut after) = member(rest)?;
        let mut high = low;
        if let ['-', others @ ..] = after {
            (high, after) = member(others)?;
        }
        is_one |= (low..=high).contains(&letter);
        ranges += 1;
        rest = after;
    }
}

fn member(class: &[char]) -> Result<(char, &[char]), Malformed> {
    match class {
        ['\\', letter, rest @ ..] if !rest.is_empty() => Ok((*letter, rest)),
        ['-' | ']' | '\\', ..] => Err(Malformed),
        [letter, rest @ ..] if !rest.is_empty() => Ok((*letter, rest)),
        _ => Err(Malformed),
    }
}
