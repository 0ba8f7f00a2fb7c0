//! The pulse of a screen.

use std::{future::Future, time::Duration};

use tokio::time::timeout;

use super::screen::Screen;
use crate::host::clock::Clock;

/// Twenty frames a second: of the wall, since eyes don't live on a rehearsal's virtual time.
const BEAT: Duration = Duration::from_millis(50);

/// Redraws a screen until `end` comes. What it shows is the time of the run's own clock.
pub async fn tick_until(end: impl Future, screen: &Screen, clock: &dyn Clock) {
    let mut end = std::pin::pin!(end);
    while timeout(BEAT, &mut end).await.is_err() {
        screen.tick(clock.elapsed());
    }
}
