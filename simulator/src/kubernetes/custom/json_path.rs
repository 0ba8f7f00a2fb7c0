//! Paths into objects, as the columns of definitions have them: `.status.conditions[?(@.type=="Ready")].status`.

use serde_json::Value;

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    /// From an index up to another, counted from the end if negative, and how many at a time.
    Range(Option<i64>, Option<i64>, usize),
    Index(i64),
    All,
    /// Everything below, at any depth.
    Below,
    Any(Vec<Step>),
    Where(Operand, Option<(Comparison, Operand)>),
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Path(Vec<Step>),
    Value(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A path that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath(Vec<Step>);

impl JsonPath {
    /// Reads a path; nothing, if it is malformed.
    pub fn read(text: &str) -> Option<Self> {
        steps(text.trim()).map(Self)
    }

    /// The first value that it leads to.
    pub fn first<'o>(&self, object: &'o Value) -> Option<&'o Value> {
        found(&self.0, vec![object]).into_iter().next()
    }
}

fn steps(text: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("..") {
            steps.push(Step::Below);
            rest = after;
            if !rest.starts_with('[') {
                let (name, after) = name(rest);
                steps.push(field(name)?);
                rest = after;
            }
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = closing(after)?;
            steps.push(bracket(after[..end].trim())?);
            rest = &after[end + 1..];
        } else {
            let (name, after) = name(rest.strip_prefix('.').unwrap_or(rest));
            // A dot alone is the object itself.
            if !(name.is_empty() && after.is_empty()) {
                steps.push(field(name)?);
            }
            rest = after;
        }
    }
    Some(steps)
}

fn field(name: String) -> Option<Step> {
    match name.as_str() {
        "" => None,
        "*" => Some(Step::All),
        _ => Some(Step::Field(name)),
    }
}

/// A name up to what ends it, in which a backslash makes any letter one of the name.
fn name(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '.' | '[' => return (name, &text[at..]),
            '\\' => name.extend(letters.next().map(|(_, escaped)| escaped)),
            _ => name.push(letter),
        }
    }
    (name, "")
}

/// Where the bracket ends that has begun before the text.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '[') => depth += 1,
            (None, ']') if depth == 0 => return Some(at),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn bracket(inside: &str) -> Option<Step> {
    if let Some(condition) = inside.strip_prefix("?(").and_then(|inside| inside.strip_suffix(')')) {
        return filter(condition.trim());
    }
    let parts: Vec<&str> = inside.split(',').map(str::trim).collect();
    if parts.len() > 1 {
        return parts.into_iter().map(bracket).collect::<Option<_>>().map(Step::Any);
    }
    if inside == "*" {
        return Some(Step::All);
    }
    if let Some(name) = quoted(inside) {
        return Some(Step::Field(name));
    }
    let number = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
    match inside.split(':').collect::<Vec<_>>().as_slice() {
        [index] => index.parse().ok().map(Step::Index),
        [from, to] => Some(Step::Range(number(from)?, number(to)?, 1)),
        [from, to, step] => Some(Step::Range(number(from)?, number(to)?, step.parse().ok().filter(|step| *step > 0)?)),
        _ => None,
    }
}

fn quoted(text: &str) -> Option<String> {
    let inner = ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.map(|inner| inner.replace('\\', ""))
}

fn filter(condition: &str) -> Option<Step> {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let known =
        [("==", Equal), ("!=", NotEqual), ("<=", LessOrEqual), (">=", GreaterOrEqual), ("<", Less), (">", Greater)];
    let place = known.iter().filter_map(|(word, comparison)| Some((condition.find(word)?, *word, *comparison)));
    let Some((at, word, comparison)) = place.min_by_key(|(at, word, _)| (*at, std::cmp::Reverse(word.len()))) else {
        return operand(condition).map(|operand| Step::Where(operand, None));
    };
    let (left, right) = (operand(condition[..at].trim())?, operand(condition[at + word.len()..].trim())?);
    Some(Step::Where(left, Some((comparison, right))))
}

fn operand(text: &str) -> Option<Operand> {
    if let Some(path) = text.strip_prefix('@') {
        return steps(path).map(Operand::Path);
    }
    let literal = || serde_json::from_str(text).ok().filter(|value: &Value| !value.is_object() && !value.is_array());
    quoted(text).map(Value::from).or_else(literal).map(Operand::Value)
}

fn found<'o>(steps: &[Step], from: Vec<&'o Value>) -> Vec<&'o Value> {
    steps.iter().fold(from, |values, step| values.into_iter().flat_map(|value| taken(step, value)).collect())
}

fn taken<'o>(step: &Step, value: &'o Value) -> Vec<&'o Value> {
    match step {
        Step::Field(name) => value.get(name).into_iter().collect(),
        Step::All => children(value),
        Step::Below => below(value),
        Step::Any(steps) => steps.iter().flat_map(|step| taken(step, value)).collect(),
        Step::Index(index) => {
            let Some(items) = value.as_array() else { return Vec::new() };
            place(*index, items.len()).and_then(|at| items.get(at)).into_iter().collect()
        }
        Step::Range(from, to, step) => {
            let Some(items) = value.as_array() else { return Vec::new() };
            let edge = |edge: Option<i64>, otherwise| match edge {
                None => Some(otherwise),
                Some(edge) => place(edge, items.len()),
            };
            let (Some(from), Some(to)) = (edge(*from, 0), edge(*to, items.len())) else { return Vec::new() };
            items.iter().take(to).skip(from).step_by(*step).collect()
        }
        Step::Where(left, right) => {
            let is_wanted = |item: &&Value| match right {
                None => !values(left, item).is_empty(),
                Some((comparison, right)) => compared(&values(left, item), *comparison, &values(right, item)),
            };
            value.as_array().into_iter().flatten().filter(is_wanted).collect()
        }
    }
}

/// An index, which counts from the end if it is negative.
fn place(index: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    usize::try_from(if index < 0 { index + len } else { index }).ok()
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => Vec::new(),
    }
}

fn below(value: &Value) -> Vec<&Value> {
    std::iter::once(value).chain(children(value).into_iter().flat_map(below)).collect()
}

fn values(operand: &Operand, item: &Value) -> Vec<Value> {
    match operand {
        Operand::Value(value) => vec![value.clone()],
        Operand::Path(steps) => found(steps, vec![item]).into_iter().cloned().collect(),
    }
}

fn compared(left: &[Value], comparison: Comparison, right: &[Value]) -> bool {
    let ([left], [right]) = (left, right) else { return false };
    let order = match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => left.as_f64().zip(right.as_f64()).and_then(|(left, right)| left.partial_cmp(&right)),
    };
    match comparison {
        Comparison::Equal => order.map_or(left == right, std::cmp::Ordering::is_eq),
        Comparison::NotEqual => !order.map_or(left == right, std::cmp::Ordering::is_eq),
        Comparison::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Comparison::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        Comparison::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        Comparison::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
    }
}
