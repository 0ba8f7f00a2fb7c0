//! What the parser refuses, in the operator's words.

use rhai::{LexError, ParseErrorType, Position, Token};

use super::{
    diagnostic::Script,
    engine::limits,
    fault::{Fault, Kind, Place},
    language_fault::{Explained, lowered},
};
use crate::diagnostic::Span;

/// The parser's refusal with what to write instead.
pub fn explain(error: &ParseErrorType, position: Position, script: &Script, source: &str) -> Explained {
    let passage = script.passage(source);
    let index = passage.as_ref().and_then(|passage| passage.at(position));
    let found = index.and_then(|index| passage.as_ref()?.token(index).cloned());
    let before = index.and_then(|index| passage.as_ref()?.token(index.checked_sub(1)?).cloned());
    let (message, hint) = words(error, found.as_ref(), before.as_ref());
    let mut explained = Explained::from(Fault::new(Kind::Script, message).hint(hint));
    explained.code = "syntax".to_owned();
    explained.fault.place = Some(Place::new(source, position));
    // A text that doesn't end is one token up to the end of the source: its beginning is enough.
    let whole = match error {
        ParseErrorType::BadInput(LexError::ImproperSymbol(sign, _)) => sign.is_empty(),
        ParseErrorType::BadInput(_) | ParseErrorType::UnexpectedEOF => false,
        _ => true,
    };
    let unended = matches!(error, ParseErrorType::MissingToken(token, _) if token == ";");
    let line_end =
        passage.as_ref().zip(index).filter(|_| unended).and_then(|(passage, index)| passage.line_end_before(index));
    explained.span = match (&passage, index) {
        _ if line_end.is_some() => line_end,
        (Some(passage), Some(index)) if whole => Some(passage.span(&(index..index + 1))),
        _ => position.line().map(|line| Span {
            source: source.to_owned(),
            line,
            column: position.position().unwrap_or(1),
            length: sign_length(error),
        }),
    };
    explained
}

/// How long the sign is that the lexer refused; of everything else the beginning is pointed at.
fn sign_length(error: &ParseErrorType) -> usize {
    match error {
        ParseErrorType::BadInput(LexError::ImproperSymbol(sign, _)) => sign.chars().count(),
        _ => 1,
    }
}

fn words(error: &ParseErrorType, found: Option<&Token>, before: Option<&Token>) -> (String, String) {
    use ParseErrorType as P;
    let (message, hint): (String, &str) = match error {
        P::UnexpectedEOF => ("the text ends in the middle of something".into(), "is a `}`, `)` or `]` missing above?"),
        P::BadInput(error) => return lexing(error),
        P::UnknownOperator(sign) => return (format!("there is no operator `{sign}`"), operator_hint(sign).into()),
        P::MissingToken(token, place) => {
            let instead = match found {
                Some(token) if !matches!(token, Token::EOF) => format!(", not `{}`", shown(token)),
                _ => String::new(),
            };
            let hint = missing(token, place, found, before);
            return (format!("`{token}` is needed here {}{instead}", operators_words(place)), hint);
        }
        P::MissingSymbol(said) if said.ends_with("a string") => (
            "the name of a step is needed here, a text in double quotes".into(),
            "write it as `step \"name\" { … }`; `key item.name` tells the rounds of a loop apart",
        ),
        P::MissingSymbol(said) if !said.is_empty() => {
            (lowered(said), "write it as `step \"name\" { … }` or `parallel { … }`")
        }
        P::MissingSymbol(_) => ("something is missing here".into(), "look at what stands before it"),
        P::MalformedIndexExpr(said) => {
            let said = if said.is_empty() { "this can't be an index".to_owned() } else { lowered(said) };
            (said, "lists are read by integers, maps and objects by texts: `pods[0]`, `labels[\"app\"]`")
        }
        P::MalformedCapture(said) => (lowered(said), "a closure takes the variables it mentions by itself"),
        P::DuplicatedProperty(name) => (format!("the field `{name}` stands twice in one map"), "keep one of them"),
        P::DuplicatedVariable(name) => (format!("`{name}` is declared twice in one place"), "take two names"),
        P::WrongSwitchIntegerCase => {
            ("a number can't come after a range in a `switch`".into(), "put the numbers first")
        }
        P::WrongSwitchDefaultCase => ("the case `_` is not the last of its `switch`".into(), "put `_ => …` at the end"),
        P::WrongSwitchCaseCondition => ("this case can't have a condition".into(), "put the `if` inside of the case"),
        P::PropertyExpected => {
            ("the name of a field is needed here".into(), "names in odd letters go in brackets: `labels[\"a/b\"]`")
        }
        P::VariableExpected => {
            ("the name of a variable is needed here".into(), "names are made of letters, digits and `_`")
        }
        P::ForbiddenVariable(name) => (format!("`{name}` can't be the name of a variable"), "take another name"),
        P::Reserved(word) => return reserved(word),
        P::MismatchedType(expected, actual) => return mismatched(expected, actual),
        P::ExprExpected(what) => {
            (format!("{} is needed here", expression(what)), "is a value or a `)` missing before it?")
        }
        P::WrongDocComment => ("a `///` comment belongs to a function".into(), "write `//` above anything else"),
        P::WrongFnDefinition => (
            "a function is declared inside of something".into(),
            "move it to the top level of the file, or make it a closure `|x| …`",
        ),
        P::FnDuplicatedDefinition(name, count) => (
            format!("there is a function `{name}` with as many parameters ({count}) already"),
            "give one of them another name",
        ),
        P::FnMissingName => ("the function has no name".into(), "write it as `fn name(a, b) { … }`"),
        P::FnMissingParams(name) => {
            return (
                format!("the function `{name}` has no list of parameters"),
                format!("write it as `fn {name}() {{ … }}`"),
            );
        }
        P::FnDuplicatedParam(function, name) => {
            (format!("`{function}` has the parameter `{name}` twice"), "give one of them another name")
        }
        P::FnMissingBody(name) if name.is_empty() => {
            ("the closure has no body".into(), "write it as `|x| value` or `|x| { … }`")
        }
        P::FnMissingBody(name) => {
            return (format!("the function `{name}` has no body"), format!("write it as `fn {name}(…) {{ … }}`"));
        }
        P::WrongExport => ("`export` stands inside of something".into(), "move it to the top level of the file"),
        P::AssignmentToConstant(name) => {
            return (
                format!("`{name}` is a constant and stays as it is"),
                "declare it with `let` if it has to change".into(),
            );
        }
        P::AssignmentToInvalidLHS(_) => {
            ("this can't be assigned to".into(), "`==` compares, `=` sets a variable or a field")
        }
        P::VariableExists(name) => {
            (format!("`{name}` is declared already"), "set it without `let`, or take another name")
        }
        P::VariableUndefined(name) => (format!("there is no variable `{name}` here"), "declare it with `let`"),
        P::ModuleUndefined(name) => {
            return (
                format!("there is no module `{name}` here"),
                format!("import it first: `import \"{name}\" as {name};`"),
            );
        }
        P::ExprTooDeep => {
            return (
                format!(
                    "this is nested deeper than {} levels ({} inside of functions)",
                    limits::EXPRESSION_DEPTH,
                    limits::EXPRESSION_DEPTH_IN_FUNCTION
                ),
                "put its parts in variables or functions of their own".into(),
            );
        }
        P::TooManyFunctions => ("there are too many functions in one file".into(), "split it into modules"),
        P::LiteralTooLarge(what, limit) => {
            return (format!("{} is beyond the limit of {limit}", lowered(what)), "read it from a file".into());
        }
        P::LoopBreak => {
            ("there is no loop here to leave or go on with".into(), "use `return` to leave a function or the run")
        }
        other => (lowered(&other.to_string()), "look at what stands before it"),
    };
    (message, hint.to_owned())
}

fn lexing(error: &LexError) -> (String, String) {
    let (message, hint) = match error {
        LexError::UnexpectedInput(sign) if sign.chars().all(char::is_alphabetic) => (
            format!("`{sign}` can't be part of a name"),
            "names are made of the letters a to z, digits and `_`; any letter may stand in a text",
        ),
        LexError::UnexpectedInput(sign) => {
            (format!("`{sign}` can't stand here"), "is a value missing before it, or the quotes around a text?")
        }
        LexError::UnterminatedString => (
            "this text does not end".into(),
            "close it with the same quote; only texts in `` ` `` go over several lines",
        ),
        LexError::StringTooLong(limit) => (format!("this text is longer than {limit} bytes"), "read it from a file"),
        LexError::MalformedEscapeSequence(escape) => {
            (format!("`{escape}` is no escape in a text"), "a backslash is written `\\\\`")
        }
        LexError::MalformedNumber(number) => (
            format!("`{number}` is no number"),
            "numbers look like `10`, `1.5`, `0xff`; durations are texts: `\"10m\"`",
        ),
        LexError::MalformedChar(text) => (format!("`'{text}'` is not one character"), "texts stand in double quotes"),
        LexError::MalformedIdentifier(name) => (format!("`{name}` can't be a name"), "names begin with a letter"),
        LexError::ImproperSymbol(sign, said) if said.is_empty() => {
            (format!("`{sign}` means nothing here"), "look at what stands before it")
        }
        LexError::ImproperSymbol(sign, said) => return improper(sign, said),
        LexError::Runtime(said) => (lowered(said), "look at what stands before it"),
        other => (lowered(&other.to_string()), "look at what stands before it"),
    };
    (message, hint.to_owned())
}

/// What Rhai, or one of our keywords, says of a symbol; a suggestion in it is the hint.
fn improper(sign: &str, said: &str) -> (String, String) {
    if let Some((message, hint)) = said.split_once("; ") {
        return (message.to_owned(), hint.to_owned());
    }
    if said.starts_with("Possibly a typo of '=='") {
        return ("`=` sets a variable, and a condition asks".to_owned(), "did you mean `==`?".to_owned());
    }
    if said.ends_with("is there twice") {
        return (said.to_owned(), "keep one of them".to_owned());
    }
    if said.contains("`parallel") {
        let hint = "write it as `parallel { … }`, or `parallel for item in list limit 4 { … }`";
        return (said.to_owned(), hint.to_owned());
    }
    match said.split_once("Should it be '").and_then(|(_, rest)| rest.split_once('\'')) {
        Some((meant, _)) => (format!("there is no `{sign}` in this language"), format!("did you mean `{meant}`?")),
        None => (
            lowered(said),
            "a step is `step \"name\" after \"other\" timeout 10m retry 3 key item.name { … }`, all but the name optional"
                .to_owned(),
        ),
    }
}

fn operator_hint(sign: &str) -> &'static str {
    match sign {
        "===" | "!==" => "`==` and `!=` compare",
        "<>" => "`!=` tells whether two differ",
        ":=" => "`=` sets",
        "++" => "`x += 1` counts up",
        "--" => "`x -= 1` counts down",
        "->" | "<-" => "`.` reads a field, `=>` stands in a `switch`",
        _ => "operators are `+ - * / % ** == != < <= > >= && || ! ?? in`",
    }
}

/// What Rhai calls things, as operators do.
fn operators_words(place: &str) -> String {
    let words = [
        ("for 'parallel' expression", "after the name of the item"),
        ("arguments to function call", "arguments of"),
        ("array literal", "list"),
        ("object map literal", "map"),
        ("object map", "map"),
        ("statement block", "block"),
        ("this statement", "the statement"),
        ("'", "`"),
    ];
    words.iter().fold(place.trim().to_owned(), |place, (theirs, ours)| place.replace(theirs, ours))
}

fn missing(token: &str, place: &str, found: Option<&Token>, before: Option<&Token>) -> String {
    match (token, found, before) {
        (";", _, Some(Token::Identifier(word))) if ["elif", "elsif", "elseif"].contains(&word.as_str()) => {
            return "did you mean `else if`?".to_owned();
        }
        (";", Some(Token::Colon), _) => return "is it a map? one begins with `#{`: `#{ name: value }`".to_owned(),
        _ => {}
    }
    match token {
        "," => {
            let close = match place {
                place if place.contains("array") => "]",
                place if place.contains("map") => "}",
                _ => ")",
            };
            format!("put a `,` between two, or close with `{close}`")
        }
        ";" => "end the statement before it with `;`".to_owned(),
        ")" | "]" | "}" => format!("close it with `{token}`, or is a `,` or `;` missing before it?"),
        "{" => "blocks always stand in braces: `if ready { … }`".to_owned(),
        ":" if place.contains("map") => "fields of a map are written `#{ name: value }`".to_owned(),
        "in" => "write it as `for item in list { … }`".to_owned(),
        other => format!("write `{other}` here"),
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Identifier(name) => name.to_string(),
        Token::StringConstant(text) => format!("\"{text}\""),
        Token::IntegerConstant(number) => number.to_string(),
        Token::LexError(error) => lowered(&error.to_string()),
        Token::Reserved(word) | Token::Custom(word) => word.to_string(),
        token if token.is_literal() => token.literal_syntax().to_owned(),
        token => token.to_string(),
    }
}

fn reserved(word: &str) -> (String, String) {
    let message = format!("`{word}` is a word of the language");
    let hint = match word {
        "var" | "auto" => "declare variables with `let`",
        "null" | "nil" | "none" => "nothing is written `()`",
        "async" | "await" | "spawn" | "go" | "thread" => {
            "calls wait by themselves; `parallel { … }` runs things side by side"
        }
        "match" | "case" => "use `switch value { 1 => …, _ => … }`",
        "each" => "use `for item in list { … }`",
        _ => "take another name; as a field it goes after a dot, or in quotes as a key: `#{ \"default\": 1 }`",
    };
    (message, hint.to_owned())
}

fn mismatched(expected: &str, actual: &str) -> (String, String) {
    let actual = match actual {
        "a string" => "a text",
        "an array" => "a list",
        other => other,
    };
    if expected.contains("boolean") {
        return (
            format!("a condition is `true` or `false`, not {actual}"),
            "compare it with something: `== 1`, `!= \"\"`, `.len() > 0`".to_owned(),
        );
    }
    if expected.contains("iterable") {
        return (format!("`for` can't go over {actual}"), "count with a range: `for i in 0..5`".to_owned());
    }
    (format!("{expected} is needed here, not {actual}"), "look at the values on both sides".to_owned())
}

fn expression(what: &str) -> String {
    match what {
        "" => "a value".to_owned(),
        what => format!("an expression for {what}"),
    }
}
