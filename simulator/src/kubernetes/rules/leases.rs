//! Leases, by which programs agree on who leads, and nodes tell that they live.

use serde_json::Value;

use super::{
    Look,
    field::{Field, not_negative},
    fill::remove,
    simple::{PLAIN, Simple},
};
use crate::kubernetes::answer::Cause;

pub static LEASES: Simple = Simple {
    prepare,
    check,
    replacing_creates: true,
    replacing_needs_version: true,
    looks_at_metadata: Look::AtChanges,
    ..PLAIN
};

/// Nobody leads by agreement unless a server is told to let them.
fn prepare(lease: &mut Value) {
    for field in ["strategy", "preferredHolder"] {
        remove(&mut lease["spec"], field);
    }
}

fn check(lease: &Value) -> Vec<Cause> {
    let spec = Field::of(lease, "spec");
    let lasts = spec.at("leaseDurationSeconds");
    let mut wrong = Vec::new();
    if lasts.number().is_some_and(|seconds| seconds <= 0) {
        wrong.push(lasts.invalid("must be greater than 0"));
    }
    wrong.extend(not_negative(&spec.at("leaseTransitions")));
    wrong
}
