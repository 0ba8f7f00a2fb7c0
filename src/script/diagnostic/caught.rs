//! What `catch` gives for an error of the language itself: a map that Rhai makes, read back into the error.
//!
//! Rhai builds that map in its `try` and cannot be told to put a fault there, so it has no `kind`; thrown again, it still
//! gets the report of the first error.

use std::sync::LazyLock;

use rhai::{EvalAltResult, Map, Position};

/// The error that Rhai made the map of, and the source that it is in.
pub fn error(map: &Map) -> Option<(EvalAltResult, Option<String>)> {
    let text = |name: &str| map.get(name)?.clone().into_string().ok();
    let number = |name: &str| u16::try_from(map.get(name)?.as_int().ok()?).ok();
    text("error").filter(|name| name.starts_with("Error"))?;
    let position = match number("line").filter(|line| *line > 0) {
        Some(line) => Position::new(line, number("position").unwrap_or(0)),
        None => Position::NONE,
    };
    let message = text("message")?;
    // The message of an error in a function goes on with the calls, a line each.
    let innermost = message.lines().next().unwrap_or_default();
    let (innermost, source, position) = match innermost.split_once(" @ '") {
        Some((message, rest)) => (message, rest.split('\'').next().map(str::to_owned), position_in(rest)),
        None => (innermost, text("source"), position_in(innermost).or(Some(position))),
    };
    let position = position.unwrap_or(Position::NONE);
    Some((read(strip_position(innermost), position), source))
}

fn strip_position(message: &str) -> &str {
    message.rfind(" (line ").map_or(message, |at| &message[..at])
}

/// `… (line 3, position 5)`
fn position_in(message: &str) -> Option<Position> {
    let (line, column) = message.rsplit_once(" (line ")?.1.strip_suffix(')')?.split_once(", position ")?;
    Some(Position::new(line.parse().ok().filter(|line| *line > 0)?, column.parse().ok()?))
}

type Read = fn(String, Position) -> EvalAltResult;

/// The errors whose messages carry all that they are made of.
static MESSAGES: LazyLock<[(&str, Read); 5]> = LazyLock::new(|| {
    [
        ("Function not found: ", EvalAltResult::ErrorFunctionNotFound),
        ("Variable not found: ", EvalAltResult::ErrorVariableNotFound),
        ("Module not found: ", EvalAltResult::ErrorModuleNotFound),
        ("Data race detected on ", EvalAltResult::ErrorDataRace),
        ("Cannot modify constant ", EvalAltResult::ErrorAssignmentToConstant),
    ]
});

fn read(message: &str, position: Position) -> EvalAltResult {
    for (start, make) in MESSAGES.iter() {
        if let Some(rest) = message.strip_prefix(start) {
            return make(rest.to_owned(), position);
        }
    }
    if message == "For loop expects iterable type" {
        return EvalAltResult::ErrorFor(position);
    }
    if message.contains(" property '") {
        return EvalAltResult::ErrorDotExpr(message.to_owned(), position);
    }
    if let Some((actual, expected)) = message
        .strip_prefix("Data type incorrect: ")
        .and_then(|types| types.strip_suffix(')')?.split_once(" (expecting "))
    {
        return EvalAltResult::ErrorMismatchDataType(expected.to_owned(), actual.to_owned(), position);
    }
    if let Some((index, length)) =
        message.strip_prefix("Array index ").and_then(|rest| rest.split_once(" out of bounds: "))
        && let Ok(index) = index.parse()
    {
        let length = length.split(' ').find_map(|word| word.parse().ok()).unwrap_or(0);
        return EvalAltResult::ErrorArrayBounds(length, index, position);
    }
    // What is left tells all in its sentence.
    EvalAltResult::ErrorArithmetic(message.to_owned(), position)
}
