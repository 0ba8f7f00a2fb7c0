//! Script threads that take turns with the world.

use futures::future::BoxFuture;
use simulator::time::Turns;

use crate::host::threads::{Branch, STACK, Threads};

/// At any moment either the world or one script thread runs.
pub struct InTurns(Turns);

impl InTurns {
    pub(super) fn new(turns: Turns) -> Self {
        Self(turns)
    }
}

impl Threads for InTurns {
    fn drive(&self, work: BoxFuture<'static, ()>) {
        self.0.drive(work);
    }

    fn fork(&self, branches: Vec<Branch<'_>>) {
        self.0.fork(STACK, branches);
    }
}
