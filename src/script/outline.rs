//! The outline of a source: its prose, its steps and functions, and a digest of each, so that an edit tells what it
//! changed. Comments and white space change nothing.

use std::sync::Arc;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use rhai::{Engine, Token};

use super::{
    narration,
    sources::Sources,
    tokens::{self, Spot},
};

/// What a source consists of.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// The prose at the top (`//!`).
    pub narration: String,
    /// In the order of the text.
    pub steps: Vec<StepOutline>,
    functions: BTreeMap<String, Part>,
    /// The alias of each import, and its path.
    imports: BTreeMap<String, String>,
    /// And closures at the top level.
    constants: BTreeMap<String, Part>,
}

/// A step as it stands in the text.
#[derive(Debug, Clone)]
pub struct StepOutline {
    pub name: String,
    /// The names of the steps around it and its own, joined by `/`.
    pub path: String,
    /// Where its name stands.
    pub line: usize,
    pub column: usize,
    /// The last line of its block.
    pub last_line: usize,
    /// The comment lines above it, as Markdown.
    pub narration: String,
    /// The function that it stands in.
    function: Option<String>,
    /// Its tokens without those of the steps inside it.
    own: Part,
    /// All its tokens.
    whole: Part,
}

impl StepOutline {
    /// True if it stands in no other step and in no function.
    pub fn is_outermost(&self) -> bool {
        self.path == self.name && self.function.is_none()
    }
}

/// A stretch of tokens: their text, and the names in it.
#[derive(Debug, Clone, Default)]
struct Part {
    text: String,
    names: BTreeSet<String>,
}

impl Part {
    fn push(&mut self, token: &Token) {
        if let Token::Identifier(name) = token
            && !self.names.contains(name.as_str())
        {
            self.names.insert(name.to_string());
        }
        write!(self.text, "{token} ").expect("a text can be written to");
    }
}

/// The digests of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// Of everything in it: equal as long as the step would do the same.
    pub whole: String,
    /// Of what stands around the steps inside it.
    pub own: String,
}

/// Outlines a text.
pub fn outline(engine: &Engine, text: &str) -> Outline {
    let spots = tokens::lex(engine, text);
    let mut outline = Outline { narration: intro(text), ..Outline::default() };
    let code: Vec<&Spot> = spots.iter().filter(|spot| !matches!(spot.token, Token::Comment(_))).collect();
    let comments: BTreeMap<usize, &str> = spots
        .iter()
        .filter_map(|spot| match &spot.token {
            Token::Comment(text) => Some((spot.line, text.as_str())),
            _ => None,
        })
        .collect();
    let first_on_line: BTreeMap<usize, usize> = code.iter().rev().map(|spot| (spot.line, spot.column)).collect();

    // The steps that are open, with the number of open braces at which each closes.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut depth = 0_usize;
    let mut waiting: Option<usize> = None;
    let mut function: Option<(String, usize, bool)> = None;
    let mut constant: Option<String> = None;
    for (index, spot) in code.iter().enumerate() {
        let next = |ahead: usize| code.get(index + ahead).map(|spot| &spot.token);
        match (&spot.token, next(1)) {
            (Token::Identifier(word), Some(Token::StringConstant(name))) if word.as_str() == "step" => {
                let parent = open.last().map(|(step, _)| outline.steps[*step].path.clone());
                let path = parent.map_or_else(|| name.to_string(), |parent| format!("{parent}/{name}"));
                let alone = first_on_line.get(&spot.line) == Some(&spot.column) || starts_statement(&code, index);
                let narration = if alone { prose_above(&comments, &first_on_line, spot.line) } else { String::new() };
                outline.steps.push(StepOutline {
                    name: name.to_string(),
                    path,
                    line: code[index + 1].line,
                    column: code[index + 1].column,
                    last_line: spot.line,
                    narration,
                    function: function.as_ref().map(|(name, ..)| name.clone()),
                    own: Part::default(),
                    whole: Part::default(),
                });
                waiting = Some(outline.steps.len() - 1);
            }
            (Token::Fn, Some(Token::Identifier(name))) if function.is_none() && open.is_empty() => {
                function = Some((name.to_string(), depth, false));
            }
            (Token::Const, Some(Token::Identifier(name))) if depth == 0 => constant = Some(name.to_string()),
            // A closure is as good as a function to the steps that call it.
            (Token::Let, Some(Token::Identifier(name)))
                if depth == 0 && matches!(next(3), Some(Token::Pipe | Token::Or)) =>
            {
                constant = Some(name.to_string());
            }
            (Token::Import, Some(Token::StringConstant(path))) => {
                if let (Some(Token::As), Some(Token::Identifier(alias))) = (next(2), next(3)) {
                    outline.imports.insert(alias.to_string(), path.to_string());
                }
            }
            _ => {}
        }
        match &spot.token {
            Token::LeftBrace | Token::MapStart => {
                if let (Token::LeftBrace, Some(step)) = (&spot.token, waiting) {
                    // A key clause may hold a map, whose brace is another token; a plain brace opens the block.
                    open.push((step, depth));
                    waiting = None;
                }
                if let Some((_, _, opened)) = &mut function {
                    *opened = true;
                }
                depth += 1;
            }
            Token::RightBrace => depth = depth.saturating_sub(1),
            _ => {}
        }
        let inside = waiting.into_iter().chain(open.iter().rev().map(|(step, _)| *step)).collect::<Vec<_>>();
        if let Some(innermost) = inside.first() {
            outline.steps[*innermost].own.push(&spot.token);
        }
        for step in inside {
            outline.steps[step].whole.push(&spot.token);
        }
        if let Some((name, ..)) = &function {
            outline.functions.entry(name.clone()).or_default().push(&spot.token);
        }
        if let Some(name) = &constant {
            outline.constants.entry(name.clone()).or_default().push(&spot.token);
        }
        match &spot.token {
            Token::RightBrace => {
                while open.last().is_some_and(|(_, closes)| *closes == depth) {
                    let (step, _) = open.pop().expect("it was looked at");
                    outline.steps[step].last_line = spot.line;
                }
                if function.as_ref().is_some_and(|(_, at, opened)| *opened && *at == depth) {
                    function = None;
                }
            }
            Token::SemiColon if depth == 0 => constant = None,
            _ => {}
        }
    }
    outline
}

impl Outline {
    /// The step whose name stands there.
    pub fn step_at(&self, line: usize, column: usize) -> Option<&StepOutline> {
        self.steps.iter().find(|step| step.line == line && step.column == column)
    }

    /// The digests of a step, with everything in this and in imported sources that it reaches.
    pub fn digests(&self, step: &StepOutline, name: &str, engine: &Engine, sources: &Sources) -> Digests {
        let digest = |part: &Part| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(part.text.as_bytes());
            for text in self.reached(part, name, engine, sources) {
                hasher.update(b"\0");
                hasher.update(text.as_bytes());
            }
            hasher.finalize().to_hex()[..20].to_owned()
        };
        Digests { whole: digest(&step.whole), own: digest(&step.own) }
    }

    /// True if a function or constant is not as it is in the other outline.
    pub fn functions_differ(&self, other: &Outline) -> bool {
        let texts = |parts: &BTreeMap<String, Part>| -> Vec<(String, String)> {
            parts.iter().map(|(name, part)| (name.clone(), part.text.clone())).collect()
        };
        texts(&self.functions) != texts(&other.functions) || texts(&self.constants) != texts(&other.constants)
    }

    /// The texts of all functions, constants and modules that a part reaches, in a fixed order.
    fn reached(&self, part: &Part, name: &str, engine: &Engine, sources: &Sources) -> Vec<String> {
        let mut texts = BTreeMap::new();
        let mut to_visit: Vec<&Part> = vec![part];
        while let Some(part) = to_visit.pop() {
            for mentioned in &part.names {
                for known in [self.functions.get(mentioned), self.constants.get(mentioned)].into_iter().flatten() {
                    if texts.insert(mentioned.clone(), known.text.clone()).is_none() {
                        to_visit.push(known);
                    }
                }
                if let Some(path) = self.imports.get(mentioned) {
                    add_module(&mut texts, Some(name), path, engine, sources);
                }
            }
        }
        texts.into_values().collect()
    }
}

/// The functions inside functions that paths are followed through.
const DEEPEST: usize = 8;

/// More paths than these come of functions that call themselves: nobody chooses among them.
const MOST: usize = 10_000;

/// The paths under which the steps of these sources may be met: those of a function also inside the steps that call it.
pub fn paths(outlines: &[Arc<Outline>]) -> Vec<String> {
    let steps = || outlines.iter().flat_map(|outline| outline.steps.iter());
    let mut met: Vec<(String, &Part, usize)> = steps().map(|step| (step.path.clone(), &step.own, 0)).collect();
    let mut at = 0;
    while let Some((path, own, deep)) = met.get(at).cloned() {
        at += 1;
        if deep == DEEPEST || met.len() > MOST {
            continue;
        }
        let called = called(outlines, own);
        let inner = steps().filter(|step| step.function.as_ref().is_some_and(|function| called.contains(function)));
        met.extend(inner.map(|step| (format!("{path}/{}", step.path), &step.own, deep + 1)));
    }
    let mut seen = BTreeSet::new();
    met.into_iter().map(|(path, ..)| path).filter(|path| seen.insert(path.clone())).collect()
}

/// The functions that a part calls, also through others.
fn called<'o>(outlines: &'o [Arc<Outline>], part: &'o Part) -> BTreeSet<String> {
    let mut called = BTreeSet::new();
    let mut to_visit = vec![part];
    while let Some(part) = to_visit.pop() {
        for outline in outlines {
            for (name, function) in part.names.iter().filter_map(|name| outline.functions.get_key_value(name)) {
                if called.insert(name.clone()) {
                    to_visit.push(function);
                }
            }
        }
    }
    called
}

fn add_module(
    texts: &mut BTreeMap<String, String>,
    from: Option<&str>,
    path: &str,
    engine: &Engine,
    sources: &Sources,
) {
    let Ok(found) = sources.find(from, path) else {
        return;
    };
    let key = format!("import {}", found.name);
    if texts.contains_key(&key) {
        return;
    }
    let tokens = tokens::lex(engine, &found.text);
    let mut whole = Part::default();
    for spot in tokens.iter().filter(|spot| !matches!(spot.token, Token::Comment(_))) {
        whole.push(&spot.token);
    }
    texts.insert(key, whole.text);
    for path in outline(engine, &found.text).imports.values() {
        add_module(texts, Some(&found.name), path, engine, sources);
    }
}

/// The `//!` lines at the top, which the lexer keeps to itself; a `#!` line may stand before them.
fn intro(text: &str) -> String {
    let lines = text.lines().skip_while(|line| line.starts_with("#!") || line.trim().is_empty());
    narration::prose(lines.take_while(|line| line.starts_with("//!")))
}

/// True if only `let x =` or the like stands before the step on its line.
fn starts_statement(code: &[&Spot], step: usize) -> bool {
    let line = code[step].line;
    let before: Vec<_> = code[..step].iter().rev().take_while(|spot| spot.line == line).collect();
    before.last().is_some_and(|first| matches!(first.token, Token::Let | Token::Const | Token::Identifier(_)))
        && before.first().is_some_and(|last| last.token == Token::Equals)
}

/// The comment lines directly above a line, as Markdown.
fn prose_above(comments: &BTreeMap<usize, &str>, code: &BTreeMap<usize, usize>, line: usize) -> String {
    let mut lines = Vec::new();
    for above in (1..line).rev() {
        match comments.get(&above) {
            Some(text) if !code.contains_key(&above) && text.starts_with("//") && !text.starts_with("//!") => {
                lines.push(*text);
            }
            _ => break,
        }
    }
    lines.reverse();
    narration::prose(lines)
}
