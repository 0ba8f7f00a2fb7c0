//! `$patch: delete`: what a patch takes away.

use serde_json::{Map, Value};

use crate::{
    configuration::{
        Document, Identity, Invalid,
        shapes::{ORIGINAL, Shape, Structure, TABLE},
    },
    yaml::{Content, Node},
};

/// A place that is to be empty.
#[derive(Debug, Clone)]
pub struct Removal {
    pub document: Identity,
    version: String,
    path: Vec<String>,
    /// Which item of a list: the one that has this there.
    item: Option<(String, String)>,
}

/// Takes what is to be removed out of a patch, and says whether nothing is left of it.
///
/// # Errors
/// Where nothing can be removed.
pub fn take(node: &mut Node) -> Result<(Vec<Removal>, bool), Invalid> {
    let mut taking = Taking { whole: node.clone(), removals: Vec::new() };
    let gone = taking.look(node, &mut Vec::new(), false)?;
    let emptied = gone || says_nothing(node);
    Ok((taking.removals, emptied))
}

struct Taking {
    whole: Node,
    removals: Vec<Removal>,
}

impl Taking {
    /// Whether this part of the patch is used up.
    fn look(&mut self, node: &mut Node, path: &mut Vec<String>, in_list: bool) -> Result<bool, Invalid> {
        match &mut node.content {
            Content::Map(entries) => {
                if entries.iter().any(|(key, value)| deletes(key, value)) {
                    if !in_list && path.iter().any(|step| step.starts_with('[')) {
                        return Err(Invalid::new(format!("cannot delete an inner key in '{}'", path.join("."))));
                    }
                    let item = in_list.then(|| chosen(entries, path)).transpose()?;
                    let removal = self.removal(path.clone(), item)?;
                    self.removals.push(removal);
                    return Ok(true);
                }
                let had = !entries.is_empty();
                let mut kept = Vec::new();
                for (key, mut value) in std::mem::take(entries) {
                    path.push(key.name());
                    let used = self.look(&mut value, path, false)?;
                    path.pop();
                    if !used {
                        kept.push((key, value));
                    }
                }
                *entries = kept;
                Ok(had && entries.is_empty())
            }
            Content::List(items) => {
                let had = !items.is_empty();
                let mut kept = Vec::new();
                for mut item in std::mem::take(items) {
                    path.push(format!("[{}]", kept.len()));
                    let used = self.look(&mut item, path, true)?;
                    path.pop();
                    if !used {
                        kept.push(item);
                    }
                }
                *items = kept;
                Ok(had && items.is_empty())
            }
            Content::Text { .. } => Ok(false),
        }
    }

    fn removal(&self, path: Vec<String>, item: Option<(String, String)>) -> Result<Removal, Invalid> {
        let said = |key: &str| self.whole.get(key).and_then(Node::text).unwrap_or_default().to_owned();
        let (version, kind, name) = (said("apiVersion"), said("kind"), said("name"));
        if path.is_empty() {
            for (key, value) in [("apiVersion", &version), ("kind", &kind)] {
                if value.is_empty() {
                    return Err(Invalid::new(format!("missing {key} in document for which $patch: delete is used")));
                }
            }
        }
        let kind = match (version.is_empty(), kind.is_empty()) {
            (true, true) => ORIGINAL.to_owned(),
            (false, false) => kind,
            _ => {
                let path = path.join(".");
                return Err(Invalid::new(format!("kind and apiVersion must be both set for path {path}")));
            }
        };
        Ok(Removal { document: Identity { kind, name }, version, path, item })
    }
}

fn deletes(key: &Node, value: &Node) -> bool {
    key.text() == Some("$patch") && value.text() == Some("delete")
}

/// What an item is known by.
fn chosen(entries: &[(Node, Node)], path: &[String]) -> Result<(String, String), Invalid> {
    let other = entries.iter().find(|(key, value)| !deletes(key, value));
    other
        .map(|(key, value)| (key.name(), value.text().unwrap_or_default().to_owned()))
        .ok_or_else(|| Invalid::new(format!("no key:val found in sequence node for path {}", path.join("."))))
}

/// Whether a patch only says which document it is for.
fn says_nothing(node: &Node) -> bool {
    node.entries().is_some_and(|entries| {
        let idle = |key: &Node| matches!(key.text(), Some("version" | "kind" | "name"));
        entries.iter().all(|(key, value)| value.text().is_some() && idle(key))
    })
}

impl Removal {
    /// Whether the document is to go.
    #[must_use]
    pub fn is_of_all(&self) -> bool {
        self.path.is_empty()
    }

    /// # Errors
    /// It must stay.
    pub fn check(&self) -> Result<(), Invalid> {
        match self.document.kind == ORIGINAL {
            true => Err(Invalid::new("can't delete the root of the legacy document")),
            false => Ok(()),
        }
    }

    /// # Errors
    /// There is nothing to be removed.
    pub fn from(&self, document: &mut Document) -> Result<(), Invalid> {
        let structure = document.kind.structure();
        self.out_of(&mut document.fields, structure, &self.path).map_err(|why| {
            let (path, version, kind) = (self.path.join("."), &self.version, &self.document.kind);
            Invalid::new(format!(
                "patch delete: path '{path}' in document '{version}/{kind}': failed to delete path '{path}': {why}"
            ))
        })
    }

    fn out_of(
        &self,
        fields: &mut Map<String, Value>,
        structure: &Structure,
        path: &[String],
    ) -> Result<(), &'static str> {
        const LOST: &str = "lookup failed";
        let (first, rest) = path.split_first().ok_or("path is empty")?;
        let field = structure.field(first).ok_or(LOST)?;
        if rest.is_empty() {
            fields.shift_remove(first);
            return Ok(());
        }
        match (fields.get_mut(first), &field.shape) {
            (Some(value), shape) => self.inside(value, shape, rest),
            (None, Shape::Fields(index)) => self.out_of(&mut Map::new(), TABLE.structure(*index), rest),
            (None, _) => Err(LOST),
        }
    }

    fn inside(&self, value: &mut Value, shape: &Shape, path: &[String]) -> Result<(), &'static str> {
        const LOST: &str = "lookup failed";
        let (first, rest) = path.split_first().ok_or("path is empty")?;
        match (shape.bare(), value) {
            (Shape::Fields(index), Value::Object(fields)) => self.out_of(fields, TABLE.structure(*index), path),
            (Shape::Map(_) | Shape::Anything, Value::Object(entries)) if rest.is_empty() => {
                entries.shift_remove(first).map(|_| ()).ok_or(LOST)
            }
            (Shape::Map(inner), Value::Object(entries)) => {
                self.inside(entries.get_mut(first).ok_or(LOST)?, inner, rest)
            }
            (Shape::Anything, Value::Object(entries)) => {
                self.inside(entries.get_mut(first).ok_or(LOST)?, &Shape::Anything, rest)
            }
            (Shape::List(..), Value::Array(_)) if !rest.is_empty() => {
                Err("searching for complex paths in slices is not supported")
            }
            (Shape::List(item, ..), Value::Array(items)) => {
                let (key, wanted) =
                    self.item.as_ref().ok_or("searching for non-integer keys in slices is not supported")?;
                let Shape::Fields(index) = item.bare() else { return Err(LOST) };
                TABLE.structure(*index).field(key).ok_or(LOST)?;
                let has = |item: &Value| match item.get(key) {
                    Some(Value::String(text)) => text == wanted,
                    Some(_) => false,
                    None => wanted.is_empty(),
                };
                let place = items.iter().position(has).ok_or(LOST)?;
                items.remove(place);
                Ok(())
            }
            _ => Err(LOST),
        }
    }
}
