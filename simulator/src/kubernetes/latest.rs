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
    /// The latest that was no heartbeat.
    lively: AtomicU64,
    told: Notify,
}

/// Somebody who follows it.
pub struct Follower {
    latest: Arc<Latest>,
    /// Which one it follows.
    of: fn(&Latest) -> &AtomicU64,
    seen: u64,
}

impl Latest {
    pub fn beginning(revision: u64) -> Arc<Self> {
        Arc::new(Self { revision: AtomicU64::new(revision), lively: AtomicU64::new(revision), told: Notify::new() })
    }

    /// Tells that there is another one.
    pub fn tell(&self, revision: u64) {
        self.lively.store(revision, Ordering::Release);
        self.tell_of_heartbeat(revision);
    }

    /// The same for what only those want to hear who follow everything.
    pub fn tell_of_heartbeat(&self, revision: u64) {
        self.revision.store(revision, Ordering::Release);
        self.told.notify_waiters();
    }

    pub fn follow(self: &Arc<Self>) -> Follower {
        self.followed(|latest| &latest.revision)
    }

    pub fn follow_all_but_heartbeats(self: &Arc<Self>) -> Follower {
        self.followed(|latest| &latest.lively)
    }

    fn followed(self: &Arc<Self>, of: fn(&Latest) -> &AtomicU64) -> Follower {
        Follower { latest: self.clone(), of, seen: of(self).load(Ordering::Acquire) }
    }
}

impl Follower {
    /// Takes what is there now for seen.
    pub fn catch_up(&mut self) {
        self.seen = self.now();
    }

    fn now(&self) -> u64 {
        (self.of)(&self.latest).load(Ordering::Acquire)
    }

    /// Waits until there is another one than the last that was seen.
    pub async fn changed(&mut self) {
        let mut told = std::pin::pin!(self.latest.told.notified());
        loop {
            // What is told from here on wakes it, also what is told while it looks.
            told.as_mut().enable();
            let now = self.now();
            if now != self.seen {
                self.seen = now;
                return;
            }
            told.as_mut().await;
            told.set(self.latest.told.notified());
        }
    }
}
