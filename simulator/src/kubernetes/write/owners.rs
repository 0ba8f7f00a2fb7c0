//! Who owns what after a write.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Write, given::Apply};
use crate::kubernetes::{
    answer::{Cause, Refusal},
    decoding,
    ownership::{self, Applied, ApplyError, Before, Conflict, Element, Entry, FieldSet, Operation, Writer},
};

impl Write<'_> {
    /// What an apply makes of what is there.
    pub(super) fn applied(
        &self,
        live: Option<&Value>,
        known: &[Entry],
        config: &Value,
        Apply { manager, force, .. }: &Apply,
        untyped: impl Fn(&str) -> Refusal,
    ) -> Result<Applied, Refusal> {
        let before = Before { typed: self.kind.schema().root(), object: live, entries: known };
        let left = self.left()?;
        let ignored: Vec<&[&str]> = left.iter().map(Vec::as_slice).collect();
        let applied = ownership::apply(before, config, &self.writer(manager.clone()), &ignored, *force);
        let mut applied = match applied {
            Ok(applied) => applied,
            Err(error) if self.part == "scale" => {
                return Err(refused(as_of_a_scale(error, self.scale()?.replicas), self.part, untyped));
            }
            Err(error) => return Err(refused(error, self.part, untyped)),
        };
        self.forget_times(&mut applied.entries);
        Ok(applied)
    }

    /// What an apply of a scale makes of what is there: of kinds of Kubernetes itself nobody counts but who owns its number.
    pub(super) fn applied_to_scale(
        &self,
        live: &Value,
        known: &[Entry],
        config: &Value,
        apply: &Apply,
        untyped: impl Fn(&str) -> Refusal,
    ) -> Result<Applied, Refusal> {
        let (owners, others) = self.owners_of_scale(known)?;
        let mut live = self.as_scaled(live)?;
        if self.kind.built_in() {
            live = self.only_scale(&live)?;
        }
        let mut applied = self.applied(Some(&live), &owners, config, apply, untyped)?;
        applied.entries.extend(others);
        Ok(applied)
    }

    /// The owners after the scale of a kind of Kubernetes itself was written by what is no apply.
    pub(super) fn owned_of_scale(&self, live: &Value, known: &[Entry], object: &Value) -> Result<Vec<Entry>, Refusal> {
        let (owners, others) = self.owners_of_scale(known)?;
        let owned = self.owned(Some(&self.as_scaled(live)?), &owners, &self.as_scaled(object)?)?;
        Ok([owned, others].concat())
    }

    /// Who owns the number of a scale, and who does not. Of a defined kind all count.
    fn owners_of_scale(&self, known: &[Entry]) -> Result<(Vec<Entry>, Vec<Entry>), Refusal> {
        if !self.kind.built_in() {
            return Ok((known.to_vec(), Vec::new()));
        }
        let path: Vec<&str> = self.scale()?.replicas.split('.').collect();
        let owns = |entry: &&Entry| {
            let mut without = entry.fields.clone();
            without.disown(&path);
            without != entry.fields
        };
        Ok(known.iter().cloned().partition(|entry| owns(&entry)))
    }

    /// The owners after a write that is no apply.
    pub(super) fn owned(&self, live: Option<&Value>, known: &[Entry], object: &Value) -> Result<Vec<Entry>, Refusal> {
        let before = Before { typed: self.kind.schema().root(), object: live, entries: known };
        // Nobody owns anything of an object that doesn't fit its schema, although only its status may be so.
        if !self.kind.built_in() && !decoding::fits(before.typed, object) {
            return Ok(Vec::new());
        }
        let left = self.left()?;
        let ignored: Vec<&[&str]> = left.iter().map(Vec::as_slice).collect();
        // Of an object whose items can't be told apart nobody owns anything.
        let owned = ownership::update(before, &without(object), &self.writer(self.request.manager()), &ignored);
        let mut entries = owned.unwrap_or_default();
        self.forget_times(&mut entries);
        Ok(entries)
    }

    /// The owners after the scale of a defined kind was written: nobody owns the number any more.
    pub(super) fn without_replicas(&self, mut entries: Vec<Entry>) -> Result<Vec<Entry>, Refusal> {
        let path: Vec<&str> = self.scale()?.replicas.split('.').collect();
        entries.iter_mut().for_each(|entry| entry.fields.disown(&path));
        entries.retain(|entry| !entry.fields.is_empty());
        Ok(entries)
    }

    /// The owners after the scale of a kind of Kubernetes itself was written: who owns the number by another write of its own is
    /// listed with it apart, and no longer with its time.
    pub(super) fn with_replicas_apart(&self, entries: Vec<Entry>) -> Result<Vec<Entry>, Refusal> {
        let path: Vec<&str> = self.scale()?.replicas.split('.').collect();
        let elements: Vec<Element> = path.iter().map(|field| Element::Field((*field).to_owned())).collect();
        let mut listed = Vec::new();
        for mut entry in entries {
            let whole = entry.fields.clone();
            entry.fields.disown(&path);
            if entry.operation == Operation::Apply || entry.subresource == self.part || entry.fields == whole {
                listed.push(Entry { fields: whole, ..entry });
                continue;
            }
            let mut fields = FieldSet::default();
            fields.insert(&elements);
            listed.push(Entry { time: None, fields, ..entry.clone() });
            listed.extend((!entry.fields.is_empty()).then_some(entry));
        }
        Ok(listed)
    }

    /// True if somebody owns the number of a scale.
    pub(super) fn owns_replicas(&self, entries: &[Entry]) -> bool {
        self.without_replicas(entries.to_vec()).is_ok_and(|without| without != entries)
    }

    /// When a scale was written is not remembered.
    fn forget_times(&self, entries: &mut [Entry]) {
        entries.iter_mut().filter(|entry| entry.subresource == "scale").for_each(|entry| entry.time = None);
    }

    fn writer(&self, manager: String) -> Writer {
        let (api_version, now) = (self.kind.api_version(), self.cluster.now());
        Writer { manager, api_version, subresource: self.part.to_owned(), now }
    }
}

/// The owners as an object lists them.
pub fn listed(object: &Value) -> Vec<Entry> {
    ownership::read(&object["metadata"]["managedFields"]).unwrap_or_default()
}

/// The same, without those that don't count.
pub fn read(object: &Value) -> Vec<Entry> {
    once(&listed(object))
}

/// Of two entries of one manager, the later one counts.
fn once(entries: &[Entry]) -> Vec<Entry> {
    let who = |entry: &Entry| {
        let version = (entry.operation == Operation::Update).then(|| entry.api_version.clone());
        (entry.manager.clone(), entry.operation, version, entry.subresource.clone())
    };
    let later = |at: usize| entries[at + 1..].iter().any(|other| who(other) == who(&entries[at]));
    (0..entries.len()).filter(|at| !later(*at)).map(|at| entries[at].clone()).collect()
}

pub fn set(object: &mut Value, entries: &[Entry]) {
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    if entries.is_empty() {
        metadata.shift_remove("managedFields");
    } else {
        metadata.insert("managedFields".to_owned(), ownership::write(entries));
    }
}

/// The object without the list of its owners.
pub fn without(object: &Value) -> Value {
    let mut bare = object.clone();
    if let Some(metadata) = bare["metadata"].as_object_mut() {
        metadata.shift_remove("managedFields");
    }
    bare
}

/// An object with the version of another, if it has none.
pub fn with(mut object: Value, there: &Value) -> Value {
    if object["metadata"]["resourceVersion"].is_null() {
        object["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
    }
    object
}

/// The owners that an object itself names, if it names some; an empty list means none.
pub fn claimed(object: &Value, known: &[Entry]) -> Vec<Entry> {
    let fields = &object["metadata"]["managedFields"];
    let none = |entries: &Vec<Value>| entries.iter().all(|entry| *entry == json!({})) && entries.len() < 2;
    if fields.as_array().is_some_and(none) {
        return Vec::new();
    }
    let claimed = ownership::read(fields).filter(|entries| !entries.is_empty());
    claimed.map_or_else(|| known.to_vec(), |entries| once(&entries))
}

/// True if nothing about the owners has changed but, maybe, when they wrote.
pub fn same(entries: &[Entry], known: &[Entry]) -> bool {
    let timeless = |entry: &Entry| Entry { time: None, ..entry.clone() };
    entries.len() == known.len() && entries.iter().zip(known).all(|(one, other)| timeless(one) == timeless(other))
}

/// What a scale says is not where its object has it.
fn as_of_a_scale(mut error: ApplyError, replicas: &str) -> ApplyError {
    if let ApplyError::Conflicts(conflicts) = &mut error {
        let fields = conflicts.iter_mut().flat_map(|conflict| &mut conflict.fields);
        fields
            .filter(|field| field.strip_prefix('.') == Some(replicas))
            .for_each(|field| *field = ".spec.replicas".to_owned());
    }
    error
}

fn refused(error: ApplyError, part: &str, untyped: impl Fn(&str) -> Refusal) -> Refusal {
    let conflicts = match error {
        ApplyError::Items(error) => return untyped(&error.to_string()),
        ApplyError::Conflicts(conflicts) => conflicts,
    };
    let count: usize = conflicts.iter().map(|conflict| conflict.fields.len()).sum();
    let mut causes = Vec::new();
    let mut told: BTreeMap<_, (String, Vec<&str>)> = BTreeMap::new();
    for conflict in &conflicts {
        let who = shown(conflict, part);
        for field in &conflict.fields {
            causes.push(Cause {
                reason: "FieldManagerConflict",
                message: format!("conflict with {who}"),
                field: field.clone(),
            });
        }
        let Conflict { manager, operation, api_version, subresource, fields } = conflict;
        let (_, all) = told.entry((manager, operation, api_version, subresource)).or_insert((who, Vec::new()));
        all.extend(fields.iter().map(String::as_str));
    }
    let parts = told.into_values().map(|(who, fields)| match fields.as_slice() {
        [one] if count == 1 => format!("conflict with {who}: {one}"),
        many => format!("conflicts with {who}:\n- {}", many.join("\n- ")),
    });
    let word = if count == 1 { "conflict" } else { "conflicts" };
    let message = format!("Apply failed with {count} {word}: {}", parts.collect::<Vec<_>>().join("\n"));
    Refusal::owned_by_others(message, causes)
}

/// Who owns the fields, as messages name it.
fn shown(conflict: &Conflict, part: &str) -> String {
    let mut shown = format!("\"{}\"", conflict.manager);
    if !conflict.subresource.is_empty() {
        shown.push_str(&format!(" with subresource \"{}\"", conflict.subresource));
    }
    if conflict.operation == Operation::Update {
        // Who applies a scale sees the others as if they had, too.
        let version = if part == "scale" { "autoscaling/v1" } else { &conflict.api_version };
        shown.push_str(&format!(" using {version}"));
    }
    shown
}
