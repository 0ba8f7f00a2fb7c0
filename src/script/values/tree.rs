//! What JSON and YAML can say, as a tree that is copied only where it is changed.

use std::fmt;
use std::sync::Arc;

use rhai::{Array, Dynamic, ImmutableString, Map};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::fields::Fields;
use super::interner::Interner;
use super::object::Object;
use crate::host::secrets::Secret;

/// How deep a tree may be: what serde_json allows too, so that whatever is read can be sent.
pub const DEEPEST: usize = 128;

/// A value of JSON or YAML, or a secret standing for one. Integers keep their 64 bits, floats stay floats (and finite).
///
/// Cloning is cheap: lists, maps and texts are shared until one owner changes them.
#[derive(Clone, Default, PartialEq)]
pub enum Tree {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    /// Only above `i64::MAX`, so that every integer has one form.
    UInt(u64),
    Float(f64),
    Text(ImmutableString),
    Secret(Box<Secret>),
    List(Arc<Vec<Tree>>),
    Map(Arc<Fields>),
}

/// Why a script's value is no tree.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TreeError {
    #[error("{} is a `{kind}`, which neither JSON nor YAML can hold", place(path))]
    Unfit { path: String, kind: String },
    #[error("{} is `{number}`, which neither JSON nor YAML can hold", place(path))]
    NotFinite { path: String, number: f64 },
    #[error("{} is nested deeper than {DEEPEST} levels", place(path))]
    TooDeep { path: String },
}

fn place(path: &str) -> String {
    if path.is_empty() { "the value".to_owned() } else { format!("`{path}`") }
}

impl Tree {
    /// Accepts what scripts write as data; refuses closures, handles and the like by their path.
    pub fn from_dynamic(value: &Dynamic) -> Result<Self, TreeError> {
        tree_at(value, 0)
    }

    /// Maps become `Object`, lists native arrays (of objects), scalars native scalars.
    pub fn to_dynamic(&self) -> Dynamic {
        match self {
            Self::Null => Dynamic::UNIT,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::UInt(value) => Dynamic::from(*value),
            Self::Float(value) => (*value).into(),
            Self::Text(value) => value.clone().into(),
            Self::Secret(value) => Dynamic::from((**value).clone()),
            Self::List(items) => items.iter().map(Self::to_dynamic).collect::<Array>().into(),
            Self::Map(fields) => Dynamic::from(Object::from(fields.clone())),
        }
    }

    /// Native maps and arrays all the way down.
    pub fn to_native(&self) -> Dynamic {
        match self {
            Self::List(items) => items.iter().map(Self::to_native).collect::<Array>().into(),
            Self::Map(fields) => {
                fields.iter().map(|(name, value)| (name.as_str().into(), value.to_native())).collect::<Map>().into()
            }
            scalar => scalar.to_dynamic(),
        }
    }

    /// The tree as it goes over the wire: secrets stand in it in clear.
    pub fn wire_json(&self) -> serde_json::Value {
        serde_json::to_value(Wire(self)).expect("a tree has text keys only")
    }

    /// The tree as it may be shown: secrets stand in it by reference.
    pub fn shown_json(&self) -> serde_json::Value {
        serde_json::to_value(Shown(self)).expect("a tree has text keys only")
    }

    pub fn from_json(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Self::Int(value),
                (None, Some(value)) => Self::UInt(value),
                (None, None) => Self::Float(number.as_f64().expect("without arbitrary precision a number is a float")),
            },
            serde_json::Value::String(text) => Self::Text(text.into()),
            serde_json::Value::Array(items) => items.into_iter().map(Self::from_json).collect(),
            serde_json::Value::Object(fields) => {
                fields.into_iter().map(|(name, value)| (name.into(), Self::from_json(value))).collect()
            }
        }
    }

    /// Equality as scripts see it: `1` and `1.0` are the same number.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(left), Self::Float(right)) => *left as f64 == *right,
            (Self::Float(left), Self::Int(right)) => *left == *right as f64,
            (Self::UInt(left), Self::Float(right)) => *left as f64 == *right,
            (Self::Float(left), Self::UInt(right)) => *left == *right as f64,
            (Self::List(left), Self::List(right)) => {
                Arc::ptr_eq(left, right)
                    || left.len() == right.len()
                        && left.iter().zip(right.iter()).all(|(left, right)| left.equals(right))
            }
            (Self::Map(left), Self::Map(right)) => {
                Arc::ptr_eq(left, right)
                    || left.len() == right.len()
                        && left
                            .iter()
                            .zip(right.iter())
                            .all(|(left, right)| left.0 == right.0 && left.1.equals(right.1))
            }
            (left, right) => left == right,
        }
    }

    /// What an error calls this value.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::UInt(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Text(_) => "a text",
            Self::Secret(_) => "a secret",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl From<u64> for Tree {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::UInt(value), Self::Int)
    }
}

impl FromIterator<Tree> for Tree {
    fn from_iter<I: IntoIterator<Item = Tree>>(items: I) -> Self {
        Self::List(Arc::new(items.into_iter().collect()))
    }
}

/// Of a name that comes twice the last value stays.
impl FromIterator<(ImmutableString, Tree)> for Tree {
    fn from_iter<I: IntoIterator<Item = (ImmutableString, Tree)>>(items: I) -> Self {
        let mut fields = Fields::default();
        for (name, value) in items {
            fields.insert(name, value);
        }
        Self::Map(Arc::new(fields))
    }
}

/// Compact JSON with secrets by reference.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&Shown(self)).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TreeError {
    /// The error as the holder of the value tells it: the path grows from the inside out.
    pub fn within(mut self, holder: impl fmt::Display) -> Self {
        let (Self::Unfit { path, .. } | Self::NotFinite { path, .. } | Self::TooDeep { path }) = &mut self;
        let joint = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        *path = format!("{holder}{joint}{path}");
        self
    }
}

fn tree_at(value: &Dynamic, depth: usize) -> Result<Tree, TreeError> {
    if depth > DEEPEST {
        return Err(TreeError::TooDeep { path: String::new() });
    }
    if let Some(items) = value.read_lock::<Array>() {
        let item_at = |(index, item)| tree_at(item, depth + 1).map_err(|error| error.within(format_args!("[{index}]")));
        return items.iter().enumerate().map(item_at).collect();
    }
    if let Some(fields) = value.read_lock::<Map>() {
        let mut sorted = Fields::with_capacity(fields.len());
        for (name, item) in fields.iter() {
            sorted.insert(name.as_str().into(), tree_at(item, depth + 1).map_err(|error| error.within(name))?);
        }
        return Ok(Tree::Map(Arc::new(sorted)));
    }
    if let Some(object) = value.read_lock::<Object>() {
        return Ok(Tree::Map(object.fields().clone()));
    }
    scalar(value)
}

fn scalar(value: &Dynamic) -> Result<Tree, TreeError> {
    if value.is_unit() {
        return Ok(Tree::Null);
    }
    if let Ok(value) = value.as_int() {
        return Ok(Tree::Int(value));
    }
    if let Ok(value) = value.as_bool() {
        return Ok(Tree::Bool(value));
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Tree::Text(text.clone()));
    }
    if let Ok(letter) = value.as_char() {
        return Ok(Tree::Text(letter.to_string().into()));
    }
    if let Ok(number) = value.as_float() {
        return match number.is_finite() {
            true => Ok(Tree::Float(number)),
            false => Err(TreeError::NotFinite { path: String::new(), number }),
        };
    }
    if let Some(value) = value.read_lock::<u64>() {
        return Ok(Tree::from(*value));
    }
    if let Some(secret) = value.read_lock::<Secret>() {
        return Ok(Tree::Secret(Box::new(secret.clone())));
    }
    let name = value.type_name();
    let kind = name.rsplit("::").next().expect("a split has at least one part").to_owned();
    Err(TreeError::Unfit { path: String::new(), kind })
}

/// Serialises for the wire, secrets in clear. Deliberately not `Serialize` of `Tree` itself: whoever writes a tree chooses.
pub struct Wire<'a>(pub &'a Tree);

/// Serialises for people, secrets by reference.
pub struct Shown<'a>(pub &'a Tree);

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Tree::Secret(secret) => serializer.serialize_str(secret.expose()),
            tree => serialize(tree, Wire, serializer),
        }
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.0, Shown, serializer)
    }
}

fn serialize<'a, W: Serialize, S: Serializer>(
    tree: &'a Tree,
    wrap: fn(&'a Tree) -> W,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match tree {
        Tree::Null => serializer.serialize_unit(),
        Tree::Bool(value) => serializer.serialize_bool(*value),
        Tree::Int(value) => serializer.serialize_i64(*value),
        Tree::UInt(value) => serializer.serialize_u64(*value),
        Tree::Float(value) => serializer.serialize_f64(*value),
        Tree::Text(text) => serializer.serialize_str(text),
        Tree::Secret(secret) => serializer.collect_str(&format_args!("{secret:?}")),
        Tree::List(items) => {
            let mut list = serializer.serialize_seq(Some(items.len()))?;
            items.iter().try_for_each(|item| list.serialize_element(&wrap(item)))?;
            list.end()
        }
        Tree::Map(fields) => {
            let mut map = serializer.serialize_map(Some(fields.len()))?;
            fields.iter().try_for_each(|(name, value)| map.serialize_entry(name.as_str(), &wrap(value)))?;
            map.end()
        }
    }
}

/// Reads a tree, sharing its parts with whatever else was read through the same interner.
pub struct TreeSeed<'a>(pub &'a mut Interner);

impl<'de> serde::Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TreeSeed(&mut Interner::default()).deserialize(deserializer)
    }
}

impl<'de> DeserializeSeed<'de> for TreeSeed<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TreeSeed<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value of JSON or YAML")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        match value.is_finite() {
            true => Ok(Tree::Float(value)),
            false => Err(E::custom(format_args!("`{value}` is no number of JSON"))),
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(self.0.text(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(TreeSeed(self.0))? {
            items.push(item);
        }
        Ok(Tree::List(self.0.list(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key_seed(NameSeed(self.0))? {
            fields.push((name, map.next_value_seed(TreeSeed(self.0))?));
        }
        Fields::from_unsorted(fields)
            .map(|fields| Tree::Map(self.0.map(fields)))
            .map_err(|twice| A::Error::custom(format_args!("the field `{twice}` stands twice in one object")))
    }
}

struct NameSeed<'a>(&'a mut Interner);

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = ImmutableString;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ImmutableString, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = ImmutableString;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<ImmutableString, E> {
        Ok(self.0.text(name))
    }
}
