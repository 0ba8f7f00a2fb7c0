//! The clock of a world: it jumps to the next moment at which something happens.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use simulator::time::{self, Elapsed};

use crate::host::clock::Clock;

/// Virtual time, with chance that follows from a seed.
pub struct VirtualClock {
    elapsed: Arc<Elapsed>,
    began: Timestamp,
    chance: Mutex<fastrand::Rng>,
}

impl VirtualClock {
    pub(super) fn new(elapsed: Arc<Elapsed>, began: Timestamp, seed: u64) -> Self {
        Self { elapsed, began, chance: Mutex::new(fastrand::Rng::with_seed(seed)) }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.elapsed.get()).unwrap_or(SignedDuration::MAX);
        self.began.saturating_add(elapsed).expect("a duration without calendar units can be added")
    }

    fn elapsed(&self) -> Duration {
        self.elapsed.get()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        Box::pin(time::pass(pause))
    }

    fn chance(&self) -> f64 {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}
