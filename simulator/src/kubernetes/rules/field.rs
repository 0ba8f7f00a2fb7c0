//! Places in an object, and what may be wrong there, in the words of the real server.

use std::{ops::RangeInclusive, sync::LazyLock};

use serde_json::Value;

use super::form;
use crate::kubernetes::answer::Cause;

static NOTHING: LazyLock<Value> = LazyLock::new(|| Value::Null);

/// What may be wrong with a field.
pub type Check = fn(&Field<'_>) -> Vec<Cause>;

/// What may be wrong with the form of a text.
pub type Form = fn(&str) -> Vec<String>;

/// A value in an object, with its path as messages name it; null, if it is not there.
#[derive(Debug, Clone)]
pub struct Field<'o> {
    pub path: String,
    pub value: &'o Value,
}

impl<'o> Field<'o> {
    /// The whole of an object.
    pub fn whole(object: &'o Value) -> Self {
        Self { path: String::new(), value: object }
    }

    /// Where a path from the top leads: `spec.template.metadata`.
    pub fn of(object: &'o Value, path: &str) -> Self {
        path.split('.').fold(Self::whole(object), |field, name| field.at(name))
    }

    /// The field of a name: `spec.type`.
    pub fn at(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { path, value: self.value.get(name).unwrap_or(&NOTHING) }
    }

    /// Another value in this place, as the server sometimes tells one.
    pub fn with<'v>(&self, value: &'v Value) -> Field<'v> {
        Field { path: self.path.clone(), value }
    }

    /// The value under a key of a map: `data[motd]`.
    pub fn key(&self, key: &str) -> Self {
        Self { path: format!("{}[{key}]", self.path), value: self.value.get(key).unwrap_or(&NOTHING) }
    }

    /// The items of a list: `spec.ports[0]`.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'o> {
        let path = self.path.clone();
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items.map(move |(index, value)| Self { path: format!("{path}[{index}]"), value })
    }

    /// The keys of a map and what is under them.
    pub fn entries(&self) -> impl Iterator<Item = (&'o str, Self)> + use<'o> {
        let path = self.path.clone();
        let entries = self.value.as_object().into_iter().flatten();
        entries.map(move |(key, value)| (key.as_str(), Self { path: format!("{path}[{key}]"), value }))
    }

    /// The text there; empty, if there is none.
    pub fn text(&self) -> &'o str {
        self.value.as_str().unwrap_or_default()
    }

    pub fn number(&self) -> Option<i64> {
        self.value.as_i64()
    }

    pub fn is_true(&self) -> bool {
        self.value == &Value::Bool(true)
    }

    pub fn is_set(&self) -> bool {
        !self.value.is_null()
    }

    /// True for what is not there, and for an empty text, list or map.
    pub fn is_empty(&self) -> bool {
        match self.value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        }
    }

    pub fn len(&self) -> usize {
        self.value.as_array().map_or(0, Vec::len)
    }

    pub fn invalid(&self, why: &str) -> Cause {
        Cause::invalid(&self.path, self.value, why)
    }

    pub fn required(&self, why: &str) -> Cause {
        Cause::required(&self.path, why)
    }

    pub fn forbidden(&self, why: &str) -> Cause {
        Cause::forbidden(&self.path, why)
    }

    pub fn duplicate(&self) -> Cause {
        Cause::duplicate(&self.path, self.value)
    }

    pub fn not_found(&self) -> Cause {
        Cause::not_found(&self.path, self.value)
    }

    pub fn unsupported(&self, supported: &[&str]) -> Cause {
        Cause::unsupported(&self.path, self.value, supported)
    }
}

/// Something has to be there.
pub fn required(field: &Field<'_>, why: &str) -> Option<Cause> {
    field.is_empty().then(|| field.required(why))
}

/// If something is there, it is one of these.
pub fn one_of(field: &Field<'_>, allowed: &[&str]) -> Option<Cause> {
    (field.is_set() && !allowed.contains(&field.text())).then(|| field.unsupported(allowed))
}

/// If a number is there, it is one of these.
pub fn in_range(field: &Field<'_>, allowed: RangeInclusive<i64>) -> Option<Cause> {
    let (least, most) = (allowed.start(), allowed.end());
    let outside = field.number().is_some_and(|number| !allowed.contains(&number));
    outside.then(|| field.invalid(&format!("must be between {least} and {most}, inclusive")))
}

/// If a number is there, it is none below zero.
pub fn not_negative(field: &Field<'_>) -> Option<Cause> {
    let below = field.number().is_some_and(|number| number < 0);
    below.then(|| field.invalid("must be greater than or equal to 0"))
}

/// It is as it was.
pub fn unchanged(field: &Field<'_>, before: &Field<'_>) -> Option<Cause> {
    (field.value != before.value).then(|| field.invalid("field is immutable"))
}

/// What is wrong with the form of a text, each as one cause; one of the functions of [`form`] says it.
pub fn formed(field: &Field<'_>, wrong: Form) -> Vec<Cause> {
    wrong(field.text()).iter().map(|why| field.invalid(why)).collect()
}

/// The number of a port.
pub fn port(field: &Field<'_>) -> Vec<Cause> {
    let number = field.number().unwrap_or_default();
    if (1..=65535).contains(&number) {
        return Vec::new();
    }
    let value = Value::from(number);
    vec![Cause::invalid(&field.path, &value, "must be between 1 and 65535, inclusive")]
}

/// The number or the name of a port.
pub fn port_or_name(field: &Field<'_>) -> Vec<Cause> {
    if field.value.is_string() { formed(field, form::port_name) } else { port(field) }
}

/// Labels, as they are given to objects or asked for.
pub fn labels(field: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for (key, value) in field.entries() {
        let given = Value::from(key);
        wrong.extend(form::qualified_name(key).iter().map(|why| Cause::invalid(&field.path, &given, why)));
        wrong.extend(form::label_value(value.text()).iter().map(|why| Cause::invalid(&field.path, value.value, why)));
    }
    wrong
}

/// A selector of `matchLabels` and `matchExpressions`.
pub fn label_selector(field: &Field<'_>) -> Vec<Cause> {
    let mut wrong = labels(&field.at("matchLabels"));
    for expression in field.at("matchExpressions").items() {
        let (key, operator, values) = (expression.at("key"), expression.at("operator"), expression.at("values"));
        match operator.text() {
            "In" | "NotIn" if values.is_empty() => {
                wrong.push(values.required("must be specified when `operator` is 'In' or 'NotIn'"));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                wrong.push(values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => wrong.push(operator.invalid("not a valid selector operator")),
        }
        wrong.extend(formed(&key, form::qualified_name));
        for value in values.items() {
            wrong.extend(formed(&value, form::label_value));
        }
    }
    wrong
}
