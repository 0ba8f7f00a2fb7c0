//! How the real server tells what somebody changed that may not change.

use serde::Serialize as _;
use serde_json::{Serializer, Value, ser::PrettyFormatter};
use similar::TextDiff;

/// Both values line by line: `-` is what is there, `+` what was asked for, with three lines around each change.
pub fn difference(before: &Value, after: &Value) -> String {
    let (before, after) = (lines(before), lines(after));
    let diff = TextDiff::from_lines(before.as_str(), after.as_str());
    diff.unified_diff().context_radius(3).to_string()
}

fn lines(value: &Value) -> String {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b" "));
    value.serialize(&mut serializer).expect("a value is always written");
    text.push(b'\n');
    String::from_utf8(text).expect("JSON is text")
}
