//! The stream of events: one line of happenings, in one order, to every reporter.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{clock::Clock, frame, secrets::Vault};
use crate::event::{Event, What};

/// Draws, records or counts events.
pub trait Reporter: Send {
    fn report(&mut self, event: &Event);
}

/// Where everything that happens is told. Secrets are taken out here, before any reporter sees them.
pub struct Events {
    clock: Arc<dyn Clock>,
    secrets: Arc<Vault>,
    reporters: Mutex<Vec<Box<dyn Reporter>>>,
    waits: AtomicU64,
    warned: Mutex<BTreeSet<String>>,
}

impl Events {
    pub fn new(clock: Arc<dyn Clock>, secrets: Arc<Vault>, reporters: Vec<Box<dyn Reporter>>) -> Self {
        Self { clock, secrets, reporters: Mutex::new(reporters), waits: AtomicU64::new(0), warned: Mutex::default() }
    }

    /// Tells what happened in this thread's step.
    pub fn emit(&self, what: What) {
        self.emit_in(&frame::step(), what);
    }

    /// Tells what happened in the step at `step`.
    pub fn emit_in(&self, step: &str, what: What) {
        let mut reporters = self.lock();
        let event = self.secrets.redacted(Event { at: self.clock.elapsed(), step: step.to_owned(), what });
        for reporter in reporters.iter_mut() {
            reporter.report(&event);
        }
    }

    /// Warns of something that is as true the second time: once a run.
    pub fn warn_once(&self, text: String) {
        let first = self.warned.lock().unwrap_or_else(PoisonError::into_inner).insert(text.clone());
        if first {
            self.emit(What::Warned { text });
        }
    }

    /// A number for the next wait.
    pub(super) fn next_wait(&self) -> u64 {
        self.waits.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Box<dyn Reporter>>> {
        // A reporter that panicked has said so; the others go on.
        self.reporters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
