//! Tables: rows of maps, objects or lists as columns of text.

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use crate::{
    event::What,
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::nearest,
        values::object::Object,
    },
};

#[export_module]
pub mod functions {
    #[rhai_fn(global, return_raw)]
    pub fn table(context: NativeCallContext, rows: Array) -> Outcome<()> {
        show(&context, rows, Map::new())
    }

    /// Shows a table.
    ///
    /// # Parameters
    /// - `rows` (list): a map, an object or a list each
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `columns` (list, all of them in the order in which they first appear): the columns' names, in order
    ///
    /// # Faults
    /// - `usage`: a row is neither a map, nor an object, nor a list; or no row has such a column
    ///
    /// # Example
    /// ```rhai
    /// let pods = [#{ name: "web-0", node: "worker-1", ready: true }];
    /// table(pods);
    /// table(pods, #{ columns: ["ready", "name"] });
    /// table([["api", "10.0.0.1"], ["web", "10.0.0.2"]], #{ columns: ["service", "address"] });
    /// ```
    #[rhai_fn(global, name = "table", return_raw)]
    pub fn table_with_options(context: NativeCallContext, rows: Array, options: Map) -> Outcome<()> {
        show(&context, rows, options)
    }
}

/// A row as it was given.
enum Row {
    Named(Vec<(String, Dynamic)>),
    Listed(Array),
}

fn show(context: &NativeCallContext, rows: Array, options: Map) -> Outcome<()> {
    let options = context.options("show::table", options)?;
    let rows: Vec<Row> =
        rows.into_iter().enumerate().map(|(index, row)| read(context, index, row)).collect::<Outcome<_>>()?;
    let present = present(&rows);
    let columns = match options.value("columns") {
        Some(columns) => chosen(context, columns.cast(), &rows, &present)?,
        None => present,
    };
    let rows = rows.into_iter().map(|row| cells(context, row, &columns)).collect::<Outcome<_>>()?;
    context.host().events.emit(What::Tabled { columns, rows });
    Ok(())
}

fn read(context: &NativeCallContext, index: usize, row: Dynamic) -> Outcome<Row> {
    if let Some(object) = row.read_lock::<Object>() {
        let fields = object.fields().iter();
        return Ok(Row::Named(fields.map(|(name, value)| (name.to_string(), value.to_dynamic())).collect()));
    }
    if row.is_map() {
        let fields = row.cast::<Map>().into_iter();
        return Ok(Row::Named(fields.map(|(name, value)| (name.to_string(), value)).collect()));
    }
    if row.is_array() {
        return Ok(Row::Listed(row.cast()));
    }
    let message = format!("row {} of the table is a `{}`, not a map or a list", index + 1, row.type_name());
    Err(context.raise(Fault::new(Kind::Usage, message)))
}

/// The names of the columns in the order in which they first appear; of lists, their numbers.
fn present(rows: &[Row]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for row in rows {
        let names: Vec<String> = match row {
            Row::Named(fields) => fields.iter().map(|(name, _)| name.clone()).collect(),
            Row::Listed(cells) => (1..=cells.len()).map(|number| number.to_string()).collect(),
        };
        for name in names {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
    }
    columns
}

fn chosen(context: &NativeCallContext, columns: Array, rows: &[Row], present: &[String]) -> Outcome<Vec<String>> {
    let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
    if rows.iter().any(|row| matches!(row, Row::Listed(_))) || rows.is_empty() {
        return Ok(columns);
    }
    match columns.iter().find(|column| !present.contains(column)) {
        None => Ok(columns),
        Some(missing) => {
            let fault = Fault::new(Kind::Usage, format!("no row of the table has a `{missing}`"));
            Err(context.raise(match nearest(missing, present.iter().map(String::as_str)) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint(format!("they have {}", present.join(", "))),
            }))
        }
    }
}

fn cells(context: &NativeCallContext, row: Row, columns: &[String]) -> Outcome<Vec<String>> {
    let mut values: Vec<Dynamic> = match row {
        Row::Listed(values) => values,
        Row::Named(fields) => columns
            .iter()
            .map(|column| {
                fields.iter().find(|(name, _)| name == column).map_or(Dynamic::UNIT, |(_, value)| value.clone())
            })
            .collect(),
    };
    values.resize(columns.len().max(values.len()), Dynamic::UNIT);
    values.into_iter().map(|value| text(context, value)).collect()
}

/// What a script's `print` would show.
fn text(context: &NativeCallContext, value: Dynamic) -> Outcome<String> {
    if value.is_unit() {
        return Ok(String::new());
    }
    context.call_native_fn::<Dynamic>("to_string", (value,)).map(|text| text.to_string())
}
