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
    let about = format!("error decoding {} to *{}", said("kind"), structure.name);
    let fields = reader.fields(node, &kind.shape).map_err(|fatal| {
        let Fatal { line, why } = fatal;
        Invalid::telling(why, format!("line {line}: what stands there is not what belongs there")).about(&about)
    })?;
    if !reader.wrong.is_empty() {
        let lines = |of: fn(&Mistake) -> String| reader.wrong.iter().map(of).collect::<Vec<_>>().join("\n");
        let told = |lines: String| format!("yaml: unmarshal errors:\n{lines}");
        let (full, discreet) = (lines(|wrong| wrong.message()), lines(|wrong| wrong.without_value()));
        return Err(Invalid::telling(told(full), told(discreet)).about(&about));
    }
    let mut strangers = Strangers { contract, paths: Vec::new() };
    match strangers.among_fields(node, structure, kind.kind != ORIGINAL, "") {
        Some(unknown) => Err(Invalid::telling(
            format!("unknown keys found during decoding:\n{}", yaml::write(&[unknown])),
            format!("unknown keys: `{}`", strangers.paths.join("`, `")),
        )),
        None => Ok(Document { kind, fields: fields.unwrap_or_default() }),
    }
}

fn unregistered(kind: &str, version: &str) -> Invalid {
    Invalid::new(format!("{kind:?} {version:?}: not registered"))
}

struct Reader {
    contract: Contract,
    /// What isn't of the kind that its place has; all of it is told at once.
    wrong: Vec<Mistake>,
}

struct Mistake {
    line: usize,
    what: String,
    /// What stands there, which may be secret.
    value: String,
    wanted: String,
}

impl Mistake {
    fn message(&self) -> String {
        let Self { line, what, value, wanted } = self;
        format!("  line {line}: {what}{value}{wanted}")
    }

    fn without_value(&self) -> String {
        let Self { line, what, wanted, .. } = self;
        format!("  line {line}: {what}{wanted}")
    }
}

/// Why it can't be read on.
struct Fatal {
    line: usize,
    why: String,
}

impl Reader {
    /// What stands there; nothing if it is null, or wrong, which is kept to be told.
    ///
    /// # Errors
    /// It can't be read on.
    fn read(&mut self, node: &Node, shape: &Shape) -> Result<Option<Value>, Fatal> {
        if node.is_null() && !matches!(shape, Shape::Map(_) | Shape::Anything) {
            return Ok(None);
        }
        match shape {
            Shape::Optional(shape) => self.read(node, shape),
            Shape::Fields(_) => Ok(self.fields(node, shape)?.map(Value::Object)),
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

    fn word(&mut self, node: &Node, word: Word<'_>, shape: &Shape) -> Result<Option<Value>, Fatal> {
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
            shape => {
                let read = scalars::read(text, word, shape).map(Some);
                return read.map_err(|why| Fatal { line: node.line, why });
            }
        };
        Ok(value.or_else(|| self.mistaken(node, shape)))
    }

    fn mistaken(&mut self, node: &Node, shape: &Shape) -> Option<Value> {
        let value = node.text().map_or_else(String::new, |text| match text.len() > 10 {
            true => format!(" `{}...`", text.chars().take(7).collect::<String>()),
            false => format!(" `{text}`"),
        });
        let (what, wanted) = (format!("cannot unmarshal {}", node.tag()), format!(" into {}", shape.name()));
        self.wrong.push(Mistake { line: node.line, what, value, wanted });
        None
    }

    /// The same key twice is a mistake.
    fn unique(&mut self, entries: &[(Node, Node)]) {
        for (index, (key, _)) in entries.iter().enumerate() {
            if let Some((first, _)) = entries[..index].iter().find(|(first, _)| first.text() == key.text()) {
                let what = format!("mapping key {:?} already defined at line {}", key.name(), first.line);
                self.wrong.push(Mistake { line: key.line, what, value: String::new(), wanted: String::new() });
            }
        }
    }

    fn fields(&mut self, node: &Node, shape: &Shape) -> Result<Option<Map<String, Value>>, Fatal> {
        if node.is_null() {
            return Ok(None);
        }
        let Some(entries) = node.entries() else {
            self.mistaken(node, shape);
            return Ok(None);
        };
        self.unique(entries);
        let mut map = Map::new();
        for (key, value) in entries {
            let Some(field) = key.text().and_then(|name| known(structure_of(shape), name, self.contract)) else {
                continue;
            };
            let value = self.read(value, &field.shape)?;
            if let Some(value) = value.filter(|value| !scalars::is_nothing(value, &field.shape)) {
                map.insert(field.name.clone(), value);
            }
        }
        Ok(Some(map))
    }

    fn list(&mut self, node: &Node, item: &Shape, shape: &Shape) -> Result<Option<Value>, Fatal> {
        let Content::List(items) = &node.content else {
            return Ok(self.mistaken(node, shape));
        };
        let mut list = Vec::new();
        for node in items {
            list.push(self.read(node, item)?.unwrap_or_else(|| scalars::nothing(item)));
        }
        Ok(Some(list.into()))
    }

    fn map(&mut self, node: &Node, shape: &Shape, whole: &Shape) -> Result<Option<Value>, Fatal> {
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
    fn parts(&mut self, node: &Node, names: &[&str], shape: &Shape) -> Result<Option<Value>, Fatal> {
        let Some(entries) = node.entries() else {
            return Ok(self.mistaken(node, shape));
        };
        self.unique(entries);
        let mut map = Map::new();
        for name in names {
            let text = node.get(name).and_then(Node::text).unwrap_or_default();
            map.insert((*name).to_owned(), scalars::base64(text).map_err(|why| Fatal { line: node.line, why })?.into());
        }
        Ok(Some(map.into()))
    }
}

fn structure_of(shape: &Shape) -> &'static Structure {
    match shape {
        Shape::Fields(index) => TABLE.structure(*index),
        _ => unreachable!("only what has fields is read by its fields"),
    }
}

fn known<'s>(structure: &'s Structure, name: &str, contract: Contract) -> Option<&'s Field> {
    structure.field(name).filter(|field| field.since <= contract)
}

/// What has no place in a document.
struct Strangers {
    contract: Contract,
    paths: Vec<String>,
}

impl Strangers {
    /// With what is said there.
    fn among_fields(&mut self, node: &Node, structure: &Structure, typed: bool, path: &str) -> Option<Value> {
        let mut unknown = Vec::new();
        for (key, value) in node.entries().unwrap_or_default() {
            let name = key.name();
            if typed && ["apiVersion", "kind"].contains(&name.as_str()) {
                continue;
            }
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let inner = match known(structure, &name, self.contract) {
                Some(field) => self.within(value, &field.shape, &path),
                None => {
                    self.paths.push(path);
                    Some(value.value())
                }
            };
            unknown.extend(inner.map(|inner| (name, inner)));
        }
        sorted(unknown)
    }

    fn within(&mut self, node: &Node, shape: &Shape, path: &str) -> Option<Value> {
        match (shape.bare(), &node.content) {
            (Shape::Fields(index), Content::Map(_)) => self.among_fields(node, TABLE.structure(*index), false, path),
            (Shape::List(item, ..), Content::List(items)) => {
                let items = items.iter().enumerate();
                let unknown = items.filter_map(|(index, node)| self.within(node, item, &format!("{path}[{index}]")));
                let unknown: Vec<Value> = unknown.collect();
                (!unknown.is_empty()).then(|| unknown.into())
            }
            (Shape::Map(shape), Content::Map(entries)) => {
                let inner = entries.iter().filter_map(|(key, node)| {
                    let name = key.name();
                    let inner = self.within(node, shape, &format!("{path}.{name}"))?;
                    Some((name, inner))
                });
                sorted(inner.collect())
            }
            (Shape::Pair, _) => self.beside(node, &["crt", "key"], path),
            (Shape::Certificate, _) => self.beside(node, &["crt"], path),
            (Shape::Key, _) => self.beside(node, &["key"], path),
            _ => None,
        }
    }

    fn beside(&mut self, node: &Node, names: &[&str], path: &str) -> Option<Value> {
        let entries = node.entries().unwrap_or_default().iter().map(|(key, value)| (key.name(), value));
        let strangers: Vec<_> = entries.filter(|(name, _)| !names.contains(&name.as_str())).collect();
        self.paths.extend(strangers.iter().map(|(name, _)| format!("{path}.{name}")));
        sorted(strangers.into_iter().map(|(name, value)| (name, value.value())).collect())
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
