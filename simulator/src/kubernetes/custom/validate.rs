//! Holding values against a schema, in the words of the real server.

use serde_json::Value;

use super::{
    formats,
    structural::{Node, Others},
};
use crate::kubernetes::answer::Cause;

/// What is wrong with a value. What was so before may stay so, where it is the same place: `there` is what was there.
///
/// `outer` is where the value is in its object, and `inner` how its schema calls that place, which it begins its sentences with.
pub fn check(value: &Value, node: &Node, there: Option<&Value>, (outer, inner): (&str, &str)) -> Vec<Cause> {
    Walk { outer, inner }.node(value, node, there, inner).causes
}

/// What came of holding a value against a schema.
#[derive(Default)]
struct Found {
    causes: Vec<Cause>,
    /// How much of the schema was about this value: of several that don't hold, the closest one is told.
    matches: usize,
}

impl Found {
    fn add(&mut self, other: Self) {
        self.causes.extend(other.causes);
        self.matches += other.matches + 1;
    }
}

struct Walk<'w> {
    outer: &'w str,
    inner: &'w str,
}

impl Walk<'_> {
    /// The field as refusals name it.
    fn field(&self, path: &str) -> String {
        match path.strip_prefix(self.inner) {
            Some(rest) => {
                let rest = rest.strip_prefix('.').unwrap_or(rest);
                match (self.outer, rest) {
                    ("", "") => "<nil>".to_owned(),
                    ("", rest) => rest.to_owned(),
                    (outer, "") => outer.to_owned(),
                    (outer, rest) => format!("{outer}.{rest}"),
                }
            }
            None => path.to_owned(),
        }
    }

    fn invalid(&self, path: &str, value: &Value, why: &str) -> Cause {
        Cause::invalid(self.field(path), value, &format!("{path} in body {why}"))
    }

    fn of_type(&self, path: &str, wanted: &str, given: &str) -> Cause {
        Cause {
            reason: "FieldValueTypeInvalid",
            message: format!("Invalid value: \"{given}\": {path} in body must be of type {wanted}: \"{given}\""),
            field: self.field(path),
        }
    }

    fn node(&self, value: &Value, node: &Node, there: Option<&Value>, path: &str) -> Found {
        if there == Some(value) {
            return Found::default();
        }
        let mut found = Found::default();
        if value.is_null() && node.nullable {
            return found;
        }
        found.causes.extend(self.wrong_type(value, node, path));
        self.several(value, node, there, path, &mut found);
        match value {
            Value::String(text) => self.text(text, value, node, path, &mut found),
            Value::Number(_) => self.number(value, node, path, &mut found),
            Value::Array(items) => self.list(items, node, there, path, &mut found),
            _ => {}
        }
        if !node.r#enum.is_empty() && !node.r#enum.iter().any(|allowed| same(allowed, value)) {
            let allowed: Vec<String> = node.r#enum.iter().map(shown).collect();
            let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
            found.causes.push(Cause::unsupported(self.field(path), value, &allowed));
        }
        if let Value::Object(_) = value {
            self.map(value, node, there, path, &mut found);
        }
        found.matches += 3;
        found
    }

    fn wrong_type(&self, value: &Value, node: &Node, path: &str) -> Option<Cause> {
        let wanted = if node.int_or_string { "integer,string" } else { node.of.as_str() };
        if wanted.is_empty() {
            return None;
        }
        let given = type_of(value);
        let has = |name: &str| wanted.split(',').any(|wanted| wanted == name);
        let fits =
            has(given) || given == "integer" && has("number") || given == "number" && has("integer") && is_exact(value);
        if value.is_null() {
            return Some(self.of_type(path, wanted, given));
        }
        let structured = matches!(value, Value::String(_) | Value::Array(_));
        if !structured && !node.format.is_empty() {
            // Where a schema has a format, that is what the value is said not to be.
            let format = format_of(value);
            return (!fits && format != node.format).then(|| self.of_type(path, &node.format, format));
        }
        if structured && !node.format.is_empty() && !has("number") && !has("integer") {
            return None;
        }
        (!fits).then(|| self.of_type(path, wanted, given))
    }

    /// Schemas of which some have to hold.
    fn several(&self, value: &Value, node: &Node, there: Option<&Value>, path: &str, found: &mut Found) {
        let of =
            |nodes: &[Node]| -> Vec<Found> { nodes.iter().map(|node| self.node(value, node, there, path)).collect() };
        let say = |why: &str| plain(format!("\"{path}\" must {why}"));
        if !node.any_of.is_empty() {
            let tried = of(&node.any_of);
            if !tried.iter().any(|one| one.causes.is_empty()) {
                found.causes.push(say("validate at least one schema (anyOf)"));
                closest(tried).into_iter().for_each(|one| found.add(one));
            }
        }
        if !node.one_of.is_empty() {
            let tried = of(&node.one_of);
            match tried.iter().filter(|one| one.causes.is_empty()).count() {
                1 => {}
                0 => {
                    found.causes.push(say("validate one and only one schema (oneOf). Found none valid"));
                    closest(tried).into_iter().for_each(|one| found.add(one));
                }
                several => {
                    let why = format!("validate one and only one schema (oneOf). Found {several} valid alternatives");
                    found.causes.push(say(&why));
                }
            }
        }
        if !node.all_of.is_empty() {
            let tried = of(&node.all_of);
            let all = tried.iter().all(|one| one.causes.is_empty());
            tried.into_iter().for_each(|one| found.add(one));
            if !all {
                found.causes.push(say("validate all the schemas (allOf)"));
            }
        }
        if let Some(not) = &node.not
            && self.node(value, not, there, path).causes.is_empty()
        {
            found.causes.push(say("not validate the schema (not)"));
        }
    }

    fn text(&self, text: &str, value: &Value, node: &Node, path: &str, found: &mut Found) {
        found.matches += 1;
        let length = text.chars().count() as u64;
        if let Some(most) = node.max_length.filter(|most| length > *most) {
            found.causes.push(Cause::too_long(self.field(path), usize::try_from(most).unwrap_or(usize::MAX)));
        } else if let Some(least) = node.min_length.filter(|least| length < *least) {
            found.causes.push(self.invalid(path, value, &format!("should be at least {least} chars long")));
        } else if let Some(pattern) = &node.pattern
            && pattern.read.as_ref().is_some_and(|read| !read.is_match(text))
        {
            found.causes.push(self.invalid(path, value, &format!("should match '{}'", pattern.text)));
        }
        if !node.format.is_empty() && matches!(&*node.of, "string" | "") && !formats::has(&node.format, text) {
            found.causes.push(Cause {
                reason: "FieldValueTypeInvalid",
                message: format!(
                    "Invalid value: {value}: {path} in body must be of type {}: {}",
                    node.format,
                    quoted(text)
                ),
                field: self.field(path),
            });
        }
    }

    fn number(&self, value: &Value, node: &Node, path: &str, found: &mut Found) {
        found.matches += 1;
        if let Some(wanted) = out_of_format(value, node) {
            found.causes.push(plain(format!("Checked value must be of type {wanted} in {path}")));
        }
        if let Some(factor) = node.multiple_of
            && !is_multiple(value, factor)
        {
            let factor = limit(value, factor);
            found.causes.push(self.invalid(path, value, &format!("should be a multiple of {factor}")));
        }
        if let Some(most) = node.maximum {
            let order = compare(value, most);
            if order.is_gt() || order.is_eq() && node.exclusive_maximum {
                let word = if node.exclusive_maximum { "less than" } else { "less than or equal to" };
                found.causes.push(self.invalid(path, value, &format!("should be {word} {}", limit(value, most))));
            }
        }
        if let Some(least) = node.minimum {
            let order = compare(value, least);
            if order.is_lt() || order.is_eq() && node.exclusive_minimum {
                let word = if node.exclusive_minimum { "greater than" } else { "greater than or equal to" };
                found.causes.push(self.invalid(path, value, &format!("should be {word} {}", limit(value, least))));
            }
        }
    }

    fn list(&self, items: &[Value], node: &Node, there: Option<&Value>, path: &str, found: &mut Found) {
        found.matches += 1;
        let before = Before::of(node, there);
        if let Some(of) = &node.items {
            for (index, item) in items.iter().enumerate() {
                found.add(self.node(item, of, before.of_item(item), &format!("{path}[{index}]")));
            }
        }
        let count = items.len() as u64;
        if let Some(least) = node.min_items.filter(|least| count < *least) {
            found.causes.push(self.invalid(path, &Value::from(count), &format!("should have at least {least} items")));
        }
        if let Some(most) = node.max_items.filter(|most| count > *most) {
            found.causes.push(too_many(self.field(path), count, most));
        }
        if node.unique_items && (1..items.len()).any(|index| items[..index].contains(&items[index])) {
            found.causes.push(self.invalid(path, &Value::Array(items.to_vec()), "shouldn't contain duplicates"));
        }
    }

    fn map(&self, value: &Value, node: &Node, there: Option<&Value>, path: &str, found: &mut Found) {
        found.matches += 1;
        let Value::Object(map) = value else { return };
        let count = map.len() as u64;
        if let Some(least) = node.min_properties.filter(|least| count < *least) {
            found.causes.push(self.invalid(
                path,
                &Value::from(count),
                &format!("should have at least {least} properties"),
            ));
            return;
        }
        if let Some(most) = node.max_properties.filter(|most| count > *most) {
            found.causes.push(too_many(self.field(path), count, most));
            return;
        }
        for (key, value) in map {
            let of = match (node.properties.get(key), &node.additional_properties) {
                (Some(property), _) => property,
                (None, Some(Others::Are(others))) => others,
                _ => continue,
            };
            found.add(self.node(value, of, there.and_then(|there| there.get(key)), &below(path, key)));
        }
        for name in node.required.iter().filter(|name| !map.contains_key(*name)) {
            found.causes.push(Cause::required(self.field(&below(path, name)), ""));
        }
    }
}

/// What was in a list before, as far as items can be told apart.
pub enum Before<'b> {
    Unknown,
    Keyed(&'b [String], &'b [Value]),
}

impl<'b> Before<'b> {
    pub fn of(node: &'b Node, there: Option<&'b Value>) -> Self {
        match (&*node.list_type, there.and_then(Value::as_array)) {
            ("map", Some(there)) => Self::Keyed(&node.list_map_keys, there),
            _ => Self::Unknown,
        }
    }

    pub fn of_item(&self, item: &Value) -> Option<&'b Value> {
        match self {
            Self::Unknown => None,
            Self::Keyed(keys, there) => {
                there.iter().find(|before| keys.iter().all(|key| before.get(key) == item.get(key)))
            }
        }
    }
}

/// The schema that comes closest to a value, by what it says of it; the first of several.
fn closest(tried: Vec<Found>) -> Option<Found> {
    tried.into_iter().reduce(|best, next| if next.matches > best.matches { next } else { best })
}

pub fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Something that is said without saying where.
fn plain(why: String) -> Cause {
    Cause { reason: "FieldValueInvalid", message: format!("Invalid value: \"\": {why}"), field: "<nil>".to_owned() }
}

fn too_many(field: String, count: u64, most: u64) -> Cause {
    let word = if most == 1 { "item" } else { "items" };
    Cause { reason: "FieldValueTooMany", message: format!("Too many: {count}: must have at most {most} {word}"), field }
}

pub fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn format_of(value: &Value) -> &'static str {
    match value {
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        _ => "",
    }
}

/// True for a whole number that JSON's readers all read alike.
fn is_exact(value: &Value) -> bool {
    const MOST: f64 = 9_007_199_254_740_991.0;
    is_whole(value) && value.as_f64().is_some_and(|number| number.abs() <= MOST)
}

fn is_whole(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// True for a value that is one of those allowed, which may be written as 1 or as 1.0; a whole number stands for what begins with it.
fn same(allowed: &Value, value: &Value) -> bool {
    match (allowed, value) {
        (Value::Number(allowed), Value::Number(value)) if allowed.is_i64() => {
            allowed.as_f64() == value.as_f64().map(f64::trunc)
        }
        (Value::Number(allowed), Value::Number(value)) => allowed.as_f64() == value.as_f64(),
        _ => allowed == value,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// What a number should be by its type and format, if it is not.
fn out_of_format(value: &Value, node: &Node) -> Option<String> {
    let number = value.as_f64()?;
    let (of, format) = (node.of.as_str(), node.format.as_str());
    let within = match (of, format) {
        ("integer", "int32") => is_whole(value) && (-2_147_483_648.0..=2_147_483_647.0).contains(&number),
        ("integer", "uint32") => is_whole(value) && (0.0..=4_294_967_295.0).contains(&number),
        ("integer", "uint64") => is_whole(value) && number >= 0.0,
        ("integer", "int64") => is_whole(value) && (!value.is_f64() || number.abs() < 9_223_372_036_854_775_808.0),
        ("integer", _) => is_whole(value),
        ("number", "float") => number.abs() <= f64::from(f32::MAX),
        _ => true,
    };
    let format = if format.is_empty() { "(default format)".to_owned() } else { format!("with format {format}") };
    (!within).then(|| format!("{of} {format}"))
}

/// A limit as it counts for a value: a whole one is held to whole limits.
fn limit(value: &Value, limit: f64) -> String {
    if value.is_f64() { format!("{limit}") } else { format!("{}", limit.trunc()) }
}

fn compare(value: &Value, limit: f64) -> std::cmp::Ordering {
    let number = value.as_f64().unwrap_or_default();
    let limit = if value.is_f64() { limit } else { limit.trunc() };
    number.partial_cmp(&limit).unwrap_or(std::cmp::Ordering::Equal)
}

fn is_multiple(value: &Value, factor: f64) -> bool {
    let number = value.as_f64().unwrap_or_default();
    let factor = if value.is_f64() { factor } else { factor.trunc() };
    let times = number / factor;
    factor == 0.0 || if value.is_f64() { is_exact(&Value::from(times)) } else { times.fract() == 0.0 }
}
