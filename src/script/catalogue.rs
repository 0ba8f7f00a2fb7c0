//! The catalogue of functions: read from their doc comments, and the source of help, checks and option maps alike.
//!
//! A documented function's comment is a short text in Markdown with these sections, all optional but the summary and the
//! example: `# Parameters`, `# Options`, `# Returns`, `# Effect` (present if it changes the world; a list in it says when it
//! doesn't), `# Faults`,
//! `# Example`. A line of a list reads ``- `name` (type, `default`): text``; the default is left out, or in plain words
//! if it is no literal. The line ``- those of `http::get` `` stands for all
//! items that the same section has there.

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use rhai::Engine;

/// All documented functions of an engine, by their name with its module (`k8s::get`, `sleep`).
#[derive(Default)]
pub struct Catalogue {
    functions: OnceLock<BTreeMap<String, Arc<Function>>>,
}

/// A function with all its forms.
#[derive(Debug, Clone)]
pub struct Function {
    /// With its module: `k8s::get`.
    pub name: String,
    pub signatures: Vec<Signature>,
    pub doc: Comment,
    /// Also callable as a method of its first parameter: `cluster.get(…)`.
    pub method: bool,
}

/// One form of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Each parameter's name and Rust type.
    pub parameters: Vec<(String, String)>,
    pub returns: String,
}

/// A doc comment, which is read when it is first looked at: a run looks at few of them.
#[derive(Debug, Clone)]
pub struct Comment {
    written: String,
    doc: OnceLock<Doc>,
}

impl Deref for Comment {
    type Target = Doc;

    fn deref(&self) -> &Doc {
        self.doc.get_or_init(|| read_doc(&self.written))
    }
}

/// What a doc comment says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doc {
    /// The first sentence.
    pub summary: String,
    /// The prose before the first section, summary included.
    pub text: String,
    pub parameters: Vec<Item>,
    pub options: Vec<Item>,
    pub returns: String,
    /// What it changes, if it changes the world.
    pub effect: Option<String>,
    /// With which parameters and options it changes nothing.
    pub harmless: Vec<Harmless>,
    /// The kinds of its faults, and when.
    pub faults: Vec<Item>,
    pub examples: Vec<Example>,
}

/// A parameter or an option, and the words with which a call changes nothing: the option's value, or the first item of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Harmless {
    pub name: String,
    pub words: Vec<String>,
}

impl Doc {
    /// True if a call with this word is one that changes nothing.
    pub fn is_harmless(&self, name: &str, word: &str) -> bool {
        let of_it = self.harmless.iter().filter(|harmless| harmless.name == name);
        of_it.flat_map(|harmless| &harmless.words).any(|harmless| harmless.eq_ignore_ascii_case(word))
    }
}

/// A line of a list in a doc comment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    pub name: String,
    pub kind: String,
    /// A literal, or words.
    pub default: Option<Default>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Default {
    Literal(String),
    Words(String),
}

/// A fence of the section `# Example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub code: String,
    /// What must be there to run it: the second word of its fence (```` ```rhai cluster ````).
    pub needs: Option<String>,
}

impl Catalogue {
    /// All functions, in the order of their names.
    pub fn functions(&self, engine: &Engine) -> &BTreeMap<String, Arc<Function>> {
        self.functions.get_or_init(|| collect(engine))
    }

    /// The function of that name.
    ///
    /// # Panics
    /// If there is none: bindings ask only for themselves.
    pub fn function(&self, engine: &Engine, name: &str) -> Arc<Function> {
        let found = self.functions(engine).get(name);
        found.unwrap_or_else(|| panic!("`{name}` is registered")).clone()
    }
}

fn collect(engine: &Engine) -> BTreeMap<String, Arc<Function>> {
    struct Found {
        name: String,
        method: bool,
        signature: Signature,
        comment: String,
    }
    let found = engine.collect_fn_metadata(
        None,
        |info| {
            let metadata = info.metadata;
            if metadata.name.contains('$') {
                return None;
            }
            let name = match info.namespace.as_str() {
                "" => metadata.name.to_string(),
                namespace => format!("{namespace}::{}", metadata.name),
            };
            let parameters = (metadata.params_info.iter())
                .map(|parameter| match parameter.split_once(':') {
                    Some((name, kind)) => (name.trim().to_owned(), kind.trim().to_owned()),
                    None => (parameter.trim().to_owned(), String::new()),
                })
                .collect();
            Some(Found {
                name,
                method: metadata.namespace == rhai::FnNamespace::Global,
                signature: Signature { parameters, returns: metadata.return_type.to_string() },
                comment: metadata.comments.join("\n"),
            })
        },
        false,
    );
    let mut functions: BTreeMap<String, Function> = BTreeMap::new();
    for Found { name, method, signature, comment } in found {
        let doc = Comment { written: comment, doc: OnceLock::new() };
        match functions.get_mut(&name) {
            Some(function) => {
                function.method |= method;
                function.signatures.push(signature);
                // Rhai names them in another order each time.
                function
                    .signatures
                    .sort_by(|a, b| (a.parameters.len(), &a.parameters).cmp(&(b.parameters.len(), &b.parameters)));
                // One of its forms speaks for all of them, at length.
                if doc.written.len() > function.doc.written.len() {
                    function.doc = doc;
                }
            }
            None => {
                functions.insert(name.clone(), Function { name, signatures: vec![signature], doc, method });
            }
        }
    }
    let written: BTreeMap<String, String> = (functions.iter())
        .filter_map(|(name, function)| Some((name.clone(), with_those_of(&function.doc.written, &functions)?)))
        .collect();
    for (name, written) in written {
        let function = functions.get_mut(&name).expect("its name comes from there");
        function.doc = Comment { written, doc: OnceLock::new() };
    }
    functions.into_iter().map(|(name, function)| (name, Arc::new(function))).collect()
}

/// The comment with items of other functions in place of the lines that name these; nothing if there is no such line.
///
/// # Panics
/// If there is no such function: that is a mistake of whoever wrote the comment.
fn with_those_of(comment: &str, functions: &BTreeMap<String, Function>) -> Option<String> {
    const THOSE: &str = "- those of `";
    if !comment.contains(THOSE) {
        return None;
    }
    let (mut section, mut begins) = ("", 0);
    let mut written = String::new();
    for line in comment.lines() {
        if let Some(title) = title(line) {
            (section, begins) = (title, written.len());
        }
        let Some((_, name)) = line.split_once(THOSE) else {
            written.push_str(line);
            written.push('\n');
            continue;
        };
        let name = name.trim_end_matches('`');
        let other = functions.get(name).unwrap_or_else(|| panic!("`{name}`, whose items are meant, is registered"));
        let other = with_those_of(&other.doc.written, functions).unwrap_or_else(|| other.doc.written.clone());
        let from = other.lines().skip_while(|line| title(line) != Some(section)).skip(1);
        let mut own = false;
        for item in from.take_while(|line| title(line).is_none()) {
            // What it says itself of an item of that name is what holds.
            if let Some((start, _)) = item.split_once("- `").and_then(|(_, rest)| rest.split_once('`')) {
                own = written[begins..].contains(&format!("- `{start}`"));
            }
            if !own {
                written.push_str(item);
                written.push('\n');
            }
        }
    }
    Some(written)
}

/// The title of the section that begins at a line.
fn title(line: &str) -> Option<&str> {
    line.trim_start().trim_start_matches('/').trim_start().strip_prefix("# ").map(str::trim)
}

/// Reads a doc comment, with or without its slashes.
pub fn read_doc(comment: &str) -> Doc {
    let mut doc = Doc::default();
    let mut section = String::new();
    let mut body = String::new();
    let mut fenced = false;
    let plain = comment.lines().map(|line| {
        let line = line.trim_start().strip_prefix("///").unwrap_or(line);
        line.strip_prefix(' ').unwrap_or(line)
    });
    for line in plain {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        match line.strip_prefix("# ").filter(|_| !fenced) {
            Some(title) => {
                file(&mut doc, &section, &body);
                section = title.trim().to_owned();
                body.clear();
            }
            None => {
                body.push_str(line);
                body.push('\n');
            }
        }
    }
    file(&mut doc, &section, &body);
    doc
}

fn file(doc: &mut Doc, section: &str, body: &str) {
    let text = body.trim().to_owned();
    match section {
        "Parameters" => doc.parameters = items(&text),
        "Options" => doc.options = items(&text),
        "Returns" => doc.returns = text,
        "Effect" => {
            let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            doc.harmless =
                items(&text).into_iter().map(|item| Harmless { words: quoted(&item.text), name: item.name }).collect();
            doc.effect = Some(text);
        }
        "Faults" => doc.faults = items(&text),
        "Example" => doc.examples = examples(&text),
        _ => {
            let first = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
            doc.summary = match first.find(". ") {
                Some(end) => first[..=end].to_owned(),
                None => first,
            };
            doc.text = text;
        }
    }
}

fn items(text: &str) -> Vec<Item> {
    let mut joined: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("- "), joined.last_mut()) {
            (Some(item), _) => joined.push(item.trim().to_owned()),
            (None, Some(item)) if !line.trim().is_empty() => {
                item.push(' ');
                item.push_str(line.trim());
            }
            (None, _) => {}
        }
    }
    joined.iter().filter_map(|line| item(line)).collect()
}

fn item(line: &str) -> Option<Item> {
    let (name, rest) = line.strip_prefix('`')?.split_once('`')?;
    let rest = rest.trim_start();
    let (brackets, text) = match rest.strip_prefix('(') {
        Some(inner) => inner.split_once(')')?,
        None => ("", rest),
    };
    let (kind, default) = match brackets.split_once(',') {
        Some((kind, default)) => (kind.trim(), Some(default.trim())),
        None => (brackets.trim(), None),
    };
    let default = default.map(|default| match default.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
        Some(literal) => Default::Literal(literal.to_owned()),
        None => Default::Words(default.to_owned()),
    });
    Some(Item {
        name: name.to_owned(),
        kind: kind.to_owned(),
        default,
        text: text.trim_start_matches(':').trim().to_owned(),
    })
}

fn examples(text: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut open: Option<Example> = None;
    for line in text.lines() {
        match (line.trim().strip_prefix("```"), &mut open) {
            (Some(fence), None) => {
                let needs = fence.split_whitespace().nth(1).map(str::to_owned);
                open = Some(Example { code: String::new(), needs });
            }
            (Some(_), Some(_)) => examples.extend(open.take()),
            (None, Some(example)) => {
                example.code.push_str(line);
                example.code.push('\n');
            }
            (None, None) => {}
        }
    }
    examples
}
