//! Syntax errors in the operator's words, at the place where the mistake is and not where the parser noticed it.

use rhai::{LexError, ParseError, ParseErrorType, Token};

use super::{labelled, reading::Reading, source::Source};
use crate::{
    diagnostic::{Diagnostic, Span},
    script::{options::nearest, syntax::KEYWORDS},
};

/// What a statement may begin with, for a word that is nearly one of them.
const OPENING_WORDS: [&str; 14] = [
    "step", "parallel", "let", "const", "fn", "if", "while", "for", "return", "throw", "import", "export", "switch",
    "try",
];

/// Words of other languages, and what is written for them here.
const FOREIGN_WORDS: [(&str, &str); 9] = [
    ("and", "write `&&`"),
    ("or", "write `||`"),
    ("not", "write `!`"),
    ("elif", "write `else if`"),
    ("elsif", "write `else if`"),
    ("elseif", "write `else if`"),
    ("def", "declare a function with `fn`"),
    ("func", "declare a function with `fn`"),
    ("function", "declare a function with `fn`"),
];

/// Words that the language keeps, and what is written in their place.
const KEPT_WORDS: [(&str, &str); 6] = [
    ("var", "declare a variable with `let`"),
    ("null", "nothing is written `()`"),
    ("nil", "nothing is written `()`"),
    ("print", "write `print(…)`"),
    ("await", "take it out: a call waits by itself"),
    ("match", "write `switch`"),
];

/// A syntax error as a finding.
pub fn parse_diagnostic(name: &str, text: &str, error: &ParseError) -> Diagnostic {
    let reading = Reading::of(Source::new(name, text), error.1);
    let Wording { code, message, label, hint, span } = reading.word(&error.0);
    let span = span.unwrap_or_else(|| reading.here_span(error.1));
    labelled(Diagnostic::error(code, message).at(span).hint(hint), label)
}

/// What is said of an error; without a span it is where the parser says.
struct Wording {
    code: &'static str,
    message: String,
    label: &'static str,
    hint: String,
    span: Option<Span>,
}

fn say(message: impl Into<String>, label: &'static str, hint: impl Into<String>) -> Wording {
    Wording { code: "syntax", message: message.into(), label, hint: hint.into(), span: None }
}

impl Wording {
    fn at(self, span: Span) -> Self {
        Self { span: Some(span), ..self }
    }
}

impl Reading {
    fn word(&self, error: &ParseErrorType) -> Wording {
        use ParseErrorType as E;
        if let Some(wording) = self.keyword_as_field() {
            return wording;
        }
        if self.stopped >= self.spots.len()
            && matches!(error, E::UnexpectedEOF | E::MissingToken(..) | E::FnMissingBody(_))
            && let Some(wording) = self.never_closed()
        {
            return wording;
        }
        match error {
            E::UnexpectedEOF => {
                say("the text ends in the middle of a statement", "it ends here", "finish the statement")
            }
            E::BadInput(error) => self.bad_input(error),
            E::UnknownOperator(operator) => {
                say(format!("`{operator}` is no operator"), "not known", other_operator(operator))
            }
            E::MissingToken(token, purpose) => self.missing_token(token, purpose),
            E::MissingSymbol(wanted) => self.missing_symbol(wanted),
            E::MalformedIndexExpr(why) => say(
                format!("this can't be an index: {}", lower(why)),
                "not an index",
                "an index is a number, or the name of a field as a text",
            ),
            E::MalformedCapture(_) => say("a method call captures nothing with `!`", "not here", "take the `!` out"),
            E::DuplicatedProperty(name) => {
                say(format!("the map has `{name}` twice"), "again here", "take one of them out")
            }
            E::DuplicatedVariable(name) => {
                say(format!("`{name}` is declared twice"), "again here", "give one another name")
            }
            E::WrongSwitchIntegerCase => {
                say("a number stands after a range in this `switch`", "too late", "put the numbers before the ranges")
            }
            E::WrongSwitchDefaultCase => say("`_` is not the last case of this `switch`", "too early", "put it last"),
            E::WrongSwitchCaseCondition => say("this case can't have a condition", "not here", "take the `if` out"),
            E::PropertyExpected => say(
                format!("expected the name of a field, found {}", self.found()),
                "not a name",
                "names of fields that are no plain words are quoted: `\"app.kubernetes.io/name\"`",
            ),
            E::VariableExpected => self.name_expected(),
            E::ForbiddenVariable(name) => {
                say(format!("`{name}` can't be the name of a variable"), "not a name", "choose another one")
            }
            E::Reserved(word) => self.reserved(word),
            E::MismatchedType(wanted, found) => mismatched(wanted, found),
            E::ExprExpected(_) => say(
                format!("expected an expression, found {}", self.found()),
                "an expression is missing",
                "write what is to be evaluated here",
            ),
            E::WrongDocComment => {
                say("a `/**` comment stands where no function follows", "not here", "write it with `//`")
            }
            E::WrongFnDefinition => say(
                "a function is declared inside of a block",
                "not here",
                "declare functions outside of all blocks, or write a closure: `let f = |x| …`",
            ),
            E::FnDuplicatedDefinition(name, parameters) => say(
                format!("the function `{name}` with {parameters} parameters is declared twice"),
                "again here",
                "give one of them another name",
            ),
            E::FnMissingName => say(
                format!("expected the name of a function, found {}", self.found()),
                "not a name",
                "write `fn name() { … }`",
            ),
            E::FnMissingParams(name) => say(
                format!("the function `{name}` has no parentheses"),
                "`(` is missing",
                format!("write `fn {name}() {{ … }}`"),
            ),
            E::FnDuplicatedParam(_, name) => {
                say(format!("two parameters are named `{name}`"), "again here", "give one another name")
            }
            E::FnMissingBody(name) => say(
                if name.is_empty() {
                    "the closure has no body".to_owned()
                } else {
                    format!("the function `{name}` has no body")
                },
                "`{` is missing",
                "write its body between `{` and `}`",
            ),
            E::WrongExport => say("`export` stands inside of a block", "not here", "export at the top level"),
            E::AssignmentToConstant(name) => Wording {
                code: "constant_assigned",
                ..say(
                    if name.is_empty() {
                        "a constant value is assigned".to_owned()
                    } else {
                        format!("`{name}` is a constant, and is assigned")
                    },
                    "assigned here",
                    if name.is_empty() {
                        "assign to a variable".to_owned()
                    } else {
                        format!("declare it with `let {name}`, or give the new value a name of its own")
                    },
                )
            },
            E::AssignmentToInvalidLHS(_) => say(
                "this can't be assigned to",
                "not a variable",
                "assign to a variable, a field or an item; compare with `==`",
            ),
            E::LiteralTooLarge(kind, limit) => {
                say(format!("{} is longer than {limit}", lower(kind)), "too long", "read it from a file")
            }
            E::ExprTooDeep => say(
                "the expression is nested too deeply",
                "too deep",
                "take parts of it out into variables or functions",
            ),
            E::TooManyFunctions => say("there are too many functions", "one too many", "split the text into modules"),
            E::LoopBreak => say(
                format!("`{}` stands outside of a loop", self.here()),
                "no loop is around it",
                "write `return` to leave the runbook or a function",
            ),
            other => say(lower(&other.to_string()), "here", "see the reference of the language"),
        }
    }

    /// `pod.step`: the word begins a step wherever it stands.
    fn keyword_as_field(&self) -> Option<Wording> {
        let keyword = self.here();
        let is_field = KEYWORDS.contains(&keyword) && [".", "?."].contains(&self.word_before(1));
        is_field.then(|| {
            let message = format!("`{keyword}` is a word of the language, and can't stand after a `.`");
            let hint = format!("write `{}[\"{keyword}\"]`", self.word_before(2));
            say(message, "taken for a keyword", hint)
        })
    }

    fn never_closed(&self) -> Option<Wording> {
        let opener = self.unclosed()?;
        let (open, close) = match &opener.token {
            Token::LeftParen => ("(", ")"),
            Token::LeftBracket => ("[", "]"),
            Token::MapStart => ("#{", "}"),
            _ => ("{", "}"),
        };
        let message = format!("the `{open}` of line {} is never closed", opener.line);
        let span = Span { length: open.len(), ..self.span(opener) };
        Some(say(message, "opened here", format!("close it with `{close}`")).at(span))
    }

    fn missing_token(&self, token: &str, purpose: &str) -> Wording {
        let (here, before) = (self.here(), self.word_before(1));
        let foreign = FOREIGN_WORDS.iter().find(|(word, _)| *word == here || *word == before);
        if let (Some((word, hint)), true) = (foreign, [";", "{"].contains(&token)) {
            let spot = if *word == here { self.spots.get(self.stopped) } else { self.before(1) };
            let span = self.span(spot.expect("its word was read"));
            return say(format!("`{word}` is no word of the language"), "not known", *hint).at(span);
        }
        match token {
            ";" => self.missing_semicolon(here, before),
            "}" if purpose.contains("object map") && is_word(here) => say(
                format!("`{here}` is a word of the language, and can't name a field without quotes"),
                "not a name",
                format!("write `\"{here}\": …`"),
            ),
            ":" => say(
                format!("expected `:` after the field `{before}`, found {}", self.found()),
                "`:` is missing",
                format!("write `{before}: …`"),
            ),
            "," if purpose.contains("function call") && [";", "}", "]"].contains(&here) => say(
                format!("expected `)` or `,`, found {}", self.found()),
                "the call goes on here",
                "close the call with `)`",
            ),
            "," if [";", "}", ""].contains(&here) => {
                let close = if purpose.contains("map") { "}" } else { "]" };
                let message = format!("expected `{close}` or `,`, found {}", self.found());
                say(message, "not closed here", format!("close it with `{close}`"))
            }
            "{" => say(
                format!("expected `{{`, found {}", self.found()),
                "`{` is missing",
                "a block stands between `{` and `}`",
            ),
            "," => {
                let wording =
                    say(format!("expected `,` before {}", self.found()), "`,` is missing", "put a `,` between them");
                match self.before(1) {
                    Some(spot) => wording.at(self.behind(spot)),
                    None => wording,
                }
            }
            "in" => say(
                format!("expected `in`, found {}", self.found()),
                "`in` is missing",
                "write `for item in list { … }`",
            ),
            "catch" => say("a `try` has no `catch`", "`catch` is missing", "write `try { … } catch (fault) { … }`"),
            _ => say(
                format!("expected `{token}` {}, found {}", purpose.replace('\'', "`"), self.found()),
                "not here",
                format!("write `{token}`"),
            ),
        }
    }

    fn missing_semicolon(&self, here: &str, before: &str) -> Wording {
        let begins = |word: &str| is_word(word) || word.starts_with('"');
        if let (Some(near), true) = (nearest(before, OPENING_WORDS).filter(|near| *near != before), begins(here)) {
            let span = self.span(self.before(1).expect("its word was read"));
            return say(
                format!("`{before}` is no word of the language"),
                "not known",
                format!("did you mean `{near}`?"),
            )
            .at(span);
        }
        if here == ":" {
            return match self.word_before(2) {
                "{" => {
                    let span = self.span(self.before(2).expect("its word was read"));
                    say(
                        "a block is opened where a map was meant",
                        "`#` is missing",
                        format!("write `#{{ {before}: … }}`"),
                    )
                    .at(span)
                }
                _ => say(
                    "a variable is declared with a type",
                    "not known",
                    format!("take the type out: `let {before} = …`"),
                ),
            };
        }
        let wording =
            say(format!("expected `;` before {}", self.found()), "`;` is missing", "end the statement with `;`");
        match self.before(1) {
            Some(spot) => wording.at(self.behind(spot)),
            None => wording,
        }
    }

    fn missing_symbol(&self, wanted: &str) -> Wording {
        let found = self.found();
        match self.word_before(1) {
            "step" => say(
                format!("expected the name of the step, found {found}"),
                "not a plain text",
                "write it in double quotes: `step \"name\" { … }`",
            ),
            "after" => say(
                format!("expected the name of a step, found {found}"),
                "not a plain text",
                "write it in double quotes: `after \"name\"`",
            ),
            "timeout" => say(
                format!("expected a duration, found {found}"),
                "not a duration",
                "write `timeout 10m` or `timeout \"1h30m\"`",
            ),
            "retry" => say(format!("expected a number, found {found}"), "not a number", "write `retry 3`"),
            _ => say(format!("{}, found {found}", lower(wanted)), "not here", "write it"),
        }
    }

    fn bad_input(&self, error: &LexError) -> Wording {
        match error {
            LexError::UnterminatedString => say(
                "the text is never closed",
                "opened here",
                "close it with its quote; a text over several lines stands between backticks",
            ),
            // The wording of `step` and `parallel`.
            LexError::ImproperSymbol(symbol, message) if symbol.is_empty() => match message.split_once("; ") {
                Some((message, hint)) => say(message, "not here", hint),
                None if message.ends_with("twice") => say(message.clone(), "again here", "take one of them out"),
                None => say(
                    message.clone(),
                    "not here",
                    "write `step \"name\" { … }`, `parallel { … }` or `parallel for x in xs { … }`",
                ),
            },
            LexError::ImproperSymbol(symbol, _) if symbol == "=" => {
                say("`=` assigns, where a comparison is expected", "assigns", "compare with `==`")
            }
            LexError::ImproperSymbol(symbol, _) => {
                say(format!("`{symbol}` is no operator"), "not known", other_operator(symbol))
            }
            LexError::UnexpectedInput(symbol) => match symbol.as_str() {
                "}" | ")" | "]" => say(
                    format!("`{symbol}` closes nothing"),
                    "nothing is open",
                    "take it out, or look for a bracket that was closed too early",
                ),
                _ if symbol.starts_with(char::is_alphabetic) => say(
                    format!("`{symbol}` can't stand in a name"),
                    "not a name",
                    "names are made of the letters a to z, digits and `_`; a text stands in double quotes",
                ),
                _ => say(
                    format!("expected an expression, found `{symbol}`"),
                    "an expression is missing",
                    "write what is to be evaluated here",
                ),
            },
            LexError::MalformedEscapeSequence(escape) => {
                say(format!("`{escape}` is no escape sequence"), "not known", "write `\\\\` for a backslash")
            }
            LexError::MalformedNumber(_) => say(
                format!("{} is no number", self.found()),
                "not a number",
                "write it like `42`, `1_000`, `0x1F` or `1.5`",
            ),
            LexError::MalformedChar(text) => say(
                "single quotes hold one character",
                "not one character",
                format!("write a text in double quotes: `\"{text}\"`"),
            ),
            LexError::MalformedIdentifier(name) => {
                say(format!("`{name}` is no name"), "not a name", "names are letters, digits and `_`")
            }
            other => say(lower(&other.to_string()), "here", "see the reference of the language"),
        }
    }

    fn name_expected(&self) -> Wording {
        let here = self.here();
        if is_word(here) {
            return say(
                format!("`{here}` is a word of the language, and can't be a name"),
                "not a name",
                "choose another name",
            );
        }
        say(
            format!("expected a name, found {}", self.found()),
            "a name is missing",
            "write a name of letters, digits and `_`",
        )
    }

    fn reserved(&self, word: &str) -> Wording {
        if !is_word(word) {
            return say(format!("`{word}` has no meaning here"), "not known", "take it out");
        }
        let message = format!("`{word}` is kept by the language, and can't be a name");
        let next = self.spots.get(self.stopped + 1).map_or("", |spot| self.written(spot));
        let hint = match KEPT_WORDS.iter().find(|(kept, _)| *kept == word) {
            _ if next == ":" => format!("write it in quotes: `\"{word}\": …`"),
            Some((_, hint)) => (*hint).to_owned(),
            None => "choose another name; as a field it may stand after a `.`".to_owned(),
        };
        say(message, "not a name", hint)
    }
}

fn mismatched(wanted: &str, found: &str) -> Wording {
    let wording = match wanted {
        "a boolean expression" => say(
            format!("a condition is `true` or `false`, and this is {found}"),
            "not a condition",
            "compare it: `x > 0`, `text != \"\"`",
        ),
        _ => say(
            format!("expected {wanted}, and this is {found}"),
            "wrong type",
            "`for` goes over a list, a map's `keys()` or a range like `0..3`",
        ),
    };
    Wording { code: "wrong_type", ..wording }
}

fn other_operator(symbol: &str) -> &'static str {
    match symbol {
        "===" => "compare with `==`",
        "!==" => "compare with `!=`",
        ":=" => "declare with `let x = …`, assign with `=`",
        "++" => "write `x += 1`",
        "--" => "write `x -= 1`",
        "?" | ":" => "write `if a { b } else { c }`",
        "<>" => "compare with `!=`",
        "->" | "=>" => "a closure is written `|x| …`",
        _ => "see the operators in the reference of the language",
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn lower(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str().replace('\'', "`"))
}
