//! Objects that expressions make: `Object.spec{replicas: 2}`, `JSONPatch{op: 'remove', path: '/spec/replicas'}`.
//!
//! Nobody declares their types. They are what the expression calls them, with whatever fields it gives them.

use std::collections::{BTreeMap, BTreeSet};

use cel::{
    DeclarationError, Env, ExecutionError, StructType, Value as Cel,
    common::{
        ast::{EntryExpr, Expr, IdedEntryExpr, IdedExpr},
        types::{CelStruct, STRING_TYPE, Type},
        value::{CowVal, Val},
    },
    objects::{Key, OptionalValue},
};
use serde_json::{Map, Value};

use super::function::{answer, functions, text};

/// The function that only such expressions have.
pub const ESCAPE: &str = "escapeKey";

/// Declares what an expression needs that makes objects of these types.
pub fn declare(env: &mut Env, types: BTreeSet<String>) -> Result<(), DeclarationError> {
    for name in types {
        env.add_type(Loose(Type::new_struct(name)))?;
    }
    functions! { env:
        global "jsonpatch.escapeKey" (STRING_TYPE) |arguments| {
            answer(text(&arguments, 0)?.replace('~', "~0").replace('/', "~1"))
        };
    }
    Ok(())
}

/// A type with whatever fields somebody gives it.
struct Loose(Type);

impl StructType for Loose {
    fn get_type(&self) -> &Type {
        &self.0
    }

    fn new_value<'b, 'v>(&self, fields: BTreeMap<String, CowVal<'b, 'v>>) -> Result<Box<dyn Val + 'v>, ExecutionError> {
        let mut made = CelStruct::new(self.0.name().to_owned());
        fields.into_iter().for_each(|(name, value)| made.add_field_value(name, value));
        Ok(Box::new(made))
    }
}

/// The types of which an expression makes objects.
pub fn types(expression: &IdedExpr) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    find(expression, &mut found);
    found
}

fn find(expression: &IdedExpr, found: &mut BTreeSet<String>) {
    let mut entries = |entries: &[IdedEntryExpr]| {
        for entry in entries {
            match &entry.expr {
                EntryExpr::StructField(field) => find(&field.value, found),
                EntryExpr::MapEntry(entry) => [&entry.key, &entry.value].into_iter().for_each(|part| find(part, found)),
            }
        }
    };
    match &expression.expr {
        Expr::Struct(made) => {
            entries(&made.entries);
            found.insert(made.type_name.clone());
        }
        Expr::Map(map) => entries(&map.entries),
        Expr::List(list) => list.elements.iter().for_each(|item| find(item, found)),
        Expr::Select(select) => find(&select.operand, found),
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).for_each(|part| find(part, found)),
        Expr::Comprehension(all) => {
            let parts = [&all.iter_range, &all.accu_init, &all.loop_cond, &all.loop_step, &all.result];
            parts.into_iter().for_each(|part| find(part, found));
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}

/// What an expression has made.
pub enum Made {
    Object { of: String, fields: Vec<(String, Made)> },
    Map(Vec<(String, Made)>),
    List(Vec<Made>),
    Value(Value),
}

impl Made {
    /// # Errors
    /// What it is, if it is nothing that an object consists of.
    pub fn of(value: &Cel) -> Result<Self, String> {
        Ok(match value {
            Cel::Null => Made::Value(Value::Null),
            Cel::Bool(told) => Made::Value(Value::from(*told)),
            Cel::Int(number) => Made::Value(Value::from(*number)),
            Cel::UInt(number) => Made::Value(Value::from(*number)),
            Cel::Float(number) => Made::Value(Value::from(*number)),
            Cel::String(text) => Made::Value(Value::from(text.as_str())),
            Cel::List(items) => Made::List(items.iter().map(Made::of).collect::<Result<_, _>>()?),
            Cel::Map(map) => {
                let mut fields = Vec::new();
                for (key, value) in map.map.iter() {
                    let Key::String(key) = key else { return Err("a map whose keys are no texts".to_owned()) };
                    fields.extend(given(value)?.map(|value| (key.to_string(), value)));
                }
                fields.sort_by(|(one, _), (other, _)| one.cmp(other));
                Made::Map(fields)
            }
            Cel::Struct(made) => {
                let mut fields = Vec::new();
                for (name, value) in made.field_values() {
                    let value = Cel::try_from(&*value).map_err(|error| error.to_string())?;
                    fields.extend(given(&value)?.map(|value| (name, value)));
                }
                Made::Object { of: made.name().to_owned(), fields }
            }
            other => return Err(format!("a value of the type {}", other.type_of())),
        })
    }

    /// What it has in a field.
    pub fn field(&self, name: &str) -> Option<&Made> {
        match self {
            Made::Object { fields, .. } | Made::Map(fields) => {
                fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            Made::List(_) | Made::Value(_) => None,
        }
    }

    pub fn value(&self) -> Value {
        match self {
            Made::Object { fields, .. } | Made::Map(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), value.value())).collect::<Map<_, _>>().into()
            }
            Made::List(items) => items.iter().map(Made::value).collect(),
            Made::Value(value) => value.clone(),
        }
    }

    /// Looks whether the types of objects have the names of the fields that they are in, below a type of this name.
    ///
    /// # Errors
    /// The first that has not.
    pub fn named_by_fields(&self, path: &str) -> Result<(), String> {
        match self {
            Made::Object { of, .. } if of != path => Err(format!(
                "unexpected type name {of:?}, expected {path:?}, which matches field name path from root Object type"
            )),
            Made::Object { fields, .. } => {
                fields.iter().try_for_each(|(name, value)| value.named_by_fields(&format!("{path}.{name}")))
            }
            Made::Map(fields) => fields.iter().try_for_each(|(_, value)| value.named_by_fields(path)),
            Made::List(items) => items.iter().try_for_each(|item| item.named_by_fields(path)),
            Made::Value(_) => Ok(()),
        }
    }
}

/// The value of a field; nothing, if it may be left out and is.
fn given(value: &Cel) -> Result<Option<Made>, String> {
    match value {
        Cel::Opaque(opaque) => match opaque.downcast_ref::<OptionalValue>() {
            Some(optional) => optional.value().map(Made::of).transpose(),
            None => Made::of(value).map(Some),
        },
        value => Made::of(value).map(Some),
    }
}
