//! The managers of an object, and what a write does to them.

use serde_json::{Value, json};

use super::{
    compare::{Difference, compare},
    field_set::FieldSet,
    items::ItemError,
    merge::merge,
    owned::fields,
    remove::remove,
};
use crate::kubernetes::schema::Typed;

/// How somebody came to own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Apply,
    Update,
}

/// Who writes, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    pub manager: String,
    pub api_version: String,
    /// `status`, `scale` … if it writes to a part of its own.
    pub subresource: String,
    pub now: String,
}

/// What one manager owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub manager: String,
    pub operation: Operation,
    pub api_version: String,
    pub subresource: String,
    pub time: Option<String>,
    pub fields: FieldSet,
}

/// A field that somebody else owns with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub manager: String,
    pub operation: Operation,
    pub api_version: String,
    pub subresource: String,
    pub fields: Vec<String>,
}

/// Why nothing was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyError {
    Conflicts(Vec<Conflict>),
    Items(ItemError),
}

impl From<ItemError> for ApplyError {
    fn from(error: ItemError) -> Self {
        ApplyError::Items(error)
    }
}

/// What an apply came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    pub object: Value,
    pub entries: Vec<Entry>,
}

/// Fields that belong to nobody: they say which object it is, or are the server's.
const NOBODYS: [&[&str]; 12] = [
    &["apiVersion"],
    &["kind"],
    &["metadata"],
    &["metadata", "name"],
    &["metadata", "namespace"],
    &["metadata", "creationTimestamp"],
    &["metadata", "selfLink"],
    &["metadata", "uid"],
    &["metadata", "clusterName"],
    &["metadata", "generation"],
    &["metadata", "managedFields"],
    &["metadata", "resourceVersion"],
];

impl Entry {
    fn is(&self, operation: Operation, writer: &Writer) -> bool {
        // Whoever applies stays the same when it moves to another version of the kind.
        let same_version = operation == Operation::Apply || self.api_version == writer.api_version;
        self.operation == operation
            && self.manager == writer.manager
            && self.subresource == writer.subresource
            && same_version
    }

    fn of(operation: Operation, writer: &Writer, fields: FieldSet) -> Self {
        Entry {
            manager: writer.manager.clone(),
            operation,
            api_version: writer.api_version.clone(),
            subresource: writer.subresource.clone(),
            time: Some(writer.now.clone()),
            fields,
        }
    }
}

/// An object before a write.
#[derive(Debug, Clone, Copy)]
pub struct Before<'b> {
    pub typed: Typed<'b>,
    /// Nothing, if it is yet to be created.
    pub object: Option<&'b Value>,
    pub entries: &'b [Entry],
}

impl Before<'_> {
    /// The object; one that is yet to be created has the parts that are always there.
    fn object(&self) -> Value {
        self.object.cloned().unwrap_or_else(|| self.typed.blank())
    }
}

/// Who owns what was there before anybody applied, if nobody was written down.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Applies: lays `config` over what is there, takes away what this manager no longer asks for and nobody else does, and refuses what
/// others own with another value, unless it is forced. `ignored` are the parts that a write of this sort doesn't reach.
///
/// # Errors
/// The conflicts, by manager, or that the items of a list can't be told apart.
pub fn apply(
    before: Before,
    config: &Value,
    writer: &Writer,
    ignored: &[&[&str]],
    force: bool,
) -> Result<Applied, ApplyError> {
    let (typed, live) = (before.typed, before.object());
    let merged = merge(typed, &live, config)?;
    let mut entries = before.entries.to_vec();
    if let (Some(object), []) = (before.object, before.entries) {
        let first = Writer { manager: BEFORE_FIRST_APPLY.to_owned(), ..writer.clone() };
        entries = update(Before { object: None, ..before }, object, &first, ignored)?;
    }
    // What says which object it is belongs to nobody in the end, and yet is asked for.
    let asked = ignored.iter().fold(fields(typed, config)?, |set, path| set.without(path));
    let wanted = strip(asked.clone(), &[]);
    let own = entries.iter().position(|entry| entry.is(Operation::Apply, writer));
    let last = own.map(|own| entries[own].fields.clone());
    // Who changes nothing by it leaves no time.
    let time = own.and_then(|own| entries[own].time.clone());
    let entry = Entry { time, ..Entry::of(Operation::Apply, writer, wanted) };
    match own {
        Some(own) => entries[own] = entry,
        None => entries.push(entry),
    }
    let object = match &last {
        Some(last) if !last.is_empty() => {
            let asking = Entry::of(Operation::Apply, writer, asked);
            prune(typed, &merged, &[&entries[..], &[asking]].concat(), last)?
        }
        _ => merged,
    };
    take(typed, &live, &object, &mut entries, (Operation::Apply, writer), ignored, force)?;
    if object != live
        && let Some(own) = entries.iter_mut().find(|entry| entry.is(Operation::Apply, writer))
    {
        own.time = Some(writer.now.clone());
    }
    entries.retain(|entry| !entry.fields.is_empty());
    Ok(Applied { object, entries })
}

/// What any other write does to the owners: the writer owns what it changed, and nobody owns what is gone. Of an object that
/// has no owners, nobody becomes one.
///
/// # Errors
/// If the items of a list can't be told apart.
pub fn update(before: Before, new: &Value, writer: &Writer, ignored: &[&[&str]]) -> Result<Vec<Entry>, ItemError> {
    let mut entries = before.entries.to_vec();
    if before.object.is_some() && entries.is_empty() {
        return Ok(entries);
    }
    let taken = take(before.typed, &before.object(), new, &mut entries, (Operation::Update, writer), ignored, true);
    let difference = match taken {
        Ok(difference) => difference,
        Err(ApplyError::Items(error)) => return Err(error),
        Err(ApplyError::Conflicts(_)) => unreachable!("what is forced has no conflicts"),
    };
    let changed = strip(difference.modified.union(&difference.added), ignored);
    match entries.iter_mut().find(|entry| entry.is(Operation::Update, writer)) {
        Some(own) => {
            let fields = own.fields.difference(&difference.removed).union(&changed);
            if !changed.is_empty() {
                own.time = Some(writer.now.clone());
            }
            own.fields = fields;
        }
        None => entries.push(Entry::of(Operation::Update, writer, changed)),
    }
    entries.retain(|entry| !entry.fields.is_empty());
    Ok(entries)
}

/// Takes from the other managers what the writer changed, or refuses to.
fn take(
    typed: Typed,
    live: &Value,
    new: &Value,
    entries: &mut [Entry],
    (operation, writer): (Operation, &Writer),
    ignored: &[&[&str]],
    force: bool,
) -> Result<Difference, ApplyError> {
    let Difference { added, modified, removed } = compare(typed, live, new)?;
    let without = |set: FieldSet| ignored.iter().fold(set, |set, path| set.without(path));
    let difference = Difference { added: without(added), modified: without(modified), removed: without(removed) };
    let changed = difference.modified.union(&difference.added);
    let mut conflicts = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.is(operation, writer)) {
        let contested = entry.fields.intersection(&changed);
        if !contested.is_empty() {
            let Entry { manager, operation, api_version, subresource, .. } = entry.clone();
            conflicts.push(Conflict { manager, operation, api_version, subresource, fields: contested.paths() });
        }
    }
    if !force && !conflicts.is_empty() {
        return Err(ApplyError::Conflicts(conflicts));
    }
    for entry in entries.iter_mut().filter(|entry| !entry.is(operation, writer)) {
        entry.fields = entry.fields.difference(&entry.fields.intersection(&changed)).difference(&difference.removed);
    }
    Ok(difference)
}

/// Takes out what the manager asked for the last time and nobody asks for now.
fn prune(typed: Typed, merged: &Value, entries: &[Entry], last: &FieldSet) -> Result<Value, ItemError> {
    let named = |set: &FieldSet| set.with_named(Some(typed));
    let pruned = remove(typed, merged, &named(last))?;
    let all = named(&fields(typed, merged)?);

    let managed = entries.iter().fold(FieldSet::default(), |all, entry| all.union(&entry.fields));
    let gone = all.difference(&named(&fields(typed, &pruned)?));
    let pruned = remove(typed, merged, &gone.difference(&named(&managed)))?;

    // What went because something around it did, and that this manager never asked for, comes back.
    let gone = all.difference(&named(&fields(typed, &pruned)?));
    remove(typed, merged, &gone.intersection(&named(last)))
}

fn strip(set: FieldSet, ignored: &[&[&str]]) -> FieldSet {
    let mut set = ignored.iter().fold(set, |set, path| set.without(path));
    for path in NOBODYS {
        set.disown(path);
    }
    set
}

/// The managers as an object's metadata lists them.
pub fn write(entries: &[Entry]) -> Value {
    let mut entries: Vec<&Entry> = entries.iter().collect();
    entries.sort_by(|a, b| {
        let key = |entry: &Entry| {
            (
                entry.operation,
                entry.time.clone(),
                entry.manager.clone(),
                entry.api_version.clone(),
                entry.subresource.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    let written = entries.into_iter().map(|entry| {
        let operation = match entry.operation {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        };
        let mut written = json!({
            "manager": entry.manager,
            "operation": operation,
            "apiVersion": entry.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": entry.fields.write(),
        });
        if let Some(time) = &entry.time {
            written["time"] = json!(time);
        }
        if !entry.subresource.is_empty() {
            written["subresource"] = json!(entry.subresource);
        }
        written
    });
    Value::Array(written.collect())
}

/// Reads the managers of an object; nothing if they are malformed.
pub fn read(managed_fields: &Value) -> Option<Vec<Entry>> {
    let entries = managed_fields.as_array()?.iter().map(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Entry {
            manager: text("manager"),
            operation: match text("operation").as_str() {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return None,
            },
            api_version: text("apiVersion"),
            subresource: text("subresource"),
            time: entry.get("time").and_then(Value::as_str).map(str::to_owned),
            fields: FieldSet::read(entry.get("fieldsV1")?)?,
        })
    });
    entries.collect()
}
