//! Reading kubeconfigs, several files as one, as kubectl does.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::target::Material;
use crate::script::{
    fault::{Fault, Kind},
    values::{
        at::{at, items},
        tree::Tree,
        yaml,
    },
};

/// Where a kubeconfig came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    /// No file, but something that is called so: `text`, `Secret lab/admin-kubeconfig, key value`.
    Text(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Text(name) => f.write_str(name),
        }
    }
}

/// Several files as one.
#[derive(Debug, Clone, Default)]
pub struct Kubeconfig {
    /// What it was made of, as far as it was there.
    pub sources: Vec<Source>,
    pub current: Option<String>,
    pub contexts: BTreeMap<String, Entry>,
    pub clusters: BTreeMap<String, Entry>,
    pub users: BTreeMap<String, Entry>,
}

/// A cluster, user or context as one of the files has it.
#[derive(Clone)]
pub struct Entry {
    /// Where it came from; relative paths in it are relative to that file's folder.
    pub source: Source,
    /// Where it is in the file: `clusters[0].cluster`.
    pub(super) place: String,
    pub(super) fields: Tree,
}

impl fmt::Debug for Entry {
    /// Without the fields: they hold tokens and keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.place, self.source)
    }
}

/// Reads texts and lays them over one another: of each name the first text's entry stays whole, and the first
/// `current-context` that is set.
///
/// # Errors
/// A `parse` fault that names the file, the place in it, and what to do.
pub fn read(texts: Vec<(Source, String)>) -> Result<Kubeconfig, Fault> {
    let mut whole = Kubeconfig::default();
    for (source, text) in texts {
        let read = read_one(&source, &text)?;
        whole.sources.push(source);
        whole.current = whole.current.or(read.current);
        for (into, from) in
            [(&mut whole.contexts, read.contexts), (&mut whole.clusters, read.clusters), (&mut whole.users, read.users)]
        {
            for (name, entry) in from {
                into.entry(name).or_insert(entry);
            }
        }
    }
    Ok(whole)
}

pub(super) fn wrong(source: &Source, why: impl fmt::Display) -> Fault {
    Fault::new(Kind::Parse, format!("kubeconfig `{source}`: {why}"))
}

fn read_one(source: &Source, text: &str) -> Result<Kubeconfig, Fault> {
    let tree = yaml::read_one(text, &source.to_string()).map_err(|error| {
        let place = format!("line {} column {}: {}", error.line, error.column, error.message);
        // Without the line itself: it may hold a token.
        wrong(source, place).hint("it must be one YAML document, as `kubectl config view --raw` prints it")
    })?;
    match &tree {
        Tree::Null => return Ok(Kubeconfig::default()),
        Tree::Map(_) => {}
        other => {
            return Err(wrong(source, format!("it holds {}, not a kubeconfig", other.kind()))
                .hint("a kubeconfig is a map with `clusters`, `users`, `contexts` and `current-context`"));
        }
    }
    match at(&tree, &["kind"]) {
        None | Some(Tree::Null) => {}
        Some(Tree::Text(kind)) if kind.as_str() == "Config" || kind.is_empty() => {}
        Some(other) => {
            return Err(wrong(source, format!("its `kind` is `{}`, not `Config`", plain(other)))
                .hint("this is another kind of file; point to a kubeconfig"));
        }
    }
    let current = optional_text(source, "", &tree, "current-context")?.filter(|name| !name.is_empty());
    Ok(Kubeconfig {
        sources: Vec::new(),
        current,
        contexts: named(source, &tree, "contexts", "context")?,
        clusters: named(source, &tree, "clusters", "cluster")?,
        users: named(source, &tree, "users", "user")?,
    })
}

/// A list such as `clusters`, by the names of its items.
fn named(source: &Source, tree: &Tree, list: &str, inner: &str) -> Result<BTreeMap<String, Entry>, Fault> {
    match at(tree, &[list]) {
        None | Some(Tree::Null | Tree::List(_)) => {}
        Some(other) => {
            return Err(wrong(source, format!("`{list}` is {}, not a list", other.kind()))
                .hint(format!("write `{list}:` and below it `- name: …` with `{inner}: …`")));
        }
    }
    let mut found = BTreeMap::new();
    for (index, item) in items(tree, &[list]).iter().enumerate() {
        let place = format!("{list}[{index}]");
        let Some(name) = optional_text(source, &place, item, "name")? else {
            return Err(wrong(source, format!("`{place}` has no `name`")).hint("give it one, or remove it"));
        };
        let fields = match at(item, &[inner]) {
            None | Some(Tree::Null) => Tree::Map(std::sync::Arc::default()),
            Some(fields @ Tree::Map(_)) => fields.clone(),
            Some(other) => {
                return Err(wrong(source, format!("`{place}.{inner}` is {}, not a map", other.kind()))
                    .hint(format!("write the fields of the {inner} below `{inner}:`")));
            }
        };
        let entry = Entry { source: source.clone(), place: format!("{place}.{inner}"), fields };
        if found.insert(name.clone(), entry).is_some() {
            return Err(wrong(source, format!("`{list}` has two entries named `{name}`")).hint("rename or remove one"));
        }
    }
    Ok(found)
}

pub(super) fn plain(tree: &Tree) -> String {
    match tree {
        Tree::Text(text) => text.to_string(),
        other => other.kind().to_owned(),
    }
}

fn optional_text(source: &Source, place: &str, tree: &Tree, name: &str) -> Result<Option<String>, Fault> {
    let shown = if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match at(tree, &[name]) {
        None | Some(Tree::Null) => Ok(None),
        Some(Tree::Text(text)) => Ok(Some(text.to_string())),
        Some(other) => Err(wrong(source, format!("`{shown}` is {}, not a text", other.kind()))
            .hint(format!("put the value of `{name}` in quotes"))),
    }
}

impl Entry {
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(optional_text(&self.source, &self.place, &self.fields, name)?.filter(|text| !text.is_empty()))
    }

    /// A map inside the entry, as an entry of its own.
    pub(super) fn inner(&self, name: &str) -> Result<Option<Entry>, Fault> {
        match at(&self.fields, &[name]) {
            None | Some(Tree::Null) => Ok(None),
            Some(fields @ Tree::Map(_)) => Ok(Some(Entry {
                source: self.source.clone(),
                place: format!("{}.{name}", self.place),
                fields: fields.clone(),
            })),
            Some(other) => Err(self
                .wrong(format!("`{}.{name}` is {}, not a map", self.place, other.kind()))
                .hint(format!("write its fields below `{name}:`"))),
        }
    }

    pub(super) fn wrong(&self, why: impl fmt::Display) -> Fault {
        wrong(&self.source, why)
    }

    /// A field for which `NAME-data` in base64 is the other form.
    pub(super) fn material(&self, name: &str) -> Result<Option<Material>, Fault> {
        let data_name = format!("{name}-data");
        match (self.text(name)?, self.text(&data_name)?) {
            (Some(_), Some(_)) => Err(self
                .wrong(format!("`{}` has both `{name}` and `{data_name}`", self.place))
                .hint("keep one of them")),
            (Some(path), None) => self.path(&path).map(|path| Some(Material::File(path))),
            (None, Some(data)) => {
                let data: String = data.split_whitespace().collect();
                let bytes = STANDARD.decode(data).map_err(|error| {
                    self.wrong(format!("`{}.{data_name}` is not base64: {error}", self.place))
                        .hint(format!("copy it again, or name the file with `{name}`"))
                })?;
                Ok(Some(Material::Data(bytes)))
            }
            (None, None) => Ok(None),
        }
    }

    /// A path as the entry means it: from the folder of its file on.
    pub(super) fn path(&self, path: &str) -> Result<PathBuf, Fault> {
        let path = Path::new(path);
        match &self.source {
            _ if path.is_absolute() => Ok(path.to_owned()),
            Source::File(file) => Ok(file.parent().unwrap_or(Path::new("")).join(path)),
            Source::Text(_) => Err(self
                .wrong(format!("`{}` names the file `{}`, relative to no folder", self.place, path.display()))
                .hint("write an absolute path, or put the content into the `-data` field")),
        }
    }
}
