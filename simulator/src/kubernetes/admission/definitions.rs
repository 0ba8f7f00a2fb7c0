//! Nothing is created of a kind whose definition is going away.

use super::{Attempt, Operation};
use crate::kubernetes::{answer::Refusal, custom};

pub fn check(attempt: &Attempt<'_>) -> Result<(), Refusal> {
    if attempt.operation == Operation::Create && custom::is_ending(attempt.cluster, attempt.kind) {
        return Err(attempt.forbidden("create not allowed while custom resource definition is terminating"));
    }
    Ok(())
}
