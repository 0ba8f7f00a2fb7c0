//! Formats by their names: `format.dns1123Label().validate(self)`.

use std::sync::Arc;

use cel::{
    DeclarationError, Env, Value,
    common::types::{STRING_TYPE, Type},
    objects::{Opaque, OptionalValue},
};

use super::{
    super::formats,
    function::{answer, functions, opaque, own, text},
};
use crate::kubernetes::rules::form;

const NAME: &str = "kubernetes.NamedFormat";

/// Says what is wrong with a text.
type Check = fn(&str) -> Vec<String>;

const FORMATS: [(&str, Check); 13] = [
    ("dns1123Label", form::label),
    ("dns1123LabelPrefix", |text| form::label(&whole(text))),
    ("dns1123Subdomain", form::subdomain),
    ("dns1123SubdomainPrefix", |text| form::subdomain(&whole(text))),
    ("dns1035Label", form::label_1035),
    ("dns1035LabelPrefix", |text| form::label_1035(&whole(text))),
    ("qualifiedName", form::qualified_name),
    ("labelValue", form::label_value),
    ("uri", |text| unless("uri", text, "invalid URI for request")),
    ("uuid", |text| unless("uuid", text, "does not match the UUID format")),
    ("byte", |text| unless("byte", text, "invalid base64")),
    ("date", |text| unless("date", text, "invalid date")),
    ("datetime", |text| unless("date-time", text, "invalid datetime")),
];

/// What follows a beginning may make it whole.
fn whole(text: &str) -> String {
    text.strip_suffix('-').map_or_else(|| text.to_owned(), |text| format!("{text}a"))
}

fn unless(format: &str, text: &str, why: &str) -> Vec<String> {
    if formats::has(format, text) { Vec::new() } else { vec![why.to_owned()] }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Format(String);

impl Opaque for Format {
    fn runtime_type_name(&self) -> &str {
        NAME
    }
}

pub fn declare(env: &mut Env) -> Result<(), DeclarationError> {
    let format = || Type::new_opaque_type(NAME);
    functions! { env:
        global "format.dns1123Label" () |_arguments| answer(named("dns1123Label"));
        global "format.dns1123LabelPrefix" () |_arguments| answer(named("dns1123LabelPrefix"));
        global "format.dns1123Subdomain" () |_arguments| answer(named("dns1123Subdomain"));
        global "format.dns1123SubdomainPrefix" () |_arguments| answer(named("dns1123SubdomainPrefix"));
        global "format.dns1035Label" () |_arguments| answer(named("dns1035Label"));
        global "format.dns1035LabelPrefix" () |_arguments| answer(named("dns1035LabelPrefix"));
        global "format.qualifiedName" () |_arguments| answer(named("qualifiedName"));
        global "format.labelValue" () |_arguments| answer(named("labelValue"));
        global "format.uri" () |_arguments| answer(named("uri"));
        global "format.uuid" () |_arguments| answer(named("uuid"));
        global "format.byte" () |_arguments| answer(named("byte"));
        global "format.date" () |_arguments| answer(named("date"));
        global "format.datetime" () |_arguments| answer(named("datetime"));
        global "format.named" (STRING_TYPE) |arguments| {
            let name = text(&arguments, 0)?;
            answer(maybe(check(&name).map(|_| named(&name))))
        };
        member "validate" (format(), STRING_TYPE) |arguments| {
            let Format(name) = own(&arguments, 0)?;
            let text = text(&arguments, 1)?;
            let wrong = check(&name).map(|check| check(&text)).unwrap_or_default();
            let told = wrong.into_iter().map(|why| Value::String(Arc::new(why))).collect::<Vec<_>>();
            answer(maybe((!told.is_empty()).then(|| Value::List(Arc::new(told)))))
        };
    }
    Ok(())
}

fn named(name: &str) -> Value {
    opaque(Format(name.to_owned()))
}

fn check(name: &str) -> Option<Check> {
    FORMATS.iter().find(|(known, _)| *known == name).map(|(_, check)| *check)
}

fn maybe(value: Option<Value>) -> Value {
    Value::Opaque(Arc::new(value.map_or_else(OptionalValue::none, OptionalValue::of)))
}
