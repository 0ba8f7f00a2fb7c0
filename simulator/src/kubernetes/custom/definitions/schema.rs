//! What is wrong with a schema of a definition: it has to be structural, so that a server can prune and fill in by it.

use serde_json::{Value, json};

use super::super::{cel::Expression, prune, structural::Node, validate};
use crate::kubernetes::{
    answer::Cause,
    rules::field::{Field, required},
};

/// What a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    Root,
    /// A field, or the values of a map.
    Field,
    Item,
}

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// What schemas of OpenAPI may say and those of definitions may not.
const NOT_SUPPORTED: [&str; 5] = ["$ref", "definitions", "dependencies", "id", "patternProperties"];

const PRESERVES: &str = "x-kubernetes-preserve-unknown-fields";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const EITHER: &str = "x-kubernetes-int-or-string";
const LIST_TYPE: &str = "x-kubernetes-list-type";
const MAP_TYPE: &str = "x-kubernetes-map-type";
const KEYS: &str = "x-kubernetes-list-map-keys";
const RULES: &str = "x-kubernetes-validations";

/// What is wrong with a schema and those below it.
pub fn check(schema: &Field<'_>, at: Where) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for name in NOT_SUPPORTED {
        if schema.at(name).is_set() {
            wrong.push(schema.at(name).forbidden(&format!("{name} is not supported")));
        }
    }
    if schema.at("uniqueItems").is_true() {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        wrong.push(schema.at("uniqueItems").forbidden(why));
    }
    if schema.at("items").value.is_array() {
        wrong.push(schema.at("items").forbidden("items must be a schema object and not an array"));
    }
    if schema.at("additionalProperties").value.is_object() && !schema.at("properties").is_empty() {
        let why = "additionalProperties and properties are mutual exclusive";
        wrong.push(schema.at("additionalProperties").forbidden(why));
    }
    wrong.extend(pattern(&schema.at("pattern")));
    wrong.extend(of_type(schema, at));
    if at == Where::Root {
        wrong.extend(metadata(&schema.at("properties").key("metadata")));
    }
    wrong.extend(list(schema));
    wrong.extend(map_type(schema));
    if schema.at(PRESERVES).value == &Value::Bool(false) {
        wrong.push(schema.at(PRESERVES).invalid("must be true or undefined"));
    }
    wrong.extend(embedded(schema));
    wrong.extend(default(schema));
    wrong.extend(rules(&schema.at(RULES)));
    let either = schema.at(EITHER).is_true();
    for name in ["allOf", "anyOf", "oneOf"] {
        schema.at(name).items().for_each(|part| wrong.extend(value_only(&part, either)));
    }
    if schema.at("not").is_set() {
        wrong.extend(value_only(&schema.at("not"), false));
    }
    for (name, property) in schema.at("properties").entries() {
        if at == Where::Root && name == "metadata" {
            continue;
        }
        wrong.extend(check(&property, Where::Field));
    }
    if schema.at("additionalProperties").value.is_object() {
        wrong.extend(check(&schema.at("additionalProperties"), Where::Field));
    }
    if schema.at("items").value.is_object() {
        wrong.extend(check(&schema.at("items"), Where::Item));
    }
    wrong
}

fn of_type(schema: &Field<'_>, at: Where) -> Vec<Cause> {
    let of = schema.at("type");
    let free = schema.at(EITHER).is_true() || schema.at(PRESERVES).is_true();
    match (of.text(), at) {
        ("", Where::Root) => vec![of.required("must not be empty at the root")],
        ("", _) if NOT_SUPPORTED.iter().any(|name| schema.at(name).is_set()) => Vec::new(),
        ("", Where::Field) if !free => vec![of.required("must not be empty for specified object fields")],
        ("", Where::Item) if !free => vec![of.required("must not be empty for specified array items")],
        ("", _) => Vec::new(),
        ("null", _) => {
            vec![of.unsupported(&TYPES), of.forbidden("type cannot be set to null, use nullable as an alternative")]
        }
        (text, _) if !TYPES.contains(&text) => vec![of.unsupported(&TYPES)],
        (text, Where::Root) if text != "object" => vec![of.invalid("must be object at the root")],
        ("array", _) if !schema.at("items").is_set() => vec![schema.at("items").required("must be specified")],
        _ => Vec::new(),
    }
}

fn metadata(field: &Field<'_>) -> Vec<Cause> {
    if !field.is_set() {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    if field.at("type").text() != "object" {
        wrong.push(field.at("type").invalid("must be object"));
        return wrong;
    }
    let only_names = field.at("properties").entries().all(|(name, _)| matches!(name, "name" | "generateName"));
    let mut said = field.value.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    if !only_names || !said.all(|key| matches!(key, "type" | "properties" | "description")) {
        let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        wrong.push(field.forbidden(why));
    }
    wrong
}

fn list(schema: &Field<'_>) -> Vec<Cause> {
    let (list_type, keys, items) = (schema.at(LIST_TYPE), schema.at(KEYS), schema.at("items"));
    let mut wrong = Vec::new();
    if !keys.is_empty() && list_type.text() != "map" {
        let why = "must be map if x-kubernetes-list-map-keys is non-empty";
        wrong.push(if list_type.is_empty() { list_type.required(why) } else { list_type.invalid(why) });
        return wrong;
    }
    if !list_type.is_set() {
        return wrong;
    }
    if !matches!(list_type.text(), "atomic" | "set" | "map") {
        wrong.push(list_type.unsupported(&["atomic", "set", "map"]));
        return wrong;
    }
    if schema.at("type").text() != "array" {
        wrong.push(schema.at("type").invalid("must be array if x-kubernetes-list-type is specified"));
        return wrong;
    }
    match list_type.text() {
        "set" if items.at("type").text() == "object" && items.at(MAP_TYPE).text() != "atomic" => {
            let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
            wrong.push(items.at(MAP_TYPE).invalid(why));
        }
        "map" => wrong.extend(map_keys(&keys, &items)),
        _ => {}
    }
    wrong
}

fn map_keys(keys: &Field<'_>, items: &Field<'_>) -> Vec<Cause> {
    if keys.is_empty() {
        return vec![keys.required("must not be empty if x-kubernetes-list-type is map")];
    }
    let names: Vec<&str> = keys.items().map(|key| key.text()).collect();
    let mut wrong = Vec::new();
    if (1..names.len()).any(|index| names[..index].contains(&names[index])) {
        wrong.push(keys.invalid("must not contain duplicate entries"));
        return wrong;
    }
    for name in names {
        let property = items.at("properties").key(name);
        if !property.is_set() {
            wrong.push(keys.invalid("entries must all be names of item properties"));
            continue;
        }
        if matches!(property.at("type").text(), "object" | "array") {
            let why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            wrong.push(property.at("type").invalid(why));
        }
        if !items.at("required").items().any(|required| required.text() == name) && !property.at("default").is_set() {
            let why =
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            wrong.push(property.at("default").required(why));
        }
    }
    wrong
}

fn map_type(schema: &Field<'_>) -> Option<Cause> {
    let field = schema.at(MAP_TYPE);
    let of = schema.at("type");
    if !field.is_set() {
        None
    } else if !matches!(field.text(), "atomic" | "granular") {
        Some(field.unsupported(&["atomic", "granular"]))
    } else {
        (of.text() != "object").then(|| of.invalid("must be object if x-kubernetes-map-type is specified"))
    }
}

fn embedded(schema: &Field<'_>) -> Vec<Cause> {
    if !schema.at(EMBEDDED).is_true() {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    if schema.at("properties").is_empty() && !schema.at(PRESERVES).is_true() {
        let why =
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
        wrong.push(schema.at("properties").required(why));
    }
    if schema.at("type").text() != "object" {
        wrong.push(schema.at("type").invalid("must be object if x-kubernetes-embedded-resource is true"));
    }
    wrong
}

/// What alternatives say is of values alone: they say nothing about what there may be. Only `either` of two types is told by them.
fn value_only(part: &Field<'_>, either: bool) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for name in ["type", "title", "description"] {
        if !(part.at(name).is_empty() || name == "type" && either) {
            wrong.push(part.at(name).forbidden("must be empty to be structural"));
        }
    }
    for name in ["default", "additionalProperties"] {
        if part.at(name).is_set() {
            wrong.push(part.at(name).forbidden("must be undefined to be structural"));
        }
    }
    for name in ["nullable", PRESERVES, EMBEDDED, EITHER] {
        if part.at(name).is_true() {
            wrong.push(part.at(name).forbidden("must be false to be structural"));
        }
    }
    wrong.extend(pattern(&part.at("pattern")));
    for (_, property) in part.at("properties").entries() {
        wrong.extend(value_only(&property, false));
    }
    if part.at("items").value.is_object() {
        wrong.extend(value_only(&part.at("items"), false));
    }
    for name in ["allOf", "anyOf", "oneOf"] {
        part.at(name).items().for_each(|part| wrong.extend(value_only(&part, either)));
    }
    wrong
}

fn default(schema: &Field<'_>) -> Vec<Cause> {
    let default = schema.at("default");
    if !default.is_set() {
        return Vec::new();
    }
    let node = Node::read(schema.value);
    let mut pruned = json!({"value": default.value});
    let unknown = prune::prune_value(&mut pruned["value"], &node);
    if !unknown.is_empty() {
        return vec![default.invalid("must not have unknown fields")];
    }
    validate::check(default.value, &node, None, (&default.path, ""))
}

fn pattern(field: &Field<'_>) -> Option<Cause> {
    let text = field.text();
    let why = match regex::Regex::new(text) {
        Ok(_) => return None,
        Err(_) if text.contains("(?=") || text.contains("(?!") || text.contains("(?<") => {
            let from = text.find("(?").unwrap_or_default();
            let end = text[from..].char_indices().nth(if text[from..].starts_with("(?<") { 4 } else { 3 });
            let part = &text[from..end.map_or(text.len(), |(end, _)| from + end)];
            format!("invalid or unsupported Perl syntax: `{part}`")
        }
        Err(_) if text.matches('[').count() > text.matches(']').count() => {
            format!("missing closing ]: `{}`", &text[text.rfind('[').unwrap_or_default()..])
        }
        Err(_) if text.matches('(').count() > text.matches(')').count() => format!("missing closing ): `{text}`"),
        Err(error) => error.to_string(),
    };
    Some(field.invalid(&format!("must be a valid regular expression, but isn't: error parsing regexp: {why}")))
}

fn rules(field: &Field<'_>) -> Vec<Cause> {
    const REASONS: [&str; 4] =
        ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
    let mut wrong = Vec::new();
    for rule in field.items() {
        let text = |name: &str| rule.at(name).text();
        match required(
            &Field { value: &json!(text("rule").trim()), path: rule.at("rule").path },
            "rule is not specified",
        ) {
            Some(cause) => wrong.push(cause),
            None => wrong.extend(unreadable(&rule, "rule")),
        }
        let message = rule.at("message");
        if message.is_set() && message.text().trim().is_empty() && !message.text().is_empty() {
            wrong.push(message.invalid("must be non-empty if specified"));
        } else if message.text().trim().contains('\n') {
            wrong.push(message.invalid("must not contain line breaks"));
        }
        if !text("messageExpression").is_empty() {
            wrong.extend(unreadable(&rule, "messageExpression"));
        }
        if !rule.at("reason").is_empty() && !REASONS.contains(&text("reason")) {
            wrong.push(rule.at("reason").unsupported(&REASONS));
        }
    }
    wrong
}

fn unreadable(rule: &Field<'_>, name: &str) -> Option<Cause> {
    let expression = Expression::read(rule.at(name).text());
    let why = expression.wrong()?.replace("\n| ", "\n | ");
    let or_null = |name: &str| rule.at(name).value.clone();
    let shown = json!({
        "Rule": rule.at("rule").text(), "Message": rule.at("message").text(),
        "MessageExpression": rule.at("messageExpression").text(), "Reason": or_null("reason"),
        "FieldPath": rule.at("fieldPath").text(), "OptionalOldSelf": or_null("optionalOldSelf"),
    });
    Some(Cause::invalid(rule.at(name).path, &shown, &format!("compilation failed: {why}")))
}
