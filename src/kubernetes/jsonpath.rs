//! Places in an object as `kubectl wait --for=jsonpath=…` names them: `{.status.phase}`, `status.phase`,
//! `{.status.conditions[?(@.type=="Ready")].status}`, `{.spec.ports[*].port}`.

use crate::script::values::{
    path::{self, Path},
    tree::Tree,
};

/// A path that may lead to several values.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    /// As it was written, without braces and the first dot.
    written: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Below(Path),
    Each,
    /// The items in which this path leads to this text.
    Where(Path, String),
}

impl std::fmt::Display for JsonPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written)
    }
}

impl JsonPath {
    /// # Errors
    /// What is wrong with the text, lowercase.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let inner = match text.strip_prefix('{') {
            Some(inner) => inner.strip_suffix('}').ok_or("the `}` at its end is missing")?,
            None => text,
        };
        let written = inner.trim_start_matches('$').trim_start_matches('.');
        let mut steps = Vec::new();
        let mut rest = written;
        while !rest.is_empty() {
            let special = ["[*]", "[?("].iter().filter_map(|mark| rest.find(mark)).min().unwrap_or(rest.len());
            let plain = rest[..special].trim_matches('.');
            if !plain.is_empty() {
                steps.push(Step::Below(plain_path(plain)?));
            }
            rest = &rest[special..];
            if let Some(after) = rest.strip_prefix("[*]") {
                steps.push(Step::Each);
                rest = after;
            } else if let Some(filter) = rest.strip_prefix("[?(") {
                let (filter, after) = filter.split_once(")]").ok_or("the `)]` of its filter is missing")?;
                steps.push(filter_step(filter)?);
                rest = after;
            }
        }
        match steps.is_empty() {
            true => Err("it names no field".to_owned()),
            false => Ok(Self { written: written.to_owned(), steps }),
        }
    }

    /// All that it leads to.
    pub fn find<'t>(&self, tree: &'t Tree) -> Vec<&'t Tree> {
        let mut found = vec![tree];
        for step in &self.steps {
            found = found.into_iter().flat_map(|tree| step.below(tree)).collect();
        }
        found
    }
}

impl Step {
    fn below<'t>(&self, tree: &'t Tree) -> Vec<&'t Tree> {
        match (self, tree) {
            (Step::Below(path), tree) => path::find(tree, path).into_iter().collect(),
            (Step::Each, Tree::List(items)) => items.iter().collect(),
            (Step::Each, Tree::Map(fields)) => fields.iter().map(|(_, value)| value).collect(),
            (Step::Where(path, wanted), Tree::List(items)) => items
                .iter()
                .filter(|item| path::find(item, path).is_some_and(|value| printed(value) == *wanted))
                .collect(),
            (Step::Each | Step::Where(..), _) => Vec::new(),
        }
    }
}

/// `metadata.annotations.example\.org/x` and `['a']` are how `kubectl` writes names with dots in them.
fn plain_path(text: &str) -> Result<Path, String> {
    let text = text.replace("['", "[\"").replace("']", "\"]").replace("\\.", ".");
    Path::parse(&text).map_err(|error| error.to_string())
}

/// `@.type=="Ready"`
fn filter_step(filter: &str) -> Result<Step, String> {
    let (left, right) = filter.split_once("==").ok_or("a filter compares with `==`")?;
    let field = left.trim().strip_prefix("@.").ok_or("a filter begins with `@.`")?;
    let wanted = right.trim().trim_matches(['"', '\'']);
    Ok(Step::Where(plain_path(field)?, wanted.to_owned()))
}

/// A value as it is compared: texts bare, all else as JSON.
pub fn printed(value: &Tree) -> String {
    match value {
        Tree::Text(text) => text.to_string(),
        other => other.to_string(),
    }
}
