//! What day it is in the world.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The wall clock of the world: it goes on from a chosen moment, as fast as the world's time does.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    start: Timestamp,
    began: Instant,
}

impl Calendar {
    /// It is `start` now. To be called on the world's thread: elsewhere there is no virtual time.
    pub fn beginning(start: Timestamp) -> Self {
        Self { start, began: Instant::now() }
    }

    /// A clock that goes wrong by so much.
    ///
    /// # Panics
    /// If it is wrong by thousands of years.
    #[must_use]
    pub fn ahead(self, ahead: SignedDuration) -> Self {
        let start = self.start.saturating_add(ahead).expect("a duration without calendar units can be added");
        Self { start, ..self }
    }

    /// # Panics
    /// If the world lasts for thousands of years.
    pub fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.began.elapsed()).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(elapsed).expect("a duration without calendar units can be added")
    }
}
