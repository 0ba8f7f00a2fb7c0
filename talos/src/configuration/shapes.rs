//! What may stand where: the documents of a configuration, as tables say it that read like declarations.
//!
//! A line of a table is a field: its name, its shape, `?` if it is left out when it is empty, `replaced` if a patch puts its own
//! in its place, `since-1.12` if earlier versions don't know it. `*` is a shape that may be absent, `[…]` a list, `{…}` a map.

use std::{collections::BTreeMap, iter::Peekable, str::SplitWhitespace, sync::LazyLock};

use super::contract::Contract;

#[derive(Debug, Clone)]
pub enum Shape {
    Text,
    /// A manifest: a text without empty lines at its begin.
    Manifest,
    Bool,
    /// A whole number: what it is called, and its bounds.
    Whole(&'static str, i128, i128),
    Duration,
    /// A certificate and its key.
    Pair,
    Certificate,
    Key,
    Base64,
    Url,
    /// The mode of a file.
    Mode,
    DiskSize,
    /// A size to hold a disk's against.
    DiskMatch,
    Size,
    /// An expression of CEL.
    Expression,
    /// A port or a range of them.
    Ports,
    Network,
    Address,
    AddressPort,
    /// One of some words; the first is what stands for none.
    Choice(String, Vec<String>),
    /// Whatever somebody else makes of it.
    Anything,
    /// Of what, and by which of their fields items are the same.
    List(Box<Shape>, Vec<String>, Option<String>),
    Map(Box<Shape>),
    Optional(Box<Shape>),
    /// Fields of their own.
    Fields(usize),
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub shape: Shape,
    /// It is left out when it is empty.
    pub omitted: bool,
    /// A patch puts its own in its place.
    pub replaced: bool,
    pub since: Contract,
}

#[derive(Debug, Default)]
pub struct Structure {
    /// As messages call it.
    pub name: String,
    pub fields: Vec<Field>,
}

/// A kind of document.
#[derive(Debug)]
pub struct Kind {
    pub kind: String,
    pub shape: Shape,
    pub since: Contract,
}

#[derive(Debug, Default)]
pub struct Table {
    kinds: BTreeMap<String, Kind>,
    structures: Vec<Structure>,
}

/// The kind of the document that has no kind: the oldest one, with most of what there is to configure.
pub const ORIGINAL: &str = "v1alpha1";

pub static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    let texts = [include_str!("shapes/v1alpha1.txt"), include_str!("shapes/documents.txt")];
    Drawing::of(&texts).into_table(&mut table);
    table
});

impl Table {
    #[must_use]
    pub fn kind(&self, kind: &str) -> Option<&Kind> {
        self.kinds.get(kind)
    }

    #[must_use]
    pub fn structure(&self, index: usize) -> &Structure {
        &self.structures[index]
    }
}

impl Kind {
    #[must_use]
    pub fn structure(&'static self) -> &'static Structure {
        match self.shape {
            Shape::Fields(index) => TABLE.structure(index),
            _ => unreachable!("a document has fields"),
        }
    }

    /// Whether there can be several of it, each with a name.
    #[must_use]
    pub fn is_named(&'static self) -> bool {
        self.structure().field("name").is_some()
    }
}

impl Structure {
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Shape {
    /// Without that it may be absent.
    #[must_use]
    pub fn bare(&self) -> &Shape {
        match self {
            Shape::Optional(shape) => shape.bare(),
            shape => shape,
        }
    }

    /// As messages call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Shape::Text | Shape::Manifest | Shape::Base64 => "string".to_owned(),
            Shape::Bool => "bool".to_owned(),
            Shape::Whole(name, ..) => (*name).to_owned(),
            Shape::Duration => "time.Duration".to_owned(),
            Shape::Mode => "v1alpha1.FileMode".to_owned(),
            Shape::Anything => "v1alpha1.Unstructured".to_owned(),
            Shape::List(_, _, Some(name)) => name.clone(),
            Shape::List(item, ..) => format!("[]{}", item.name()),
            Shape::Map(value) => format!("map[string]{}", value.name()),
            Shape::Optional(shape) => format!("*{}", shape.name()),
            Shape::Fields(index) => TABLE.structure(*index).name.clone(),
            Shape::Pair | Shape::Certificate | Shape::Key => "a certificate and its key".to_owned(),
            Shape::Choice(name, _) => name.clone(),
            _ => "string".to_owned(),
        }
    }
}

/// The tables as they are written, before names are looked up.
struct Drawing<'t> {
    documents: Vec<(&'t str, String, Contract)>,
    structures: Vec<(String, Vec<&'t str>)>,
    lists: BTreeMap<String, &'t str>,
}

impl<'t> Drawing<'t> {
    fn of(texts: &[&'t str]) -> Self {
        let mut drawing = Self { documents: Vec::new(), structures: Vec::new(), lists: BTreeMap::new() };
        let mut package = "";
        for line in texts.iter().flat_map(|text| text.lines()).filter(|line| !line.is_empty()) {
            if let Some(name) = line.strip_prefix("package ") {
                package = name;
            } else if let Some(document) = line.strip_prefix("document ") {
                let mut words = document.split_whitespace();
                let mut word = || words.next().expect("a document has a kind and a shape");
                let (kind, name) = (word(), format!("{package}.{}", word()));
                drawing.documents.push((kind, name, since(words.next())));
            } else if let Some((name, shape)) = line.split_once(" = ") {
                drawing.lists.insert(format!("{package}.{name}"), shape);
            } else if line.starts_with(' ') {
                let (_, fields) = drawing.structures.last_mut().expect("fields follow a name");
                fields.push(line);
            } else {
                drawing.structures.push((format!("{package}.{line}"), Vec::new()));
            }
        }
        drawing
    }

    fn into_table(self, table: &mut Table) {
        for (name, fields) in &self.structures {
            let package = name.split('.').next().expect("a name has a package");
            let fields = fields.iter().map(|line| self.field(line, package)).collect();
            table.structures.push(Structure { name: name.clone(), fields });
        }
        for (kind, name, since) in &self.documents {
            let shape = self.named(name).expect("a document's shape is in its table");
            table.kinds.insert((*kind).to_owned(), Kind { kind: (*kind).to_owned(), shape, since: *since });
        }
    }

    fn field(&self, line: &str, package: &str) -> Field {
        let mut words = line.split_whitespace().peekable();
        let name = words.next().expect("a field has a name").to_owned();
        let shape = words.next().expect("a field has a shape");
        let replaced = words.next_if_eq(&"replaced").is_some();
        let bare = shape.trim_end_matches('?');
        let field = Field {
            name,
            shape: self.shape(bare, package),
            omitted: bare != shape,
            replaced,
            since: since(words.next()),
        };
        assert!(words.next().is_none(), "`{line}` says more than a field has");
        field
    }

    fn shape(&self, text: &str, package: &str) -> Shape {
        let inner = |open: char, close: char| {
            let shape = text.strip_prefix(open)?.strip_suffix(close)?;
            Some(Box::new(self.shape(shape, package)))
        };
        if let Some(shape) = text.strip_prefix('*') {
            return Shape::Optional(Box::new(self.shape(shape, package)));
        }
        if let Some(item) = inner('[', ']') {
            return Shape::List(item, Vec::new(), None);
        }
        if let Some(value) = inner('{', '}') {
            return Shape::Map(value);
        }
        if let Some((name, words)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
            return Shape::Choice(name.to_owned(), words.split('|').map(str::to_owned).collect());
        }
        simple(text)
            .or_else(|| self.named(&format!("{package}.{text}")))
            .or_else(|| self.named(text))
            .unwrap_or_else(|| panic!("`{text}` is a shape"))
    }

    fn named(&self, name: &str) -> Option<Shape> {
        if let Some(index) = self.structures.iter().position(|(known, _)| known == name) {
            return Some(Shape::Fields(index));
        }
        let package = name.split('.').next()?;
        let mut words = self.lists.get(name)?.split_whitespace().peekable();
        let Shape::List(item, ..) = self.shape(words.next()?, package) else {
            return None;
        };
        Some(Shape::List(item, keys(words), Some(name.to_owned())))
    }
}

fn keys(mut words: Peekable<SplitWhitespace>) -> Vec<String> {
    match words.next() {
        Some("by") => words.map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn since(word: Option<&str>) -> Contract {
    match word {
        None => Contract::OLDEST,
        Some("since-1.12") => Contract::V1_12,
        Some(word) => panic!("`{word}` is a version"),
    }
}

fn simple(name: &str) -> Option<Shape> {
    Some(match name {
        "text" => Shape::Text,
        "manifest" => Shape::Manifest,
        "bool" => Shape::Bool,
        "int" => Shape::Whole("int", i64::MIN as i128, i64::MAX as i128),
        "uint" => Shape::Whole("uint", 0, u64::MAX as i128),
        "uint8" => Shape::Whole("uint8", 0, u8::MAX as i128),
        "uint16" => Shape::Whole("uint16", 0, u16::MAX as i128),
        "uint32" => Shape::Whole("uint32", 0, u32::MAX as i128),
        "uint64" => Shape::Whole("uint64", 0, u64::MAX as i128),
        "duration" => Shape::Duration,
        "pair" => Shape::Pair,
        "certificate" => Shape::Certificate,
        "key" => Shape::Key,
        "base64" => Shape::Base64,
        "url" => Shape::Url,
        "mode" => Shape::Mode,
        "disk-size" => Shape::DiskSize,
        "disk-match" => Shape::DiskMatch,
        "size" => Shape::Size,
        "expression" => Shape::Expression,
        "ports" => Shape::Ports,
        "network" => Shape::Network,
        "address" => Shape::Address,
        "address-port" => Shape::AddressPort,
        "anything" => Shape::Anything,
        _ => return None,
    })
}
