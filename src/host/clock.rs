//! The clock: what time it is, and how long something took.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;

/// Time as a run sees it. In a rehearsal it is virtual.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Time since the host was put together; it never goes back.
    fn elapsed(&self) -> Duration;

    /// Ends after `pause`.
    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()>;

    /// A number in `0.0..1.0` for jitter, from the run's seed.
    fn chance(&self) -> f64;
}
