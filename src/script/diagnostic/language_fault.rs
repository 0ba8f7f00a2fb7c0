//! Errors of the language itself, in the operator's words: what Rhai says of types and signatures becomes what to do.

use std::ops::Range;

use rhai::{EvalAltResult, ParseError, ParseErrorType, Position, Token};

use crate::diagnostic::Diagnostic;
use crate::script::{
    check::parse_diagnostic,
    diagnostic::Script,
    diagnostic::passage::Passage,
    diagnostic::type_words::{signature, type_word, with_article},
    engine::limits,
    fault::{Fault, Kind, Place},
    options::nearest,
    sources::standard_modules,
};

/// A fault with what its report points at.
pub struct Explained {
    /// The fault's kind, or the word that a script gave.
    pub code: String,
    pub fault: Fault,
    pub label: Option<String>,
}

impl From<Fault> for Explained {
    fn from(fault: Fault) -> Self {
        let absent = fault.kind == Kind::Absent && fault.span.is_some();
        Self { code: fault.kind.word().to_owned(), label: absent.then(|| "absent".to_owned()), fault }
    }
}

/// More forms of a function are not listed.
const SHOWN_FORMS: usize = 4;

/// The kind of an error of the language, which needs no source to tell.
pub fn kind(error: &EvalAltResult) -> Kind {
    match error {
        EvalAltResult::ErrorFunctionNotFound(called, _) => {
            let (name, types) = signature(called);
            match types.as_slice() {
                ["()", ..] if !is_operator(name) => Kind::Absent,
                [.., "()"] | ["()", ..] if is_operator(name) => Kind::Absent,
                _ if is_operator(name) => Kind::Usage,
                _ => Kind::Script,
            }
        }
        EvalAltResult::ErrorMismatchDataType(_, actual, _) if actual == "()" => Kind::Absent,
        EvalAltResult::ErrorMismatchDataType(..)
        | EvalAltResult::ErrorIndexingType(..)
        | EvalAltResult::ErrorFor(_) => Kind::Usage,
        EvalAltResult::ErrorArithmetic(said, _) if said.starts_with("Error parsing") => Kind::Parse,
        _ => Kind::Script,
    }
}

/// The error in words. `called` is true inside of a function.
pub fn explain(error: &EvalAltResult, script: &Script, source: &str, called: bool) -> Explained {
    let passage = script.passage(source);
    let index = passage.as_ref().and_then(|passage| passage.at(error.position()));
    let scene = Scene { script, source, called, passage: passage.as_deref(), index };
    let mut explained = scene.explain(error);
    explained.fault.place.get_or_insert_with(|| Place::new(source, error.position()));
    if let (None, Some(passage), Some(index)) = (&explained.fault.span, &passage, index) {
        explained.fault.span = Some(passage.span(&passage.qualified(index)));
    }
    explained
}

fn is_operator(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_alphabetic() || c == '_') || name == "contains"
}

/// Where an error came up.
pub struct Scene<'a> {
    pub script: &'a Script<'a>,
    source: &'a str,
    called: bool,
    pub passage: Option<&'a Passage>,
    /// The token at the error's position.
    index: Option<usize>,
}

impl Scene<'_> {
    fn explain(&self, error: &EvalAltResult) -> Explained {
        use EvalAltResult as E;
        let fault = |message: String, hint: &str| Fault::new(kind(error), message).hint(hint);
        let plain = match error {
            E::ErrorParsing(kind, position) => return self.does_not_parse(kind, *position),
            E::ErrorFunctionNotFound(called, _) => return self.function_not_found(called),
            E::ErrorDotExpr(said, _) => return self.no_field(said),
            E::ErrorMismatchDataType(expected, actual, _) => return self.mismatch(expected, actual),
            E::ErrorVariableNotFound(name, _) => self.variable_not_found(name),
            E::ErrorModuleNotFound(path, _) => self.module_not_found(path),
            E::ErrorArrayBounds(length, index, _) => out_of_bounds("list", "items", *length, *index),
            E::ErrorStringBounds(length, index, _) => out_of_bounds("text", "characters", *length, *index),
            E::ErrorBitFieldBounds(length, index, _) => out_of_bounds("integer", "bits", *length, *index),
            E::ErrorArithmetic(said, _) => arithmetic(said),
            E::ErrorFor(_) => fault(
                "`for` goes over a list, a range, a text, a map or an object, and this is none of them".to_owned(),
                "if it may be absent, `?? []` goes over nothing",
            ),
            E::ErrorIndexingType(name, _) => fault(
                format!("{} has nothing to be read by `[…]`", with_article(name.split(' ').next().unwrap_or(name))),
                "`type_of(value)` tells what it is; lists take numbers, maps and objects take names",
            ),
            E::ErrorAssignmentToConstant(name, _) => {
                fault(format!("`{name}` is a constant and stays as it is"), "declare it with `let` if it has to change")
            }
            E::ErrorNonPureMethodCallOnConstant(function, _) => fault(
                format!("`{}` would change a constant", function.rsplit('$').next().unwrap_or(function)),
                "declare the variable with `let`, or change a copy: `let copy = …`",
            ),
            E::ErrorTooManyOperations(_) => fault(
                format!("the run has used up its {} operations", grouped(limits::OPERATIONS)),
                "does a loop never end? a loop that waits should `sleep`, or wait for a condition",
            ),
            E::ErrorStackOverflow(_) => fault(
                format!("functions call each other deeper than {} levels", limits::CALL_DEPTH),
                "does a function call itself without an end? a loop has no such limit",
            ),
            E::ErrorDataTooLarge(what, _) => fault(too_large(what), "work on it in parts, or keep less of it"),
            E::ErrorTooManyVariables(_) => fault(
                format!("there are more than {} variables", grouped(limits::VARIABLES as u64)),
                "keep values in a list or a map",
            ),
            E::ErrorTooManyModules(_) => fault(
                format!("more than {} modules are imported", limits::MODULES),
                "does a module import itself through another?",
            ),
            E::ErrorDataRace(name, _) => fault(
                format!("{} is in use by two sides at once", name.replace('\'', "`")),
                "give what it is asked for a name of its own first: `let names = it.keys(); names.map(|name| it[name])`",
            ),
            E::ErrorUnboundThis(_) => fault(
                "`this` stands for no value here".to_owned(),
                "call the function as a method, `value.name()`, or give it a parameter",
            ),
            E::ErrorVariableExists(name, _) | E::ErrorForbiddenVariable(name, _) => {
                fault(format!("`{name}` can't be declared here"), "take another name")
            }
            E::LoopBreak(..) => fault("there is no loop here to leave or go on with".to_owned(), "use `return`"),
            other => return Fault::new(kind(other), plainly(other)).into(),
        };
        plain.into()
    }

    /// A module, or a text given to `eval`, in the words of the check.
    fn does_not_parse(&self, error: &ParseErrorType, position: Position) -> Explained {
        let text = self.script.sources.text(self.source).unwrap_or_default();
        let error = ParseError(Box::new(error.clone()), position);
        let Diagnostic { code, message, label, place, hint, .. } = parse_diagnostic(self.source, &text, &error);
        let fault = Fault { hint, span: place, ..Fault::new(Kind::Script, message) };
        Explained { code, fault, label }
    }

    fn function_not_found(&self, called: &str) -> Explained {
        let (name, types) = signature(called);
        if is_operator(name) && self.is_operator_here() {
            return self.operator(name, &types);
        }
        let receiver = self.receiver();
        if let (Some(receiver), Some(&"()")) = (&receiver, types.first()) {
            return self.absent(
                receiver,
                |it| format!("{it} is absent, so `{name}` can't be called on it"),
                "use `?.` to leave the call out, or `??` to put a value in its place",
            );
        }
        let words: Vec<String> =
            types.iter().skip(usize::from(receiver.is_some())).map(|name| with_article(name)).collect();
        let given = match words.split_last() {
            None => "no argument".to_owned(),
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        };
        let forms = self.forms(name);
        if !forms.is_empty() {
            let on = match (&receiver, types.first()) {
                (Some(_), Some(first)) => format!(" of {}", with_article(first)),
                _ => String::new(),
            };
            let fault = Fault::new(Kind::Usage, format!("`{name}`{on} can't be called with {given}"));
            let more = if forms.len() > SHOWN_FORMS { ", and more" } else { "" };
            let shown = forms[..forms.len().min(SHOWN_FORMS)].join(", ");
            return fault
                .notes(self.absent_arguments(&types, receiver.is_some()))
                .hint(format!("it takes {shown}{more}"))
                .into();
        }
        let message = match (&receiver, types.first()) {
            (Some(_), Some(first)) => format!("{} has no function `{name}`", with_article(first)),
            _ => format!("there is no function `{name}`"),
        };
        let known = self.functions();
        let near = nearest(name, known.iter().map(|(name, _)| name.as_str()).chain(self.own_functions()));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.declared().any(|variable| variable == name) => {
                format!("`{name}` is a variable; a closure in it is called with `{name}.call(…)`")
            }
            None if receiver.is_some() && types.first() == Some(&"map") => {
                format!("a closure in a map is called with `.{name}.call(…)`")
            }
            None if receiver.is_some() => "`type_of(value)` tells what the value is".to_owned(),
            None => "declare it with `fn`, or import the module that has it".to_owned(),
        };
        Fault::new(Kind::Script, message).hint(hint).into()
    }

    fn operator(&self, name: &str, types: &[&str]) -> Explained {
        let sign = if name == "contains" { "in" } else { name };
        let operands =
            self.passage.zip(self.index).map(|(passage, index)| (passage.before(index), passage.after(index + 1)));
        let (left, right) = operands.unwrap_or((None, None));
        let (left, right) = if types.len() == 1 { (None, right) } else { (left, right) };
        // `a in b` asks `b` whether it contains `a`.
        let absent = match (name, types) {
            ("contains", ["()", ..]) => Some(right),
            ("contains", _) => None,
            (_, ["()", _]) => Some(left),
            (_, [.., "()"]) => Some(right),
            _ => None,
        };
        if let Some(absent) = absent {
            let hint = format!("put a value in its place: `({} ?? {})`", "…", substitute(types));
            let message = |it: String| format!("{it} is absent, so `{sign}` can't be applied to it");
            return match absent {
                Some(range) => self.absent(&range, message, &hint),
                None => Fault::new(Kind::Absent, message("one side".to_owned())).hint(hint).into(),
            };
        }
        let words: Vec<String> = types.iter().map(|name| with_article(name)).collect();
        let message = match (name, words.as_slice()) {
            ("contains", [holder, item]) => format!("{holder} can't be searched for {item} with `in`"),
            (_, [left, right]) => format!("`{sign}` can't be applied to {left} and {right}"),
            _ => format!("`{sign}` can't be applied to {}", words.join(", ")),
        };
        let has = |word: &str| types.iter().any(|name| type_word(name) == word);
        let hint = if name == "contains" {
            "`in` searches lists, texts, maps, objects and ranges"
        } else if has("text") && (has("integer") || has("float")) {
            "a text is no number: `parse_int(text)` or `parse_float(text)` makes it one"
        } else if has("list") && sign == "-" {
            "`filter` and `remove` take items out of a list"
        } else if has("list") {
            "a list takes one more item with `push`, and all of another list with `+`"
        } else if has("map") {
            "maps go together with maps: `map + #{ name: value }`"
        } else if has("boolean") {
            "`true` and `false` are joined by `&&` and `||`, and tested by `if`"
        } else {
            "make both sides the same sort of value first"
        };
        Fault::new(Kind::Usage, message).hint(hint).into()
    }

    fn absent(&self, range: &Range<usize>, message: impl Fn(String) -> String, hint: &str) -> Explained {
        let Some(passage) = self.passage else {
            return Fault::new(Kind::Absent, message("this".to_owned())).hint(hint).into();
        };
        let quote = passage.quote(range);
        let hint = self.script.beside(passage, range, &hint.replace('…', &quote));
        let fault = Fault::new(Kind::Absent, message(format!("`{quote}`"))).hint(hint);
        Fault { span: Some(passage.span(range)), ..fault }.into()
    }

    /// `Unknown property 'foo' - a getter is not registered for type 'i64'`
    fn no_field(&self, said: &str) -> Explained {
        let quoted: Vec<&str> = said.split('\'').skip(1).step_by(2).collect();
        let (Some(field), Some(holder)) = (quoted.first(), quoted.get(1)) else {
            return Fault::new(Kind::Script, lowered(said)).into();
        };
        let verb = if said.starts_with("No writable") { "that can be set" } else { "" };
        let message = format!("{} has no field `{field}` {verb}", with_article(holder)).trim_end().to_owned();
        let fields = self.fields(holder);
        let hint = if !self.forms(field).is_empty() {
            format!("`{field}` is a function: call it with `.{field}(…)`")
        } else if let Some(near) = nearest(field, fields.iter().map(String::as_str)) {
            format!("did you mean `{near}`?")
        } else {
            "fields belong to objects and maps; `type_of(value)` tells what the value is".to_owned()
        };
        let mut explained = Explained::from(Fault::new(Kind::Script, message).hint(hint));
        if let Some((passage, index)) = self.passage.zip(self.index) {
            let name =
                if matches!(passage.token(index), Some(Token::Period | Token::Elvis)) { index + 1 } else { index };
            explained.fault.span = Some(passage.span(&(name..name + 1)));
        }
        explained
    }

    fn mismatch(&self, expected: &str, actual: &str) -> Explained {
        let range = self.passage.zip(self.index).and_then(|(passage, index)| passage.whole(index));
        let condition = expected == "bool";
        if let (Some(range), "()") = (&range, actual) {
            let hint = match condition {
                true => "ask whether it is there: `… != ()`, or put a value in its place: `… ?? false`",
                false => "put a value in its place with `??`",
            };
            let wanted = with_article(expected);
            return self.absent(range, |it| format!("{it} is absent, and {wanted} is needed here"), hint);
        }
        let (message, hint) = match (expected, actual) {
            ("bool", _) => (
                format!("a condition is `true` or `false`, not {}", with_article(actual)),
                "compare it with something: `== 1`, `!= \"\"`, `.len() > 0`",
            ),
            ("Fn", _) => (
                format!("a closure is needed here, not {}", with_article(actual)),
                "write a closure `|x| …`, or `Fn(\"name\")` for a function",
            ),
            ("i64", "string") => (
                "an integer is needed here, not a text".to_owned(),
                "lists and texts are read by numbers; only maps and objects have names",
            ),
            _ => (
                format!("{} is needed here, not {}", with_article(expected), with_article(actual)),
                "`type_of(value)` tells what a value is",
            ),
        };
        let mut explained = Explained::from(Fault::new(Kind::Usage, message).hint(hint));
        explained.fault.span = range.zip(self.passage).map(|(range, passage)| passage.span(&range));
        explained
    }

    fn variable_not_found(&self, name: &str) -> Fault {
        let fault = Fault::new(Kind::Script, format!("there is no variable `{name}` here"));
        if self.declared().any(|declared| declared == name) {
            return fault.hint(match self.called {
                true => "a function sees only its parameters and `global::NAME` of constants: make it a parameter",
                false => "it is declared in another block or further down: declare it before both",
            });
        }
        if !self.forms(name).is_empty() {
            return fault.hint(format!("`{name}` is a function: call it with `{name}(…)`"));
        }
        match nearest(name, self.declared()) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(format!("declare it with `let {name} = …`, or put a text in quotes")),
        }
    }

    fn module_not_found(&self, path: &str) -> Fault {
        let imported = self.passage.zip(self.index).is_some_and(|(passage, index)| {
            index.checked_sub(1).is_some_and(|before| matches!(passage.token(before), Some(Token::Import)))
        });
        if imported {
            let fault = Fault::new(Kind::Script, format!("there is no module `{path}`"));
            let Err(missing) = self.script.sources.find(Some(self.source), path) else { return fault };
            let fault = fault.notes(missing.looked_in.iter().map(|place| format!("looked in {place}")));
            return match missing.near {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint("give its path from this file's folder, without `.rhai`"),
            };
        }
        let fault = Fault::new(Kind::Script, format!("there is no module `{path}` here"));
        let functions = self.functions();
        let modules = functions.iter().filter_map(|(name, _)| name.rsplit_once("::").map(|(module, _)| module));
        if standard_modules().any(|module| module == path) {
            return fault.hint(format!("import it first: `import \"{path}\" as {path};`"));
        }
        match nearest(path, modules.chain(self.names_after(&Token::As))) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(format!("import it first: `import \"{path}\" as {};`", path.replace("::", "_"))),
        }
    }

    /// What the token at hand is called on, if it is a method.
    fn receiver(&self) -> Option<Range<usize>> {
        let (passage, dot) = (self.passage?, self.index?.checked_sub(1)?);
        matches!(passage.token(dot), Some(Token::Period | Token::Elvis)).then(|| passage.before(dot))?
    }

    fn is_operator_here(&self) -> bool {
        let token = self.passage.zip(self.index).and_then(|(passage, index)| passage.token(index));
        !matches!(token, Some(Token::Identifier(_)))
    }

    /// A note for each argument that is absent.
    fn absent_arguments(&self, types: &[&str], method: bool) -> Vec<String> {
        let Some((passage, index)) = self.passage.zip(self.index) else { return Vec::new() };
        let arguments = passage.arguments(index + 1);
        let absent = types.iter().skip(usize::from(method)).zip(&arguments).filter(|(name, _)| **name == "()");
        absent.map(|(_, range)| format!("`{}` is absent", passage.quote(range))).collect()
    }
}

fn substitute(types: &[&str]) -> &'static str {
    match types.iter().find(|name| **name != "()").map(|name| type_word(name)) {
        Some("text") => "\"\"",
        Some("list") => "[]",
        Some("map") => "#{}",
        Some("boolean") => "false",
        _ => "0",
    }
}

fn out_of_bounds(holder: &str, items: &str, length: usize, index: i64) -> Fault {
    let has = match length {
        0 => "is empty".to_owned(),
        1 => format!("has 1 {}", items.trim_end_matches('s')),
        more => format!("has {more} {items}"),
    };
    let hint = match length {
        0 => format!("ask first: `{holder}.is_empty()`"),
        more => format!("they are counted from 0 to {}, and from the end from -1 to -{more}", more - 1),
    };
    Fault::new(Kind::Script, format!("the {holder} {has}, so there is no `[{index}]`")).hint(hint)
}

fn arithmetic(said: &str) -> Fault {
    let what = said.split_once(": ").map_or("", |(_, what)| what);
    if said.contains("ivision by zero") {
        return Fault::new(Kind::Script, format!("division by zero: `{what}`"))
            .hint("ask first: `if divisor != 0 { … }`");
    }
    if let Some(text) = said.strip_prefix("Error parsing").and_then(|rest| rest.split('\'').nth(1)) {
        return Fault::new(Kind::Parse, format!("`{text}` is no number")).hint("leave digits only: no blanks, no unit");
    }
    if said.contains("overflow") {
        return Fault::new(Kind::Script, format!("`{what}` is out of the range of integers"))
            .hint("reckon with floats: `value.to_float()`");
    }
    Fault::new(Kind::Script, lowered(said)).hint("look at the values of both sides: `print(value)`")
}

fn too_large(what: &str) -> String {
    if what.contains("string") {
        format!("a text grew longer than {} MiB", limits::TEXT_BYTES >> 20)
    } else if what.contains("map") {
        format!("a map grew beyond {} entries", grouped(limits::MAP_ENTRIES as u64))
    } else {
        format!("a list grew beyond {} items", grouped(limits::LIST_ITEMS as u64))
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits are ASCII")).collect();
    groups.join(",")
}

/// The language's own sentence, without its position.
fn plainly(error: &EvalAltResult) -> String {
    let said = error.to_string();
    lowered(said.split(" (line ").next().unwrap_or(&said))
}

fn lowered(said: &str) -> String {
    let mut letters = said.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
