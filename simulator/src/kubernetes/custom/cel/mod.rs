//! Rules in CEL: read once, and asked for each value.
//!
//! What a rule costs is not counted: the real server refuses rules that might take long, and this one takes them.

mod addresses;
mod environment;
mod function;
mod lists;
mod named_formats;
mod quantities;
mod texts;
mod urls;
mod value;
mod versions;

use cel::{Context, ExecutionError, Program, Value as Cel, objects::OptionalValue};

use self::environment::environment;
pub use self::value::{Convert, of_map, plain};
pub use cel::Value as Known;

/// An expression that was read.
#[derive(Debug)]
pub struct Expression {
    text: String,
    read: Result<Program, String>,
    /// Functions that it calls and nobody knows.
    unknown: Vec<String>,
}

/// What an expression is asked about.
pub struct Asked {
    pub this: Cel,
    /// What was there before, for those who ask for it.
    pub before: Before,
}

/// What was there before a change.
pub enum Before {
    Nothing,
    Value(Cel),
    /// It may be that there was nothing.
    Maybe(Option<Cel>),
}

impl Expression {
    pub fn read(text: &str) -> Self {
        let read = environment().compile(text).map_err(|errors| errors.to_string());
        let unknown = match &read {
            Ok(program) => {
                let mut called: Vec<String> = program.references().functions().into_iter().map(str::to_owned).collect();
                called.sort();
                called.retain(|name| name.starts_with(char::is_alphabetic) && !environment::knows(name));
                called
            }
            Err(_) => Vec::new(),
        };
        Self { text: text.to_owned(), read, unknown }
    }

    /// Why it is no expression.
    pub fn wrong(&self) -> Option<&str> {
        self.read.as_ref().err().map(String::as_str)
    }

    /// What of it has no model.
    pub fn not_modelled(&self) -> Option<String> {
        let name = self.unknown.first()?;
        Some(format!("the function `{name}` in the rule `{}`", self.text))
    }

    /// True if it compares with what was there before.
    pub fn asks_for_before(&self) -> bool {
        self.read.as_ref().is_ok_and(|program| program.references().has_variable("oldSelf"))
    }

    /// # Errors
    /// Why it has no value, in the words of the real server.
    pub fn ask(&self, asked: &Asked) -> Result<Cel, String> {
        let program = self.read.as_ref().map_err(Clone::clone)?;
        let mut context = Context::with_env(environment().clone());
        context.add_variable_from_value("self", asked.this.clone());
        match &asked.before {
            Before::Nothing => {}
            Before::Value(value) => context.add_variable_from_value("oldSelf", value.clone()),
            Before::Maybe(value) => {
                let value = value.clone().map_or_else(OptionalValue::none, OptionalValue::of);
                context.add_variable_from_value("oldSelf", Cel::Opaque(std::sync::Arc::new(value)));
            }
        }
        program.execute(&context).map_err(|error| said(&error))
    }

    /// The value that it has where these names are known.
    ///
    /// # Errors
    /// As for [`Expression::ask`].
    pub fn ask_of(&self, names: &[(&str, Cel)]) -> Result<Cel, String> {
        let program = self.read.as_ref().map_err(Clone::clone)?;
        let mut context = Context::with_env(environment().clone());
        for (name, value) in names {
            context.add_variable_from_value(*name, value.clone());
        }
        program.execute(&context).map_err(|error| said(&error))
    }
}

/// An error as the real server tells it.
fn said(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        ExecutionError::IndexOutOfBounds(Cel::Int(index)) => format!("index out of bounds: {index}"),
        ExecutionError::NoSuchOverload(_) => "no such overload".to_owned(),
        ExecutionError::FunctionError { function, message } => {
            let into = match function.as_str() {
                "duration" => "google.protobuf.Duration",
                "timestamp" => "google.protobuf.Timestamp",
                "int" | "uint" | "double" | "bool" => function,
                _ => return message.clone(),
            };
            format!("type conversion error from 'string' to '{into}'")
        }
        other => other.to_string(),
    }
}
