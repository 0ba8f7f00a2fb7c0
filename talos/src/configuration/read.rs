//! Reading: documents as YAML has them, held against their shapes. What is left out and what is empty are told apart only where
//! Talos tells them apart.

use serde_json::{Map, Value};

use super::{
    Document, Invalid,
    contract::Contract,
    scalars,
    shapes::{Field, Kind, ORIGINAL, Shape, Structure, TABLE},
};
use crate::yaml::{self, Content, Node, Word};

/// Keys that only the oldest document has, which says no kind.
const OF_THE_ORIGINAL: [&str; 4] = ["machine", "cluster", "debug", "persist"];

/// One document.
///
/// # Errors
/// What it isn't, or what in it can't be.
pub fn document(node: &Node, contract: Contract) -> Result<Document, Invalid> {
    let entries = node.entries().ok_or_else(|| Invalid::new("expected a mapping node"))?;
    let said = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default();
    let original = entries.iter().any(|(key, _)| key.text().is_some_and(|key| OF_THE_ORIGINAL.contains(&key)));
    let version = if original { ORIGINAL } else { said("apiVersion") };
    let kind = match (version, said("kind")) {
        (ORIGINAL, "") => ORIGINAL,
        (_, "") => return Err(Invalid::new("missing kind")),
        (ORIGINAL, kind) if kind != ORIGINAL => kind,
        (version, kind) => return Err(unregistered(kind, version)),
    };
    let kind = TABLE.kind(kind).filter(|kind| kind.since <= contract).ok_or_else(|| unregistered(kind, version))?;
    let structure = kind.structure();
    let mut reader = Reader { contract, wrong: Vec::new() };
    let failed = |why: String| Invalid(format!("error decoding {} to *{}: {why}", said("kind"), structure.name));
    let fields = reader.fields(node, structure).map_err(failed)?;
    if !reader.wrong.is_empty() {
        return Err(failed(format!("yaml: unmarshal errors:\n{}", reader.wrong.join("\n"))));
    }
    match unknown_fields(node, structure, contract, kind.kind != ORIGINAL) {
        Some(unknown) => Err(Invalid(format!("unknown keys found during decoding:\n{}", yaml::write(&[unknown])))),
        None => Ok(Document { kind, fields: fields.unwrap_or_default() }),
    }
}

fn unregistered(kind: &str, version: &str) -> Invalid {
    Invalid(format!("{kind:?} {version:?}: not registered"))
}

struct Reader {
    contract: Contract,
    /// What isn't of the kind that its place has; all of it is told at once.
    wrong: Vec<String>,
}

impl Reader {
    /// What stands there; nothing if it is null, or wrong, which is kept to be told.
    ///
    /// # Errors
    /// It can't be read on.
    fn read(&mut self, node: &Node, shape: &Shape) -> Result<Option<Value>, String> {
        if node.is_null() && !matches!(shape, Shape::Map(_) | Shape::Anything) {
            return Ok(None);
        }
        match shape {
            Shape::Optional(shape) => self.read(node, shape),
            Shape::Fields(index) => Ok(self.fields(node, TABLE.structure(*index))?.map(Value::Object)),
            Shape::List(item, ..) => self.list(node, item, shape),
            Shape::Map(value) => self.map(node, value, shape),
            Shape::Anything => match &node.content {
                // Talos doesn't tell it from none.
                Content::Map(entries) if entries.is_empty() => Ok(None),
                Content::Map(_) => Ok(Some(node.value())),
                _ if node.is_null() => Ok(None),
                _ => Ok(self.mistaken(node, shape)),
            },
            Shape::Pair => self.parts(node, &["crt", "key"], shape),
            Shape::Certificate => self.parts(node, &["crt"], shape),
            Shape::Key => self.parts(node, &["key"], shape),
            shape => match node.word() {
                Some(word) => self.word(node, word, shape),
                None => Ok(self.mistaken(node, shape)),
            },
        }
    }

    fn word(&mut self, node: &Node, word: Word<'_>, shape: &Shape) -> Result<Option<Value>, String> {
        let text = node.text().unwrap_or_default();
        let value = match shape {
            Shape::Bool => match word {
                Word::Bool(yes) => Some(yes.into()),
                Word::Text("y" | "Y" | "yes" | "on") => Some(true.into()),
                Word::Text("n" | "N" | "no" | "off") => Some(false.into()),
                _ => None,
            },
            Shape::Whole(_, least, most) => scalars::whole(word, *least, *most),
            Shape::Mode => scalars::whole(word, 0, u32::MAX.into()),
            Shape::Duration => match word {
                Word::Text(text) => scalars::duration(text).map(|span| scalars::duration_text(span).into()),
                _ => None,
            },
            shape => return scalars::read(text, word, shape).map(Some),
        };
        Ok(value.or_else(|| self.mistaken(node, shape)))
    }

    fn mistaken(&mut self, node: &Node, shape: &Shape) -> Option<Value> {
        let said = node.text().map_or_else(String::new, |text| match text.len() > 10 {
            true => format!(" `{}...`", text.chars().take(7).collect::<String>()),
            false => format!(" `{text}`"),
        });
        self.wrong.push(format!("  line {}: cannot unmarshal {}{said} into {}", node.line, node.tag(), shape.name()));
        None
    }

    /// The same key twice is a mistake.
    fn unique(&mut self, entries: &[(Node, Node)]) {
        for (index, (key, _)) in entries.iter().enumerate() {
            if let Some((first, _)) = entries[..index].iter().find(|(first, _)| first.text() == key.text()) {
                let (name, line, first) = (key.name(), key.line, first.line);
                self.wrong.push(format!("  line {line}: mapping key {name:?} already defined at line {first}"));
            }
        }
    }

    fn fields(&mut self, node: &Node, structure: &Structure) -> Result<Option<Map<String, Value>>, String> {
        if node.is_null() {
            return Ok(None);
        }
        let Some(entries) = node.entries() else {
            let said = node.text().map_or_else(String::new, |text| format!(" `{text}`"));
            let (line, tag, name) = (node.line, node.tag(), &structure.name);
            self.wrong.push(format!("  line {line}: cannot unmarshal {tag}{said} into {name}"));
            return Ok(None);
        };
        self.unique(entries);
        let mut map = Map::new();
        for (key, value) in entries {
            let Some(field) = key.text().and_then(|name| known(structure, name, self.contract)) else {
                continue;
            };
            let value = self.read(value, &field.shape)?;
            if let Some(value) = value.filter(|value| !scalars::is_nothing(value, &field.shape)) {
                map.insert(field.name.clone(), value);
            }
        }
        Ok(Some(map))
    }

    fn list(&mut self, node: &Node, item: &Shape, shape: &Shape) -> Result<Option<Value>, String> {
        let Content::List(items) = &node.content else {
            return Ok(self.mistaken(node, shape));
        };
        let mut list = Vec::new();
        for node in items {
            list.push(self.read(node, item)?.unwrap_or_else(|| scalars::nothing(item)));
        }
        Ok(Some(list.into()))
    }

    fn map(&mut self, node: &Node, shape: &Shape, whole: &Shape) -> Result<Option<Value>, String> {
        if node.is_null() {
            return Ok(None);
        }
        let Some(entries) = node.entries() else {
            return Ok(self.mistaken(node, whole));
        };
        self.unique(entries);
        let mut map = Map::new();
        for (key, value) in entries {
            let value = self.read(value, shape)?.unwrap_or_else(|| scalars::nothing(shape));
            map.insert(key.name(), value);
        }
        Ok(Some(map.into()))
    }

    /// Texts in base64 that belong together.
    fn parts(&mut self, node: &Node, names: &[&str], shape: &Shape) -> Result<Option<Value>, String> {
        let Some(entries) = node.entries() else {
            return Ok(self.mistaken(node, shape));
        };
        self.unique(entries);
        let mut map = Map::new();
        for name in names {
            let text = node.get(name).and_then(Node::text).unwrap_or_default();
            map.insert((*name).to_owned(), scalars::base64(text)?.into());
        }
        Ok(Some(map.into()))
    }
}

fn known<'s>(structure: &'s Structure, name: &str, contract: Contract) -> Option<&'s Field> {
    structure.field(name).filter(|field| field.since <= contract)
}

/// What of it has no place, with what it says.
fn unknown_fields(node: &Node, structure: &Structure, contract: Contract, typed: bool) -> Option<Value> {
    let mut unknown = Vec::new();
    for (key, value) in node.entries().unwrap_or_default() {
        let name = key.name();
        if typed && ["apiVersion", "kind"].contains(&name.as_str()) {
            continue;
        }
        let inner = match known(structure, &name, contract) {
            None => Some(value.value()),
            Some(field) => unknown_in(value, &field.shape, contract),
        };
        unknown.extend(inner.map(|inner| (name, inner)));
    }
    sorted(unknown)
}

fn unknown_in(node: &Node, shape: &Shape, contract: Contract) -> Option<Value> {
    let strangers = |names: &[&str]| {
        let entries = node.entries().unwrap_or_default().iter().map(|(key, value)| (key.name(), value));
        let strangers = entries.filter(|(name, _)| !names.contains(&name.as_str()));
        sorted(strangers.map(|(name, value)| (name, value.value())).collect())
    };
    match (shape.bare(), &node.content) {
        (Shape::Fields(index), Content::Map(_)) => unknown_fields(node, TABLE.structure(*index), contract, false),
        (Shape::List(item, ..), Content::List(items)) => {
            let unknown: Vec<Value> = items.iter().filter_map(|node| unknown_in(node, item, contract)).collect();
            (!unknown.is_empty()).then(|| unknown.into())
        }
        (Shape::Map(shape), Content::Map(entries)) => {
            let inner = entries.iter().filter_map(|(key, node)| Some((key.name(), unknown_in(node, shape, contract)?)));
            sorted(inner.collect())
        }
        (Shape::Pair, _) => strangers(&["crt", "key"]),
        (Shape::Certificate, _) => strangers(&["crt"]),
        (Shape::Key, _) => strangers(&["key"]),
        _ => None,
    }
}

fn sorted(mut entries: Vec<(String, Value)>) -> Option<Value> {
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    (!entries.is_empty()).then(|| Value::Object(entries.into_iter().collect()))
}

/// The kind that a document is of.
pub(super) fn kind_of(kind: &str) -> &'static Kind {
    TABLE.kind(kind).expect("it is in the table")
}
