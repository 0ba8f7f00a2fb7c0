//! Virtual time that can be watched.

use std::time::{Duration, Instant};

/// A picture of the world lasts so long, for those who watch.
const PICTURE: Duration = Duration::from_millis(20);

/// How fast virtual time goes by.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Pace {
    /// As fast as everything can be computed.
    #[default]
    Unbound,
    /// So many times as fast as real time, at most.
    Times(f64),
}

impl Pace {
    /// Holds the world's time to this pace from now on. To be called on the world's thread.
    pub(super) fn keep(self) {
        let Self::Times(times) = self else { return };
        let (began, began_really) = (tokio::time::Instant::now(), now());
        tokio::spawn(async move {
            // It only holds time up: nothing else happens in another order because of it.
            loop {
                tokio::time::sleep(PICTURE.mul_f64(times)).await;
                let due = began_really + began.elapsed().div_f64(times);
                pause(due.saturating_duration_since(now()));
            }
        });
    }
}

#[allow(clippy::disallowed_methods, reason = "who watches lives on the wall's time")]
fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods, reason = "who watches lives on the wall's time")]
fn pause(pause: Duration) {
    std::thread::sleep(pause);
}
