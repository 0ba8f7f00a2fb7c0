//! Functions as the language takes them: values in, a value out.

use std::sync::Arc;

use cel::{
    ExecutionError, Value,
    common::value::{CowVal, Val},
    objects::Opaque,
};

pub type Arguments<'b, 'v> = [CowVal<'b, 'v>];
pub type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// An argument of a function.
pub fn argument(arguments: &Arguments<'_, '_>, index: usize) -> Result<Value, ExecutionError> {
    let argument = arguments.get(index).ok_or_else(ExecutionError::missing_argument_or_target)?;
    let argument: &dyn Val = &**argument;
    Value::try_from(argument)
}

/// A text among the arguments.
pub fn text(arguments: &Arguments<'_, '_>, index: usize) -> Result<Arc<String>, ExecutionError> {
    match argument(arguments, index)? {
        Value::String(text) => Ok(text),
        other => Err(unexpected(&other, "string")),
    }
}

/// A whole number among the arguments.
pub fn number(arguments: &Arguments<'_, '_>, index: usize) -> Result<i64, ExecutionError> {
    match argument(arguments, index)? {
        Value::Int(number) => Ok(number),
        other => Err(unexpected(&other, "int")),
    }
}

/// A list among the arguments.
pub fn list(arguments: &Arguments<'_, '_>, index: usize) -> Result<Arc<Vec<Value>>, ExecutionError> {
    match argument(arguments, index)? {
        Value::List(items) => Ok(items),
        other => Err(unexpected(&other, "list")),
    }
}

/// A value of a type of our own among the arguments.
pub fn own<T: Opaque + Clone>(arguments: &Arguments<'_, '_>, index: usize) -> Result<T, ExecutionError> {
    match argument(arguments, index)? {
        Value::Opaque(value) if value.downcast_ref::<T>().is_some() => {
            Ok(value.downcast_ref::<T>().expect("it was just asked").clone())
        }
        other => Err(unexpected(&other, "another type")),
    }
}

pub fn answer<'b, 'v>(value: impl Into<Value>) -> Answer<'b, 'v> {
    Box::<dyn Val>::try_from(value.into()).map(CowVal::Owned)
}

/// A value of a type of our own.
pub fn opaque(value: impl Opaque) -> Value {
    Value::Opaque(Arc::new(value))
}

fn unexpected(found: &Value, wanted: &str) -> ExecutionError {
    ExecutionError::UnexpectedType { got: found.type_of().to_string(), want: wanted.to_owned() }
}

/// Declares functions: `global` or `member`, its name, the types of what it takes (of a member, first what it is called on), and
/// what it does with them.
macro_rules! functions {
    ($env:ident: $($sort:ident $name:literal ($($of:expr),*) |$arguments:ident| $does:expr;)*) => {
        $(functions!(@$sort $env, $name, vec![$($of),*], |$arguments| $does);)*
    };
    (@global $env:ident, $name:literal, $of:expr, $does:expr) => {
        let of = $of;
        $env.add_overload($name, &$crate::kubernetes::custom::cel::function::id($name, &of), of, $does)?;
    };
    (@member $env:ident, $name:literal, $of:expr, $does:expr) => {
        let mut of = $of;
        let id = $crate::kubernetes::custom::cel::function::id($name, &of);
        let target = of.remove(0);
        $env.add_member_overload($name, &id, target, of, $does)?;
    };
}

pub(super) use functions;

/// The name of one form of a function.
pub fn id(name: &str, of: &[cel::common::types::Type]) -> String {
    let of: Vec<&str> = of.iter().map(|of| of.name()).collect();
    format!("{name}({})", of.join(","))
}
