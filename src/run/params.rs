//! The values of a runbook's parameters: from `--set`, `--values`, an earlier part of the run, the environment, a secret's
//! own source, or a person, in that order.

use std::{collections::BTreeMap, path::Path};

use rhai::Dynamic;

use crate::{
    duration,
    host::{
        Host,
        ask::{Answer, Question, QuestionKind},
        secrets::Secret,
    },
    script::{
        options::nearest,
        params::{Declared, KINDS, kind_of},
        values::tree::Tree,
        values::value,
        values::yaml,
    },
};

/// Values as they were given on the command line.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `--set name=value`, in order.
    pub set: Vec<(String, String)>,
    /// The documents of `--values FILE`, in order, with the file's name.
    pub files: Vec<(String, BTreeMap<String, Tree>)>,
    /// What an earlier part of the run had.
    pub before: BTreeMap<String, serde_json::Value>,
}

/// Something about a parameter that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub name: String,
    pub message: String,
    pub hint: Option<String>,
    /// Where it is declared, if it is.
    pub declared: Option<(usize, usize)>,
}

/// The values of all parameters that have one before the runbook runs; the others have a default.
#[derive(Debug, Clone, Default)]
pub struct Params {
    values: BTreeMap<String, Dynamic>,
}

impl Params {
    pub fn get(&self, name: &str) -> Option<&Dynamic> {
        self.values.get(name)
    }

    /// The values as the journal keeps them: secrets by reference.
    pub fn kept(&self) -> BTreeMap<String, serde_json::Value> {
        self.values.iter().filter_map(|(name, value)| Some((name.clone(), value::keep(value).ok()?))).collect()
    }
}

/// Reads a `--values` file: one YAML document, a map.
///
/// # Errors
/// What is wrong with it, with its place.
pub fn read_values(path: &str, text: &str) -> Result<BTreeMap<String, Tree>, String> {
    match yaml::read_one(text, path).map_err(|error| error.to_string())? {
        Tree::Map(fields) => Ok(fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()),
        Tree::Null => Ok(BTreeMap::new()),
        other => Err(format!("{path}:1:1: the values are a map of names to values, not {}", other.kind())),
    }
}

/// Finds the value of every declared parameter.
///
/// # Errors
/// All that is wrong, at once: unknown names, wrong kinds, and values that are missing and can't be asked for.
pub fn resolve(declared: &[Declared], given: &Given, host: &Host) -> Result<Params, Vec<Wrong>> {
    let mut wrong = unknown_names(declared, given);
    let mut params = Params::default();
    for declared in declared {
        match resolve_one(declared, given, host) {
            Ok(Some(value)) => {
                if let Some(secret) = value.read_lock::<Secret>() {
                    host.secrets.remember(&secret);
                }
                params.values.insert(declared.name.clone(), value);
            }
            Ok(None) => {}
            Err((message, hint)) => wrong.push(Wrong {
                name: declared.name.clone(),
                message,
                hint,
                declared: Some((declared.line, declared.column)),
            }),
        }
    }
    if wrong.is_empty() { Ok(params) } else { Err(wrong) }
}

fn unknown_names(declared: &[Declared], given: &Given) -> Vec<Wrong> {
    let names: Vec<&str> = declared.iter().map(|declared| declared.name.as_str()).collect();
    let set = given.set.iter().map(|(name, _)| (name, "`--set`".to_owned()));
    let files =
        given.files.iter().flat_map(|(file, values)| values.keys().map(move |name| (name, format!("`{file}`"))));
    let unknown = set.chain(files).filter(|(name, _)| !names.contains(&name.as_str()));
    let unknown = unknown.map(|(name, source)| {
        let hint = match (nearest(name, names.iter().copied()), names.is_empty()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, true) => "the runbook declares no parameters".to_owned(),
            (None, false) => format!("its parameters are {}", names.join(", ")),
        };
        let message = format!("{source} gives `{name}`, which the runbook does not declare");
        Wrong { name: name.clone(), message, hint: Some(hint), declared: None }
    });
    unknown.collect()
}

type Refused = (String, Option<String>);

fn resolve_one(declared: &Declared, given: &Given, host: &Host) -> Result<Option<Dynamic>, Refused> {
    let name = &declared.name;
    if let Some(kind) = &declared.kind
        && !KINDS.contains(&kind.as_str())
    {
        let hint = nearest(kind, KINDS).map(|near| format!("did you mean `{near}`?"));
        let message = format!("parameter `{name}` is of the type `{kind}`, which there is not");
        return Err((message, hint.or_else(|| Some(format!("the types are {}", KINDS.join(", "))))));
    }
    if declared.secret {
        return secret(declared, given, host).map(|secret| secret.map(Dynamic::from));
    }
    let variable = variable_of(name);
    let value = if let Some((_, text)) = given.set.iter().rev().find(|(set, _)| set == name) {
        Some(read_text(declared, text, "--set")?)
    } else if let Some((file, tree)) =
        given.files.iter().rev().find_map(|(file, values)| Some((file, values.get(name)?)))
    {
        Some(fit(declared, tree.to_native(), file)?)
    } else if let Some(kept) = given.before.get(name) {
        value::restore(kept, &|_| None).ok()
    } else if let Some(text) = host.environment.variable(&variable) {
        Some(read_text(declared, &text, &variable)?)
    } else if let Some(from) = &declared.from {
        read_from(from, host)?.map(|text| read_text(declared, text.trim_end_matches('\n'), from)).transpose()?
    } else {
        None
    };
    let value = match value {
        Some(value) => value,
        None if declared.default.is_some() => return Ok(None),
        None => {
            let (text, kind) = match choices(declared) {
                choices if choices.is_empty() => (format!("{name}:"), QuestionKind::Line { default: None }),
                choices => (name.clone(), QuestionKind::Choose { choices }),
            };
            let question = Question { preface: preface(declared), text, kind, key: None };
            match ask(host, question) {
                Answer::Text(text) => read_text(declared, &text, "the answer")?,
                other => return Err(missing(declared, &other)),
            }
        }
    };
    if !declared.choices.is_empty() && !choices(declared).contains(&value.to_string()) {
        let message = format!("parameter `{name}` can't be `{value}`");
        let near = choices(declared);
        let near =
            nearest(&value.to_string(), near.iter().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
        return Err((message, near.or_else(|| Some(format!("it is one of {}", choices(declared).join(", "))))));
    }
    Ok(Some(value))
}

/// The environment variable that gives a parameter.
fn variable_of(name: &str) -> String {
    format!("COZYSCRIPT_{}", name.to_uppercase().replace('-', "_"))
}

fn secret(declared: &Declared, given: &Given, host: &Host) -> Result<Option<Secret>, Refused> {
    let name = &declared.name;
    if let Some((_, text)) = given.set.iter().rev().find(|(set, _)| set == name) {
        let value = if text.starts_with("env:") || text.starts_with("file:") { read_from(text, host)? } else { None };
        return Ok(Some(match value {
            Some(value) => Secret::new(text.as_str(), value.trim_end_matches('\n').to_owned()),
            None => Secret::new(format!("set:{name}"), text.clone()),
        }));
    }
    if let Some((file, tree)) = given.files.iter().rev().find_map(|(file, values)| Some((file, values.get(name)?))) {
        return Ok(Some(Secret::new(format!("values:{file}:{name}"), tree.to_native().to_string())));
    }
    let variable = variable_of(name);
    if let Some(value) = host.environment.variable(&variable) {
        return Ok(Some(Secret::new(format!("env:{variable}"), value)));
    }
    if let Some(from) = &declared.from
        && let Some(value) = read_from(from, host)?
    {
        return Ok(Some(Secret::new(from.as_str(), value.trim_end_matches('\n').to_owned())));
    }
    if declared.default.is_some() {
        return Ok(None);
    }
    let question =
        Question { preface: preface(declared), text: format!("{name}:"), kind: QuestionKind::Secret, key: None };
    match ask(host, question) {
        Answer::Text(value) => Ok(Some(Secret::new(format!("prompt:{name}"), value))),
        other => Err(missing(declared, &other)),
    }
}

/// Reads `env:NAME` or `file:PATH`; nothing for `prompt`, or if the variable is not set.
fn read_from(from: &str, host: &Host) -> Result<Option<String>, Refused> {
    match from.split_once(':') {
        Some(("env", variable)) => Ok(host.environment.variable(variable)),
        Some(("file", path)) => {
            let full = host.files.root().join(path);
            match host.files.read_personal(&full) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err((format!("can't read `{path}`: {error}"), None)),
            }
        }
        _ if from == "prompt" => Ok(None),
        _ => Err((
            format!("`from: \"{from}\"` names no source"),
            Some("sources are `env:NAME`, `file:PATH` and `prompt`".to_owned()),
        )),
    }
}

fn ask(host: &Host, question: Question) -> Answer {
    let slot = std::sync::Arc::new(std::sync::Mutex::new(None));
    let result = slot.clone();
    let answering = host.ask.ask(question);
    host.threads.drive(Box::pin(async move {
        let answer = answering.await;
        *result.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(answer);
    }));
    let answer = slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    answer.expect("the question was answered")
}

fn missing(declared: &Declared, answer: &Answer) -> Refused {
    let name = &declared.name;
    let why = match answer {
        Answer::Nobody(why) => format!(", and nobody could be asked, because {why}"),
        Answer::Yes | Answer::No | Answer::Text(_) => String::new(),
    };
    let help = if declared.help.is_empty() { String::new() } else { format!(" ({})", declared.help) };
    let hint = match &declared.from {
        Some(from) if declared.secret => format!("provide `{from}`, or set {}", variable_of(name)),
        _ if declared.secret => format!("set {}, or `--set {name}=file:PATH`", variable_of(name)),
        _ => format!("`--set {name}=…`, a `--values` file, or {}", variable_of(name)),
    };
    (format!("parameter `{name}`{help} has no value{why}"), Some(hint))
}

fn preface(declared: &Declared) -> Vec<String> {
    if declared.help.is_empty() { Vec::new() } else { vec![declared.help.clone()] }
}

fn choices(declared: &Declared) -> Vec<String> {
    declared.choices.iter().map(ToString::to_string).collect()
}

/// Reads a text as the kind that the parameter is of.
fn read_text(declared: &Declared, text: &str, source: &str) -> Result<Dynamic, Refused> {
    let kind = declared.kind();
    let wrong = |why: String| {
        let message = format!("parameter `{}` is of the type {kind}, and {source} gives `{text}`", declared.name);
        (format!("{message}{why}"), Some(how_to_write(kind, &declared.name)))
    };
    match kind {
        "text" => Ok(text.to_owned().into()),
        "duration" => match duration::parse(text) {
            Ok(_) => Ok(text.to_owned().into()),
            Err(why) => Err(wrong(format!(": {why}"))),
        },
        "list" if !text.trim_start().starts_with('[') => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(items.map(|item| Dynamic::from(item.to_owned())).collect::<rhai::Array>().into())
        }
        _ => {
            let tree = yaml::read_one(text, source).map_err(|error| wrong(format!(": {}", error.message)))?;
            let value = tree.to_native();
            let fitting = match kind {
                "any" => true,
                "number" => value.is_float() || value.is_int(),
                _ => kind_of(&value) == kind,
            };
            if fitting { Ok(value) } else { Err(wrong(String::new())) }
        }
    }
}

fn fit(declared: &Declared, value: Dynamic, source: &str) -> Result<Dynamic, Refused> {
    let kind = declared.kind();
    let fitting = match kind {
        "any" => true,
        "number" => value.is_float() || value.is_int(),
        "duration" => return read_text(declared, &value.to_string(), source),
        _ => kind_of(&value) == kind,
    };
    if fitting {
        return Ok(value);
    }
    let message = format!(
        "parameter `{}` is of the type {kind}, and `{source}` gives a {}: `{value}`",
        declared.name,
        kind_of(&value)
    );
    Err((message, Some(how_to_write(kind, &declared.name))))
}

fn how_to_write(kind: &str, name: &str) -> String {
    let example = match kind {
        "integer" => "3",
        "number" => "0.5",
        "boolean" => "true",
        "list" => "a,b",
        "map" => "'{a: 1}'",
        "duration" => "10m",
        _ => "text",
    };
    format!("write it as `--set {name}={example}`")
}

/// The folder that a runbook's files are read below.
pub fn folder_of(runbook: &Path) -> &Path {
    match runbook.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
