//! Sets of fields, and their written form `FieldsV1`.
//!
//! The form: `f:` a field, `k:` the keys that tell an item of a list apart, `v:` an item that is its own key, `i:` an item by
//! its position, and `.` the thing itself, where things below it are named, too.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::kubernetes::{patch::words, schema::Typed};

/// One step on the way to a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    Field(String),
    /// The keys of an item and their values, as JSON with the keys in order.
    Keys(String),
    /// An item of a set, as JSON.
    Value(String),
    Index(u64),
}

/// Paths to fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    /// The path up to here is in the set.
    member: bool,
    below: BTreeMap<Element, FieldSet>,
}

impl FieldSet {
    pub fn is_empty(&self) -> bool {
        !self.member && self.below.values().all(FieldSet::is_empty)
    }

    pub fn insert(&mut self, path: &[Element]) {
        match path {
            [] => self.member = true,
            [first, rest @ ..] => self.below.entry(first.clone()).or_default().insert(rest),
        }
    }

    /// True if the thing one step further is in the set.
    pub fn has(&self, element: &Element) -> bool {
        self.below.get(element).is_some_and(|set| set.member)
    }

    /// What is in the set below a step.
    pub fn below(&self, element: &Element) -> Option<&FieldSet> {
        self.below.get(element).filter(|set| set.below.values().any(|set| !set.is_empty()))
    }

    #[must_use]
    pub fn union(&self, other: &FieldSet) -> FieldSet {
        let mut all = self.clone();
        all.member |= other.member;
        for (element, set) in &other.below {
            let joined = all.below.get(element).map_or_else(|| set.clone(), |own| own.union(set));
            all.below.insert(element.clone(), joined);
        }
        all
    }

    #[must_use]
    pub fn difference(&self, other: &FieldSet) -> FieldSet {
        self.joined(other, |own, others| own && !others, |set| set.clone())
    }

    #[must_use]
    pub fn intersection(&self, other: &FieldSet) -> FieldSet {
        self.joined(other, |own, others| own && others, |_| FieldSet::default())
    }

    fn joined(
        &self,
        other: &FieldSet,
        member: fn(bool, bool) -> bool,
        without_other: fn(&FieldSet) -> FieldSet,
    ) -> FieldSet {
        let below = self.below.iter().map(|(element, set)| {
            let set = match other.below.get(element) {
                Some(other) => set.joined(other, member, without_other),
                None => without_other(set),
            };
            (element.clone(), set)
        });
        FieldSet {
            member: member(self.member, other.member),
            below: below.filter(|(_, set)| !set.is_empty()).collect(),
        }
    }

    /// The set without a path and everything below it.
    #[must_use]
    pub fn without(mut self, path: &[&str]) -> FieldSet {
        self.cut(path);
        self
    }

    fn cut(&mut self, path: &[&str]) {
        let [first, rest @ ..] = path else { return };
        let element = Element::Field((*first).to_owned());
        if rest.is_empty() {
            self.below.remove(&element);
        } else if let Some(set) = self.below.get_mut(&element) {
            set.cut(rest);
            if set.is_empty() {
                self.below.remove(&element);
            }
        }
    }

    /// The set without a field itself; what is below it stays.
    pub fn disown(&mut self, path: &[&str]) {
        match path {
            [] => self.member = false,
            [first, rest @ ..] => {
                let element = Element::Field((*first).to_owned());
                if let Some(set) = self.below.get_mut(&element) {
                    set.disown(rest);
                    if set.is_empty() {
                        self.below.remove(&element);
                    }
                }
            }
        }
    }

    /// The set with every named field on the way to a member, too. A field of a structure isn't in a set by itself when something
    /// below it is; a key of a map is.
    #[must_use]
    pub fn with_named(&self, typed: Option<Typed>) -> FieldSet {
        let below = self.below.iter().map(|(element, set)| {
            let (named, inner) = match (element, typed) {
                (Element::Field(name), Some(typed)) => (typed.names(name), typed.below(name)),
                (_, Some(typed)) => (false, typed.items()),
                (_, None) => (false, None),
            };
            let mut set = set.with_named(inner);
            set.member |= named;
            (element.clone(), set)
        });
        FieldSet { member: self.member, below: below.collect() }
    }

    /// The paths in the set, as messages show them: `.spec.template.spec.containers[name="web"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect(&mut String::new(), &mut paths);
        paths
    }

    /// Those one step further come before those below them.
    fn collect(&self, path: &mut String, paths: &mut Vec<String>) {
        let length = path.len();
        for (element, _) in self.below.iter().filter(|(_, set)| set.member) {
            paths.push(format!("{path}{element}"));
        }
        for (element, set) in &self.below {
            path.push_str(&element.to_string());
            set.collect(path, paths);
            path.truncate(length);
        }
    }

    /// The written form.
    pub fn write(&self) -> Value {
        let mut written = Map::new();
        if self.member && !self.below.is_empty() {
            written.insert(".".to_owned(), Value::Object(Map::new()));
        }
        for (element, set) in &self.below {
            written.insert(element.write(), set.write());
        }
        Value::Object(written)
    }

    /// Reads the written form; nothing if it is malformed.
    pub fn read(written: &Value) -> Option<FieldSet> {
        let mut set = Self::read_below(written.as_object()?)?;
        // The object as a whole belongs to nobody.
        set.member = false;
        Some(set)
    }

    fn read_below(written: &Map<String, Value>) -> Option<FieldSet> {
        let mut set = FieldSet { member: written.is_empty(), below: BTreeMap::new() };
        for (key, below) in written {
            let below = Self::read_below(below.as_object()?)?;
            match Element::read(key)? {
                Some(element) => drop(set.below.insert(element, below)),
                None => set.member = true,
            }
        }
        Some(set)
    }
}

impl Element {
    fn write(&self) -> String {
        match self {
            Element::Field(name) => format!("f:{name}"),
            Element::Keys(keys) => format!("k:{keys}"),
            Element::Value(value) => format!("v:{value}"),
            Element::Index(index) => format!("i:{index}"),
        }
    }

    /// The element of a key, or nothing for `.`; `None` if it is malformed.
    fn read(key: &str) -> Option<Option<Element>> {
        if key == "." {
            return Some(None);
        }
        let (sort, text) = key.split_at_checked(2)?;
        let json = |text: &str| serde_json::from_str::<Value>(text).ok();
        Some(Some(match sort {
            "f:" => Element::Field(text.to_owned()),
            "k:" => Element::keys(json(text)?.as_object()?.clone()),
            "v:" => Element::Value(json(text)?.to_string()),
            "i:" => Element::Index(text.parse().ok()?),
            _ => return None,
        }))
    }

    pub fn keys(keys: Map<String, Value>) -> Element {
        let sorted: BTreeMap<String, Value> = keys.into_iter().collect();
        let sorted: Map<String, Value> = sorted.into_iter().collect();
        Element::Keys(Value::Object(sorted).to_string())
    }
}

impl std::fmt::Display for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Element::Field(name) => write!(f, ".{name}"),
            Element::Keys(keys) => {
                let keys: Map<String, Value> = serde_json::from_str(keys).expect("it was written by us");
                let shown: Vec<String> =
                    keys.iter().map(|(key, value)| format!("{key}={}", words::joined(value))).collect();
                write!(f, "[{}]", shown.join(","))
            }
            Element::Value(value) => {
                let value: Value = serde_json::from_str(value).expect("it was written by us");
                write!(f, "[={}]", words::joined(&value))
            }
            Element::Index(index) => write!(f, "[{index}]"),
        }
    }
}
