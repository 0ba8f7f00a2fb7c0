//! Holding values against the rules that definitions write in CEL, in the words of the real server.

use cel::Value as Cel;
use serde_json::Value;

use super::{
    cel::{Asked, Before as Then, Convert, Expression},
    structural::{Node, Rule},
    validate::{Before, below, type_of},
};
use crate::kubernetes::answer::Cause;

/// What is wrong by the rules. Those that don't look at what was there are not asked about what is as it was.
pub fn check(object: &Value, schema: &Node, there: Option<&Value>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let whole = Place { value: object, there, path: String::new(), whole: true };
    node(&whole, schema, &mut wrong);
    wrong
}

/// True if there is any rule.
pub fn any(schema: &Node) -> bool {
    !schema.rules.is_empty() || schema.parts().any(any)
}

/// What of the rules has no model.
pub fn not_modelled(schema: &Node) -> Option<String> {
    let own = schema.rules.iter().flat_map(Rule::expressions).find_map(|expression| {
        let malformed = || Some(format!("a rule that can't be read: {}", expression.wrong()?));
        expression.not_modelled().or_else(malformed)
    });
    own.or_else(|| schema.parts().find_map(not_modelled))
}

/// True for what is so wrong that rules would stumble over it.
pub fn blocks(cause: &Cause) -> bool {
    const BLOCKING: [&str; 5] = [
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    ];
    BLOCKING.contains(&cause.reason)
}

/// What is said if rules were not asked.
pub fn not_asked() -> Cause {
    let why = "some validation rules were not checked because the object was invalid; correct the existing errors to \
               complete validation";
    Cause::invalid("<nil>", &Value::Null, why)
}

struct Place<'v> {
    value: &'v Value,
    there: Option<&'v Value>,
    path: String,
    whole: bool,
}

fn node(place: &Place<'_>, of: &Node, wrong: &mut Vec<Cause>) {
    let Place { value, there, path, whole } = place;
    if value.is_null() {
        return;
    }
    if !of.rules.is_empty()
        && let Some(this) = (Convert { node: of, whole: *whole }).value(value)
    {
        wrong.extend(of.rules.iter().filter_map(|rule| asked(rule, place, of, &this)));
    }
    match value {
        Value::Array(items) => {
            let Some(node_of_items) = &of.items else { return };
            let before = Before::of(of, *there);
            for (index, value) in items.iter().enumerate() {
                let there = before.of_item(value);
                node(&Place { value, there, path: format!("{path}[{index}]"), whole: false }, node_of_items, wrong);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                let there = there.and_then(|there| there.get(key));
                let (of, path) = match (of.properties.get(key), of.others()) {
                    (Some(property), _) => (property, below(path, key)),
                    (None, Some(others)) => (others, format!("{path}[{key}]")),
                    (None, None) => continue,
                };
                node(&Place { value, there, path, whole: false }, of, wrong);
            }
        }
        _ => {}
    }
}

fn asked(rule: &Rule, place: &Place<'_>, of: &Node, this: &Cel) -> Option<Cause> {
    let Place { value, there, .. } = place;
    let before = || there.and_then(|there| Convert { node: of, whole: place.whole }.value(there));
    let before = match (rule.expression().asks_for_before(), rule.optional_old_self) {
        (true, Some(true)) => Then::Maybe(before()),
        (true, _) => Then::Value(before()?),
        (false, _) if *there == Some(*value) => return None,
        (false, _) => Then::Nothing,
    };
    let asked = Asked { this: this.clone(), before };
    let told = match rule.expression().ask(&asked) {
        Ok(Cel::Bool(true)) => return None,
        Ok(_) => message(rule, &asked),
        Err(why) => {
            let what = if rule.message.is_empty() { rule.rule.trim() } else { rule.message.trim() };
            let message = format!("Invalid value: \"{}\": {why} evaluating rule: {what}", type_of(value));
            return Some(Cause { reason: "FieldValueInvalid", message, field: field(&place.path) });
        }
    };
    let field = field(&reach(&place.path, &rule.field_path, of));
    // Maps and lists are too long to be shown.
    let shown = if value.is_object() || value.is_array() { String::new() } else { format!(": {value}") };
    Some(match rule.reason.as_str() {
        "FieldValueForbidden" => Cause::forbidden(field, &told),
        "FieldValueRequired" => Cause::required(field, &told),
        "FieldValueDuplicate" => {
            Cause { reason: "FieldValueDuplicate", message: format!("Duplicate value{shown}"), field }
        }
        _ => Cause { reason: "FieldValueInvalid", message: format!("Invalid value{shown}: {told}"), field },
    })
}

fn message(rule: &Rule, asked: &Asked) -> String {
    let computed = rule.message_expression().and_then(|expression| match expression.ask(asked) {
        Ok(Cel::String(text)) => Some(text.trim().to_owned()),
        _ => None,
    });
    match computed.filter(|text| !text.is_empty() && !text.contains('\n')) {
        Some(text) => text,
        None if rule.message.is_empty() => format!("failed rule: {}", rule.rule.trim()),
        None => rule.message.trim().to_owned(),
    }
}

fn field(path: &str) -> String {
    if path.is_empty() { "<nil>".to_owned() } else { path.to_owned() }
}

/// Where a path like `.a.b` or `['odd-key']` leads from another.
fn reach(path: &str, rest: &str, of: &Node) -> String {
    let (mut path, mut of, mut rest) = (path.to_owned(), Some(of), rest);
    while !rest.is_empty() {
        let (name, after) = match rest.strip_prefix("['").and_then(|inner| inner.split_once("']")) {
            Some(found) => found,
            None => {
                let inner = rest.strip_prefix('.').unwrap_or(rest);
                inner.split_at(inner.find(['.', '[']).unwrap_or(inner.len()))
            }
        };
        if name.is_empty() {
            break;
        }
        let property = of.and_then(|of| of.properties.get(name));
        path = match (property, of.and_then(Node::others)) {
            (None, Some(_)) => format!("{path}[{name}]"),
            _ => below(&path, name),
        };
        of = property.or_else(|| of.and_then(Node::others));
        rest = after;
    }
    path
}

impl Rule {
    fn expression(&self) -> &Expression {
        self.read.get_or_init(|| Expression::read(&self.rule))
    }

    fn message_expression(&self) -> Option<&Expression> {
        let text = Some(&self.message_expression).filter(|text| !text.is_empty())?;
        Some(self.message_read.get_or_init(|| Expression::read(text)))
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        [Some(self.expression()), self.message_expression()].into_iter().flatten()
    }
}
