//! Tables: what people see of objects, row by row.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Representation, Shown, columns::Columns, without_end};
use crate::kubernetes::{answer::Refusal, cluster::Cluster, kinds::Kind};

/// What comes along with the cells of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Include {
    Nothing,
    Metadata,
    Object,
}

/// A table that is to be filled.
pub struct Table {
    representation: Representation,
    include: Include,
    columns: Columns,
    /// Whoever reads on knows the columns already.
    columns_are_told: bool,
}

impl Table {
    /// # Errors
    /// If nobody knows what is to come along.
    pub fn read(representation: &Representation, shown: Shown<'_>) -> Result<Self, Refusal> {
        let include = match shown.request.parameter("includeObject") {
            None | Some("Metadata") => Include::Metadata,
            Some("None") => Include::Nothing,
            Some("Object") => Include::Object,
            Some(other) => {
                return Err(Refusal::bad_request(format!(
                    "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be \
                     'Metadata', 'Object', 'None', or empty"
                )));
            }
        };
        let columns = Columns::of(shown.kind, shown.part);
        Ok(Self { representation: representation.clone(), include, columns, columns_are_told: false })
    }

    /// An object or a list as a table of its own.
    pub fn written(mut self, value: Value, is_list: bool, shown: Shown<'_>) -> Value {
        let Shown { cluster, kind, .. } = shown;
        if !is_list {
            return self.next(value, cluster, kind);
        }
        let Value::Object(mut list) = value else { return Value::Null };
        let metadata = without_end(list.remove("metadata").unwrap_or_default());
        let items = match list.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        let now = cluster.calendar.now();
        let rows = items.into_iter().map(|item| self.row(named(item, kind), now, kind)).collect();
        self.around(metadata, rows)
    }

    /// The next object of a watch as a table of one row.
    pub fn next(&mut self, object: Value, cluster: &Cluster, kind: &Kind) -> Value {
        let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
        let metadata = if metadata["resourceVersion"].is_null() { json!({}) } else { metadata };
        let row = self.row(object, cluster.calendar.now(), kind);
        self.around(metadata, vec![row])
    }

    fn around(&mut self, metadata: Value, rows: Vec<Value>) -> Value {
        let told = std::mem::replace(&mut self.columns_are_told, true);
        let columns = if told { Value::Null } else { self.columns.definitions() };
        json!({
            "kind": "Table",
            "apiVersion": self.representation.api_version(),
            "metadata": metadata,
            "columnDefinitions": columns,
            "rows": self.columns.rows(rows),
        })
    }

    fn row(&self, object: Value, now: Timestamp, kind: &Kind) -> Value {
        let mut row = Map::from_iter([("cells".to_owned(), self.columns.cells(&object, now, kind))]);
        if let Some(conditions) = self.columns.conditions(&object) {
            row.insert("conditions".to_owned(), conditions);
        }
        let object = match self.include {
            Include::Nothing => Value::Null,
            Include::Metadata => self.representation.metadata_of(&object, kind),
            Include::Object => object,
        };
        row.insert("object".to_owned(), object);
        Value::Object(row)
    }
}

/// An item of a list with what the list says for all of them.
fn named(item: Value, kind: &Kind) -> Value {
    match item {
        Value::Object(fields) if !fields.contains_key("kind") => {
            let mut named = Map::from_iter([
                ("kind".to_owned(), json!(kind.kind)),
                ("apiVersion".to_owned(), json!(kind.api_version())),
            ]);
            named.extend(fields);
            Value::Object(named)
        }
        item => item,
    }
}
