//! Objects in protobuf, as some clients send those of Kubernetes itself: read by the numbers of their fields.
//!
//! Answers are never in protobuf: every client that sends it also takes JSON. The format is that of
//! <https://protobuf.dev/programming-guides/encoding>, in the envelope of <https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding>.

use std::{collections::BTreeMap, sync::OnceLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::kinds::said;
use crate::packed;

/// The numbers of fields by the names of definitions: the field's name in JSON (none if what is below belongs to the object around
/// it), its type, and the definition that it refers to.
const NUMBERS: &[u8] = include_bytes!("data/protobuf.json.gz");

/// What every message begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Why an object can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")]
    NoMessage,
    #[error("proto: unexpected EOF")]
    Torn,
    #[error("proto: illegal wireType {0}")]
    Wire(u64),
    #[error("no kind \"{kind}\" is registered for version \"{version}\"")]
    UnknownKind { kind: String, version: String },
    /// The numbers that are known are those of the clients of one release.
    #[error("the simulator has no name for field {number} of `{definition}`")]
    UnknownField { definition: String, number: u64 },
    #[error("the simulator reads no `{definition}` in protobuf")]
    Unmodelled { definition: String },
}

/// Options, which each group has as its own.
const OPTIONS: [&str; 4] = ["CreateOptions", "DeleteOptions", "PatchOptions", "UpdateOptions"];

type Fields = BTreeMap<String, Vec<String>>;

/// Reads an object with its envelope.
///
/// # Errors
/// If it is damaged, of an unknown kind, or has a field that is not known.
pub fn read(bytes: &[u8]) -> Result<Value, Unreadable> {
    let envelope = bytes.strip_prefix(MAGIC).ok_or(Unreadable::NoMessage)?;
    let (mut of, mut raw) = ((String::new(), String::new()), &[][..]);
    for field in Wire(envelope) {
        match field? {
            (1, Data::Bytes(kind)) => {
                for field in Wire(kind) {
                    match field? {
                        (1, Data::Bytes(version)) => of.0 = text(version),
                        (2, Data::Bytes(kind)) => of.1 = text(kind),
                        _ => {}
                    }
                }
            }
            (2, Data::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let (version, kind) = of;
    let definition = definition_of(&version, &kind)
        .ok_or_else(|| Unreadable::UnknownKind { kind: kind.clone(), version: version.clone() })?;
    let mut object = Map::from_iter([("kind".to_owned(), json!(kind)), ("apiVersion".to_owned(), json!(version))]);
    message(&definition, raw, &mut object)?;
    Ok(Value::Object(object))
}

/// The definition of a kind. Options that belong to every group are of none.
fn definition_of(version: &str, kind: &str) -> Option<String> {
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let is_it = |definition: &Value| {
        let kinds = definition.get("x-kubernetes-group-version-kind").and_then(Value::as_array);
        kinds
            .into_iter()
            .flatten()
            .any(|known| known["group"] == group && known["version"] == version && known["kind"] == kind)
    };
    let known = said().definitions.iter().find(|(_, definition)| is_it(definition)).map(|(name, _)| name.clone());
    known.or_else(|| OPTIONS.contains(&kind).then(|| format!("io.k8s.apimachinery.pkg.apis.meta.v1.{kind}")))
}

fn numbers() -> &'static BTreeMap<String, Fields> {
    static READ: OnceLock<BTreeMap<String, Fields>> = OnceLock::new();
    READ.get_or_init(|| packed::read(NUMBERS))
}

/// Reads the fields of a message into an object.
fn message(definition: &str, bytes: &[u8], into: &mut Map<String, Value>) -> Result<(), Unreadable> {
    let fields = numbers().get(definition);
    let fields = fields.ok_or_else(|| Unreadable::Unmodelled { definition: definition.to_owned() })?;
    for field in Wire(bytes) {
        let (number, data) = field?;
        let known = fields.get(&number.to_string()).map(Vec::as_slice);
        let (name, sort, refers) = match known {
            Some([name, sort]) => (name, sort.as_str(), ""),
            Some([name, sort, refers]) => (name, sort.as_str(), refers.as_str()),
            _ => return Err(Unreadable::UnknownField { definition: definition.to_owned(), number }),
        };
        if let Some(sort) = sort.strip_prefix("map:") {
            let (key, value) = entry(data, sort, refers)?;
            if let Some(map) = into.entry(name.clone()).or_insert_with(|| json!({})).as_object_mut() {
                map.insert(key, value);
            }
        } else if let Some(sort) = sort.strip_prefix('*') {
            let value = one(data, sort, refers)?;
            if let Some(list) = into.entry(name.clone()).or_insert_with(|| json!([])).as_array_mut() {
                list.push(value);
            }
        } else if name.is_empty() {
            message(refers, data.bytes()?, into)?;
        } else {
            into.insert(name.clone(), one(data, sort, refers)?);
        }
    }
    Ok(())
}

/// A pair of a map: a message with the key as its first field and the value as its second.
fn entry(data: Data<'_>, sort: &str, refers: &str) -> Result<(String, Value), Unreadable> {
    let (mut key, mut value) = (String::new(), None);
    for field in Wire(data.bytes()?) {
        match field? {
            (1, data) => key = text(data.bytes()?),
            (_, data) => value = Some(one(data, sort, refers)?),
        }
    }
    let value = match value {
        Some(value) => value,
        None => one(Data::Bytes(&[]), sort, refers)?,
    };
    Ok((key, value))
}

fn one(data: Data<'_>, sort: &str, refers: &str) -> Result<Value, Unreadable> {
    Ok(match sort {
        "string" => json!(text(data.bytes()?)),
        "bytes" => json!(STANDARD.encode(data.bytes()?)),
        "bool" => json!(data.number()? != 0),
        // Negative numbers are written as the great ones that they are without a sign.
        "int32" | "int64" => json!(data.number()?.cast_signed()),
        "double" => json!(f64::from_bits(data.number()?)),
        _ => special(refers, data.bytes()?)?,
    })
}

/// A message that JSON writes in another form than as an object of its fields.
fn special(definition: &str, bytes: &[u8]) -> Result<Value, Unreadable> {
    let name = definition.rsplit('.').next().unwrap_or_default();
    let mut fields: BTreeMap<u64, Data<'_>> = BTreeMap::new();
    let mut all = || -> Result<_, Unreadable> {
        for field in Wire(bytes) {
            let (number, data) = field?;
            fields.insert(number, data);
        }
        Ok(std::mem::take(&mut fields))
    };
    Ok(match name {
        "Time" | "MicroTime" => {
            let fields = all()?;
            let number = |at: u64| fields.get(&at).map_or(Ok(0), |data| data.number()).map(u64::cast_signed);
            let (seconds, nanoseconds) = (number(1)?, number(2)?);
            if fields.is_empty() {
                return Ok(Value::Null);
            }
            let time = Timestamp::new(seconds, i32::try_from(nanoseconds).unwrap_or_default());
            let form = if name == "Time" { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S.%6fZ" };
            json!(time.unwrap_or_default().strftime(form).to_string())
        }
        "Quantity" => json!(all()?.get(&1).map_or(Ok(String::new()), |data| data.bytes().map(text))?),
        "IntOrString" => {
            let fields = all()?;
            match fields.get(&1).map_or(Ok(0), |data| data.number())? {
                0 => json!(fields.get(&2).map_or(Ok(0), |data| data.number())?.cast_signed()),
                _ => json!(fields.get(&3).map_or(Ok(String::new()), |data| data.bytes().map(text))?),
            }
        }
        // These carry JSON as it is.
        "RawExtension" | "FieldsV1" | "JSON" => match all()?.get(&1) {
            Some(data) => serde_json::from_slice(data.bytes()?).unwrap_or(Value::Null),
            None => Value::Null,
        },
        // Lists that are types of their own.
        "ExtraValue" | "Verbs" => {
            let items = Wire(bytes).map(|field| field.and_then(|(_, data)| data.bytes().map(text)));
            json!(items.collect::<Result<Vec<_>, _>>()?)
        }
        // A schema, or something in its place.
        "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray" => {
            return schema_or(name, bytes, definition.trim_end_matches(&name["JSONSchemaProps".len()..]));
        }
        _ => {
            let mut object = Map::new();
            message(definition, bytes, &mut object)?;
            Value::Object(object)
        }
    })
}

/// A schema, or what else there may be in the place of one: whether there may be anything, several schemas, or several names.
fn schema_or(name: &str, bytes: &[u8], definition: &str) -> Result<Value, Unreadable> {
    let (mut schema, mut allows, mut several) = (None, false, Vec::new());
    for field in Wire(bytes) {
        match (name, field?) {
            ("JSONSchemaPropsOrBool", (1, data)) => allows = data.number()? != 0,
            ("JSONSchemaPropsOrArray", (2, data)) => several.push(one(data, "message", definition)?),
            ("JSONSchemaPropsOrStringArray", (2, data)) => several.push(json!(text(data.bytes()?))),
            (_, (_, data)) => schema = Some(one(data, "message", definition)?),
        }
    }
    Ok(match schema {
        Some(schema) => schema,
        None if name == "JSONSchemaPropsOrBool" => json!(allows),
        None => json!(several),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The value of a field, as it lies on the wire.
#[derive(Debug, Clone, Copy)]
enum Data<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

impl<'b> Data<'b> {
    fn number(&self) -> Result<u64, Unreadable> {
        match self {
            Data::Number(number) => Ok(*number),
            Data::Bytes(_) => Err(Unreadable::Wire(2)),
        }
    }

    fn bytes(&self) -> Result<&'b [u8], Unreadable> {
        match self {
            Data::Bytes(bytes) => Ok(bytes),
            Data::Number(_) => Err(Unreadable::Wire(0)),
        }
    }
}

/// The fields of a message, one after the other, by their numbers.
struct Wire<'b>(&'b [u8]);

impl<'b> Wire<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Unreadable::Torn)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A number of seven bits a byte, the least first.
    fn varint(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Unreadable::Torn)
    }

    fn field(&mut self) -> Result<(u64, Data<'b>), Unreadable> {
        let head = self.varint()?;
        let fixed = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let data = match head & 7 {
            0 => Data::Number(self.varint()?),
            1 => Data::Number(fixed(self.take(8)?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Unreadable::Torn)?;
                Data::Bytes(self.take(length)?)
            }
            5 => Data::Number(fixed(self.take(4)?)),
            other => return Err(Unreadable::Wire(other)),
        };
        Ok((head >> 3, data))
    }
}

impl<'b> Iterator for Wire<'b> {
    type Item = Result<(u64, Data<'b>), Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}
