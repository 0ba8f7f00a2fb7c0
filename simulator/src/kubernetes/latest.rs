//! The latest revision of a store, and who waits for another one: all of them wake in the order in which they began to wait.
//!
//! A channel for watching a value would wake them in an order that is left to chance.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Notify;

/// A revision that others follow.
pub struct Latest {
    revision: AtomicU64,
    told: Notify,
}

/// Somebody who follows it.
pub struct Follower {
    latest: Arc<Latest>,
    seen: u64,
}

impl Latest {
    pub fn beginning(revision: u64) -> Arc<Self> {
        Arc::new(Self { revision: AtomicU64::new(revision), told: Notify::new() })
    }

    /// Tells that there is another one.
    pub fn tell(&self, revision: u64) {
        self.revision.store(revision, Ordering::Release);
        self.told.notify_waiters();
    }

    pub fn follow(self: &Arc<Self>) -> Follower {
        Follower { latest: self.clone(), seen: self.get() }
    }

    fn get(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }
}

impl Follower {
    /// Takes what is there now for seen.
    pub fn catch_up(&mut self) {
        self.seen = self.latest.get();
    }

    /// Waits until there is another one than the last that was seen.
    pub async fn changed(&mut self) {
        let mut told = std::pin::pin!(self.latest.told.notified());
        loop {
            // What is told from here on wakes it, also what is told while it looks.
            told.as_mut().enable();
            let now = self.latest.get();
            if now != self.seen {
                self.seen = now;
                return;
            }
            told.as_mut().await;
            told.set(self.latest.told.notified());
        }
    }
}
