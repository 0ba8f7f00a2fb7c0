//! A part of the world's time.

use tokio::time::Instant;

/// From one moment until another; without them from the beginning, and for ever.
#[derive(Debug, Clone, Copy, Default)]
pub struct During {
    pub from: Option<Instant>,
    pub until: Option<Instant>,
}

impl During {
    /// Whether it is now. To be asked on the world's thread.
    pub fn is_now(&self) -> bool {
        let now = Instant::now();
        self.from.is_none_or(|from| now >= from) && self.until.is_none_or(|until| now < until)
    }
}
