//! Quantities: `quantity('1.5Gi')`.

use std::cmp::Ordering;

use cel::{
    DeclarationError, Env, ExecutionError, Value,
    common::types::{INT_TYPE, STRING_TYPE, Type},
    objects::Opaque,
};

use super::function::{answer, functions, number, opaque, own, text};
use crate::kubernetes::quantity::Quantity;

const NAME: &str = "kubernetes.Quantity";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Amount(Quantity);

impl Opaque for Amount {
    fn runtime_type_name(&self) -> &str {
        NAME
    }
}

pub fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    let amount = || Type::new_opaque_type(NAME);
    functions! { env:
        global "quantity" (STRING_TYPE) |arguments| answer(opaque(Amount(read(&text(&arguments, 0)?)?)));
        global "isQuantity" (STRING_TYPE) |arguments| answer(text(&arguments, 0)?.parse::<Quantity>().is_ok());
        member "isInteger" (amount()) |arguments| answer(whole(own(&arguments, 0)?).is_some());
        member "asInteger" (amount()) |arguments| {
            let whole = whole(own(&arguments, 0)?);
            answer(whole.ok_or_else(|| ExecutionError::function_error("asInteger", "cannot convert value to integer"))?)
        };
        member "asApproximateFloat" (amount()) |arguments| answer(own::<Amount>(&arguments, 0)?.0.approximate());
        member "isGreaterThan" (amount(), amount()) |arguments| answer(compare(&arguments)? == Ordering::Greater);
        member "isLessThan" (amount(), amount()) |arguments| answer(compare(&arguments)? == Ordering::Less);
        member "compareTo" (amount(), amount()) |arguments| answer(compare(&arguments)? as i64);
        member "add" (amount(), amount()) |arguments| {
            answer(sum(own(&arguments, 0)?, own::<Amount>(&arguments, 1)?.0))
        };
        member "add" (amount(), INT_TYPE) |arguments| answer(sum(own(&arguments, 0)?, of(number(&arguments, 1)?)?));
        member "sub" (amount(), amount()) |arguments| {
            answer(sum(own(&arguments, 0)?, -own::<Amount>(&arguments, 1)?.0))
        };
        member "sub" (amount(), INT_TYPE) |arguments| answer(sum(own(&arguments, 0)?, -of(number(&arguments, 1)?)?));
    }
    Ok(())
}

fn read(text: &str) -> Result<Quantity, ExecutionError> {
    text.parse().map_err(|error| ExecutionError::function_error("quantity", error))
}

fn of(number: i64) -> Result<Quantity, ExecutionError> {
    read(&number.to_string())
}

fn sum(one: Amount, other: Quantity) -> Value {
    opaque(Amount(one.0 + other))
}

fn whole(amount: Amount) -> Option<i64> {
    amount.0.is_whole().then(|| i64::try_from(amount.0.whole()).ok()).flatten()
}

fn compare(arguments: &super::function::Arguments<'_, '_>) -> Result<Ordering, ExecutionError> {
    Ok(own::<Amount>(arguments, 0)?.0.cmp(&own::<Amount>(arguments, 1)?.0))
}
