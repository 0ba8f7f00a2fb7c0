//! The paths of fields, as messages name them: `spec.containers[0].env`.

use std::fmt::Write as _;

pub fn field(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

pub fn item(path: &mut String, index: usize) {
    write!(path, "[{index}]").expect("a text takes everything");
}
