//! Which objects a patch or a replacement is for.

use regex::Regex;
use serde_json::{Map, Value};

use crate::{
    identity::{Identity, Sort},
    resource::Resource,
};

/// What an object has to be; what isn't said may be anything. Names are expressions.
#[derive(Debug, Default)]
pub struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Demand>,
    annotations: Vec<Demand>,
}

/// What a label has to be.
#[derive(Debug)]
struct Demand {
    key: String,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Is(Vec<String>),
    IsNot(Vec<String>),
    Exists,
    IsAbsent,
}

/// The words of a selector, as they are written.
#[derive(Debug, Clone, Default)]
pub struct Words {
    pub identity: Identity,
    pub labels: String,
    pub annotations: String,
}

impl Selector {
    pub fn read(words: &Words) -> Result<Self, String> {
        let Words { identity: Identity { sort, name, namespace }, labels, annotations } = words;
        Ok(Self {
            group: whole(&sort.group)?,
            version: whole(&sort.version)?,
            kind: whole(&sort.kind)?,
            name: whole(name)?,
            namespace: whole(namespace)?,
            labels: demands(labels)?,
            annotations: demands(annotations)?,
        })
    }

    /// Whether a patch for it is for this object, by its first name or the one of now.
    pub fn selects(&self, resource: &Resource) -> bool {
        let (first, now) = (resource.first_identity(), resource.identity());
        (fits(self.namespace.as_ref(), first.home()) || fits(self.namespace.as_ref(), now.home()))
            && (fits(self.name.as_ref(), &first.name) || fits(self.name.as_ref(), &now.name))
            && self.is_of(&now.sort)
            && self.is_marked(resource)
    }

    /// Whether it names this object, or what it was.
    pub fn names(&self, resource: &Resource) -> bool {
        let names = |identity: &Identity| {
            self.is_of(&identity.sort)
                && fits(self.name.as_ref(), &identity.name)
                && fits(self.namespace.as_ref(), &identity.namespace)
        };
        names(&resource.identity()) || resource.past_identities().any(|past| names(&past))
    }

    /// Whether the object's labels and annotations are as they have to be.
    pub fn is_marked(&self, resource: &Resource) -> bool {
        hold(&self.labels, resource.labels()) && hold(&self.annotations, resource.annotations())
    }

    pub fn asks_for_names(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace].iter().any(|part| part.is_some())
    }

    pub fn asks_for_marks(&self) -> bool {
        !self.labels.is_empty() || !self.annotations.is_empty()
    }

    fn is_of(&self, sort: &Sort) -> bool {
        fits(self.group.as_ref(), &sort.group)
            && fits(self.version.as_ref(), &sort.version)
            && fits(self.kind.as_ref(), &sort.kind)
    }
}

fn whole(pattern: &str) -> Result<Option<Regex>, String> {
    if pattern.is_empty() {
        return Ok(None);
    }
    let expression = Regex::new(&format!("^(?:{pattern})$"));
    expression.map(Some).map_err(|_| format!("`{pattern}` is no expression that names can be held against"))
}

fn fits(expression: Option<&Regex>, name: &str) -> bool {
    expression.is_none_or(|expression| expression.is_match(name))
}

fn hold(demands: &[Demand], marks: Option<&Map<String, Value>>) -> bool {
    demands.iter().all(|demand| {
        let value = marks.and_then(|marks| marks.get(&demand.key)).and_then(Value::as_str);
        match (&demand.test, value) {
            (Test::Is(values), Some(value)) => values.iter().any(|wanted| wanted == value),
            (Test::IsNot(values), Some(value)) => values.iter().all(|unwanted| unwanted != value),
            (Test::Exists, value) => value.is_some(),
            (Test::IsAbsent, value) => value.is_none(),
            (Test::Is(_), None) => false,
            (Test::IsNot(_), None) => true,
        }
    })
}

/// `a=b,c!=d,e in (f,g),h notin (i),j,!k`
fn demands(selector: &str) -> Result<Vec<Demand>, String> {
    let mut rest = selector.trim();
    let mut demands = Vec::new();
    while !rest.is_empty() {
        // A comma inside of parentheses doesn't end a demand.
        let end = rest
            .char_indices()
            .scan(0_i32, |depth, (at, letter)| {
                *depth += i32::from(letter == '(') - i32::from(letter == ')');
                Some((at, letter, *depth))
            })
            .find(|(_, letter, depth)| *letter == ',' && *depth == 0)
            .map_or(rest.len(), |(at, ..)| at);
        let (one, behind) = rest.split_at(end);
        demands.push(demand(one.trim()).ok_or_else(|| format!("`{selector}` is no selector"))?);
        rest = behind.trim_start_matches(',').trim_start();
    }
    Ok(demands)
}

fn demand(text: &str) -> Option<Demand> {
    let of = |key: &str, test: Test| {
        let key = key.trim();
        let fits = !key.is_empty() && !key.contains(|letter: char| letter.is_whitespace() || "()!=,".contains(letter));
        fits.then(|| Demand { key: key.to_owned(), test })
    };
    let value = |value: &str| vec![value.trim().to_owned()];
    if let Some((key, unwanted)) = text.split_once("!=") {
        return of(key, Test::IsNot(value(unwanted)));
    }
    if let Some((key, wanted)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return of(key, Test::Is(value(wanted)));
    }
    if let Some((before, values)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        return match before.trim().rsplit_once(char::is_whitespace)? {
            (key, "in") => of(key, Test::Is(values)),
            (key, "notin") => of(key, Test::IsNot(values)),
            _ => None,
        };
    }
    match text.strip_prefix('!') {
        Some(key) => of(key, Test::IsAbsent),
        None => of(text, Test::Exists),
    }
}
