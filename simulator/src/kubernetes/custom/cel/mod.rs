//! Rules in CEL: read once, and asked for each value.
//!
//! What a rule costs is not counted: the real server refuses rules that might take long, and this one takes them.

mod addresses;
mod environment;
mod function;
mod lists;
mod making;
mod named_formats;
mod quantities;
mod texts;
mod urls;
mod value;
mod versions;

use std::{fmt, sync::Arc};

use cel::{Context, Env, ExecutionError, Program, Value as Cel, objects::OptionalValue};

use self::environment::environment;
pub use self::{
    making::Made,
    value::{Convert, of_map, plain},
};
pub use cel::Value as Known;

/// An expression that was read.
pub struct Expression {
    text: String,
    read: Result<Program, String>,
    /// What it may call and make.
    env: Arc<Env>,
    /// What it calls or asks for and nobody knows.
    unknown: Vec<String>,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expression").field("text", &self.text).finish_non_exhaustive()
    }
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
        let env = environment().clone();
        Self::read_in(text, env, environment::knows)
    }

    /// The same of an expression that may make objects.
    pub fn making(text: &str) -> Self {
        let types = environment().compile(text).map(|program| making::types(program.expression())).unwrap_or_default();
        let env = Arc::new(environment::making(types));
        Self::read_in(text, env, |name| name == making::ESCAPE || environment::knows(name))
    }

    fn read_in(text: &str, env: Arc<Env>, knows: impl Fn(&str) -> bool) -> Self {
        let read = env.compile(text).map_err(|errors| errors.to_string());
        let unknown = match &read {
            Ok(program) => {
                let references = program.references();
                let mut called: Vec<&str> = references.functions();
                called.sort_unstable();
                called.retain(|name| name.starts_with(char::is_alphabetic) && !knows(name));
                let asked = references.has_variable("authorizer").then(|| "the authorizer".to_owned());
                called.into_iter().map(|name| format!("the function `{name}`")).chain(asked).collect()
            }
            Err(_) => Vec::new(),
        };
        Self { text: text.to_owned(), read, env, unknown }
    }

    /// Why it is no expression.
    pub fn wrong(&self) -> Option<&str> {
        self.read.as_ref().err().map(String::as_str)
    }

    /// What of it has no model.
    pub fn not_modelled(&self) -> Option<String> {
        let what = self.unknown.first()?;
        Some(format!("{what} in the rule `{}`", self.text))
    }

    /// True if it compares with what was there before.
    pub fn asks_for_before(&self) -> bool {
        self.read.as_ref().is_ok_and(|program| program.references().has_variable("oldSelf"))
    }

    /// # Errors
    /// Why it has no value, in the words of the real server.
    pub fn ask(&self, asked: &Asked) -> Result<Cel, String> {
        let program = self.read.as_ref().map_err(Clone::clone)?;
        let mut context = Context::with_env(self.env.clone());
        context.add_variable_from_value("self", asked.this.clone());
        match &asked.before {
            Before::Nothing => {}
            Before::Value(value) => context.add_variable_from_value("oldSelf", value.clone()),
            Before::Maybe(value) => {
                let value = value.clone().map_or_else(OptionalValue::none, OptionalValue::of);
                context.add_variable_from_value("oldSelf", Cel::Opaque(Arc::new(value)));
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
        let mut context = Context::with_env(self.env.clone());
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
