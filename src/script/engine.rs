//! The Rhai engine as cozyscript sets it up: limits, keywords, values, and where imports come from.

use std::cell::RefCell;

use rhai::{Dynamic, Engine, LexError, NativeCallContext, OptimizationLevel, Position, Token};

use super::{
    binding::Binding,
    conductor::Outcome,
    context::Context,
    fault::{self, Fault, Kind},
    sources::Sources,
    syntax, try_catch,
    values::{object, tunnel},
};
use crate::{
    event::What,
    host::{cancel::Reason, frame},
};

/// What a script may use up. A script that needs more is wrong, or hostile.
pub mod limits {
    pub const CALL_DEPTH: usize = 64;
    pub const EXPRESSION_DEPTH: usize = 128;
    pub const EXPRESSION_DEPTH_IN_FUNCTION: usize = 64;
    /// Operations of one run: about ten minutes of nothing but computing.
    pub const OPERATIONS: u64 = 2_000_000_000;
    pub const TEXT_BYTES: usize = 64 << 20;
    pub const LIST_ITEMS: usize = 1_000_000;
    pub const MAP_ENTRIES: usize = 1_000_000;
    pub const VARIABLES: usize = 10_000;
    pub const MODULES: usize = 200;
}

/// How many operations pass between two looks at the clock.
const LOOK_AT_CLOCK: u64 = 1 << 12;

/// An engine with the language's own parts and the given bindings, and no context yet: it can compile and check.
pub fn build(bindings: &[Binding], sources: &Sources) -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_call_levels(limits::CALL_DEPTH)
        .set_max_expr_depths(limits::EXPRESSION_DEPTH, limits::EXPRESSION_DEPTH_IN_FUNCTION)
        .set_max_operations(limits::OPERATIONS)
        .set_max_string_size(limits::TEXT_BYTES)
        .set_max_array_size(limits::LIST_ITEMS)
        .set_max_map_size(limits::MAP_ENTRIES)
        .set_max_variables(limits::VARIABLES)
        .set_max_modules(limits::MODULES)
        // The optimizer would drop statements without effect before `check` sees them.
        .set_optimization_level(OptimizationLevel::None)
        .set_module_resolver(sources.clone());
    reserved_words_as_fields(&mut engine);
    engine.register_fn("timestamp", no_clock_of_its_own);
    fault::register(&mut engine);
    object::register(&mut engine);
    tunnel::register(&mut engine);
    syntax::register(&mut engine);
    try_catch::register(&mut engine);
    for binding in bindings {
        binding.register(&mut engine);
    }
    engine
}

/// Rhai's own `timestamp()` reads the system's clock past the host.
fn no_clock_of_its_own(context: NativeCallContext) -> Outcome<()> {
    Err(Fault::new(Kind::Usage, "`timestamp` is not there").hint("`now()` is the run's clock").raise(&context))
}

/// An engine that can only lex: it knows the keywords, and costs next to nothing to make.
pub fn lexer() -> Engine {
    let mut engine = Engine::new_raw();
    engine.set_max_string_size(limits::TEXT_BYTES);
    reserved_words_as_fields(&mut engine);
    syntax::register(&mut engine);
    try_catch::register(&mut engine);
    engine
}

/// Ties an engine to a run: its functions reach the host and the conductor through `context`.
pub fn attach(engine: &mut Engine, context: &Context) {
    let host = context.host().clone();
    engine.set_default_tag(Dynamic::from(context.clone()));

    let events = host.events.clone();
    engine.on_print(move |text| events.emit(What::Printed { text: text.to_owned() }));
    let events = host.events.clone();
    engine.on_debug(move |text, source, position| {
        let source = source.unwrap_or_default();
        let text = format!("{source}:{}: {text}", position.line().unwrap_or(0));
        events.emit(What::Printed { text });
    });

    let clock = host.clock;
    engine.on_progress(move |operations| {
        if !operations.is_multiple_of(64) {
            return None;
        }
        let now = operations.is_multiple_of(LOOK_AT_CLOCK).then(|| clock.elapsed());
        let reason = frame::peek(|frame| {
            if frame.cancel.is_stopped() {
                return frame.cancel.reason();
            }
            let deadline = frame.deadline.as_ref().filter(|deadline| now.is_some_and(|now| now >= deadline.at));
            deadline.map(|deadline| Reason::Timeout(deadline.step.clone()))
        });
        reason.flatten().map(Dynamic::from)
    });
}

/// Lets Rhai's reserved words stand after `.`, `?.` and `::` and as keys of maps, where Kubernetes has fields such as
/// `default` and `match`.
fn reserved_words_as_fields(engine: &mut Engine) {
    thread_local! {
        static LEXED: RefCell<Lexed> = RefCell::default();
    }
    #[expect(deprecated, reason = "volatile, not deprecated; the engine's version is pinned")]
    engine.on_parse_token(|token, position, _| LEXED.with_borrow_mut(|lexed| lexed.take(token, position)));
}

/// What was lexed so far, as far as it says what the next word is.
#[derive(Default)]
struct Lexed {
    last: Last,
    /// Whether each open bracket is that of a map.
    open: Vec<bool>,
    at: (usize, usize),
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Last {
    #[default]
    Other,
    /// A name follows, whatever it is.
    Dot,
    Key,
    /// A keyword that became a field: the lexer takes a sign after it for a unary one.
    Field,
}

impl Lexed {
    fn take(&mut self, token: Token, position: Position) -> Token {
        let at = (position.line().unwrap_or(0), position.position().unwrap_or(0));
        // The end of an interpolated text has no position.
        if !position.is_none() {
            if at <= self.at {
                // Another text is lexed now; the one before may have ended in an error.
                *self = Self::default();
            }
            self.at = at;
        }
        let last = self.last;
        self.last = match &token {
            Token::Period | Token::Elvis | Token::DoubleColon => Last::Dot,
            Token::MapStart => {
                self.open.push(true);
                Last::Key
            }
            Token::LeftBrace | Token::LeftParen | Token::LeftBracket | Token::QuestionBracket => {
                self.open.push(false);
                Last::Other
            }
            Token::RightBrace | Token::RightParen | Token::RightBracket => {
                self.open.pop();
                Last::Other
            }
            Token::Comma if self.open.last() == Some(&true) => Last::Key,
            _ => Last::Other,
        };
        let is_name = matches!(last, Last::Dot | Last::Key);
        match token {
            // The parser would begin a step here, and stumble over what follows it.
            Token::Identifier(word) if last == Last::Dot && syntax::KEYWORDS.contains(&word.as_str()) => {
                Token::LexError(LexError::UnexpectedInput(word.to_string()).into())
            }
            Token::Reserved(word) if is_name && word.starts_with(char::is_alphabetic) => Token::Identifier(word),
            word if is_name && word.is_literal() && word.literal_syntax().starts_with(char::is_alphabetic) => {
                self.last = if last == Last::Dot { Last::Field } else { Last::Other };
                Token::Identifier(Box::new(word.literal_syntax().into()))
            }
            Token::Try => try_catch::keyword(),
            Token::UnaryPlus if last == Last::Field => Token::Plus,
            Token::UnaryMinus if last == Last::Field => Token::Minus,
            token => token,
        }
    }
}
