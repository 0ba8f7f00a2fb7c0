//! What Kubernetes adds for texts: finding by regular expressions.

use std::sync::Arc;

use cel::{
    DeclarationError, Env, ExecutionError, Value,
    common::types::{INT_TYPE, STRING_TYPE},
};
use regex::Regex;

use super::function::{answer, functions, number, text};

pub fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    functions! { env:
        member "find" (STRING_TYPE, STRING_TYPE) |arguments| {
            let (text, pattern) = (text(&arguments, 0)?, pattern(&text(&arguments, 1)?)?);
            answer(pattern.find(&text).map(|found| found.as_str()).unwrap_or_default().to_owned())
        };
        member "findAll" (STRING_TYPE, STRING_TYPE) |arguments| {
            answer(all(&text(&arguments, 0)?, &text(&arguments, 1)?, -1)?)
        };
        member "findAll" (STRING_TYPE, STRING_TYPE, INT_TYPE) |arguments| {
            answer(all(&text(&arguments, 0)?, &text(&arguments, 1)?, number(&arguments, 2)?)?)
        };
    }
    Ok(())
}

fn pattern(text: &str) -> Result<Regex, ExecutionError> {
    Regex::new(text).map_err(|_| ExecutionError::function_error("find", format!("illegal regex: {text}")))
}

fn all(text: &str, expression: &str, most: i64) -> Result<Value, ExecutionError> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let pattern = pattern(expression)?;
    let found = pattern.find_iter(text).take(most).map(|found| Value::String(Arc::new(found.as_str().to_owned())));
    Ok(Value::List(Arc::new(found.collect())))
}
