//! What the real server said.

use std::{fs, path::PathBuf};

use libtest_mimic::Failed;
use serde_json::Value;

fn path(area: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/recorded").join(area).join(format!("{name}.json"))
}

pub fn write(area: &str, name: &str, told: &Value) {
    let path = path(area, name);
    fs::create_dir_all(path.parent().expect("it is in a folder")).unwrap();
    fs::write(path, format!("{told:#}\n")).unwrap();
}

/// # Errors
/// The first exchange that is another one.
pub fn hold_against(area: &str, name: &str, told: &Value) -> Result<(), Failed> {
    let path = path(area, name);
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}; UPDATE=1 with the testbed writes it", path.display()))?;
    let recorded: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let (recorded, told) = (ordered("", &recorded), ordered("", told));
    if recorded == told {
        return Ok(());
    }
    let none = Vec::new();
    let (there, here) = (recorded.as_array().unwrap_or(&none), told.as_array().unwrap_or(&none));
    let at = there.iter().zip(here).position(|(there, here)| there != here).unwrap_or(there.len().min(here.len()));
    let shown = |list: &[Value]| list.get(at).map_or("nothing".to_owned(), |value| format!("{value:#}"));
    Err(format!("exchange {at} differs\n{}", difference(&shown(there), &shown(here))).into())
}

/// With conditions in the order of their types, for which of several controllers is first to write one is chance; and owners in
/// that of their names, for whose second is the earlier one is chance, too.
fn ordered(key: &str, value: &Value) -> Value {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), ordered(key, value))).collect(),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| ordered("", item)).collect();
            match key {
                "conditions" => items.sort_by_key(|item| item["type"].to_string()),
                "managedFields" => {
                    items.sort_by_key(|item| {
                        ["operation", "manager", "subresource"].map(|field| item[field].to_string())
                    });
                }
                _ => {}
            }
            Value::Array(items)
        }
        other => other.clone(),
    }
}

/// Both texts line by line: `-` is what the recording has, `+` what was answered.
fn difference(recorded: &str, told: &str) -> String {
    let diff = similar::TextDiff::from_lines(recorded, told);
    diff.unified_diff().context_radius(4).header("recorded", "answered").to_string()
}
