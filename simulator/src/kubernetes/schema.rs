//! What the objects of a kind look like: maps, lists and scalars, as an OpenAPI schema describes them.
//!
//! Built-in kinds and definitions are read alike. Of two things that a schema says nothing: what the server fills in on its own,
//! and what it refuses for reasons of its own.

use std::{collections::BTreeMap, mem};

use serde_json::{Map, Value};

use super::quantity;

/// The shapes that make up one kind.
#[derive(Debug)]
pub struct Schema {
    shapes: Vec<Shape>,
    root: Type,
    /// What Go calls the shapes that are defined by name, as in `v1.PodSpec`.
    names: BTreeMap<Type, String>,
    /// What Go calls scalars, lists and maps that have a name of their own there.
    go_types: BTreeMap<Type, String>,
}

/// One shape of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Type(usize);

/// What a value may be.
#[derive(Debug, Clone)]
pub enum Shape {
    Scalar(Scalar),
    Map(MapShape),
    List(ListShape),
    /// Whatever is there says it: maps field by field, lists as a whole.
    Free,
    /// Anything, which is one value as a whole.
    Opaque,
}

/// The sorts of scalars that are read in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    Text,
    /// A text of a form that has a name, such as `ipv4`.
    Formed,
    Flag,
    Int32,
    Int64,
    Number,
    /// A whole number, or a text such as `25%`.
    IntOrText,
    /// `1500m`.
    Quantity,
    Time,
    /// A time to the millionth of a second.
    MicroTime,
    /// Any bytes, as base64.
    Bytes,
}

#[derive(Debug, Clone)]
pub struct MapShape {
    fields: BTreeMap<String, Field>,
    /// The values of all other keys; without it there may be none.
    others: Option<Type>,
    /// It has one owner as a whole.
    pub atomic: bool,
}

#[derive(Debug, Clone)]
struct Field {
    of: Type,
    default: Option<Value>,
    zero: Zero,
    merges: bool,
    replaces: bool,
    key: Option<String>,
    within: Option<String>,
}

/// How a strategic merge patch merges a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merging<'s> {
    /// Lists become one, item by item.
    pub merges: bool,
    /// A map is replaced as a whole.
    pub replaces: bool,
    /// The field that tells the items of a list apart.
    pub key: Option<&'s str>,
}

#[derive(Debug, Clone)]
pub struct ListShape {
    items: Type,
    pub merge: ListMerge,
}

/// What two lists make together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListMerge {
    /// The second, as a whole.
    Atomic,
    /// The items of both, each once.
    Set,
    /// The items of both, told apart by these of their fields.
    Keys(Vec<String>),
}

/// What becomes of a field that is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zero {
    /// It is kept as it is; an empty list or map vanishes nevertheless.
    Kept,
    Vanishes,
    /// A list is null then.
    Null,
}

const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";

const MICRO_TIME: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";

/// The note of a field that says what becomes of it when it is zero.
pub const ZERO: &str = "x-zero";

/// The note of a field that says what Go calls its type, if that has a name of its own.
pub const GO_TYPE: &str = "x-go-type";

/// The note of a field that says in which part of its structure Go has it.
pub const WITHIN: &str = "x-within";

/// All notes, which are ours and not published.
pub const NOTES: [&str; 3] = [ZERO, GO_TYPE, WITHIN];

impl Scalar {
    /// What Go calls it where it has no name of its own.
    pub fn type_name(self) -> &'static str {
        match self {
            Scalar::Text | Scalar::Formed | Scalar::Time | Scalar::MicroTime => "string",
            Scalar::Flag => "bool",
            Scalar::Int32 | Scalar::IntOrText => "int32",
            Scalar::Int64 => "int64",
            Scalar::Number => "float64",
            Scalar::Quantity => "resource.Quantity",
            Scalar::Bytes => "[]uint8",
        }
    }
}

/// A place in a schema.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'s> {
    schema: &'s Schema,
    of: Type,
}

/// Why a schema can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    #[error("`{place}` refers to `{name}`, which is not defined")]
    Undefined { place: String, name: String },
    #[error("`{place}` has a type that is none: `{found}`")]
    Type { place: String, found: String },
}

impl Schema {
    /// The schema of a kind; `definitions` are what it may refer to, by their names.
    ///
    /// # Errors
    /// If it refers to something that is not defined, or a type has an unknown name.
    pub fn read(root: &Value, definitions: &Map<String, Value>) -> Result<Self, SchemaError> {
        let mut reader =
            Reader { definitions, shapes: Vec::new(), known: BTreeMap::new(), go_types: BTreeMap::new(), free: false };
        let root = reader.read(root, &mut Vec::new())?;
        let names = reader.known.iter().map(|(name, of)| (*of, go_name(name))).collect();
        Ok(Self { shapes: reader.shapes, root, names, go_types: reader.go_types })
    }

    pub fn root(&self) -> Typed<'_> {
        Typed { schema: self, of: self.root }
    }
}

impl<'s> Typed<'s> {
    /// The shape that this value has; where the schema leaves it free, the value says it.
    pub fn shape(self) -> &'s Shape {
        &self.schema.shapes[self.of.0]
    }

    /// What Go calls it, as in `v1.PodSpec`; nothing, if it is defined without a name.
    pub fn name(self) -> Option<&'s str> {
        self.schema.names.get(&self.of).map(String::as_str)
    }

    /// What Go calls its type, as in `[]v1.Container`.
    pub fn type_name(self) -> String {
        if let Some(name) = self.schema.go_types.get(&self.of) {
            return name.clone();
        }
        if let (Some(name), false) = (self.name(), matches!(self.shape(), Shape::Scalar(_))) {
            return name.to_owned();
        }
        match self.shape() {
            Shape::Scalar(scalar) => scalar.type_name().to_owned(),
            Shape::List(_) => format!("[]{}", self.items().map(Typed::type_name).unwrap_or_default()),
            Shape::Map(MapShape { others: Some(of), .. }) => {
                format!("map[string]{}", Typed { schema: self.schema, of: *of }.type_name())
            }
            Shape::Map(_) | Shape::Free | Shape::Opaque => "map[string]interface {}".to_owned(),
        }
    }

    /// In which part of its structure, without a name in JSON, Go has a field.
    pub fn within(self, field: &str) -> Option<&'s str> {
        match self.shape() {
            Shape::Map(map) => map.fields.get(field)?.within.as_deref(),
            _ => None,
        }
    }

    pub fn is_text(self) -> bool {
        matches!(self.shape(), Shape::Scalar(Scalar::Text | Scalar::Formed))
    }

    /// True for a map whose keys are not named by the schema.
    pub fn is_open(self) -> bool {
        matches!(self.shape(), Shape::Map(map) if map.others.is_some())
    }

    /// True for a field that the schema names, and not just a key of a map.
    pub fn names(self, field: &str) -> bool {
        matches!(self.shape(), Shape::Map(map) if map.fields.contains_key(field))
    }

    /// What is below a key; nothing if there may be no such key.
    pub fn below(self, key: &str) -> Option<Typed<'s>> {
        let of = match self.shape() {
            Shape::Map(map) => map.fields.get(key).map(|field| field.of).or(map.others)?,
            Shape::Free => self.of,
            Shape::Scalar(_) | Shape::List(_) | Shape::Opaque => return None,
        };
        Some(Typed { schema: self.schema, of })
    }

    /// How a strategic merge patch merges a field.
    pub fn merging(self, field: &str) -> Merging<'s> {
        match self.shape() {
            Shape::Map(map) => map.fields.get(field).map(Field::merging).unwrap_or_default(),
            _ => Merging::default(),
        }
    }

    /// What a field is if nobody says.
    pub fn default_of(self, field: &str) -> Option<&'s Value> {
        match self.shape() {
            Shape::Map(map) => map.fields.get(field)?.default.as_ref(),
            _ => None,
        }
    }

    /// What the items of a list are.
    pub fn items(self) -> Option<Typed<'s>> {
        match self.shape() {
            Shape::List(list) => Some(Typed { schema: self.schema, of: list.items }),
            Shape::Free => Some(self),
            _ => None,
        }
    }

    /// True for a field that a null makes nothing; of others it says nothing.
    pub fn may_be_nothing(self, field: &str) -> bool {
        let Shape::Map(map) = self.shape() else { return true };
        let Some(known) = map.fields.get(field) else { return true };
        match (Typed { schema: self.schema, of: known.of }).shape() {
            Shape::Scalar(Scalar::Quantity | Scalar::Time | Scalar::MicroTime | Scalar::Bytes)
            | Shape::List(_)
            | Shape::Free
            | Shape::Opaque => true,
            Shape::Map(below) if below.others.is_some() => true,
            Shape::Scalar(_) | Shape::Map(_) => known.default.is_none() && known.zero != Zero::Vanishes,
        }
    }

    /// The value of an item of a list that is nothing.
    pub fn zero(self) -> Value {
        match self.shape() {
            Shape::Map(_) if !self.is_open() => Value::Object(Map::new()),
            Shape::Scalar(Scalar::Text | Scalar::Formed) => Value::from(""),
            Shape::Scalar(Scalar::Int32 | Scalar::Int64 | Scalar::IntOrText | Scalar::Number) => Value::from(0),
            Shape::Scalar(Scalar::Flag) => Value::from(false),
            Shape::Scalar(Scalar::Quantity) => Value::from("0"),
            Shape::Scalar(Scalar::Time | Scalar::MicroTime | Scalar::Bytes)
            | Shape::Map(_)
            | Shape::List(_)
            | Shape::Free
            | Shape::Opaque => Value::Null,
        }
    }

    /// The value that a new object of this kind begins as: the parts that are always there.
    pub fn blank(self) -> Value {
        let Shape::Map(map) = self.shape() else { return Value::Null };
        let below = |field: &Field| Typed { schema: self.schema, of: field.of };
        let always = map.fields.iter().filter_map(|(name, field)| {
            let blank = match (field.zero, &field.default) {
                (Zero::Null, _) => Value::Null,
                (Zero::Kept, Some(Value::Object(_))) => below(field).blank(),
                (Zero::Kept, Some(default)) if is_zero(default) => default.clone(),
                _ => return None,
            };
            Some((name.clone(), blank))
        });
        always.collect()
    }
}

impl Typed<'_> {
    /// Makes a value what a server reads it as: null is nothing, empty lists and maps vanish, what is always there is there,
    /// and quantities are written in one way.
    pub fn normalise(self, value: &mut Value) {
        if matches!(self.shape(), Shape::Scalar(Scalar::Quantity)) {
            if let Some(form) = quantity::normal_form(value) {
                *value = Value::String(form);
            }
            return;
        }
        match (self.shape(), value) {
            (Shape::Map(map), Value::Object(fields)) => self.normalise_fields(map, fields),
            (Shape::List(list), Value::Array(items)) => {
                let items_are = Typed { schema: self.schema, of: list.items };
                items.iter_mut().for_each(|item| items_are.normalise(item));
            }
            _ => {}
        }
    }

    /// Makes a value what comes back of it from where it is stored: an empty list is none.
    pub fn forget_empty(self, value: &mut Value) {
        match (self.shape(), value) {
            (Shape::Map(map), Value::Object(fields)) => {
                for (name, value) in fields.iter_mut() {
                    let field = map.fields.get(name);
                    if field.is_some_and(|field| field.zero == Zero::Null) && *value == Value::Array(Vec::new()) {
                        *value = Value::Null;
                    } else if let Some(of) = field.map(|field| field.of).or(map.others) {
                        Typed { schema: self.schema, of }.forget_empty(value);
                    }
                }
            }
            (Shape::List(list), Value::Array(items)) => {
                let items_are = Typed { schema: self.schema, of: list.items };
                items.iter_mut().for_each(|item| items_are.forget_empty(item));
            }
            // No bytes under a key are as many as none.
            (Shape::Scalar(Scalar::Bytes), value @ Value::Null) => *value = Value::String(String::new()),
            _ => {}
        }
    }

    /// True if there is a list or a map in a value that has nothing in it, and is stored as none.
    pub fn has_empty(self, value: &Value) -> bool {
        match (self.shape(), value) {
            (Shape::Map(map), Value::Object(fields)) => {
                map.fields.is_empty() && fields.is_empty()
                    || fields.iter().any(|(name, value)| self.below(name).is_some_and(|below| below.has_empty(value)))
            }
            (Shape::List(_), Value::Array(items)) => {
                items.is_empty() || items.iter().any(|item| self.items().is_some_and(|below| below.has_empty(item)))
            }
            _ => false,
        }
    }

    fn normalise_fields(self, map: &MapShape, fields: &mut Map<String, Value>) {
        for (name, field) in &map.fields {
            let of = Typed { schema: self.schema, of: field.of };
            if let Some(value) = fields.get_mut(name) {
                of.normalise(value);
                // An empty list is another thing than none, until it is stored.
                let kept = field.zero == Zero::Null && value.is_array();
                if !kept && vanishes(of.shape(), field.zero, value) {
                    fields.shift_remove(name);
                }
            }
            if fields.contains_key(name) {
                continue;
            }
            if field.zero == Zero::Null {
                fields.insert(name.clone(), Value::Null);
            } else if let Some(default) = &field.default
                && !vanishes(of.shape(), field.zero, default)
            {
                let mut value = default.clone();
                of.normalise(&mut value);
                fields.insert(name.clone(), value);
            }
        }
        if let Some(others) = map.others {
            let of = Typed { schema: self.schema, of: others };
            let others = fields.iter_mut().filter(|(name, _)| !map.fields.contains_key(*name));
            others.for_each(|(_, value)| of.normalise(value));
        }
    }
}

fn vanishes(shape: &Shape, zero: Zero, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => {
            fields.is_empty() && matches!(shape, Shape::Map(MapShape { fields, .. }) if fields.is_empty())
        }
        scalar => zero == Zero::Vanishes && is_zero(scalar),
    }
}

fn is_zero(scalar: &Value) -> bool {
    match scalar {
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(told) => !told,
        _ => false,
    }
}

impl Field {
    fn read(node: &Value, of: Type) -> Self {
        let text = |name: &str| node.get(name).and_then(Value::as_str);
        let strategy = |word: &str| {
            text("x-kubernetes-patch-strategy").is_some_and(|strategy| strategy.split(',').any(|known| known == word))
        };
        Self {
            of,
            default: node.get("default").cloned(),
            zero: zero(node),
            merges: strategy("merge"),
            replaces: strategy("replace"),
            key: text("x-kubernetes-patch-merge-key").map(str::to_owned),
            within: text(WITHIN).map(str::to_owned),
        }
    }

    fn merging(&self) -> Merging<'_> {
        Merging { merges: self.merges, replaces: self.replaces, key: self.key.as_deref() }
    }
}

struct Reader<'d> {
    definitions: &'d Map<String, Value>,
    shapes: Vec<Shape>,
    /// Definitions that were read, or are being read.
    known: BTreeMap<String, Type>,
    go_types: BTreeMap<Type, String>,
    /// Something around what is being read takes fields that nobody knows, and so does all in it.
    free: bool,
}

impl Reader<'_> {
    fn add(&mut self, shape: Shape) -> Type {
        self.shapes.push(shape);
        Type(self.shapes.len() - 1)
    }

    fn read(&mut self, node: &Value, place: &mut Vec<String>) -> Result<Type, SchemaError> {
        if let Some(name) = reference(node) {
            let of = self.definition(name, place)?;
            return Ok(match overridden(node, &self.shapes[of.0]) {
                Some(shape) => self.add(shape),
                None => of,
            });
        }
        let around = self.free;
        self.free |= node.get(PRESERVE).and_then(Value::as_bool) == Some(true);
        let shape = self.shape(node, place);
        self.free = around;
        let shape = shape?;
        Ok(self.add(shape))
    }

    /// The same type by the name that Go has for it.
    fn called(&mut self, of: Type, name: &str) -> Type {
        let mut shape = self.shapes[of.0].clone();
        if let (Shape::List(list), Some(items)) = (&mut shape, name.strip_prefix("[]")) {
            list.items = self.called(list.items, items);
        }
        let of = self.add(shape);
        self.go_types.insert(of, name.to_owned());
        of
    }

    fn definition(&mut self, name: &str, place: &[String]) -> Result<Type, SchemaError> {
        if let Some(known) = self.known.get(name) {
            return Ok(*known);
        }
        let Some(node) = self.definitions.get(name) else {
            return Err(SchemaError::Undefined { place: place.join("."), name: name.to_owned() });
        };
        // Reserved before it is read: a definition may contain itself.
        let of = self.add(Shape::Opaque);
        self.known.insert(name.to_owned(), of);
        let around = mem::take(&mut self.free);
        let shape = self.shape(node, &mut vec![name.to_owned()]);
        self.free = around;
        // Nothing else in a schema tells the two forms of times apart.
        self.shapes[of.0] = if name == MICRO_TIME { Shape::Scalar(Scalar::MicroTime) } else { shape? };
        Ok(of)
    }

    fn shape(&mut self, node: &Value, place: &mut Vec<String>) -> Result<Shape, SchemaError> {
        let flag = |name: &str| node.get(name).and_then(Value::as_bool) == Some(true);
        if flag("x-kubernetes-int-or-string") || node.get("oneOf").is_some() && node.get("type").is_none() {
            let whole = flag("x-kubernetes-int-or-string") || node["format"] == "int-or-string";
            return Ok(Shape::Scalar(if whole { Scalar::IntOrText } else { Scalar::Quantity }));
        }
        let free = flag(PRESERVE) || self.free;
        match node.get("type").and_then(Value::as_str) {
            Some(word @ ("string" | "integer" | "number" | "boolean")) => Ok(Shape::Scalar(scalar(word, node))),
            Some("array") => {
                place.push("[]".to_owned());
                let items = self.read(node.get("items").unwrap_or(&Value::Null), place)?;
                place.pop();
                Ok(Shape::List(ListShape { items, merge: list_merge(node) }))
            }
            Some("object") => self.map(node, free, place),
            None if node.get("properties").is_some() => self.map(node, free, place),
            None => Ok(if free { Shape::Free } else { Shape::Opaque }),
            Some(other) => Err(SchemaError::Type { place: place.join("."), found: other.to_owned() }),
        }
    }

    fn map(&mut self, node: &Value, free: bool, place: &mut Vec<String>) -> Result<Shape, SchemaError> {
        let mut fields = BTreeMap::new();
        for (name, field) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
            place.push(name.clone());
            let mut of = self.read(field, place)?;
            place.pop();
            if let Some(name) = field.get(GO_TYPE).and_then(Value::as_str) {
                of = self.called(of, name);
            }
            fields.insert(name.clone(), Field::read(field, of));
        }
        let others = match node.get("additionalProperties") {
            Some(schema @ Value::Object(_)) => {
                place.push("*".to_owned());
                let others = self.read(schema, place)?;
                place.pop();
                Some(others)
            }
            Some(Value::Bool(true)) => Some(self.add(Shape::Free)),
            _ if free => Some(self.add(Shape::Free)),
            _ => None,
        };
        if fields.is_empty() && others.is_none() {
            return Ok(Shape::Opaque);
        }
        let atomic = node.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic");
        Ok(Shape::Map(MapShape { fields, others, atomic }))
    }
}

fn scalar(word: &str, node: &Value) -> Scalar {
    match (word, node.get("format").and_then(Value::as_str)) {
        ("string", Some("date-time")) => Scalar::Time,
        ("string", Some("byte")) => Scalar::Bytes,
        ("string", None | Some("")) => Scalar::Text,
        ("string", Some(_)) => Scalar::Formed,
        ("boolean", _) => Scalar::Flag,
        ("integer", Some("int32")) => Scalar::Int32,
        ("integer", _) => Scalar::Int64,
        _ => Scalar::Number,
    }
}

/// `v1.PodSpec`, for `io.k8s.api.core.v1.PodSpec`.
fn go_name(definition: &str) -> String {
    let mut words = definition.rsplit('.');
    let (name, package) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    format!("{package}.{name}")
}

/// The definition that a node refers to: directly, or as the one part of what it is made of.
fn reference(node: &Value) -> Option<&str> {
    let text = match node.get("$ref") {
        Some(text) => text,
        None => match node.get("allOf")?.as_array()?.as_slice() {
            [one] => one.get("$ref")?,
            _ => return None,
        },
    };
    text.as_str()?.rsplit('/').next()
}

/// The shape that a reference gives to what it refers to, if it says more than the name.
fn overridden(node: &Value, shape: &Shape) -> Option<Shape> {
    let atomic = node.get("x-kubernetes-map-type")?.as_str()? == "atomic";
    match shape {
        Shape::Map(map) => Some(Shape::Map(MapShape { atomic, ..map.clone() })),
        _ => None,
    }
}

fn zero(node: &Value) -> Zero {
    match node.get(ZERO).and_then(Value::as_str) {
        Some("vanish") => Zero::Vanishes,
        Some("null") => Zero::Null,
        _ => Zero::Kept,
    }
}

fn list_merge(node: &Value) -> ListMerge {
    let text = |name: &str| node.get(name).and_then(Value::as_str);
    match text("x-kubernetes-list-type") {
        Some("set") => ListMerge::Set,
        Some("map") => {
            let keys = node.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
            ListMerge::Keys(keys.into_iter().flatten().filter_map(|key| Some(key.as_str()?.to_owned())).collect())
        }
        Some(_) => ListMerge::Atomic,
        // Kinds from before lists had types say it in the older words.
        None => match (text("x-kubernetes-patch-strategy"), text("x-kubernetes-patch-merge-key")) {
            (Some(strategy), key) if strategy.split(',').any(|word| word == "merge") => match key {
                Some(key) => ListMerge::Keys(vec![key.to_owned()]),
                None => ListMerge::Set,
            },
            _ => ListMerge::Atomic,
        },
    }
}
