//! `try` and `catch`: as in Rhai, except that an error of the language is caught as a fault, too, with a kind, and that the
//! whole has a value: that of the block which came to its end.

use rhai::{Dynamic, Engine, EvalAltResult, EvalContext, Expression, ImmutableString, ParseError, Token};

use super::{block, conductor::Outcome, context::Context, diagnostic};

/// What the word `try` becomes for the parser, which has a statement of its own for the plain one. It can't be typed, so
/// that `try` stays free as the name of a field.
const KEYWORD: &str = "try …";

pub fn register(engine: &mut Engine) {
    engine.register_custom_syntax_with_state_raw(KEYWORD, parse, false, run);
}

/// The token that begins our statement.
pub fn keyword() -> Token {
    Token::Identifier(Box::new(KEYWORD.into()))
}

/// The parts of a `try`: its block, the name of what is caught, and the block that catches.
pub struct TryCatch<'e, E> {
    pub body: &'e E,
    pub caught: Option<&'e E>,
    pub rescue: &'e E,
}

impl<'e, E> TryCatch<'e, E> {
    /// The parts among the inputs of a custom expression with this keyword.
    pub fn of(keyword: Option<&ImmutableString>, inputs: &'e [E]) -> Option<Self> {
        match inputs {
            _ if keyword.is_none_or(|keyword| keyword != KEYWORD) => None,
            [body, rescue] => Some(Self { body, caught: None, rescue }),
            [body, caught, rescue] => Some(Self { body, caught: Some(caught), rescue }),
            _ => None,
        }
    }
}

/// What comes next in `try { … } catch { … }` and `try { … } catch (fault) { … }`.
fn parse(symbols: &[ImmutableString], next: &str, _state: &mut Dynamic) -> Result<Option<ImmutableString>, ParseError> {
    let named = symbols.get(3).is_some_and(|symbol| symbol == "(");
    let symbol = match (symbols.len(), named) {
        (1, _) => "$block$",
        (2, _) => "catch",
        (3, _) if next == "(" => "(",
        (3, _) => "$block$",
        (4, true) => "$ident$",
        (5, true) => ")",
        (6, true) => "$block$",
        _ => return Ok(None),
    };
    Ok(Some(symbol.into()))
}

fn run(context: &mut EvalContext, inputs: &[Expression], _state: &Dynamic) -> Outcome<Dynamic> {
    let parts = TryCatch::of(Some(&KEYWORD.into()), inputs);
    let TryCatch { body, caught, rescue } = parts.expect("the parser took these parts and no others");
    let mut error = match block::evaluate(context, body) {
        Err(error) if !error.is_pseudo_error() && error.is_catchable() => error,
        other => return other,
    };
    let outside = context.scope().len();
    if let Some(name) = caught.and_then(Expression::get_string_value) {
        let value = what_is_caught(&error, context);
        context.scope_mut().push_dynamic(name.to_owned(), value);
    }
    // What is caught moves the places of variables that the parser counted.
    let global = context.global_runtime_state_mut();
    let searched = std::mem::replace(&mut global.always_search_scope, true);
    let rescued = rescue.eval_with_context(context);
    context.global_runtime_state_mut().always_search_scope = searched;
    context.scope_mut().rewind(outside);
    rescued.map_err(|thrown| match *thrown {
        // `throw` alone throws what was caught.
        EvalAltResult::ErrorRuntime(nothing, position) if nothing.is_unit() => {
            error.set_position(position);
            error
        }
        _ => thrown,
    })
}

/// What the script threw is caught as it was thrown, everything else as a fault.
fn what_is_caught(error: &EvalAltResult, context: &EvalContext) -> Dynamic {
    match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(thrown, _) => thrown.clone(),
        _ => {
            let sources = Context::of_tag(context.tag()).sources().clone();
            diagnostic::fault_of(error, block::script(context, &sources)).map_or(Dynamic::UNIT, Dynamic::from)
        }
    }
}
