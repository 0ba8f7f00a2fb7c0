//! What Kubernetes adds for lists.

use std::cmp::Ordering;

use cel::{
    DeclarationError, Env, ExecutionError, Value,
    common::types::{DYN_TYPE, LIST_TYPE},
};

use super::function::{answer, argument, functions, list};

pub fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    functions! { env:
        member "isSorted" (LIST_TYPE) |arguments| {
            let items = list(&arguments, 0)?;
            answer(items.windows(2).all(|pair| order(&pair[0], &pair[1]) != Ordering::Greater))
        };
        member "sum" (LIST_TYPE) |arguments| answer(sum(&list(&arguments, 0)?)?);
        member "min" (LIST_TYPE) |arguments| answer(extreme(&list(&arguments, 0)?, "min", Ordering::Less)?);
        member "max" (LIST_TYPE) |arguments| answer(extreme(&list(&arguments, 0)?, "max", Ordering::Greater)?);
        member "indexOf" (LIST_TYPE, DYN_TYPE) |arguments| {
            let wanted = argument(&arguments, 1)?;
            answer(place(list(&arguments, 0)?.iter().position(|item| *item == wanted)))
        };
        member "lastIndexOf" (LIST_TYPE, DYN_TYPE) |arguments| {
            let wanted = argument(&arguments, 1)?;
            answer(place(list(&arguments, 0)?.iter().rposition(|item| *item == wanted)))
        };
    }
    Ok(())
}

fn order(one: &Value, other: &Value) -> Ordering {
    one.partial_cmp(other).unwrap_or(Ordering::Equal)
}

fn place(index: Option<usize>) -> i64 {
    index.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1)
}

fn sum(items: &[Value]) -> Result<Value, ExecutionError> {
    let nothing = match items.first() {
        Some(Value::Float(_)) => Value::Float(0.0),
        Some(Value::UInt(_)) => Value::UInt(0),
        _ => Value::Int(0),
    };
    items.iter().try_fold(nothing, |sum, item| match (sum, item) {
        (Value::Int(sum), Value::Int(item)) => sum.checked_add(*item).map(Value::Int).ok_or_else(overflow),
        (Value::UInt(sum), Value::UInt(item)) => sum.checked_add(*item).map(Value::UInt).ok_or_else(overflow),
        (Value::Float(sum), Value::Float(item)) => Ok(Value::Float(sum + item)),
        _ => Err(ExecutionError::function_error("sum", "no such overload")),
    })
}

fn overflow() -> ExecutionError {
    ExecutionError::function_error("sum", "integer overflow")
}

fn extreme(items: &[Value], name: &str, wanted: Ordering) -> Result<Value, ExecutionError> {
    let found = items.iter().reduce(|best, item| if order(item, best) == wanted { item } else { best });
    found.cloned().ok_or_else(|| ExecutionError::function_error(name, format!("{name} called on empty list")))
}
