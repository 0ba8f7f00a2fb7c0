//! Writing: documents in the order and with the empty places that Talos gives them.

use serde_json::{Map, Value};

use super::{
    Document, scalars,
    shapes::{Field, ORIGINAL, Shape, Structure, TABLE},
};

/// The document as it is shown and sent.
#[must_use]
pub fn document(document: &Document) -> Value {
    let mut map = Map::new();
    if document.kind.kind != ORIGINAL {
        map.insert("apiVersion".to_owned(), ORIGINAL.into());
        map.insert("kind".to_owned(), document.kind.kind.as_str().into());
    }
    add(&mut map, &document.fields, document.kind.structure());
    Value::Object(map)
}

fn add(map: &mut Map<String, Value>, given: &Map<String, Value>, structure: &Structure) {
    for field in &structure.fields {
        let value = given.get(&field.name);
        if !(field.omitted && is_empty(value, &field.shape)) {
            map.insert(field.name.clone(), written(value, field));
        }
    }
}

fn written(value: Option<&Value>, field: &Field) -> Value {
    match value {
        Some(value) => inner(value, &field.shape),
        None => absent(&field.shape),
    }
}

fn absent(shape: &Shape) -> Value {
    match shape {
        Shape::Fields(_) => inner(&Value::Object(Map::new()), shape),
        shape => scalars::nothing(shape),
    }
}

fn inner(value: &Value, shape: &Shape) -> Value {
    match (shape.bare(), value) {
        (Shape::Fields(index), Value::Object(given)) => {
            let mut map = Map::new();
            add(&mut map, given, TABLE.structure(*index));
            Value::Object(map)
        }
        (Shape::List(item, ..), Value::Array(items)) => items.iter().map(|value| inner(value, item)).collect(),
        (Shape::Map(shape), Value::Object(entries)) => {
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key.clone(), inner(value, shape))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(entries.into_iter().collect())
        }
        (Shape::Anything, value) => sorted(value),
        _ => value.clone(),
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        value => value.clone(),
    }
}

/// Whether it is left out where what is empty is left out.
fn is_empty(value: Option<&Value>, shape: &Shape) -> bool {
    let Some(value) = value else { return true };
    match (shape, value) {
        (Shape::Optional(_), value) => value.is_null(),
        (Shape::List(..), Value::Array(items)) => items.is_empty(),
        (Shape::Map(_) | Shape::Anything, Value::Object(map)) => map.is_empty(),
        (Shape::Fields(index), Value::Object(map)) => {
            let fields = &TABLE.structure(*index).fields;
            fields.iter().all(|field| is_empty(map.get(&field.name), &field.shape))
        }
        (shape, value) => scalars::is_nothing(value, shape),
    }
}
