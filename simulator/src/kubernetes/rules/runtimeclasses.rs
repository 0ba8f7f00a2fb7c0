//! Classes of container runtimes.

use serde_json::Value;

use super::{
    field::{Field, formed, required, unchanged},
    form,
    simple::{PLAIN, Simple},
};
use crate::kubernetes::answer::Cause;

pub static RUNTIME_CLASSES: Simple = Simple {
    check,
    check_change: |class, there| Vec::from_iter(unchanged(&Field::of(class, "handler"), &Field::of(there, "handler"))),
    replacing_creates: true,
    replacing_needs_version: true,
    ..PLAIN
};

fn check(class: &Value) -> Vec<Cause> {
    let handler = Field::of(class, "handler");
    match required(&handler, "") {
        Some(cause) => vec![cause],
        None => formed(&handler, form::label),
    }
}
